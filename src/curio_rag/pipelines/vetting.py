"""Who vouches for a document, until when, and whether the text is still the one that was looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from curio_rag.domain.library import LibraryEntry, VettingEvent
from curio_rag.domain.sources import Vetting, VettingStatus


def standing(entry: LibraryEntry, *, today: date) -> Vetting:
    """A document's standing on a day: what the ledger says of its exact digest, else what the file may claim.

    Only a signed event in the ledger makes a document `vetted`. An edit makes it `unvetted`, an overdue
    review `expired`, a retraction `withdrawn`. A file can call itself no more than a `sample`.
    """
    event = entry.event
    if event is not None:
        return _by_event(event, entry.digest, today=today)
    return declared_standing(entry.declared, today=today)


def declared_standing(declared: Vetting, *, today: date) -> Vetting:
    """What a file's own word is worth on a day: an overdue sample is `expired`."""
    if declared.status is VettingStatus.SAMPLE and _overdue(declared.review_due, today):
        return Vetting(status=VettingStatus.EXPIRED, review_due=declared.review_due)
    return declared


def admitted(entries: Iterable[LibraryEntry], *, admit: Collection[str], today: date) -> dict[str, Vetting]:
    """The documents that answers may rest on today, by id, each with its standing."""
    standings = {entry.document_id: standing(entry, today=today) for entry in entries if not entry.retired}
    return {document_id: vetting for document_id, vetting in standings.items() if vetting.status.value in admit}


def _by_event(event: VettingEvent, digest: str, *, today: date) -> Vetting:
    if event.withdrawn is not None:
        return Vetting(status=VettingStatus.WITHDRAWN)
    if event.digest != digest or not event.signed:
        return Vetting(status=VettingStatus.UNVETTED)
    return Vetting(
        status=VettingStatus.EXPIRED if _overdue(event.review_due, today) else VettingStatus.VETTED,
        clinician=event.clinician,
        credential=event.credential,
        vetted_on=event.vetted_on,
        review_due=event.review_due,
        digest=event.digest,
    )


def _overdue(review_due: date | None, today: date) -> bool:
    return review_due is not None and review_due < today
