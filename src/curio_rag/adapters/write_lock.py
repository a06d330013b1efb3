"""One writer at a time: a lock on an index folder that names its holder and dies with its process."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from curio_rag.errors import IndexLocked, IndexProblem

LOCK_FILE = "write.lock"
HOLDER_FILE = "write.lock.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockHolder:
    """Who writes: process, machine, command and the time since when (ISO 8601, UTC)."""

    pid: int
    host: str
    command: str
    since: str


@contextlib.contextmanager
def write_lock(folder: Path, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the folder's lock for writing; the operating system lets go of it when this process ends, however it ends.

    The folder is made where it is missing. Raises `IndexLocked`, naming the holder, when another
    process (or another thread of this one) still holds it after `wait_seconds`, and `IndexProblem`
    when the folder cannot be written.
    """
    lock = FileLock(folder / LOCK_FILE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise _locked(folder) from None
    except OSError as error:
        raise IndexProblem(
            f"{folder} cannot be written: {error.strerror or error}.", hint="Check its permissions and free space."
        ) from error
    try:
        _write_holder(folder)
        yield
    finally:
        # Before the release: afterwards the file may be the next holder's.
        with contextlib.suppress(OSError):
            (folder / HOLDER_FILE).unlink(missing_ok=True)
        lock.release()


def lock_holder(folder: Path) -> LockHolder | None:
    """Who wrote the holder's file; it outlives a killed process, so it means something only while the lock is held."""
    try:
        return LockHolder(**json.loads((folder / HOLDER_FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _locked(folder: Path) -> IndexLocked:
    holder = lock_holder(folder)
    if holder is None or not _may_live(holder):
        # Taken a moment ago, and what lies there is from the holder before.
        who = "another process"
    else:
        who = f"process {holder.pid} on {holder.host} ({holder.command}) since {holder.since}"
    return IndexLocked(f"{folder} is being written by {who}.", hint="Wait until it is done, then try again.")


def _may_live(holder: LockHolder) -> bool:
    if holder.host != socket.gethostname():
        return True
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _write_holder(folder: Path) -> None:
    holder = LockHolder(
        pid=os.getpid(),
        host=socket.gethostname(),
        # The program and its subcommand; what follows may be private.
        command=" ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])[:80],
        since=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    aside = folder / f"{HOLDER_FILE}.{os.getpid()}"
    aside.write_text(json.dumps(asdict(holder)), encoding="utf-8")
    aside.replace(folder / HOLDER_FILE)
