"""The ledger's database: opened once, brought forward, written by one transaction at a time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, insert, select
from sqlalchemy import event as hooks
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import QueuePool

from curio_rag.adapters.ledger_schema import META, SCHEMA_VERSION, STEPS
from curio_rag.errors import IndexDamaged, IndexLocked, IndexMissing, IndexOutOfDate

LEDGER_NAME = "ledger.sqlite3"
BUSY_MILLISECONDS = 30_000

MOST_PARAMETERS = 500
"""SQLite bounds the parameters of one statement; longer lists are asked for in pieces."""

Key = TypeVar("Key", str, bytes)


class Ledger:
    """One SQLite file in WAL mode; safe to share between threads of one process.

    `read_only` is True when the file or its folder cannot be written: everything that reads
    still works. Raises `IndexMissing` when there is no ledger and `create` is False,
    `IndexOutOfDate` for a ledger of a newer version, `IndexDamaged` for a file that is none.
    """

    def __init__(self, folder: Path, *, create: bool) -> None:
        self.path = folder / LEDGER_NAME
        self.read_only = False
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        elif not self.path.is_file():
            raise IndexMissing(f"There is no index at {folder}.", hint="Run `curio ingest` first.")
        self.read_only = self.path.exists() and not (os.access(self.path, os.W_OK) and os.access(folder, os.W_OK))
        try:
            self._engine = self._open()
        except (OperationalError, DatabaseError) as problem:
            raise IndexDamaged(
                f"{self.path} cannot be opened as a ledger: {problem.orig}.",
                hint="Restore it from a backup; everything else can be rebuilt from it.",
            ) from problem

    @classmethod
    def in_memory(cls) -> Self:
        """An empty ledger that nobody keeps, for trying things out."""
        ledger = cls.__new__(cls)
        ledger.path, ledger.read_only = Path(":memory:"), False
        ledger._engine = ledger._engine_for("file:dry-run?mode=memory&cache=shared", writable=True)
        ledger._bring_forward(ledger._engine)
        return ledger

    def _open(self) -> Engine:
        if not self.read_only:
            try:
                engine = self._engine_for(f"file:{quote(str(self.path))}", writable=True)
                self._bring_forward(engine)
                return engine
            except OperationalError as problem:
                if "readonly" not in str(problem.orig):
                    raise
                self.read_only = True
        engine = self._engine_for(f"file:{quote(str(self.path))}?mode=ro", writable=False)
        try:
            self._check_version(engine)
        except OperationalError:
            # A WAL ledger on a read-only mount has no place for its shared memory; nobody writes there.
            engine = self._engine_for(f"file:{quote(str(self.path))}?immutable=1", writable=False)
            self._check_version(engine)
        return engine

    @staticmethod
    def _engine_for(uri: str, *, writable: bool) -> Engine:
        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
            connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
            if writable:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute("PRAGMA foreign_keys=ON")
            return connection

        engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=8, max_overflow=24)

        @hooks.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            # Writers take the lock at once: two that read first and then write would deadlock.
            immediate = connection.get_execution_options().get("immediate", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

        return engine

    def _bring_forward(self, engine: Engine) -> None:
        if self._version(engine) == SCHEMA_VERSION:
            return
        with engine.connect().execution_options(immediate=True) as connection, connection.begin():
            version = self._version_of(connection)
            self._refuse_newer(version)
            for step in STEPS[version:]:
                step(connection)
            connection.execute(META.delete().where(META.c.key == "schema_version"))
            connection.execute(insert(META).values(key="schema_version", value=str(SCHEMA_VERSION)))

    def _check_version(self, engine: Engine) -> None:
        version = self._version(engine)
        self._refuse_newer(version)
        if version < SCHEMA_VERSION:
            raise IndexOutOfDate(
                f"{self.path} has schema version {version}, this program needs {SCHEMA_VERSION}, and it is read-only.",
                hint="Make it writable once and run `curio check`.",
            )

    def _version(self, engine: Engine) -> int:
        with engine.connect() as connection, connection.begin():
            return self._version_of(connection)

    @staticmethod
    def _version_of(connection: Connection) -> int:
        found = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").scalar_one()
        if not found:
            return 0
        row = connection.execute(select(META.c.value).where(META.c.key == "schema_version")).first()
        return int(row[0]) if row else 0

    def _refuse_newer(self, version: int) -> None:
        if version > SCHEMA_VERSION:
            raise IndexOutOfDate(
                f"{self.path} was written by a newer version (schema {version}; this program knows {SCHEMA_VERSION}).",
                hint="Update curio_rag.",
            )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view; writers do not wait for it. Raises `IndexLocked` or `IndexDamaged`."""
        with self._translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is kept, or nothing. Raises `IndexLocked` or `IndexDamaged`."""
        with (
            self._translated(),
            self._engine.connect().execution_options(immediate=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """What goes wrong in the database, in the words of the error tree and without the values of a statement."""
        try:
            yield
        except DatabaseError as problem:
            if "locked" in str(problem.orig):
                raise IndexLocked(f"{self.path} is busy.", hint="Try again in a minute.") from problem
            raise IndexDamaged(
                f"{self.path} cannot be used: {problem.orig}.",
                hint="Check free space and permissions; restore it from a backup when `curio check` finds it damaged.",
            ) from problem

    def close(self) -> None:
        """Closes every connection; the last one out folds the write-ahead log into the file."""
        self._engine.dispose()

    def forget(self) -> None:
        """After a fork: lets go of the parent's connections without closing them under it."""
        self._engine.dispose(close=False)


def in_pieces(items: Sequence[Key]) -> Iterable[Sequence[Key]]:
    """The items in runs short enough for one statement."""
    return (items[start : start + MOST_PARAMETERS] for start in range(0, len(items), MOST_PARAMETERS))
