"""Conversations: questions, answers with badges, comments under name and role, and to whom a reply goes."""

from __future__ import annotations

from curio_rag.domain.digests import Json
from curio_rag.domain.events import EventKind, json_object
from curio_rag.domain.reviews import AnswerRecord
from curio_rag.domain.sign_offs import SignOff
from curio_rag.domain.threads import Exchange, Note, NoteKind, Thread
from curio_rag.pipelines.desk_parts import DeskParts
from curio_rag.pipelines.sign_offs import SignOffChecker, checks_of, review_today, reviewers_in


def thread_view(parts: DeskParts, thread_id: str, *, assistant: str) -> Thread:
    """A whole conversation as it stands today. Raises `ReviewNotFound`."""
    shelf, checks = parts.shelf(), checks_of(parts)
    answers = shelf.in_thread(thread_id)
    comments = signed_comments(parts, thread_id)
    addressed = addressees(parts, thread_id)
    opened = next(at for known, at, _ in shelf.threads() if known == thread_id)
    return Thread(
        id=thread_id,
        opened_at=opened,
        exchanges=tuple(
            Exchange(
                question=current.question,
                record=AnswerRecord(
                    answer=current.answer,
                    question=current.question.text,
                    thread_id=thread_id,
                    review=review_today(parts, current, checks=checks),
                    assistant=assistant,
                    drafts_visible=parts.rules.drafts_are_shown,
                ),
                comments=tuple(each for each in comments if each.answer_id == current.answer.id),
                addressed_to=addressed.get(current.answer.id),
            )
            for current in answers
        ),
    )


def signed_comments(parts: DeskParts, thread_id: str) -> tuple[Note, ...]:
    """The comments of a thread, oldest first; words that no signature of the chain covers are left out."""
    notes = [note for note in parts.shelf().notes(thread_id) if note.kind is NoteKind.COMMENT]
    if not notes:
        return ()
    checker = SignOffChecker(parts=parts, reviewers=reviewers_in(parts))
    signed: dict[str, Json] = {}
    commented = parts.log().events(
        kinds=(EventKind.ANSWER_COMMENTED,), subjects=sorted({note.answer_id for note in notes})
    )
    for event in commented:
        sign_off = SignOff.of(event)
        if sign_off is not None and checker.signature_fault(sign_off) is None:
            named = json_object(sign_off.statement.get("note"))
            signed[str(named.get("id"))] = named.get("digest")
    return tuple(note for note in notes if signed.get(note.id) == parts.shelf().keyed(thread_id, note.text))


def addressees(parts: DeskParts, thread_id: str) -> dict[str, tuple[str, str]]:
    """For each answer of a thread the reviewer (id and name) whose comment its question follows.

    The pool gets the others, and those whose commentator's key has been revoked since.
    """
    comments = signed_comments(parts, thread_id)
    if not comments:
        return {}
    revoked = {each.id for each in reviewers_in(parts).values() if each.revoked_at is not None}
    found: dict[str, tuple[str, str]] = {}
    for current in parts.shelf().in_thread(thread_id):
        before: list[Note] = [note for note in comments if note.at < current.question.asked_at]
        if before and before[-1].reviewer_id not in revoked:
            found[current.answer.id] = (before[-1].reviewer_id, before[-1].name)
    return found
