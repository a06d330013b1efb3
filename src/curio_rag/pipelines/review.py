"""Decisions at the desk: take, release, approve, reject, comment. Each is one answer and one confirmation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from curio_rag.domain.answers import Answer
from curio_rag.domain.digests import Json
from curio_rag.domain.events import EMERGENCY_KINDS, EventKind
from curio_rag.domain.review_status import Review, ReviewStatus
from curio_rag.domain.reviewers import Reviewer
from curio_rag.domain.sign_offs import Decision, DocumentState, answer_subject, emergency_subject
from curio_rag.domain.sources import Document
from curio_rag.domain.threads import CurrentAnswer, NoteKind
from curio_rag.errors import DocumentNotFound, NotPermitted, ReviewClosed, ReviewNotFound, ReviewTaken, Unsupported
from curio_rag.pipelines.claims import FindDocument
from curio_rag.pipelines.desk_parts import TAKEN_FOR, DeskParts, SigningSession
from curio_rag.pipelines.reuse import plain_words
from curio_rag.pipelines.sign_offs import review_today
from curio_rag.pipelines.signing import (
    attempt,
    check_confirmation,
    digest_of_subject,
    reviewer_named,
    signed_payload,
    signer,
    written_note,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTheDesk:
    """One answer as somebody is about to decide on it; `seen` is the head of the chain before it was read."""

    current: CurrentAnswer
    review: Review
    subject: Mapping[str, Json]
    seen: tuple[int, str]

    @property
    def subject_digest(self) -> str:
        """What a confirmation names: words, quotes, sources and revision."""
        return digest_of_subject(self.subject)


def lay_out(parts: DeskParts, answer_id: str) -> OnTheDesk:
    """The answer with its review. Raises `ReviewNotFound`."""
    seen = parts.log().head()
    current = parts.shelf().current(answer_id)
    return OnTheDesk(
        current=current, review=review_today(parts, current), subject=subject_of(parts, current), seen=seen
    )


def subject_of(parts: DeskParts, current: CurrentAnswer) -> Mapping[str, Json]:
    """What a signature on this revision covers."""
    question = current.question
    keyed = parts.shelf().keyed(question.thread_id, question.text)
    return answer_subject(current.answer, revision=current.revision, question_digest=keyed)


def take(parts: DeskParts, answer_id: str, *, reviewer_id: str) -> Review:
    """Puts an answer on a reviewer's desk for half an hour. Raises `ReviewTaken`, `ReviewClosed`, `NotPermitted`."""
    with attempt(parts, "take", subject=answer_id, reviewer_id=reviewer_id):
        reviewer, laid = active_reviewer(parts, reviewer_id), lay_out(parts, answer_id)
        _refuse_taken(parts, laid.review, reviewer_id, answer_id)
        if laid.review.status not in (ReviewStatus.AWAITING_REVIEW, ReviewStatus.LAPSED):
            raise ReviewClosed(f"{answer_id} is {laid.review.status.value}.", hint="Nothing waits there.")
        until = parts.clock() + TAKEN_FOR
        payload: dict[str, Json] = {"reviewer": reviewer.id, "name": reviewer.name, "until": until.isoformat()}
        parts.shelf().append(EventKind.ANSWER_TAKEN, answer_id, payload, at=parts.clock(), seen=laid.seen[0])
    return lay_out(parts, answer_id).review


def release(parts: DeskParts, answer_id: str, *, reviewer_id: str) -> Review:
    """Puts an answer back. Raises `ReviewTaken` when another reviewer has it."""
    with attempt(parts, "release", subject=answer_id, reviewer_id=reviewer_id):
        reviewer, laid = active_reviewer(parts, reviewer_id), lay_out(parts, answer_id)
        _refuse_taken(parts, laid.review, reviewer_id, answer_id)
        if laid.review.taken is not None:
            payload: dict[str, Json] = {"reviewer": reviewer.id}
            parts.shelf().append(EventKind.ANSWER_RELEASED, answer_id, payload, at=parts.clock(), seen=laid.seen[0])
    return lay_out(parts, answer_id).review


def approve(
    parts: DeskParts,
    session: SigningSession,
    answer_id: str,
    *,
    confirm: str,
    acknowledge_incomplete: bool = False,
) -> Review:
    """Signs the current revision over its current sources.

    Raises `SessionExpired`, `NotPermitted`, `ReviewTaken`, `ReviewClosed` for an answer that was
    decided, withdrawn or changed since, and `Unsupported` when a source no longer carries a sentence.
    """
    with attempt(parts, "approve", subject=answer_id, reviewer_id=session.reviewer_id):
        reviewer, laid = signer(parts, session, Decision.APPROVED), lay_out(parts, answer_id)
        _refuse_closed(laid, allowed=(ReviewStatus.AWAITING_REVIEW, ReviewStatus.LAPSED))
        check_confirmation(laid.subject_digest, confirm, subject=answer_id)
        _refuse_taken(parts, laid.review, reviewer.id, answer_id)
        answer = laid.current.answer
        if answer.incomplete and not acknowledge_incomplete:
            raise NotPermitted(
                f"{answer_id} is incomplete: a warning or a step was withheld.",
                hint="Complete it, or acknowledge that (--acknowledge-incomplete).",
            )
        if parts.rules.two_people and laid.review.editor and laid.review.editor[0] == reviewer.id:
            raise NotPermitted(
                f"{reviewer.name} edited {answer_id}, so somebody else must approve it.",
                hint="The setting is two_people.",
            )
        documents = carrying_documents(parts, answer)
        payload = signed_payload(
            session,
            reviewer,
            Decision.APPROVED,
            parts=parts,
            subject=laid.subject,
            seen=laid.seen,
            documents=documents,
            acknowledged_incomplete=answer.incomplete and acknowledge_incomplete,
        )
        parts.shelf().append(EventKind.ANSWER_APPROVED, answer_id, payload, at=parts.clock(), seen=laid.seen[0])
        general = plain_words(laid.current.question.text)
        if general is not None and answer.urgency.value == "routine" and answer.outcome.value == "drafted":
            parts.shelf().keep_reusable(answer_id, general, country=parts.rules.country)
    return lay_out(parts, answer_id).review


def reject(parts: DeskParts, session: SigningSession, answer_id: str, *, confirm: str, reason: str) -> Review:
    """Signs that the current revision must not be given out; an approved one is rejected the same way.

    Raises what `approve` raises.
    """
    with attempt(parts, "reject", subject=answer_id, reviewer_id=session.reviewer_id):
        reviewer, laid = signer(parts, session, Decision.REJECTED), lay_out(parts, answer_id)
        open_for = (ReviewStatus.AWAITING_REVIEW, ReviewStatus.LAPSED, ReviewStatus.APPROVED)
        _refuse_closed(laid, allowed=open_for)
        check_confirmation(laid.subject_digest, confirm, subject=answer_id)
        _refuse_taken(parts, laid.review, reviewer.id, answer_id)
        thread = laid.current.question.thread_id
        note, named = written_note(
            parts, reviewer, kind=NoteKind.REASON, thread_id=thread, answer_id=answer_id, text=reason
        )
        payload = signed_payload(
            session, reviewer, Decision.REJECTED, parts=parts, subject=laid.subject, seen=laid.seen, note=named
        )
        parts.shelf().append(
            EventKind.ANSWER_REJECTED, answer_id, payload, at=parts.clock(), seen=laid.seen[0], note=note
        )
    return lay_out(parts, answer_id).review


def comment(parts: DeskParts, session: SigningSession, answer_id: str, *, confirm: str, text: str) -> None:
    """Signs words of the reviewer's own, which the thread shows under name and role, apart from the answer."""
    with attempt(parts, "comment", subject=answer_id, reviewer_id=session.reviewer_id):
        reviewer, laid = signer(parts, session, Decision.COMMENTED), lay_out(parts, answer_id)
        check_confirmation(laid.subject_digest, confirm, subject=answer_id)
        thread = laid.current.question.thread_id
        note, named = written_note(
            parts, reviewer, kind=NoteKind.COMMENT, thread_id=thread, answer_id=answer_id, text=text
        )
        payload = signed_payload(
            session, reviewer, Decision.COMMENTED, parts=parts, subject=laid.subject, seen=laid.seen, note=named
        )
        parts.shelf().append(EventKind.ANSWER_COMMENTED, answer_id, payload, at=parts.clock(), note=note)


def clear_emergency(parts: DeskParts, session: SigningSession, thread_id: str, *, reason: str) -> None:
    """Signs that a clinician has seen to the emergency of a thread, whose flag stands until then.

    Raises what `reject` raises, and `ReviewNotFound` for a thread without an open emergency.
    """
    with attempt(parts, "clear emergency", subject=thread_id, reviewer_id=session.reviewer_id):
        reviewer, seen = signer(parts, session, Decision.CLEARED), parts.log().head()
        events = parts.log().events(kinds=EMERGENCY_KINDS, subjects=[thread_id])
        if not events or events[-1].kind == EventKind.THREAD_CLEARED:
            raise ReviewNotFound(f"The thread {thread_id!r} has no emergency to clear.")
        answer_id = events[-1].text("answer_id")
        note, named = written_note(
            parts, reviewer, kind=NoteKind.REASON, thread_id=thread_id, answer_id=answer_id, text=reason
        )
        subject = emergency_subject(thread_id=thread_id, answer_id=answer_id)
        payload = signed_payload(
            session, reviewer, Decision.CLEARED, parts=parts, subject=subject, seen=seen, note=named
        )
        parts.shelf().append(
            EventKind.THREAD_CLEARED,
            thread_id,
            {**payload, "answer_id": answer_id},
            at=parts.clock(),
            seen=seen[0],
            conflicts=EMERGENCY_KINDS,
            note=note,
        )


def carrying_documents(parts: DeskParts, answer: Answer) -> tuple[DocumentState, ...]:
    """The states of the cited documents, when every sentence still holds against them.

    Raises `NotPermitted` when one has a standing on which nothing may be approved, and `Unsupported`
    with the finding of the claim gate.
    """
    states: dict[str, DocumentState] = {}
    for document_id in dict.fromkeys(citation.document_id for citation in answer.citations):
        state = parts.document_state(document_id)
        if state is None or state.status not in parts.rules.approve_on:
            standing = state.status if state else "no longer in the library"
            raise NotPermitted(
                f"{document_id} is {standing}, and an approval may not rest on it.",
                hint="Vet it first (curio library vet), strike what cites it, or change the setting approve_on.",
            )
        states[document_id] = state
    find = admissible(parts, parts.rules.approve_on)
    numbered = enumerate((each for section in answer.sections for each in section.sentences), start=1)
    for number, sentence in numbered:
        fault = parts.gate().fault_of(sentence, find)
        if fault is not None:
            raise Unsupported(
                f"Sentence {number} of {answer.id} does not hold: {fault.text}",
                hint="Edit or strike it; see curio review show.",
            )
    return tuple(states.values())


def admissible(parts: DeskParts, standings: frozenset[str]) -> FindDocument:
    """Finds the current version of a document that has one of these standings today; None for any other."""

    def find(document_id: str) -> Document | None:
        state = parts.document_state(document_id)
        if state is None or state.status not in standings:
            return None
        try:
            return parts.document(document_id, state.digest)
        except DocumentNotFound:
            return None

    return find


def active_reviewer(parts: DeskParts, reviewer_id: str) -> Reviewer:
    """A reviewer whose key was not revoked. Raises `ReviewerNotFound`, `NotPermitted`."""
    reviewer = reviewer_named(parts, reviewer_id)
    if reviewer.revoked_at is not None:
        raise NotPermitted(f"The key of {reviewer.name} was revoked: {reviewer.revoked_reason}.")
    return reviewer


def _refuse_taken(parts: DeskParts, review: Review, reviewer_id: str, answer_id: str) -> None:
    other = review.taken_by_other(reviewer_id, now=parts.clock())
    if other is not None:
        raise ReviewTaken(
            f"{answer_id} is on the desk of {other.name} until {other.until:%H:%M} UTC.",
            hint="Take another one, or ask for its release.",
        )


def _refuse_closed(laid: OnTheDesk, *, allowed: tuple[ReviewStatus, ...]) -> None:
    if laid.review.status not in allowed:
        raise ReviewClosed(
            f"Revision {laid.review.revision} of {laid.current.answer.id} is {laid.review.status.value}.",
            hint="An edit makes a new revision that can be decided on.",
        )
