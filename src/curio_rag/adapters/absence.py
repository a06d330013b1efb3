"""The proof that a withdrawn document is found no more: its passages are looked for in each file of the generation."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from curio_rag.adapters.chroma_index import CHROMA_FOLDER
from curio_rag.adapters.keyword_index import KEYWORD_FILE, KeywordIndex
from curio_rag.adapters.ledger import in_pieces
from curio_rag.adapters.manifest import read_manifest
from curio_rag.adapters.matrix import Matrix, vector_key, vector_keys
from curio_rag.domain.recall import Absence
from curio_rag.errors import IndexDamaged
from curio_rag.ports import IndexEntry, VectorField

CHROMA_DATABASE = "chroma.sqlite3"


def look_for(document_id: str, entries: Sequence[IndexEntry], *, generation: Path) -> Absence:
    """Counts what the generation in this folder holds of a document's passages.

    A vector that another passage has as well, because it has the same words, is that one's. Raises
    `IndexDamaged` when a file of the generation cannot be read.
    """
    manifest = read_manifest(generation)
    matrix = Matrix(generation, dimensions=manifest.dimensions)
    wanted = {entry.passage_id for entry in entries}
    rows = [row for row in (matrix.ids.row_of(passage_id) for passage_id in wanted) if row is not None]
    held = {key for field in VectorField for key in vector_keys(matrix.fields[field].matrix)}
    gone = {vector_key(entry.text_vector) for entry in entries} - held
    chroma = generation / CHROMA_FOLDER / CHROMA_DATABASE
    return Absence(
        document_id=document_id,
        generation=manifest.generation,
        looked_for=len(wanted),
        passages=len(rows),
        vectors=len(rows) + (_in_chroma(chroma, sorted(gone)) if manifest.chroma else 0),
        keywords=len(wanted & set(KeywordIndex(generation / KEYWORD_FILE).passage_ids())),
        chroma=manifest.chroma,
    )


def _in_chroma(path: Path, keys: Sequence[str]) -> int:
    """How many of these vectors Chroma's own table still names; read directly, for opening Chroma writes."""
    count = 0
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            for some in in_pieces(keys):
                query = f"SELECT count(*) FROM embeddings WHERE embedding_id IN ({', '.join('?' * len(some))})"
                count += connection.execute(query, some).fetchone()[0]
    except sqlite3.Error as problem:
        raise IndexDamaged(f"{path} cannot be read: {problem}.", hint="Run `curio check --repair`.") from problem
    return count
