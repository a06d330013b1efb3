"""Sign-off: nothing is verified until a named clinician has signed these words over these sources."""

from __future__ import annotations

from datetime import date

import pytest

from curio_rag.domain.events import EventKind
from curio_rag.domain.reviewers import Role
from curio_rag.domain.reviews import Audience
from curio_rag.errors import (
    NotPermitted,
    ReviewClosed,
    ReviewNotFound,
    ReviewTaken,
    SessionExpired,
    Unsupported,
    WrongPassphrase,
)
from curio_rag.pipelines.review_edits import SentenceEdit
from tests.desk import PASSPHRASE, Bench


def refusals(bench: Bench) -> list[tuple[str, object, object]]:
    """Subject, who tried, and the code of every attempt that was refused."""
    return [
        (event.subject, event.payload["reviewer"], event.payload["code"])
        for event in bench.desk.export()
        if event.kind == EventKind.ATTEMPT_REFUSED
    ]


def test_an_approval_of_vetted_words_is_verified(bench: Bench) -> None:
    """Name, role and day stand in the badge, the text and the JSON."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    record = bench.ask()
    assert record.badge == "AI draft, not yet reviewed."
    review = bench.approve(one, record.answer.id)
    assert review.status.value == "approved"
    shown = bench.desk.record(record.answer.id)
    assert shown.badge == "Verified by Test Reviewer One, physician, on 2026-11-23."
    assert shown.text.startswith("Verified by Test Reviewer One, physician, on")
    assert "DRAFT" not in shown.text
    assert shown.to_dict()["status"] == "approved"
    assert bench.desk.audit().findings == ()


def test_an_answer_on_samples_cannot_be_approved_unless_the_settings_say_so(bench: Bench) -> None:
    """And then it says so itself."""
    one = bench.reviewer()
    answer_id = bench.ask().answer.id
    with pytest.raises(NotPermitted, match=r"gout\.md is sample"):
        bench.approve(one, answer_id)
    allowed = bench.again(approve_on="vetted,sample")
    assert allowed.approve(one, answer_id).status.value == "approved"
    assert "It rests on sample documents that no clinician has signed." in allowed.desk.record(answer_id).badge


@pytest.mark.parametrize("kind", ["unchecked", "demonstration"])
def test_an_unchecked_or_demonstration_reviewer_never_verifies(bench: Bench, kind: str) -> None:
    """Such a signature is kept, shown for what it is, and the answer goes on waiting."""
    one, other = bench.reviewer(), bench.reviewer("Test Reviewer Two", checked=False, demo=kind == "demonstration")
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    review = bench.approve(other, answer_id)
    assert review.status.value == "awaiting_review"
    assert "Verified" not in bench.desk.record(answer_id).badge
    assert "demonstration only" in bench.desk.record(answer_id).badge
    with pytest.raises(NotPermitted):
        bench.vet(other, "aspirin.md")
    if kind == "unchecked":
        # Checking the credential afterwards does not lift what was signed before.
        bench.desk.check_credential(other.reviewer_id, by="Test Registrar", on=date(2026, 11, 2))
        assert bench.status(answer_id) == "awaiting_review"
    assert bench.approve(one, answer_id).status.value == "approved"


def test_an_edit_voids_the_sign_off(bench: Bench) -> None:
    """An edited answer is no longer covered by the sign-off of the version before."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    bench.approve(one, answer_id)
    review = bench.desk.strike(one, answer_id, numbers=[1], confirm=bench.confirm(answer_id), reason="Too short.")
    assert (review.status.value, review.revision, review.signed_by) == ("awaiting_review", 2, None)
    assert bench.approve(one, answer_id).status.value == "approved"
    assert bench.desk.record(answer_id).badge.startswith("Verified: edited and signed by Test Reviewer One")


def test_an_edit_that_says_more_than_its_source_is_refused(bench: Bench) -> None:
    """The claim gate looks again, and the log says who tried."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    with pytest.raises(Unsupported, match="claim gate"):
        bench.desk.edit(
            one,
            answer_id,
            edits=[SentenceEdit(number=1, text="Gout is cured by 500 mg of zinc.")],
            confirm=bench.confirm(answer_id),
            reason="To be complete.",
        )
    assert refusals(bench) == [(answer_id, one.reviewer_id, "unsupported")]
    assert bench.desk.record(answer_id).review.revision == 1


def test_an_edit_may_rest_on_another_place_of_the_library(bench: Bench) -> None:
    """The new quote must stand there exactly once; the sources follow."""
    one = bench.reviewer()
    bench.vet(one, "gout.md", "asthma.md")
    answer_id = bench.ask().answer.id
    quote = "Asthma makes the airways narrow."
    bench.desk.edit(
        one,
        answer_id,
        edits=[SentenceEdit(number=1, text=quote, document_id="asthma.md", quote=quote)],
        confirm=bench.confirm(answer_id),
        reason="The better sentence.",
    )
    answer = bench.desk.record(answer_id).answer
    assert answer.sections[0].sentences[0].citations[0].document_id == "asthma.md"
    assert "asthma.md" in {source.document_id for source in answer.sources}
    slips = {
        "zinc": "does not have these words",
        "Asthma  makes": "differs from the document in white space",
        "s": "times",
    }
    for slip, said in slips.items():
        with pytest.raises(Unsupported, match=f"asthma.md: .*{said}"):
            bench.desk.edit(
                one,
                answer_id,
                edits=[SentenceEdit(number=1, text="x", document_id="asthma.md", quote=slip)],
                confirm=bench.confirm(answer_id),
                reason="A slip.",
            )


def test_two_people_can_be_demanded(bench: Bench) -> None:
    """Then whoever edited may not approve, and somebody else may."""
    one, two = bench.reviewer(), bench.reviewer("Test Reviewer Two")
    bench.vet(one, "gout.md")
    strict = bench.again(two_people="true")
    answer_id = bench.ask().answer.id
    strict.desk.strike(one, answer_id, numbers=[1], confirm=bench.confirm(answer_id), reason="Not needed.")
    with pytest.raises(NotPermitted, match="somebody else"):
        strict.approve(one, answer_id)
    strict.approve(two, answer_id)
    assert "edited by Test Reviewer One" in bench.desk.record(answer_id).badge


def test_an_incomplete_answer_needs_an_acknowledgement(bench: Bench) -> None:
    """Striking a step or a warning makes an answer incomplete, and nobody approves that unawares."""
    body = "# Colds\n\n## What to do\n\n1. Rest in bed with a cold.\n2. Drink tea for a cold.\n\n> [!IMPORTANT]\n"
    body = body.replace("\n> [!IMPORTANT]\n", "")
    from tests.conftest import sample

    (bench.folder / "knowledge" / "colds.md").write_text(sample("Colds", body), encoding="utf-8")
    bench.base.ingest()
    one = bench.reviewer()
    bench.vet(one, "colds.md")
    answer_id = bench.ask("Rest in bed or drink tea for a cold?").answer.id
    bench.desk.strike(one, answer_id, numbers=[2], confirm=bench.confirm(answer_id), reason="Doubtful.")
    with pytest.raises(NotPermitted, match="incomplete"):
        bench.approve(one, answer_id)
    assert bench.approve(one, answer_id, acknowledge_incomplete=True).status.value == "approved"


def test_a_changed_source_makes_the_sign_off_lapse_and_says_which_sentence(bench: Bench) -> None:
    """Document, day and sentence; the words are no longer shown to askers."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    bench.approve(one, answer_id)
    bench.clock.forward(days=2)
    bench.rewrite("gout.md", "painful swelling", "sudden swelling")
    record = bench.desk.record(answer_id)
    assert record.review.status.value == "lapsed"
    assert record.review.reasons[0].startswith("gout.md changed on 2026-11-25; sentence")
    assert bench.kinds(answer_id)[-1] == EventKind.ANSWER_LAPSED
    asker = record.to_dict(audience=Audience.ASKER)
    assert asker["sections"] == []
    assert "big toe" not in str(asker)
    bench.rewrite("gout.md", "sudden swelling", "painful swelling")
    assert bench.status(answer_id) == "approved"
    assert bench.kinds(answer_id)[-1] == EventKind.ANSWER_RESTORED


def test_time_alone_makes_a_sign_off_lapse_once(bench: Bench) -> None:
    """An overdue document expires; the lapse is one event however often anybody looks."""
    one = bench.reviewer()
    bench.vet(one, "gout.md", due=date(2026, 12, 1))
    answer_id = bench.ask().answer.id
    bench.approve(one, answer_id)
    bench.clock.forward(days=20)
    for _ in range(3):
        events = bench.desk.events_after(0, kinds=(EventKind.ANSWER_LAPSED,))
    assert [event.subject for event in events] == [answer_id]
    assert (
        bench.desk.record(answer_id).review.reasons
        == ("gout.md was due for review on 2026-12-01; sentences 1, 2, 3 rest on it.",)
        or "was due for review on 2026-12-01" in bench.desk.record(answer_id).review.reasons[0]
    )


def test_a_decision_on_an_outdated_revision_is_refused(bench: Bench) -> None:
    """The confirmation names the words that were shown; other words need another look."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    seen = bench.confirm(answer_id)
    bench.desk.strike(one, answer_id, numbers=[1], confirm=seen, reason="Not needed.")
    for confirm in (seen, "", "sha256:" + "0" * 64):
        with pytest.raises(ReviewClosed, match="does not name the words"):
            bench.desk.approve(one, answer_id, confirm=confirm)
    assert bench.status(answer_id) == "awaiting_review"


def test_a_rejected_answer_is_not_shown_and_an_edit_opens_it_again(bench: Bench) -> None:
    """The reason stays on the desk; an approved answer can be rejected too."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    bench.approve(one, answer_id)
    bench.desk.reject(one, answer_id, confirm=bench.confirm(answer_id), reason="It misses the toe.")
    record = bench.desk.record(answer_id)
    assert record.review.status.value == "rejected"
    assert "Rejected by Test Reviewer One" in record.badge
    assert "misses the toe" not in str(record.to_dict(audience=Audience.ASKER))
    assert [note.text for note in bench.desk.show(answer_id).notes] == ["It misses the toe."]
    with pytest.raises(ReviewClosed, match="is rejected"):
        bench.approve(one, answer_id)
    bench.desk.strike(one, answer_id, numbers=[1], confirm=bench.confirm(answer_id), reason="Mended.")
    assert bench.status(answer_id) == "awaiting_review"
    with pytest.raises(NotPermitted, match="reason is empty"):
        bench.desk.reject(one, answer_id, confirm=bench.confirm(answer_id), reason=" ")


def test_two_clinicians_do_not_work_on_one_answer_unawares(bench: Bench) -> None:
    """Taken is taken for half an hour, until it is released or decided."""
    one, two = bench.reviewer(), bench.reviewer("Test Reviewer Two")
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    bench.desk.take(answer_id, reviewer_id=one.reviewer_id)
    with pytest.raises(ReviewTaken, match="Test Reviewer One"):
        bench.desk.take(answer_id, reviewer_id=two.reviewer_id)
    with pytest.raises(ReviewTaken):
        bench.approve(two, answer_id)
    with pytest.raises(ReviewTaken):
        bench.desk.release(answer_id, reviewer_id=two.reviewer_id)
    bench.desk.release(answer_id, reviewer_id=one.reviewer_id)
    bench.desk.take(answer_id, reviewer_id=two.reviewer_id)
    bench.clock.forward(minutes=31)
    bench.desk.take(answer_id, reviewer_id=one.reviewer_id)


def test_the_queue_is_urgent_first_then_oldest(bench: Bench) -> None:
    """What waits, for how long, and whether somebody has it."""
    one = bench.reviewer()
    first = bench.ask().answer.id
    second = bench.ask("Does asthma make the airways narrow?").answer.id
    emergency = bench.ask("My father has crushing chest pain and is sweating").answer.id
    bench.desk.take(second, reviewer_id=one.reviewer_id)
    bench.clock.forward(minutes=5)
    waiting = bench.desk.queue()
    assert [each.answer_id for each in waiting] == [emergency, first, second]
    assert waiting[1].waited.total_seconds() == 7 * 60
    assert waiting[2].taken is not None
    bench.desk.reject(one, first, confirm=bench.confirm(first), reason="A test.")
    assert [each.answer_id for each in bench.desk.queue()] == [emergency, second]


@pytest.mark.parametrize(
    ("role", "act", "setting"),
    [(Role.NURSE, "approve", "answer_signers"), (Role.SCIENTIST, "vet", "document_signers")],
)
def test_roles_sign_what_the_settings_let_them(bench: Bench, role: Role, act: str, setting: str) -> None:
    """Others are refused, with the name of the setting."""
    one, other = bench.reviewer(), bench.reviewer("Test Reviewer Two", role=role)
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id

    def do(at: Bench) -> None:
        if act == "approve":
            at.approve(other, answer_id)
        else:
            at.vet(other, "asthma.md")

    with pytest.raises(NotPermitted, match=setting):
        do(bench)
    do(bench.again(**{setting: f"physician,{role.value}"}))


def test_a_wrong_passphrase_opens_nothing_and_is_logged(bench: Bench) -> None:
    """The log says who tried; the key stays shut."""
    one = bench.reviewer()
    with pytest.raises(WrongPassphrase):
        bench.desk.open_session(one.reviewer_id, PASSPHRASE + "!")
    assert refusals(bench) == [(one.reviewer_id, one.reviewer_id, "wrong_passphrase")]
    with pytest.raises(NotPermitted, match="at least 12"):
        bench.desk.add_reviewer(
            name="Test Reviewer Two", role=Role.NURSE, register_name="Test", number="1", passphrase="short"
        )


def test_a_session_ends_after_a_quarter_of_an_hour(bench: Bench) -> None:
    """Also one that was kept for the commands of a terminal; its file goes."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    token = bench.desk.keep_session(one)
    assert bench.approve(bench.desk.resume_session(token), answer_id).status.value == "approved"
    for wrong in ("", "0" * 16, token[:-4] + "AAA=", "../../x.y"):
        with pytest.raises(SessionExpired):
            bench.desk.resume_session(wrong)
    bench.clock.forward(minutes=15)
    with pytest.raises(SessionExpired, match="ended"):
        bench.approve(one, answer_id)
    with pytest.raises(SessionExpired):
        bench.desk.resume_session(token)
    assert not list((bench.folder / "indexes" / "default").rglob("session-*"))


def test_a_revoked_key_signs_nothing_more_and_what_it_signed_before_stands(bench: Bench) -> None:
    """Order is that of the chain; no clock is asked."""
    one, two = bench.reviewer(), bench.reviewer("Test Reviewer Two")
    bench.vet(one, "gout.md")
    first, second = bench.ask().answer.id, bench.ask("Is gout a painful swelling of joints?").answer.id
    bench.approve(two, first)
    bench.clock.forward(minutes=-600)
    bench.desk.revoke(two.reviewer_id, by="Test Registrar", reason="left the service")
    bench.clock.forward(minutes=600)
    assert bench.status(first) == "approved"
    with pytest.raises(NotPermitted, match="left the service"):
        bench.approve(two, second)
    with pytest.raises(NotPermitted, match="left the service"):
        bench.desk.open_session(two.reviewer_id, PASSPHRASE)


def test_a_stolen_key_can_be_revoked_from_an_earlier_position(bench: Bench) -> None:
    """What it signed from there on no longer counts, answers and documents alike."""
    one, two = bench.reviewer(), bench.reviewer("Test Reviewer Two")
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    stolen = bench.desk.head().position + 1
    bench.approve(two, answer_id)
    bench.vet(two, "asthma.md")
    bench.desk.revoke(two.reviewer_id, by="Test Registrar", reason="stolen", since=stolen)
    assert bench.status(answer_id) == "lapsed"
    assert bench.base.record("asthma.md").vetting.status.value == "unvetted"
    assert bench.base.record("gout.md").vetting.status.value == "vetted"
    assert bench.desk.audit().findings == ()


def test_nobody_checks_their_own_credential(bench: Bench) -> None:
    """Somebody else looks it up, on a day that has been, and never for a demonstration."""
    one = bench.reviewer(checked=False)
    for by, on in (("Test Reviewer One", date(2026, 11, 1)), ("Test Registrar", date(2027, 11, 1))):
        with pytest.raises(NotPermitted):
            bench.desk.check_credential(one.reviewer_id, by=by, on=on)
    demo = bench.reviewer("Test Reviewer Two", demo=True)
    with pytest.raises(NotPermitted, match="demonstration"):
        bench.desk.check_credential(demo.reviewer_id, by="Test Registrar", on=date(2026, 11, 1))


def test_show_lays_each_sentence_beside_its_source(bench: Bench) -> None:
    """Number, quote, heading, surrounding text, how the document stands; who looked is in the log."""
    one = bench.reviewer()
    answer_id = bench.ask().answer.id
    view = bench.desk.show(answer_id, viewer=one.reviewer_id)
    first = view.sentences[0]
    assert first.number == 1
    assert first.citations[0].citation.heading_path == ("What gout is",)
    assert first.citations[0].standing == "sample"
    assert "Gout often begins in the big toe." in first.citations[0].after
    assert view.sign_blocked == "gout.md is sample, and an approval may not rest on it."
    assert bench.kinds(answer_id)[-1] == EventKind.ANSWER_VIEWED
    with pytest.raises(ReviewNotFound, match="a_nowhere"):
        bench.desk.show("a_nowhere")


def test_the_flag_of_an_emergency_is_cleared_by_a_signature(bench: Bench) -> None:
    """Once, with a reason; a thread without a flag has nothing to clear."""
    one = bench.reviewer()
    record = bench.ask("My father has crushing chest pain and is sweating")
    parts = bench.desk._parts
    flagged = [event for event in bench.desk.export() if event.kind == EventKind.THREAD_FLAGGED]
    if not flagged:
        parts.shelf().append(
            EventKind.THREAD_FLAGGED, record.thread_id, {"answer_id": record.answer.id}, at=bench.clock.now
        )
    bench.desk.clear_emergency(one, record.thread_id, reason="An ambulance is there.")
    assert bench.kinds(record.thread_id)[-1] == EventKind.THREAD_CLEARED
    for thread_id in (record.thread_id, "t_nowhere"):
        with pytest.raises(ReviewNotFound, match="no emergency"):
            bench.desk.clear_emergency(one, thread_id, reason="Again.")
    assert bench.desk.audit().findings == ()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE questions SET text = 'Is gout harmless?'", "not the one that was answered"),
        (
            "UPDATE answers SET body = CAST(replace(CAST(body AS TEXT), 'painful', 'harmless') AS BLOB)",
            "not those that were signed",
        ),
    ],
)
def test_a_changed_question_or_answer_is_not_verified_any_more(bench: Bench, statement: str, reason: str) -> None:
    """Without waiting for an audit: the words are compared with what was signed each time they are shown."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    bench.approve(one, answer_id)
    with bench.base._assembly.ledger().writing() as connection:
        assert connection.exec_driver_sql(statement).rowcount
    review = bench.desk.record(answer_id).review
    assert (review.status.value, review.signed_by) == ("lapsed", None)
    assert reason in review.reasons[0]
