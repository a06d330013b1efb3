"""What the review desk works with, and the rules of the house that it keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from curio_rag.domain.answers import Answer
from curio_rag.domain.reviewers import Role
from curio_rag.domain.sign_offs import Decision, DocumentState
from curio_rag.domain.sources import Document, Passage
from curio_rag.pipelines.claims import ClaimGate
from curio_rag.pipelines.review_ports import EventLog, ReviewShelf, SigningKey, VerifySignature

TAKEN_FOR = timedelta(minutes=30)
"""A taken answer returns to the queue by itself after this time without a decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRules:
    """What the settings allow: which roles sign what, on which sources, and whether one person may do it alone."""

    answer_signers: frozenset[str]
    document_signers: frozenset[str]
    comment_signers: frozenset[str]
    approve_on: frozenset[str]
    admit: frozenset[str]
    two_people: bool
    drafts_are_shown: bool
    country: str

    def may(self, role: Role, decision: Decision) -> bool:
        """Whether somebody of this role may sign such a decision."""
        allowed = {Decision.VETTED: self.document_signers, Decision.COMMENTED: self.comment_signers}
        return role.value in allowed.get(decision, self.answer_signers)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskParts:
    """The ledger, the clock, the library as it stands today, and the check of signatures."""

    log: Callable[[], EventLog]
    shelf: Callable[[], ReviewShelf]
    clock: Callable[[], datetime]
    new_id: Callable[[str], str]
    verify: VerifySignature
    document_state: Callable[[str], DocumentState | None]
    document: Callable[[str, str | None], Document]
    passages: Callable[[str], tuple[Passage, ...]]
    answers_citing: Callable[[str], tuple[str, ...]]
    regrade: Callable[[Answer], Answer]
    gate: Callable[[], ClaimGate]
    rules: DeskRules


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSession:
    """A reviewer whose passphrase was given, until a time. It signs nothing by itself: each act is confirmed."""

    reviewer_id: str
    key: SigningKey
    opened_at: datetime
    expires_at: datetime
