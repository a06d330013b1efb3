"""Vetting is a signed act, and a recall reaches every answer that rests on a document."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import date

import pytest

from curio_rag.adapters.ledger_events import LedgerEvents
from curio_rag.desk_assembly import absence
from curio_rag.domain.digests import Json
from curio_rag.domain.events import EventKind
from curio_rag.errors import DocumentNotFound, NotPermitted, NotVetted, ReviewClosed
from tests.desk import Bench

DUE = date(2027, 11, 1)


def found(bench: Bench, query: str) -> set[str]:
    return {hit.passage.document_id for hit in bench.base.search(query, limit=10)}


def standing(bench: Bench, document_id: str) -> str:
    return bench.base.record(document_id).vetting.status.value


def test_vetting_covers_the_exact_text(bench: Bench) -> None:
    """A vetted document answers; an edit makes it unvetted and takes it out of the index."""
    plain = bench.folder / "knowledge" / "zinc.md"
    plain.write_text("# Zinc\n\nZinc is a metal that the body needs.\n", encoding="utf-8")
    bench.base.ingest()
    assert "zinc.md" not in found(bench, "zinc metal")
    one = bench.reviewer()
    bench.vet(one, "zinc.md")
    vetting = bench.base.record("zinc.md").vetting
    assert (vetting.status.value, vetting.clinician, vetting.credential) == ("vetted", "Test Reviewer One", "physician")
    assert "zinc.md" in found(bench, "zinc metal")
    plain.write_text("# Zinc\n\nZinc is a metal that nobody needs.\n", encoding="utf-8")
    bench.base.ingest()
    assert standing(bench, "zinc.md") == "unvetted"
    assert "zinc.md" not in found(bench, "zinc metal")


def test_what_would_be_signed_shows_the_difference_since_the_last_signature(bench: Bench) -> None:
    """Nothing before the first, the changed lines afterwards."""
    one = bench.reviewer()
    (before,) = bench.desk.propose_vetting(["gout.md"], review_due=DUE)
    assert (before.first, before.changes) == (True, ())
    bench.vet(one, "gout.md")
    bench.rewrite("gout.md", "big toe", "left toe")
    (after,) = bench.desk.propose_vetting(["gout.md"], review_due=DUE)
    assert not after.first
    assert any(line.startswith("-") and "big toe" in line for line in after.changes)
    assert any(line.startswith("+") and "left toe" in line for line in after.changes)
    assert after.subject_digest != before.subject_digest


def test_several_documents_take_one_passphrase_and_a_confirmation_each(bench: Bench) -> None:
    """All are signed, or none."""
    one = bench.reviewer()
    proposed = bench.desk.propose_vetting(["gout.md", "asthma.md"], review_due=DUE)
    digests = [each.subject_digest for each in proposed]
    for confirm in (digests[:1], [digests[1], digests[0]], [digests[0], "sha256:" + "0" * 64], []):
        with pytest.raises((NotPermitted, ReviewClosed)):
            bench.desk.vet(one, proposed, confirm=confirm)
    assert standing(bench, "gout.md") == "sample"
    bench.desk.vet(one, proposed, confirm=digests)
    assert (standing(bench, "gout.md"), standing(bench, "asthma.md")) == ("vetted", "vetted")


def test_vetting_refuses_what_makes_no_sense(bench: Bench) -> None:
    """A day that has passed, an unknown document, a text that changed after it was shown."""
    one = bench.reviewer()
    with pytest.raises(NotVetted, match="not in the future"):
        bench.desk.propose_vetting(["gout.md"], review_due=date(2026, 11, 23))
    with pytest.raises(DocumentNotFound, match=r"nowhere\.md"):
        bench.desk.propose_vetting(["gout.md", "nowhere.md"], review_due=DUE)
    proposed = bench.desk.propose_vetting(["gout.md"], review_due=DUE)
    bench.rewrite("gout.md", "big toe", "left toe")
    with pytest.raises(NotVetted, match="changed since it was shown"):
        bench.desk.vet(one, proposed, confirm=[proposed[0].subject_digest])
    assert standing(bench, "gout.md") == "sample"


def test_a_vetting_that_overtakes_a_withdrawal_is_refused(bench: Bench) -> None:
    """Whoever vets must have seen the last act upon the document."""
    one = bench.reviewer()
    proposed = bench.desk.propose_vetting(["gout.md"], review_due=DUE)
    bench.desk.withdraw("gout.md", reason="a number is wrong", by="Test Registrar")
    with pytest.raises(ReviewClosed, match=r"gout\.md has changed"):
        bench.desk.vet(one, proposed, confirm=[proposed[0].subject_digest])
    assert standing(bench, "gout.md") == "withdrawn"
    bench.vet(one, "gout.md")
    assert standing(bench, "gout.md") == "vetted"


def test_an_old_signature_put_into_the_log_again_revives_nothing(bench: Bench) -> None:
    """A copy of a valid vetting after a withdrawal is ignored, and the audit names it."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    signed = next(event for event in bench.desk.export() if event.kind == EventKind.DOCUMENT_VETTED)
    bench.desk.withdraw("gout.md", reason="a number is wrong", by="Test Registrar")
    parts = bench.desk._parts
    parts.shelf().append(signed.kind, signed.subject, dict(signed.payload), at=bench.clock.now)
    assert standing(bench, "gout.md") == "withdrawn"
    findings = " ".join(bench.desk.audit().findings)
    assert "twice" in findings
    assert "had not seen the last act" in findings


def test_a_vetting_without_a_signature_counts_for_nothing(bench: Bench) -> None:
    """As earlier versions recorded it: such a document is unvetted."""
    payload: dict[str, Json] = {
        "digest": bench.base.record("gout.md").entry.digest,
        "clinician": "Test Fixture",
        "credential": "none",
        "vetted_on": "2026-11-01",
        "review_due": "2027-11-01",
        "withdrawn": None,
    }
    bench.desk._parts.shelf().append(EventKind.DOCUMENT_VETTED, "gout.md", payload, at=bench.clock.now)
    assert standing(bench, "gout.md") == "unvetted"
    assert bench.desk.audit().findings == ()


def test_a_forged_vetting_carries_no_approval_and_check_names_it(bench: Bench) -> None:
    """The words of a statement without its key: the library lists it, the desk and the audit do not believe it."""
    one = bench.reviewer()
    bench.vet(one, "asthma.md")
    signed = next(event for event in bench.desk.export() if event.kind == EventKind.DOCUMENT_VETTED)
    (proposed,) = bench.desk.propose_vetting(["gout.md"], review_due=DUE)
    head = bench.desk.head()
    statement = dict(signed.part("statement"), subject=proposed.subject, subject_digest=proposed.subject_digest)
    statement["chain"] = {"position": head.position, "digest": head.digest}
    payload: dict[str, Json] = {"statement": statement, "signature": signed.text("signature")}
    bench.desk._parts.shelf().append(EventKind.DOCUMENT_VETTED, "gout.md", payload, at=bench.clock.now)
    answer_id = bench.ask().answer.id
    with pytest.raises(NotPermitted, match=r"gout\.md is unvetted"):
        bench.approve(one, answer_id)
    assert any("signature of Test Reviewer One does not match" in text for text in bench.desk.audit().findings)
    assert any("does not match" in finding.text for finding in bench.base.check())


def test_an_overdue_document_expires_and_answers_nothing(bench: Bench) -> None:
    """Also without anything being run in between."""
    one = bench.reviewer()
    bench.vet(one, "gout.md", due=date(2026, 12, 1))
    bench.clock.forward(days=9)
    assert standing(bench, "gout.md") == "expired"
    assert "gout.md" not in found(bench, "gout")


def test_a_withdrawal_reaches_every_answer_and_proves_that_nothing_is_found(bench: Bench) -> None:
    """Approved answers become withdrawn, drafts return to the queue, and the counts are all zero."""
    one = bench.reviewer()
    bench.vet(one, "gout.md", "asthma.md")
    approved = bench.ask().answer.id
    bench.approve(one, approved)
    draft = bench.ask("Is gout a painful swelling of my joint?").answer.id
    other = bench.ask("Does asthma make the airways narrow?").answer.id
    recall = bench.desk.withdraw("gout.md", reason="a number is wrong", by="Test Registrar")
    assert {(each.answer_id, each.before.value, each.after.value) for each in recall.answers} == {
        (approved, "approved", "withdrawn"),
        (draft, "awaiting_review", "awaiting_review"),
    }
    assert (recall.absence.looked_for > 0, recall.absence.proven) == (True, True)
    assert "gout.md" not in found(bench, "gout")
    assert bench.desk.record(approved).badge == "Withdrawn. gout.md was withdrawn: a number is wrong"
    waiting = {each.answer_id: each.reasons for each in bench.desk.queue()}
    assert waiting[draft] == ("gout.md was withdrawn: a number is wrong",)
    assert bench.status(other) == "awaiting_review"
    for answer_id in (approved, draft):
        with pytest.raises((ReviewClosed, NotPermitted)):
            bench.approve(one, answer_id)
    kinds = [event.kind for event in bench.desk.events_after(0)]
    assert kinds.count(EventKind.ANSWER_WITHDRAWN) == kinds.count(EventKind.ANSWER_RETURNED) == 1


def test_the_proof_of_absence_can_fail(bench: Bench) -> None:
    """It counts what is there: before a withdrawal everything is."""
    found_there = absence(bench.base._assembly, "gout.md")
    assert found_there.looked_for == found_there.passages == found_there.keywords == found_there.vectors > 0
    assert not found_there.proven


def test_the_proof_looks_into_chroma_too(bench: Bench) -> None:
    """With Chroma built, its own table is read: full before, empty after."""
    with_chroma = bench.again(search="chroma")
    with_chroma.base.repair()
    before = absence(with_chroma.base._assembly, "gout.md")
    assert before.chroma
    recall = with_chroma.desk.withdraw("gout.md", reason="a test", by="Test Registrar")
    assert recall.absence.chroma
    assert recall.absence.proven
    number = recall.absence.generation
    database = bench.folder / "indexes" / "default" / "generations" / str(number) / "chroma" / "chroma.sqlite3"
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        assert connection.execute("SELECT count(*) FROM embeddings").fetchone()[0] > 0
    connection.close()


def test_drafts_that_askers_have_seen_are_withdrawn_too(bench: Bench) -> None:
    """Where drafts are shown to askers, a recalled draft may be in somebody's hands."""
    shown = bench.again(drafts_visible_to="askers")
    draft = bench.ask().answer.id
    recall = shown.desk.withdraw("gout.md", reason="a test", by="Test Registrar")
    assert [(each.answer_id, each.after.value) for each in recall.answers] == [(draft, "withdrawn")]


def test_unchanged_words_in_a_newly_vetted_version_can_be_signed_again(bench: Bench) -> None:
    """Each answer with its own confirmation; the sources are the new version, the words the old ones."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    bench.approve(one, answer_id)
    words = [each.text for section in bench.desk.record(answer_id).answer.sections for each in section.sentences]
    bench.rewrite("gout.md", "Rest and cold packs", "A little rest and cold packs")
    assert bench.desk.renewable() == ()
    bench.vet(one, "gout.md")
    renewable = bench.desk.renewable()
    assert {each.heading_path for each in bench.desk.record(answer_id).answer.citations} == {("What gout is",)}
    (each,) = renewable
    with pytest.raises(ReviewClosed):
        bench.desk.renew(one, answer_id, confirm=bench.confirm(answer_id))
    review = bench.desk.renew(one, answer_id, confirm=each.subject_digest)
    assert (review.status.value, review.revision, review.editor) == ("approved", 2, None)
    record = bench.desk.record(answer_id)
    assert [each.text for section in record.answer.sections for each in section.sentences] == words
    assert {each.document_digest for each in record.answer.citations} == {bench.base.record("gout.md").entry.digest}
    assert bench.desk.audit().findings == ()


def test_changed_words_are_not_renewed(bench: Bench) -> None:
    """A section that changed in one word needs a review like any other."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    bench.approve(one, answer_id)
    bench.rewrite("gout.md", "often begins", "mostly begins")
    bench.vet(one, "gout.md")
    assert bench.desk.renewable() == ()
    with pytest.raises(ReviewClosed, match="not to be renewed"):
        bench.desk.renew(one, answer_id, confirm="sha256:" + "0" * 64)


def test_the_key_of_a_vetting_is_looked_up_at_its_place_in_the_chain(bench: Bench) -> None:
    """An event that claims to have been signed before its reviewer was added counts for nothing."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    from curio_rag.domain.reviewers import reviewers_of
    from curio_rag.domain.vetting_acts import latest_vettings

    events = LedgerEvents(bench.base._assembly.ledger()).events()
    reviewers = reviewers_of(events)
    vetting = [event for event in events if event.kind == EventKind.DOCUMENT_VETTED]
    assert latest_vettings(vetting, reviewers)["gout.md"].signed
    early = [replace(event, position=1) for event in vetting]
    assert not latest_vettings(early, reviewers)["gout.md"].signed
