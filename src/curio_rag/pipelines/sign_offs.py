"""Whether a sign-off holds: the signature, the key at that place of the chain, and the words that it covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from curio_rag.domain.answers import Answer
from curio_rag.domain.digests import canonical_json, digest_json
from curio_rag.domain.events import REVIEWER_KINDS, Event, EventKind, json_object
from curio_rag.domain.review_status import Checks, Review, ReviewStatus, review_of
from curio_rag.domain.reviewers import Reviewer, reviewers_of
from curio_rag.domain.sign_offs import DocumentState, SignOff, answer_content, same_words
from curio_rag.domain.threads import CurrentAnswer
from curio_rag.pipelines.desk_parts import DeskParts


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOffChecker:
    """Checks signatures against the reviewers of the chain; a check costs some tenths of a millisecond."""

    parts: DeskParts
    reviewers: Mapping[str, Reviewer]

    def fault(self, sign_off: SignOff, answer: Answer) -> str | None:
        """Why a sign-off does not cover these words, or None."""
        fault = self.signature_fault(sign_off)
        if fault is not None:
            return fault
        signed = sign_off.subject
        if signed.get("answer_id") != answer.id or signed.get("question_id") != answer.question_id:
            return "it belongs to another answer"
        if canonical_json(signed.get("content")) != canonical_json(answer_content(answer)):
            return "the words or sources are not those that were signed"
        return None

    def signature_fault(self, sign_off: SignOff) -> str | None:
        """Why a statement is not its reviewer's word at its place in the chain, or None."""
        reviewer = self.reviewers.get(sign_off.reviewer_id)
        if reviewer is None:
            return "its reviewer is not registered"
        key_fault = reviewer.key_fault(sign_off.position)
        if key_fault is not None:
            return key_fault
        if not self.parts.verify(reviewer.public_key, sign_off.message, sign_off.signature):
            return f"the signature of {reviewer.name} does not match"
        named = json_object(sign_off.statement.get("reviewer"))
        credential = json_object(named.get("credential"))
        written = (named.get("name"), named.get("role"), credential.get("register"), credential.get("number"))
        known = (reviewer.name, reviewer.role.value, reviewer.credential.register, reviewer.credential.number)
        if written != known:
            return "it names its signer otherwise than the register"
        if sign_off.statement.get("subject_digest") != digest_json(sign_off.subject):
            return "its digest is not that of its subject"
        return None

    def cannot_verify(self, sign_off: SignOff) -> str | None:
        """Why a good signature never shows as verified, or None."""
        reviewer = self.reviewers.get(sign_off.reviewer_id)
        return "nobody knows the signer" if reviewer is None else reviewer.cannot_verify(sign_off.position)


def reviewers_in(parts: DeskParts) -> dict[str, Reviewer]:
    """Every reviewer there ever was, by id."""
    return reviewers_of(parts.log().events(kinds=REVIEWER_KINDS))


def checks_of(parts: DeskParts) -> Checks:
    """What the status of any answer depends on today, read once."""
    checker = SignOffChecker(parts=parts, reviewers=reviewers_in(parts))
    states: dict[str, DocumentState | None] = {}

    def document(document_id: str) -> DocumentState | None:
        if document_id not in states:
            states[document_id] = parts.document_state(document_id)
        return states[document_id]

    return Checks(
        fault=checker.fault,
        cannot_verify=checker.cannot_verify,
        document=document,
        approve_on=parts.rules.approve_on,
    )


def review_today(parts: DeskParts, current: CurrentAnswer, *, checks: Checks | None = None) -> Review:
    """The review of one answer as it stands now."""
    history = parts.log().events(subjects=[current.answer.id])
    return review_by(parts, current, history, checks=checks or checks_of(parts))


def review_by(parts: DeskParts, current: CurrentAnswer, history: Sequence[Event], *, checks: Checks) -> Review:
    """The review of one answer by the events about it, in order of the chain."""
    review = _by_events(parts, current, history, checks)
    original = next((event.text("original") for event in history if event.kind == EventKind.ANSWER_REUSED), "")
    undecided = review.status is ReviewStatus.AWAITING_REVIEW and review.revision == 1 and not review.reasons
    return _like_original(parts, current, review, original, checks) if original and undecided else review


def _by_events(parts: DeskParts, current: CurrentAnswer, history: Sequence[Event], checks: Checks) -> Review:
    review = review_of(current.answer, history, checks=checks, now=parts.clock())
    reason = None
    if review.revision != current.revision:
        reason = "The stored revision is not the one of the audit log."
    elif review.status is ReviewStatus.APPROVED and not _same_question(parts, current, review, history):
        reason = "The stored question is not the one that was answered."
    if reason is None:
        return review
    # Only a hand can have made that: the words and the log do not belong together.
    return replace(review, status=ReviewStatus.LAPSED, revision=current.revision, signed_by=None, reasons=(reason,))


def _same_question(parts: DeskParts, current: CurrentAnswer, review: Review, history: Sequence[Event]) -> bool:
    """Whether the question that was signed, by its keyed digest, is the one that is stored."""
    signed = review.signed_by
    event = next(each for each in history if signed is not None and each.position == signed.position)
    digest = json_object(event.part("statement").get("subject")).get("question_digest")
    return digest == parts.shelf().keyed(current.question.thread_id, current.question.text)


def _like_original(parts: DeskParts, current: CurrentAnswer, review: Review, original: str, checks: Checks) -> Review:
    """A reused answer stands as the one that it repeats, as long as that says the same with the same quotes."""
    source = parts.shelf().current(original)
    history = parts.log().events(subjects=[original])
    found = _by_events(parts, source, history, checks)
    if not same_words(source.answer, current.answer):
        reason = "The answer that this one repeats has been changed."
        return replace(review, status=ReviewStatus.LAPSED, reasons=(reason,))
    return replace(review, status=found.status, signed_by=found.signed_by, reasons=found.reasons, reused=original)
