"""The latest word on each document, as the signed acts and withdrawals of the chain leave it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from curio_rag.domain.events import SIGNED_AS, Event, EventKind, readable
from curio_rag.domain.library import VettingEvent
from curio_rag.domain.reviewers import Reviewer
from curio_rag.domain.sign_offs import SignOff


def latest_vettings(events: Iterable[Event], reviewers: Mapping[str, Reviewer]) -> dict[str, VettingEvent]:
    """The act that counts for each document, by id; `events` are in order of the chain.

    A vetting counts as `signed` when a registered, checked reviewer made it who had seen the last act upon the
    document, and whose key was not revoked at that place of the chain. The arithmetic of the signature
    itself is checked by `curio check` and wherever an answer is approved: asking does no cryptography.
    """
    found: dict[str, VettingEvent] = {}
    positions: dict[str, int] = {}
    for event in events:
        last = positions.get(event.subject, 0)
        with readable(event):
            sign_off = SignOff.of(event)
            if event.kind == EventKind.DOCUMENT_WITHDRAWN:
                found[event.subject] = _withdrawn(event)
            elif sign_off is not None and sign_off.anchor[0] < last:
                # Signed before the last act was known, or a copy of an old signature.
                continue
            else:
                found[event.subject] = _vetted(event, sign_off, reviewers)
        positions[event.subject] = event.position
    return found


def _vetted(event: Event, sign_off: SignOff | None, reviewers: Mapping[str, Reviewer]) -> VettingEvent:
    if sign_off is None:
        return VettingEvent(
            document_id=event.subject,
            digest=event.text("digest"),
            clinician=event.text("clinician"),
            credential=event.text("credential"),
            vetted_on=event.time.date(),
            review_due=None,
        )
    reviewer = reviewers.get(sign_off.reviewer_id)
    subject = sign_off.subject
    counts = (
        reviewer is not None
        and reviewer.key_fault(event.position) is None
        and reviewer.cannot_verify(event.position) is None
        and subject.get("document_id") == event.subject
        and sign_off.decision == SIGNED_AS[EventKind.DOCUMENT_VETTED]
    )
    return VettingEvent(
        document_id=event.subject,
        digest=str(subject.get("digest")),
        clinician=sign_off.reviewer_name,
        credential=sign_off.role,
        vetted_on=sign_off.signed_at.date(),
        review_due=date.fromisoformat(str(subject.get("review_due"))),
        signed=counts,
    )


def _withdrawn(event: Event) -> VettingEvent:
    return VettingEvent(
        document_id=event.subject,
        digest=event.text("digest"),
        clinician=event.text("by") or event.text("clinician"),
        credential="",
        vetted_on=event.time.date(),
        review_due=None,
        withdrawn=event.text("reason") or event.text("withdrawn"),
    )
