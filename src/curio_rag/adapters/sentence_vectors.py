"""How near the nearest sentence of a passage is to a question; the vectors come from the ledger."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import numpy as np
import numpy.typing as npt

from curio_rag.domain.sources import Passage
from curio_rag.ports import Splitter, Vector, VectorShelf

MOST_KEPT = 4_000
"""Passages whose sentences stay in memory, some 8 kB each."""

Floats = npt.NDArray[np.float32]


class SentenceVectors:
    """`SentenceMatch` over the vectors of a model, which ingest has kept; safe to share between threads."""

    def __init__(self, splitter: Splitter, vectors: VectorShelf, *, model: str) -> None:
        self._splitter = splitter
        self._vectors = vectors
        self._model = model
        self._kept: OrderedDict[str, Floats] = OrderedDict()
        self._lock = Lock()

    def similarities(self, passages: Sequence[Passage], query: Vector) -> tuple[float | None, ...]:
        """The highest cosine of a sentence of each passage; None for one of a single sentence, or without vectors."""
        asked: Floats = np.frombuffer(query, dtype="<f4")
        with self._lock:
            matrices = self._matrices(passages)
        return tuple(float((matrix @ asked).max()) if len(matrix) else None for matrix in matrices)

    def _matrices(self, passages: Sequence[Passage]) -> list[Floats]:
        """The vectors of the sentences of each passage, one row each; no row where they are not all there."""
        made: dict[str, Floats] = {}
        unknown = [passage for passage in passages if passage.id not in self._kept]
        texts = {passage.id: self._splitter.sentences(passage) for passage in unknown}
        every = tuple(dict.fromkeys(text for some in texts.values() for text in some))
        found = dict(zip(every, self._vectors.vectors_of(self._model, every), strict=True)) if every else {}
        for passage_id, some in texts.items():
            held = [vector for text in some if (vector := found[text]) is not None]
            whole = len(held) == len(some)
            made[passage_id] = np.array([np.frombuffer(vector, dtype="<f4") for vector in held if whole])
            if whole:
                self._kept[passage_id] = made[passage_id]
        matrices = [made[passage.id] if passage.id in made else self._kept[passage.id] for passage in passages]
        for passage in passages:
            if passage.id in self._kept:
                self._kept.move_to_end(passage.id)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return matrices
