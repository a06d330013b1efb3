"""The words of a generation's passages in one SQLite file, searched by BM25 (FTS5).

The file is opened `mode=ro&immutable=1`: no lock and no journal are needed, so it works on a
read-only mount and opens at once. A published file is never modified.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import sqlite3
import threading
import urllib.parse
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from curio_rag.errors import IndexDamaged
from curio_rag.ports import IndexEntry, Scored

Rows: TypeAlias = npt.NDArray[np.int64]

KEYWORD_FILE = "keywords.sqlite3"

WEIGHTS: Mapping[str, float] = MappingProxyType({"title": 3.0, "heading": 2.0, "text": 1.0})
"""How much a word counts in each column; a start, to be set by measurement."""

_SCHEMA = """
CREATE TABLE passages (row INTEGER PRIMARY KEY, passage_id TEXT NOT NULL UNIQUE, document_id TEXT NOT NULL);
CREATE VIRTUAL TABLE keywords USING fts5(title, heading, text, tokenize = 'porter unicode61 remove_diacritics 2');
"""

_WORDS = """
CREATE TABLE words (word TEXT PRIMARY KEY, passages INTEGER NOT NULL) WITHOUT ROWID;
"""
# Words as they are written, because those of `keywords` are stems, into which no typing error can be mended.

_WORD = re.compile(r"[^\W\d_]{4,30}")

_SEARCH = """
SELECT passage_id, score FROM (
    SELECT rowid AS found, -bm25(keywords, ?, ?, ?) AS score FROM keywords WHERE keywords MATCH ?
) JOIN passages ON row = found ORDER BY score DESC, passage_id LIMIT ?
"""

_INHERITED: list[sqlite3.Connection] = []
# A connection of the parent is neither used nor closed after a fork: SQLite forbids the one, and
# the other could wait for a mutex that a thread held which does not exist here.


class KeywordIndex:
    """BM25 over title and synonyms, heading path and text; safe to share between threads and after a fork.

    One connection for each process, guarded by a lock, opened here and now so that the file stays
    readable even when its generation is removed. Raises `IndexDamaged` when it cannot be read.
    """

    def __init__(self, path: Path, *, weights: Mapping[str, float] = WEIGHTS) -> None:
        self._path = path
        self._weights = (weights["title"], weights["heading"], weights["text"])
        self._connections: dict[int, sqlite3.Connection] = {}
        self._locks: dict[int, threading.Lock] = {}
        self._postings = lru_cache(maxsize=256)(self._read_postings)
        self._rows: dict[str, int] = {}
        self._beginning = lru_cache(maxsize=256)(self._read_words)
        with self._reading() as connection:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    def search(self, terms: Sequence[str], *, limit: int) -> tuple[Scored, ...]:
        """The passages in which any term stands, by BM25 (above 0), best first, ties by passage id."""
        query = " OR ".join(dict.fromkeys(map(_quote, terms)))
        if not query or limit <= 0:
            return ()
        with self._reading() as connection:
            found = connection.execute(_SEARCH, (*self._weights, query, limit)).fetchall()
        return tuple(Scored(passage_id=passage_id, score=score) for passage_id, score in found)

    def document_frequencies(self, terms: Sequence[str]) -> tuple[int, ...]:
        """In how many passages each term stands, in any column, stemmed as `search` does it."""
        return tuple(len(self._postings(_quote(term))) for term in terms)

    def matching(self, terms: Sequence[str], passage_ids: Sequence[str]) -> tuple[frozenset[str], ...]:
        """For each term or phrase those of the passages in which it stands, in any column, stemmed as `search` does."""
        rows = np.asarray([self._row_of(passage_id) for passage_id in passage_ids], dtype=np.int64)
        return tuple(self._holders(self._postings(_quote(term)), rows, passage_ids) for term in terms)

    @staticmethod
    def _holders(postings: Rows, rows: Rows, passage_ids: Sequence[str]) -> frozenset[str]:
        if not len(postings) or not len(rows):
            return frozenset()
        places = np.minimum(np.searchsorted(postings, rows), len(postings) - 1)
        return frozenset(itertools.compress(passage_ids, (postings[places] == rows).tolist()))

    def _row_of(self, passage_id: str) -> int:
        """The row of a passage, -1 for an unknown one; what was asked for before is remembered."""
        row = self._rows.get(passage_id)
        if row is None:
            with self._reading() as connection:
                found = connection.execute("SELECT row FROM passages WHERE passage_id = ?", (passage_id,)).fetchone()
            row = self._rows[passage_id] = found[0] if found else -1
        return row

    def _read_postings(self, query: str) -> Rows:
        """The rows in which a term or phrase stands, in order."""
        with self._reading() as connection:
            found = connection.execute("SELECT rowid FROM keywords WHERE keywords MATCH ? ORDER BY rowid", (query,))
            return np.fromiter((row for (row,) in found), dtype=np.int64)

    def words(self, beginning: str) -> tuple[tuple[str, int], ...]:
        """The words of at least four letters with that beginning, as they are written, in lower case, sorted.

        Each with the number of its passages; none in a file that was written before words were kept.
        """
        return self._beginning(_storable(beginning))

    def _read_words(self, beginning: str) -> tuple[tuple[str, int], ...]:
        with self._reading() as connection:
            if not _has_words(connection):
                return ()
            query = "SELECT word, passages FROM words WHERE word >= ? AND word < ? ORDER BY word"
            return tuple(connection.execute(query, (beginning, beginning + "\U0010ffff")))

    def passage_ids(self) -> list[str]:
        """The ids of all passages that the file holds words of, sorted."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT passage_id FROM passages JOIN keywords_docsize ON row = id ORDER BY passage_id"
            )
            return [passage_id for (passage_id,) in rows]

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The connection of this process; a fork gets a lock and a connection of its own."""
        process = os.getpid()
        with self._locks.setdefault(process, threading.Lock()), _translated(self._path):
            if process not in self._connections:
                _INHERITED.extend(self._connections.values())
                self._connections = {process: self._connect()}
            yield self._connections[process]

    def _connect(self) -> sqlite3.Connection:
        location = urllib.parse.quote(str(self._path.absolute()))
        connection = sqlite3.connect(f"file:{location}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        weakref.finalize(self, _close, connection, os.getpid())
        return connection


class KeywordWriter:
    """Writes the keyword file of a generation, from a copy of the previous one where there is one.

    The file is built aside and thrown away after a crash, so it needs no journal.
    """

    def __init__(self, path: Path, *, previous: Path | None) -> None:
        self._path = path
        with _translated(path):
            if previous is not None:
                shutil.copyfile(previous, path)
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            if previous is None:
                self._connection.executescript(_SCHEMA)
            self._counts: Counter[str] = Counter()
            if not _has_words(self._connection):
                self._connection.executescript(_WORDS)
                for row in self._connection.execute("SELECT title, heading, text FROM keywords"):
                    self._counts.update(_words_of(row))
            self._connection.execute("BEGIN")

    def remove(self, passage_ids: Iterable[str]) -> None:
        """Take out the words of these passages."""
        with _translated(self._path):
            for passage_id in passage_ids:
                found = self._connection.execute(
                    "SELECT title, heading, text FROM keywords JOIN passages ON keywords.rowid = row"
                    " WHERE passage_id = ?",
                    (passage_id,),
                )
                for row in found:
                    self._counts.subtract(_words_of(row))
                find = "(SELECT row FROM passages WHERE passage_id = ?)"
                self._connection.execute(f"DELETE FROM keywords WHERE rowid = {find}", (passage_id,))
                self._connection.execute("DELETE FROM passages WHERE passage_id = ?", (passage_id,))

    def add(self, entries: Iterable[IndexEntry]) -> None:
        """Put in the words of new passages."""
        with _translated(self._path):
            for entry in entries:
                columns = tuple(map(_storable, ("\n".join((entry.title, *entry.synonyms)), entry.heading, entry.text)))
                self._counts.update(_words_of(columns))
                row = self._connection.execute(
                    "INSERT INTO passages (passage_id, document_id) VALUES (?, ?)",
                    (entry.passage_id, _storable(entry.document_id)),
                ).lastrowid
                self._connection.execute(
                    "INSERT INTO keywords (rowid, title, heading, text) VALUES (?, ?, ?, ?)",
                    (row, *columns),
                )

    def finish(self) -> None:
        """Complete the file and close it."""
        with _translated(self._path):
            self._connection.executemany(
                "INSERT INTO words VALUES (?, ?)"
                " ON CONFLICT (word) DO UPDATE SET passages = passages + excluded.passages",
                sorted((word, change) for word, change in self._counts.items() if change),
            )
            self._connection.execute("DELETE FROM words WHERE passages <= 0")
            self._connection.execute("COMMIT")
            self._connection.close()

    def compact(self) -> None:
        """Merge what many additions and removals have scattered; worth its while when most of the file has changed."""
        with _translated(self._path):
            self._connection.execute("INSERT INTO keywords (keywords) VALUES ('optimize')")
            self._connection.execute("COMMIT")
            self._connection.execute("VACUUM")
            self._connection.execute("BEGIN")

    def close(self) -> None:
        """Give up; the file is of no use."""
        self._connection.close()


def _words_of(columns: Sequence[str]) -> set[str]:
    """The words of a passage, each once."""
    return set(_WORD.findall(" ".join(columns).lower()))


def _has_words(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'words'").fetchone() is not None


def _quote(term: str) -> str:
    """A term as an FTS5 string, in which nothing is syntax; NUL would end it."""
    return '"' + _storable(term).replace("\0", " ").replace('"', '""') + '"'


def _storable(text: str) -> str:
    """SQLite keeps UTF-8, which has no lone surrogates; one splits words like any other sign that is no letter."""
    return text.encode("utf-8", "replace").decode("utf-8")


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise IndexDamaged(f"{path} cannot be used: {error}.", hint="Run `curio check --repair`.") from error


def _close(connection: sqlite3.Connection, process: int) -> None:
    if os.getpid() == process:
        connection.close()
