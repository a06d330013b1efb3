"""What a withdrawal leaves: the answers that it touched, and the proof that nothing finds the document any more."""

from __future__ import annotations

from dataclasses import dataclass

from curio_rag.domain.digests import Json
from curio_rag.domain.review_status import ReviewStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """How much of a document's passages the current generation still holds: all counts are 0 when it is gone.

    `looked_for` is the number of its passages in the ledger, which keeps them as a record. `vectors` counts
    rows of the matrix and entries of Chroma that belong to these passages alone; `chroma` says whether
    there is a Chroma folder to look into.
    """

    document_id: str
    generation: int
    looked_for: int
    passages: int
    vectors: int
    keywords: int
    chroma: bool

    @property
    def proven(self) -> bool:
        """Whether nothing was found."""
        return not (self.passages or self.vectors or self.keywords)

    def to_dict(self) -> dict[str, Json]:
        """As `curio library withdraw --json` shows it."""
        return {
            "document_id": self.document_id,
            "generation": self.generation,
            "looked_for": self.looked_for,
            "passages": self.passages,
            "vectors": self.vectors,
            "keyword_entries": self.keywords,
            "looked_into_chroma": self.chroma,
            "proven": self.proven,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalledAnswer:
    """An answer that cites a withdrawn document: `before` is its status then, `after` its status now."""

    answer_id: str
    thread_id: str
    before: ReviewStatus
    after: ReviewStatus

    def to_dict(self) -> dict[str, Json]:
        """As `curio library withdraw --json` shows it."""
        return {
            "id": self.answer_id,
            "thread_id": self.thread_id,
            "before": self.before.value,
            "after": self.after.value,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """The whole result of withdrawing a document."""

    document_id: str
    answers: tuple[RecalledAnswer, ...]
    absence: Absence

    def to_dict(self) -> dict[str, Json]:
        """As `curio library withdraw --json` shows it."""
        return {
            "document_id": self.document_id,
            "answers": [each.to_dict() for each in self.answers],
            "absence": self.absence.to_dict(),
        }
