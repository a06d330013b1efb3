"""Approved answers to similar questions, offered to the clinician and to nobody else.

Similarity is no equivalence: on the adversarial test of question entailment it tells the same question
from another one hardly better than chance (AUC .63), so it never answers anybody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from curio_rag.domain.digests import Json
from curio_rag.domain.events import EventKind
from curio_rag.domain.review_status import ReviewStatus
from curio_rag.pipelines.desk_parts import DeskParts
from curio_rag.pipelines.sign_offs import checks_of, review_today

LEAST_OVERLAP = 0.25
"""Of the words of both questions together (Jaccard); below it a precedent would only distract."""

_COMMON = """
a an and are be can do does for how i in is it my of on or the to what when which who why will with
"""
STOP = frozenset(_COMMON.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedent:
    """An answer that is approved today, the share of words that its question has in common, and who signed it."""

    answer_id: str
    question: str
    overlap: float
    badge_name: str

    def to_dict(self) -> dict[str, Json]:
        """As `curio review show --json` shows it."""
        return {
            "id": self.answer_id,
            "question": self.question,
            "overlap": round(self.overlap, 3),
            "signed_by": self.badge_name,
        }


def precedents_of(parts: DeskParts, answer_id: str, *, limit: int) -> tuple[Precedent, ...]:
    """Approved answers whose questions share many words with this one's, most first. Raises `ReviewNotFound`."""
    shelf, checks = parts.shelf(), checks_of(parts)
    words = _words(shelf.current(answer_id).question.text)
    approved = {event.subject for event in parts.log().events(kinds=(EventKind.ANSWER_APPROVED,))} - {answer_id}
    near = []
    for other_id, current in shelf.bodies(sorted(approved)).items():
        others = _words(current.question.text)
        overlap = len(words & others) / len(words | others) if words | others else 0.0
        if overlap >= LEAST_OVERLAP:
            near.append((-overlap, other_id, current))
    found: list[Precedent] = []
    for overlap, other_id, current in sorted(near, key=lambda each: each[:2]):
        review = review_today(parts, current, checks=checks)
        if review.status is ReviewStatus.APPROVED and review.signed_by is not None:
            name = f"{review.signed_by.name}, {review.signed_by.role}, {review.signed_by.day}"
            found.append(
                Precedent(answer_id=other_id, question=current.question.text, overlap=-overlap, badge_name=name)
            )
        if len(found) == limit:
            break
    return tuple(found)


def _words(question: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+", question.casefold())) - STOP
