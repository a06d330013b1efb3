"""What is signed: a canonical statement of the exact words, their sources, the decision, who, and what it means.

Designed with 21 CFR Part 11 in mind: the statement carries the signer's name, the time and the meaning of
the signature (11.50) and the content itself, so that it cannot be moved to another record (11.70).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from curio_rag.domain.answers import Answer, Citation
from curio_rag.domain.digests import Json, canonical_json, digest_json
from curio_rag.domain.events import Event, json_list, json_object
from curio_rag.domain.reviewers import Reviewer

STATEMENT_VERSION = "curio sign-off 1"


class Decision(StrEnum):
    """What a signature says."""

    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"
    COMMENTED = "commented"
    VETTED = "vetted"
    CLEARED = "cleared"


MEANINGS = {
    Decision.APPROVED: "I have read every sentence beside its source and approve these exact words as general "
    "information for the person who asked.",
    Decision.EDITED: "I have changed this answer to exactly these words; this is not yet an approval.",
    Decision.REJECTED: "I have read this answer and it must not be given to the person who asked.",
    Decision.COMMENTED: "These are my own words to the person who asked; they do not come from the library.",
    Decision.VETTED: "I have read this exact text and vouch for it as a source of answers for patients until the "
    "review is due.",
    Decision.CLEARED: "I have seen to the emergency in this thread; its questions may be answered again.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentState:
    """A document as it stands today: what a sign-off compares with what it covered."""

    document_id: str
    digest: str
    status: str
    clinician: str | None = None
    review_due: date | None = None
    changed_on: date | None = None

    def to_dict(self) -> dict[str, Json]:
        """As a statement holds it."""
        return {
            "document_id": self.document_id,
            "digest": self.digest,
            "status": self.status,
            "clinician": self.clinician,
            "review_due": self.review_due.isoformat() if self.review_due else None,
        }


@dataclass(frozen=True, kw_only=True)
class SignOff:
    """A signed statement at its place in the chain. `anchor` is the last position that the signer had seen."""

    statement: Mapping[str, Json]
    signature: str
    position: int

    @classmethod
    def of(cls, event: Event) -> SignOff | None:
        """The sign-off that an event holds, or None for an unsigned one."""
        statement, signature = event.part("statement"), event.text("signature")
        if not statement or not signature:
            return None
        return cls(statement=statement, signature=signature, position=event.position)

    @property
    def message(self) -> bytes:
        """The bytes that were signed (RFC 8785)."""
        return canonical_json(self.statement)

    @property
    def decision(self) -> str:
        return str(self.statement.get("decision"))

    @property
    def subject(self) -> Mapping[str, Json]:
        """The words and sources that it covers."""
        return json_object(self.statement.get("subject"))

    @property
    def reviewer_id(self) -> str:
        return str(json_object(self.statement.get("reviewer")).get("id"))

    @property
    def reviewer_name(self) -> str:
        return str(json_object(self.statement.get("reviewer")).get("name"))

    @property
    def role(self) -> str:
        return str(json_object(self.statement.get("reviewer")).get("role"))

    @property
    def signed_at(self) -> datetime:
        return datetime.fromisoformat(str(self.statement.get("signed_at")))

    @property
    def anchor(self) -> tuple[int, str]:
        """The position and digest of the last event that the signer had seen."""
        seen = json_object(self.statement.get("chain"))
        position = seen.get("position")
        return (position if isinstance(position, int) else -1), str(seen.get("digest"))

    @property
    def revision(self) -> int:
        number = self.subject.get("revision")
        return number if isinstance(number, int) else 0

    @property
    def documents(self) -> tuple[Mapping[str, Json], ...]:
        """The states of the cited documents when it was signed."""
        return tuple(json_object(each) for each in json_list(self.statement.get("documents")))


def answer_subject(answer: Answer, *, revision: int, question_digest: str) -> dict[str, Json]:
    """Everything of one revision that an asker may see, and the question by id and keyed digest."""
    return {
        "answer_id": answer.id,
        "revision": revision,
        "question_id": answer.question_id,
        "question_digest": question_digest,
        "content": answer_content(answer),
    }


def answer_content(answer: Answer) -> dict[str, Json]:
    """The words, quotes, places and document digests of an answer, whoever asked."""
    return {
        "outcome": answer.outcome.value,
        "urgency": answer.urgency.value,
        "advice": answer.advice,
        "reason": {"code": answer.reason.code, "text": answer.reason.text} if answer.reason else None,
        "sections": [
            {
                "heading": section.heading,
                "kind": section.kind.value,
                "sentences": [
                    {"text": sentence.text, "citations": [_citation(each) for each in sentence.citations]}
                    for sentence in section.sentences
                ],
            }
            for section in answer.sections
        ],
        "not_covered": list(answer.not_covered),
        "incomplete": answer.incomplete,
        "withheld": len(answer.withheld),
        "conflicts": [
            [_citation(each.first), _citation(each.second), each.first_figure, each.second_figure]
            for each in answer.conflicts
        ],
        "questions_to_ask": list(answer.questions_to_ask),
        "sources": [
            [each.marker, each.document_id, each.document_digest, each.title, each.publisher, each.url, each.page]
            for each in answer.sources
        ],
    }


def same_words(one: Answer, other: Answer) -> bool:
    """Whether two answers say the same with the same quotes, wherever in its document's text a quote stands now."""
    return _words_of(one) == _words_of(other)


def _words_of(answer: Answer) -> Json:
    return [
        [answer.outcome.value, answer.advice, answer.incomplete, list(answer.not_covered)],
        [
            [section.heading, section.kind.value, sentence.text]
            + [part for each in sentence.citations for part in (each.document_id, each.quote)]
            for section in answer.sections
            for sentence in section.sentences
        ],
    ]


def document_subject(*, document_id: str, title: str, digest: str, review_due: date) -> dict[str, Json]:
    """The exact text of a document by its digest, and until when it is vouched for."""
    return {"document_id": document_id, "title": title, "digest": digest, "review_due": review_due.isoformat()}


def emergency_subject(*, thread_id: str, answer_id: str) -> dict[str, Json]:
    """The emergency of a thread, by the answer that flagged it."""
    return {"thread_id": thread_id, "flagged_answer": answer_id}


def statement_of(
    *,
    decision: Decision,
    subject: Mapping[str, Json],
    documents: Sequence[DocumentState],
    reviewer: Reviewer,
    signed_at: datetime,
    seen: tuple[int, str],
    note: Mapping[str, Json] | None = None,
    acknowledged_incomplete: bool = False,
) -> dict[str, Json]:
    """The statement that is signed; `seen` is the head of the chain that the signer had before them.

    The head ties the signature to everything that happened before: whoever rewrites the chain
    before it can make the digests fit again, but not the signature.
    """
    return {
        "version": STATEMENT_VERSION,
        "decision": decision.value,
        "meaning": MEANINGS[decision],
        "subject": subject,
        "subject_digest": digest_json(subject),
        "documents": [each.to_dict() for each in documents],
        "acknowledged_incomplete": acknowledged_incomplete,
        "note": note,
        "reviewer": {
            "id": reviewer.id,
            "name": reviewer.name,
            "role": reviewer.role.value,
            "credential": reviewer.credential.to_dict(),
            "demonstration": reviewer.demonstration,
        },
        "key_id": reviewer.key_id,
        "signed_at": signed_at.astimezone(UTC).isoformat(),
        "chain": {"position": seen[0], "digest": seen[1]},
    }


def _citation(citation: Citation) -> Json:
    return {
        "document_id": citation.document_id,
        "document_digest": citation.document_digest,
        "quote": citation.quote,
        "start": citation.span.start,
        "end": citation.span.end,
        "page": citation.page,
        "heading_path": list(citation.heading_path),
    }
