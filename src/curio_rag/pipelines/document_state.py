"""How one document stands today for the desk: as the library has it, with the signature behind it checked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from curio_rag.domain.events import REVIEWER_KINDS, VETTING_KINDS, EventKind
from curio_rag.domain.reviewers import reviewers_of
from curio_rag.domain.sign_offs import DocumentState, SignOff
from curio_rag.domain.sources import VettingStatus
from curio_rag.pipelines.review_ports import EventLog, VerifySignature
from curio_rag.pipelines.vetting import standing
from curio_rag.ports import PassageShelf


def document_state(
    shelf: PassageShelf, log: EventLog, document_id: str, *, verify: VerifySignature, today: date
) -> DocumentState | None:
    """The current version's digest and standing, and since when it is current; None for a document that is not there.

    A vetting whose signature does not match its key counts for nothing here, whatever the rows say.
    """
    entries = [entry for entry in shelf.entries_of([document_id]) if not entry.retired]
    if not entries:
        return None
    vetting = standing(entries[0], today=today)
    events = log.events(kinds=(*VETTING_KINDS, EventKind.DOCUMENT_FILED), subjects=[document_id])
    filed = [event for event in events if event.kind == EventKind.DOCUMENT_FILED]
    state = DocumentState(
        document_id=document_id,
        digest=entries[0].digest,
        status=vetting.status.value,
        clinician=vetting.clinician,
        review_due=vetting.review_due,
        changed_on=filed[-1].time.date() if filed else None,
    )
    if vetting.status is not VettingStatus.VETTED:
        return state
    last = [sign_off for event in events if (sign_off := SignOff.of(event)) is not None][-1]
    reviewer = reviewers_of(log.events(kinds=REVIEWER_KINDS))[last.reviewer_id]
    if verify(reviewer.public_key, last.message, last.signature):
        return state
    return replace(state, status=VettingStatus.UNVETTED.value)
