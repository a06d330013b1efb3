"""A gold case made from an answer that a clinician has approved, in the short form, for a person to edit."""

from __future__ import annotations

from curio_rag.domain.answers import Outcome
from curio_rag.domain.digests import Json
from curio_rag.domain.review_status import ReviewStatus
from curio_rag.domain.reviews import AnswerRecord
from curio_rag.errors import EvalError


def case_from_answer(record: AnswerRecord, *, question: str | None = None) -> dict[str, Json]:
    """The question with the approved sentences as facts and their quotes as evidence.

    `question` is asked instead of the one that was, which is health information of its asker. Nothing
    says that a clinician has confirmed the case: a signature covers the answer and not what is asked of it here.
    Raises `EvalError` for an answer that is not approved or has no sentences, and for a follow-up without `question`.
    """
    answer, status = record.answer, record.review.status
    if status is not ReviewStatus.APPROVED:
        raise EvalError(
            f"{answer.id} is {status.value}; only an approved answer becomes a gold case.",
            hint="A clinician approves it with `curio review approve`.",
        )
    if answer.outcome is not Outcome.DRAFTED or not answer.sections:
        raise EvalError(
            f"{answer.id} was {answer.outcome.value} and says nothing that could be gold.",
            hint="Write such a case by hand, as those in evals/gold.",
        )
    if answer.trace.follows and question is None:
        raise EvalError(
            f"{answer.id} answers a follow-up, which means nothing by itself.",
            hint="Give the whole question with --question.",
        )
    sentences = [sentence for section in answer.sections for sentence in section.sentences]
    quotes = dict.fromkeys((each.document_id, each.quote) for sentence in sentences for each in sentence.citations)
    return {
        "id": f"from-{answer.id}",
        "question": record.question if question is None else question,
        "facts": [sentence.text for sentence in sentences],
        "evidence": [{"document_id": document_id, "quote": quote} for document_id, quote in quotes],
    }
