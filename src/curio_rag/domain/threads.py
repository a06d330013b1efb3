"""A conversation: questions, the answers to them with their badges, and what clinicians wrote in their own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from curio_rag.domain.answers import Answer
from curio_rag.domain.digests import Json
from curio_rag.domain.questions import Question
from curio_rag.domain.reviews import AnswerRecord, Audience


class NoteKind(StrEnum):
    """A comment is for the asker; a reason is for the desk."""

    COMMENT = "comment"
    REASON = "reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a reviewer wrote. Its text stands in the ledger once; the audit chain holds a keyed digest of it."""

    id: str
    thread_id: str
    answer_id: str
    kind: NoteKind
    reviewer_id: str
    name: str
    role: str
    text: str
    at: datetime

    def to_dict(self) -> dict[str, Json]:
        """As `curio thread show --json` shows it."""
        return {
            "id": self.id,
            "answer_id": self.answer_id,
            "reviewer_id": self.reviewer_id,
            "name": self.name,
            "role": self.role,
            "text": self.text,
            "at": self.at.isoformat(),
            "from_the_library": False,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentAnswer:
    """A question and the current revision of the answer to it."""

    question: Question
    answer: Answer
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One question of a thread, its answer, and the comments on it, oldest first.

    `addressed_to` is the reviewer (id and name) whose comment the question follows; None is the pool.
    """

    question: Question
    record: AnswerRecord
    comments: tuple[Note, ...]
    addressed_to: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A whole conversation, oldest question first."""

    id: str
    opened_at: datetime
    exchanges: tuple[Exchange, ...]

    def to_dict(self, *, audience: Audience = Audience.REVIEWER) -> dict[str, Json]:
        """As `curio thread show --json` shows it."""
        return {
            "thread_id": self.id,
            "opened_at": self.opened_at.isoformat(),
            "exchanges": [
                {
                    "question_id": each.question.id,
                    "question": each.question.text,
                    "asked_at": each.question.asked_at.isoformat(),
                    "addressed_to": each.addressed_to[1] if each.addressed_to else None,
                    "answer": each.record.to_dict(audience=audience),
                    "comments": [comment.to_dict() for comment in each.comments],
                }
                for each in self.exchanges
            ],
        }
