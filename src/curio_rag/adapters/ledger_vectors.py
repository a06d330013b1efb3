"""Every vector that was ever made, by model and text: nothing is embedded twice, every index can be rebuilt."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from curio_rag.adapters.ledger import Ledger, in_pieces
from curio_rag.adapters.ledger_documents import text_key
from curio_rag.adapters.ledger_schema import DOCUMENTS, PASSAGES, VECTORS
from curio_rag.domain.sources import Passage
from curio_rag.errors import IndexDamaged
from curio_rag.ports import IndexEntry, Vector


class LedgerVectors:
    """`VectorShelf` over the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def missing(self, embedder: str, texts: Sequence[str]) -> tuple[str, ...]:
        """Those texts, each once and in order, that have no vector of this model."""
        by_key = {text_key(text): text for text in texts}
        keys = list(by_key)
        with self._ledger.reading() as connection:
            for some in in_pieces(keys):
                query = select(VECTORS.c.text_key).where(VECTORS.c.embedder == embedder, VECTORS.c.text_key.in_(some))
                for key in connection.execute(query).scalars():
                    del by_key[key]
        return tuple(by_key.values())

    def add(self, embedder: str, texts: Sequence[str], vectors: Sequence[Vector]) -> None:
        """Keeps one vector for each text; one that is there already stays as it is."""
        if not texts:
            return
        rows = [
            {"embedder": embedder, "text_key": text_key(text), "vector": vector}
            for text, vector in zip(texts, vectors, strict=True)
        ]
        with self._ledger.writing() as connection:
            connection.execute(insert(VECTORS).on_conflict_do_nothing(), rows)

    def vectors_of(self, embedder: str, texts: Sequence[str]) -> tuple[Vector | None, ...]:
        """The vector of each text, in order; None for one that was never embedded."""
        keys = [text_key(text) for text in texts]
        with self._ledger.reading() as connection:
            found = self._vectors(connection, embedder, tuple(dict.fromkeys(keys)))
        return tuple(found.get(key) for key in keys)

    def index_entries(self, embedder: str, passage_ids: Sequence[str]) -> Iterator[IndexEntry]:
        """What an index needs of these passages. Raises `IndexDamaged` when a passage or a vector is missing."""
        for some in in_pieces(passage_ids):
            yield from self._entries(embedder, some)

    def _entries(self, embedder: str, passage_ids: Sequence[str]) -> Iterator[IndexEntry]:
        query = (
            select(PASSAGES, DOCUMENTS.c.synonyms)
            .join(DOCUMENTS, DOCUMENTS.c.id == PASSAGES.c.document_id)
            .where(PASSAGES.c.id.in_(passage_ids))
        )
        with self._ledger.reading() as connection:
            rows = {row.id: row for row in connection.execute(query)}
            keys = {key for row in rows.values() for key in (row.text_key, row.title_key, row.heading_key)}
            vectors = self._vectors(connection, embedder, tuple(keys))
        for passage_id in passage_ids:
            row = rows.get(passage_id)
            if row is None or not all(key in vectors for key in (row.text_key, row.title_key, row.heading_key)):
                raise IndexDamaged(
                    f"The ledger holds no vector of {embedder} for passage {passage_id}.",
                    hint="Run `curio check --repair`.",
                )
            passage = msgspec.json.decode(row.body, type=Passage)
            yield IndexEntry(
                passage_id=passage_id,
                document_id=passage.document_id,
                text=passage.text,
                title=passage.title,
                synonyms=tuple(json.loads(row.synonyms)),
                heading=passage.heading_line,
                text_vector=vectors[row.text_key],
                title_vector=vectors[row.title_key],
                heading_vector=vectors[row.heading_key],
            )

    @staticmethod
    def _vectors(connection: Connection, embedder: str, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        found: dict[bytes, Vector] = {}
        for some in in_pieces(keys):
            query = select(VECTORS.c.text_key, VECTORS.c.vector)
            query = query.where(VECTORS.c.embedder == embedder, VECTORS.c.text_key.in_(some))
            found.update((row.text_key, row.vector) for row in connection.execute(query))
        return found
