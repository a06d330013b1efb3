"""Whether everything that an answer rests on is still there and still itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from curio_rag.domain.digests import Json
from curio_rag.domain.sources import Document
from curio_rag.errors import CurioError
from curio_rag.pipelines.ingest import BATCH_TEXTS, texts_of
from curio_rag.ports import PassageShelf, Splitter, VectorShelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong: the part (`library`, `audit`, `index`) and a sentence."""

    part: str
    text: str

    def to_dict(self) -> dict[str, Json]:
        """As `curio check --json` shows it."""
        return {"part": self.part, "text": self.text}


def check_library(shelf: PassageShelf, document_ids: Sequence[str]) -> tuple[Finding, ...]:
    """Derives every digest of the admitted documents again and compares every passage with its document's text."""
    findings: list[Finding] = []
    for entry in shelf.entries_of(document_ids):
        try:
            document = shelf.document(entry.document_id)
        except CurioError as problem:
            findings.append(Finding(part="library", text=str(problem)))
            continue
        if document.digest != entry.digest:
            text = f"{entry.document_id} is not what was filed: its text has the digest {document.digest}."
            findings.append(Finding(part="library", text=text))
        findings.extend(Finding(part="library", text=text) for text in _stray_passages(shelf, document))
    return tuple(findings)


def check_vectors(
    shelf: PassageShelf, vectors: VectorShelf, splitter: Splitter, passage_ids: Sequence[str], *, model: str
) -> Iterator[Finding]:
    """Whether the ledger has a vector of this model for all that is embedded of these passages."""
    lost = 0
    for start in range(0, len(passage_ids), BATCH_TEXTS):
        passages = shelf.passages(passage_ids[start : start + BATCH_TEXTS])
        lost += len(vectors.missing(model, list(texts_of(passages, splitter))))
    if lost:
        text = f"{lost} texts have no vector of {model} in the ledger. Run `curio check --repair`."
        yield Finding(part="index", text=text)


def _stray_passages(shelf: PassageShelf, document: Document) -> Iterator[str]:
    for passage in shelf.passages_of(document.id):
        if passage.document_digest != document.digest or passage.span.of(document.text) != passage.text:
            yield f"{passage.id} is not the text of {document.id} at {passage.span.start}-{passage.span.end}."
