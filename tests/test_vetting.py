"""Who vouches for a document, until when, and for which exact text."""

from __future__ import annotations

from datetime import date

import pytest

from curio_rag.domain.library import LibraryEntry
from curio_rag.domain.sources import Vetting, VettingStatus
from curio_rag.pipelines.vetting import admitted, standing
from tests.fakes import TODAY, entry, vetting_event

UNVETTED = Vetting(status=VettingStatus.UNVETTED)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        (entry(), VettingStatus.SAMPLE),
        (entry(declared=Vetting(status=VettingStatus.SAMPLE, review_due=date(2026, 11, 22))), VettingStatus.EXPIRED),
        (entry(declared=UNVETTED), VettingStatus.UNVETTED),
        (entry(declared=UNVETTED, event=vetting_event()), VettingStatus.VETTED),
        (entry(declared=UNVETTED, event=vetting_event(signed=False)), VettingStatus.UNVETTED),
        (entry(event=vetting_event(signed=False)), VettingStatus.UNVETTED),
        (entry(event=vetting_event(digest="sha256:before")), VettingStatus.UNVETTED),
        (entry(event=vetting_event(review_due=date(2026, 11, 22))), VettingStatus.EXPIRED),
        (entry(event=vetting_event(review_due=TODAY)), VettingStatus.VETTED),
        (entry(event=vetting_event(withdrawn="a number is wrong")), VettingStatus.WITHDRAWN),
    ],
)
def test_standing_follows_the_ledger_and_the_exact_text(changed: LibraryEntry, status: VettingStatus) -> None:
    """Only an event over this digest vets; an edit, an overdue day or a retraction undoes it."""
    assert standing(changed, today=TODAY).status is status


def test_a_vetted_document_names_who_vouches_for_it() -> None:
    """The standing carries name, credential and days."""
    found = standing(entry(event=vetting_event()), today=TODAY)
    assert (found.clinician, found.credential) == ("Test Fixture", "not a real clinician")
    assert (found.vetted_on, found.review_due) == (date(2026, 11, 1), date(2027, 11, 1))


def test_a_production_configuration_does_not_admit_samples() -> None:
    """What may be answered from follows the configuration, and a retired document is never in it."""
    entries = (entry(), entry(document_id="b", event=vetting_event()), entry(document_id="c", retired=True))
    assert set(admitted(entries, admit=("vetted",), today=TODAY)) == {"b"}
    assert set(admitted(entries, admit=("vetted", "sample"), today=TODAY)) == {"aspirin.md", "b"}
