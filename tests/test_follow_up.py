"""Follow-ups: "it" is taken from the thread, a new question is left alone, and each turn says what it was read as."""

from __future__ import annotations

import json
import time

import pytest

from curio_rag.assembly import Assembly
from curio_rag.config import Config
from curio_rag.domain.answers import Outcome
from curio_rag.domain.questions import Turn, Urgency
from curio_rag.errors import ReviewNotFound
from curio_rag.knowledge_base import KnowledgeBase
from curio_rag.pipelines.follow_up import FollowUps
from tests.conftest import ROOT, SmallBase


@pytest.fixture(scope="module")
def follow_ups() -> FollowUps:
    return Assembly(Config()).follow_ups()


def resolved(follow_ups: FollowUps, *thread: str) -> tuple[str, ...]:
    """What is carried into the last question of a thread."""
    *previous, question = thread
    return follow_ups.resolve(question, [Turn(question=text) for text in previous]).carried


@pytest.mark.parametrize(
    ("thread", "carried"),
    [
        (("What is cytokine release syndrome?", "and how long does it last?"), ("cytokine release syndrome",)),
        (("What is CRS?", "Is that dangerous for kids?"), ("CRS",)),
        (("What is CRS?", "How is it treated?", "And does that harm the cells?"), ("CRS", "treated")),
        (("What are the signs of ICANS?", "Treatment?"), ("ICANS",)),
        (("How long does ICANS last?", "What about cytokine release syndrome?"), ("long", "last")),
        (("How common is CRS with Tecartus?", "And with Breyanzi?"), ("CRS", "common")),
        (("Who pays for CAR-T in Canada?", "What about the UK?"), ("CAR-T", "pays")),
        (("Is CAR-T approved for lymphoma?", "And for myeloma?"), ("CAR-T", "approved")),
        (("Who can have CAR-T for large B-cell lymphoma?", "What about mantle cell?"), ("CAR-T", "lymphoma")),
        (("What is IVIG?", "Thank you! Who needs it?"), ("IVIG",)),
        (("What is Carvykti?", "Is it better than Abecma?"), ("Carvykti",)),
    ],
)
def test_what_is_missing_is_taken_from_the_thread(
    follow_ups: FollowUps, thread: tuple[str, ...], carried: tuple[str, ...]
) -> None:
    """Pronouns, fragments and openers; another country, product or disease takes the place of the old one."""
    assert resolved(follow_ups, *thread) == carried


@pytest.mark.parametrize(
    "question",
    [
        "Can I eat raw fish after CAR-T therapy?",
        "What is leukapheresis?",
        "Is it normal to feel tired after CAR-T therapy?",
        "Is it true that CAR-T cures everyone?",
        "What about the cost of CAR-T in Canada?",
        "And is there any help with travel costs for CAR-T patients?",
        "If my fever goes up, should I treat it?",
        "My mother is 70 and she has lymphoma. Can she have CAR-T?",
        "",
        "?!",
        "🙂",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(follow_ups: FollowUps, question: str) -> None:
    """Nothing of the old subject is in the new search."""
    resolution = follow_ups.resolve(question, [Turn(question="What are the signs of ICANS?")])
    assert (resolution.text, resolution.carried) == (question, ())


@pytest.mark.parametrize("text", ["CRS ICANS fever " + "it " * 6600, "ok " * 6600, "that the " * 2200, "a" * 20_000])
def test_a_long_message_costs_no_more_than_its_length(follow_ups: FollowUps, text: str) -> None:
    """Six turns of twenty thousand characters are read in no time."""
    started = time.process_time()
    follow_ups.resolve(text, [Turn(question=text)] * 6)
    assert time.process_time() - started < 2


def test_without_a_thread_nothing_changes(follow_ups: FollowUps) -> None:
    """A first question has nothing to follow."""
    assert follow_ups.resolve("and how long does it last?", ()).text == "and how long does it last?"


def test_the_title_of_the_answer_says_what_a_vague_question_was_about(follow_ups: FollowUps) -> None:
    """Where the words of the earlier question name nothing."""
    turn = Turn(question="How does it work?", titles=("Leukapheresis",))
    assert follow_ups.resolve("Does that hurt?", [turn]).carried[0] == "Leukapheresis"


def test_statements_of_earlier_turns_are_not_carried_on(follow_ups: FollowUps) -> None:
    """Of a false premise only the names are taken, never what was said of them."""
    carried = resolved(follow_ups, "Since ICANS never harms anyone, why is it watched?", "And how is it treated?")
    assert "ICANS" in " ".join(carried)
    assert not {"never", "harms", "anyone"} & set(" ".join(carried).split())


def test_the_thread_of_the_ledger_is_read(bundled: KnowledgeBase) -> None:
    """The second turn is searched afresh, and says what it was read as without a sentence of the question."""
    first = bundled.ask("What is cytokine release syndrome?")
    second = bundled.ask("and how long does it last?", thread=first.thread_id)
    assert second.answer.outcome is Outcome.DRAFTED
    assert second.answer.trace.follows == ("cytokine release syndrome",)
    assert "how long it lasts" in " ".join(section.heading for section in second.answer.sections)
    search = second.to_dict()["search"]
    assert isinstance(search, dict)
    assert search["follows"] == ["cytokine release syndrome"]
    assert "does it last" not in json.dumps(search)
    assert bundled.answer(second.answer.id).answer == second.answer


def test_previous_questions_can_be_given_without_a_thread(bundled: KnowledgeBase) -> None:
    """An evaluation asks so."""
    record = bundled.ask("What can we do if they turn us down?", previous=["What is prior authorization before CAR-T?"])
    assert record.answer.trace.follows


def test_a_false_premise_is_not_repeated(bundled: KnowledgeBase) -> None:
    """The answer says what the documents say of it."""
    first = bundled.ask("How is CRS treated?")
    record = bundled.ask(
        "So since steroids always kill the CAR-T cells, why do they give them?", thread=first.thread_id
    )
    assert "always kill" not in record.text


def test_a_decision_about_it_is_referred(bundled: KnowledgeBase) -> None:
    """What "it" is, the thread has named: a medicine."""
    first = bundled.ask("What does tocilizumab do in CRS?")
    record = bundled.ask("Should I stop it?", thread=first.thread_id)
    assert record.answer.reason is not None
    assert record.answer.reason.code == "dosing_change"


def test_an_emergency_does_not_read_the_thread(open_base: SmallBase) -> None:
    """An unknown thread stops any other question, and not this one."""
    base = open_base()
    base.ingest()
    with pytest.raises(ReviewNotFound):
        base.ask("and how long does it last?", thread="t_nowhere")
    urgent = base.ask("My father has crushing chest pain and is sweating, what should I do?", thread="t_nowhere")
    assert urgent.answer.urgency is Urgency.EMERGENCY


def test_the_frozen_cases_are_sound() -> None:
    """Two halves of one size, each id once, every document in the library's folder."""
    lines = [json.loads(line) for line in (ROOT / "evals" / "follow_ups.jsonl").read_text("utf-8").splitlines()]
    assert len({line["id"] for line in lines}) == len(lines) >= 40
    assert {split: sum(line["split"] == split for line in lines) for split in ("development", "test")} == {
        "development": len(lines) // 2,
        "test": len(lines) // 2,
    }
    assert all((ROOT / "knowledge" / name).is_file() for line in lines for name in line["documents"])
