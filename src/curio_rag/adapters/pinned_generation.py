"""One opened generation: the exact scan, Chroma's candidates where they pay, and the keyword index."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path

from curio_rag.adapters.chroma_index import CHROMA_FOLDER, ChromaIndex, keys_of
from curio_rag.adapters.chroma_process import verify_in_child
from curio_rag.adapters.keyword_index import KEYWORD_FILE, KeywordIndex
from curio_rag.adapters.manifest import REPAIR, Manifest, size_problems
from curio_rag.adapters.matrix import Matrix
from curio_rag.errors import IndexDamaged, IndexProblem
from curio_rag.ports import PassageIndex, Scored, Vector, VectorField

_SPARE = 32
"""How many candidates more than asked for Chroma gives, for it misses some and orders by rounded distances."""


class PinnedGeneration(PassageIndex):
    """Answers from one generation's files, which no publishing changes.

    Raises `IndexDamaged` when a file is missing or has another size than the manifest says;
    digests are for `Generations.problems`. Chroma only proposes candidates, and where it cannot be
    opened the scan, which is exact, serves instead.
    """

    def __init__(self, folder: Path, manifest: Manifest, *, ask_chroma: bool) -> None:
        for problem in size_problems(folder, manifest):
            raise IndexDamaged(f"{problem}.", hint=REPAIR)
        self._folder = folder
        self._manifest = manifest
        self._ask_chroma = ask_chroma and manifest.chroma
        self._matrix = Matrix(folder, dimensions=manifest.dimensions)
        if len(self._matrix.ids) != manifest.passages:
            raise IndexDamaged(
                f"{folder} holds {len(self._matrix.ids)} passages, not {manifest.passages}.", hint=REPAIR
            )
        self._keywords = KeywordIndex(folder / KEYWORD_FILE)
        self._chroma: dict[int, _Candidates | None] = {}
        self._locks: dict[int, threading.Lock] = {}

    @property
    def generation(self) -> int:
        return self._manifest.generation

    @property
    def fingerprint(self) -> str:
        return self._manifest.fingerprint

    @property
    def configuration(self) -> str:
        return self._manifest.configuration

    @property
    def size(self) -> int:
        return self._manifest.passages

    def nearest(self, field: VectorField, vector: Vector, *, limit: int) -> tuple[Scored, ...]:
        """The passages whose named vector is most similar (cosine), best first, ties by passage id."""
        if self._ask_chroma and 0 < limit < self.size:
            candidates = self._open_chroma()
            rows = candidates.rows(field, vector, limit=limit) if candidates else None
            if rows is not None:
                found = self._matrix.ranked(field, vector, rows, limit=limit)
                if len(found) == limit:
                    return found
        return self._matrix.nearest(field, vector, limit=limit)

    def similarities(self, field: VectorField, vector: Vector, passage_ids: Sequence[str]) -> tuple[float, ...]:
        """The exact cosine for each passage id, in order. Raises `IndexDamaged` for an unknown id."""
        return self._matrix.similarities(field, vector, passage_ids)

    def keyword(self, terms: Sequence[str], *, limit: int) -> tuple[Scored, ...]:
        """BM25 over title and synonyms, headings and text, any term sufficing; best first."""
        return self._keywords.search(terms, limit=limit)

    def document_frequencies(self, terms: Sequence[str]) -> tuple[int, ...]:
        """In how many passages each term stands, stemmed as `keyword` does it."""
        return self._keywords.document_frequencies(terms)

    def matching(self, terms: Sequence[str], passage_ids: Sequence[str]) -> tuple[frozenset[str], ...]:
        """For each term or phrase those of the passages in which it stands, stemmed as `keyword` does it."""
        return self._keywords.matching(terms, passage_ids)

    def words(self, beginning: str) -> tuple[tuple[str, int], ...]:
        """The words with that beginning as they are written, in lower case, and in how many passages each stands."""
        return self._keywords.words(beginning)

    def _open_chroma(self) -> _Candidates | None:
        """Chroma's candidates, opened once in each process; None, once and for all, where it cannot be trusted."""
        process = os.getpid()
        with self._locks.setdefault(process, threading.Lock()):
            if process not in self._chroma:
                self._chroma[process] = self._try_chroma()
            return self._chroma[process]

    def _try_chroma(self) -> _Candidates | None:
        folder, manifest = self._folder / CHROMA_FOLDER, self._manifest
        # A read-only folder is known without the second that the child takes to find out.
        if not os.access(folder, os.W_OK) or not os.access(folder / "chroma.sqlite3", os.W_OK):
            return None
        if verify_in_child(self._folder, dimensions=manifest.dimensions, configuration=manifest.configuration):
            return None
        try:
            index = ChromaIndex(folder, configuration=manifest.configuration)
        except IndexProblem:
            return None
        weakref.finalize(self, index.close)
        return _Candidates(index, self._matrix)


class _Candidates:
    """The rows of the matrix that Chroma proposes."""

    def __init__(self, index: ChromaIndex, matrix: Matrix) -> None:
        self._index: ChromaIndex | None = index
        self._rows = {field: keys_of(matrix, field) for field in VectorField}

    def rows(self, field: VectorField, vector: Vector, *, limit: int) -> list[int] | None:
        """Rows of the field's vectors, or None when Chroma failed or named something unknown."""
        index, known = self._index, self._rows[field]
        if index is None:
            return None
        try:
            keys = index.candidates(field, vector, limit=min(limit + _SPARE, len(known)))
        except IndexProblem:
            self._index = None
            return None
        return [row for key in keys for row in known[key]] if all(key in known for key in keys) else None
