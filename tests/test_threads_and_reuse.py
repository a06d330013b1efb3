"""Threads, what an asker sees before a signature, and answers that were approved for the same general question."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from curio_rag.domain.events import EventKind
from curio_rag.domain.reviewers import Role
from curio_rag.domain.reviews import Audience
from curio_rag.pipelines.reuse import plain_words
from tests.conftest import ROOT
from tests.desk import GOUT_QUESTION, Bench


def test_a_thread_holds_question_draft_comment_and_reply(bench: Bench) -> None:
    """The badge stands beside the answer, the comment under name and role as the clinician's own words."""
    one = bench.reviewer(role=Role.NURSE)
    record = bench.ask()
    answer_id, thread_id = record.answer.id, record.thread_id
    bench.clock.forward(minutes=5)
    bench.desk.comment(one, answer_id, confirm=bench.confirm(answer_id), text="Please call us on Monday.")
    reply = bench.ask("Does gout begin in the big toe?", thread=thread_id).answer.id
    first, second = bench.desk.thread(thread_id).exchanges
    assert first.record.badge == "AI draft, not yet reviewed."
    (comment,) = first.comments
    assert (comment.name, comment.role, comment.text) == ("Test Reviewer One", "nurse", "Please call us on Monday.")
    assert first.addressed_to is None
    assert second.addressed_to == (one.reviewer_id, "Test Reviewer One")
    assert {each.answer_id: each.addressed_to for each in bench.desk.queue()}[reply] == second.addressed_to
    shown = bench.desk.thread(thread_id).to_dict(audience=Audience.ASKER)
    exchanges = shown["exchanges"]
    assert isinstance(exchanges, list)
    assert exchanges[0]["comments"][0]["from_the_library"] is False
    assert [(thread, count) for thread, _, count in bench.desk.threads()] == [(thread_id, 2)]


def test_a_reply_to_somebody_who_left_goes_to_the_pool(bench: Bench) -> None:
    """Nobody waits for a reviewer whose key was revoked."""
    one = bench.reviewer()
    record = bench.ask()
    confirm = bench.confirm(record.answer.id)
    bench.desk.comment(one, record.answer.id, confirm=confirm, text="Call us.")
    bench.desk.revoke(one.reviewer_id, by="Test Registrar", reason="left")
    reply = bench.ask("Does gout begin in the big toe?", thread=record.thread_id).answer.id
    waiting = {each.answer_id: each for each in bench.desk.queue()}
    assert waiting[reply].addressed_to is None


def test_a_comment_that_nobody_signed_is_not_shown(bench: Bench) -> None:
    """Words that a hand put into the ledger, or changed there, stand under nobody's name."""
    from sqlalchemy import update

    from curio_rag.adapters.ledger_schema import NOTES

    one = bench.reviewer()
    record = bench.ask()
    bench.desk.comment(one, record.answer.id, confirm=bench.confirm(record.answer.id), text="Call us.")
    with bench.base._assembly.ledger().writing() as connection:
        connection.execute(update(NOTES).values(text="Take zinc."))
    assert bench.desk.thread(record.thread_id).exchanges[0].comments == ()


@pytest.mark.parametrize("visible", ["reviewers", "askers"])
def test_an_asker_sees_a_draft_only_where_the_settings_say_so(bench: Bench, visible: str) -> None:
    """Reviewers always see it; the words of a hidden draft are nowhere in what an asker gets."""
    record = bench.again(drafts_visible_to=visible).ask()
    asker = record.to_dict(audience=Audience.ASKER)
    assert ("big toe" in str(asker)) is (visible == "askers")
    assert ("waiting for a clinician" in record.text_for(Audience.ASKER)) is (visible == "reviewers")
    assert "big toe" in record.text


def test_emergency_advice_is_never_behind_the_queue(bench: Bench) -> None:
    """It is the same for everybody, before and after any decision."""
    one = bench.reviewer()
    record = bench.ask("My father has crushing chest pain and is sweating")
    assert record.text_for(Audience.ASKER).startswith("Call ")
    answer_id = record.answer.id
    bench.desk.reject(one, answer_id, confirm=bench.confirm(answer_id), reason="A test.")
    assert bench.desk.record(answer_id).text_for(Audience.ASKER).startswith("Call ")


def test_the_same_general_question_gets_the_approved_answer_at_once(bench: Bench) -> None:
    """With its badge, in other case and punctuation, without comments; and it falls with its original."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    first = bench.ask().answer.id
    bench.approve(one, first)
    bench.desk.comment(one, first, confirm=bench.confirm(first), text="Only for you.")
    again = bench.ask("is GOUT a painful swelling, of a joint")
    assert again.review.status.value == "approved"
    assert again.badge == "Verified by Test Reviewer One, physician, on 2026-11-23 for the same general question."
    assert again.answer.id != first
    assert again.question == "is GOUT a painful swelling, of a joint"
    assert "Only for you." not in str(bench.desk.thread(again.thread_id).to_dict())
    assert bench.desk.record(again.answer.id).badge == again.badge
    assert bench.desk.audit().findings == ()
    assert [each.answer_id for each in bench.desk.queue()] == []
    bench.desk.reject(one, first, confirm=bench.confirm(first), reason="Wrong after all.")
    assert bench.status(again.answer.id) == "rejected"
    told = bench.desk.events_after(0, kinds=(EventKind.ANSWER_LAPSED,))
    assert [event.subject for event in told] == [again.answer.id]
    assert bench.ask().review.status.value == "awaiting_review"


def test_a_lapsed_answer_is_not_given_again(bench: Bench) -> None:
    """Nor one whose source was withdrawn; the recall reaches the copies."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    first = bench.ask().answer.id
    bench.approve(one, first)
    copy = bench.ask().answer.id
    bench.rewrite("gout.md", "big toe", "left toe")
    assert bench.status(copy) == "lapsed"
    assert bench.ask().review.status.value == "awaiting_review"
    recall = bench.desk.withdraw("gout.md", reason="a test", by="Test Registrar")
    assert {each.answer_id for each in recall.answers} >= {first, copy}
    assert bench.status(copy) == "withdrawn"


def test_an_approved_answer_stays_in_its_country(bench: Bench) -> None:
    """Numbers, products and rules differ."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    british, american = bench.again(country="GB"), bench.again(country="US")
    american_id = american.ask().answer.id
    american.approve(one, american_id)
    assert american.ask().review.reused == american_id
    assert british.ask().review.reused is None
    assert bench.ask().review.reused is None


def test_a_row_that_points_to_another_answer_gives_nothing(bench: Bench) -> None:
    """The question of the approved answer is compared again, so that a changed row cannot mislead anybody."""
    from sqlalchemy import update

    from curio_rag.adapters.ledger_schema import REUSABLE

    one = bench.reviewer()
    bench.vet(one, "gout.md", "asthma.md")
    bench.approve(one, bench.ask().answer.id)
    other = bench.ask("Does asthma make the airways narrow?").answer.id
    bench.approve(one, other)
    with bench.base._assembly.ledger().writing() as connection:
        connection.execute(update(REUSABLE).where(REUSABLE.c.answer_id != other).values(answer_id=other))
    assert bench.ask(GOUT_QUESTION).review.reused is None


@pytest.mark.parametrize(
    "question",
    [
        "Can I drive after CAR-T?",
        "Is gout bad at 70?",
        "Is gout painful for my mother?",
        "Is gout painful for a child?",
        "What helps gout today?",
        "How is gout treated in pregnancy?",
        "Gout?",
        "Is she well?",
    ],
)
def test_a_question_with_something_personal_is_never_a_general_one(question: str) -> None:
    """A person, an age, a number or a moment: a clinician answers it anew."""
    assert plain_words(question) is None


def test_a_general_question_is_its_words_alone() -> None:
    """Case, accents, punctuation and spacing do not matter; the order of words does."""
    assert (
        plain_words("What is CAR-T therapy?") == plain_words("  what is car t THERAPY !! ") == "what is car t therapy"
    )
    assert plain_words("is what CAR-T therapy") != plain_words("What is CAR-T therapy?")


def test_a_similar_question_is_a_precedent_for_the_clinician_only(bench: Bench) -> None:
    """The asker gets a draft; the desk shows the approved answer beside it."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    first = bench.ask().answer.id
    bench.approve(one, first)
    similar = bench.ask("Is gout a painful swelling of joints?")
    assert similar.review.status.value == "awaiting_review"
    (precedent,) = bench.desk.precedents(similar.answer.id)
    assert precedent.answer_id == first
    assert bench.desk.precedents(bench.ask("Does asthma make the airways narrow?").answer.id) == ()


def test_asking_needs_no_cryptography(bundled_index: Path) -> None:
    """Signatures are checked where something is shown as verified; a draft pays nothing for them."""
    code = (
        "import sys\nfrom curio_rag.knowledge_base import KnowledgeBase\n"
        "with KnowledgeBase.open('.') as base:\n    base.ask('Is gout painful in the big toe for anybody?')\n"
        "print('cryptography' in sys.modules)"
    )
    environment = {**os.environ, "CURIO_INDEX": str(bundled_index)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.stdout == "False\n", done.stderr
