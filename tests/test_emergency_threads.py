"""An emergency stays open in its thread until a clinician closes it, whatever is said in between."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from curio_rag.domain.answers import Outcome
from curio_rag.domain.questions import Urgency
from curio_rag.domain.reviews import AnswerRecord
from curio_rag.knowledge_base import KnowledgeBase
from tests.conftest import SmallBase
from tests.desk import Bench

SEIZURE = "my husband just had a seizure and will not wake up"
REASON = "spoke to the family, he is in hospital"


@pytest.fixture
def base(open_base: SmallBase) -> KnowledgeBase:
    opened = open_base()
    opened.ingest()
    return opened


def open_emergency(base: KnowledgeBase) -> AnswerRecord:
    record = base.ask(SEIZURE)
    assert record.answer.urgency is Urgency.EMERGENCY
    return record


@pytest.mark.parametrize(
    "later", ["he is sleeping now", "What is aspirin?", "sorry, all good", "Wie lange dauert das?"]
)
def test_what_is_said_later_does_not_reset_it(base: KnowledgeBase, later: str) -> None:
    """The advice of the emergency comes first again, alone, and the outcome is a referral."""
    first = open_emergency(base)
    answer = base.ask(later, thread=first.thread_id).answer
    assert (answer.outcome, answer.urgency) == (Outcome.REFERRED, Urgency.EMERGENCY)
    assert answer.reason is not None
    assert answer.reason.code == "emergency"
    assert answer.advice == first.answer.advice
    assert not answer.sections


def test_another_emergency_gets_its_own_words(base: KnowledgeBase) -> None:
    """A new danger in the same thread is answered with the words for it, and these stand from then on."""
    thread = open_emergency(base).thread_id
    crisis = base.ask("I want to kill myself", thread=thread).answer.advice
    assert "988" in crisis
    assert base.ask("What is gout?", thread=thread).answer.advice == crisis


def test_other_threads_are_answered(base: KnowledgeBase) -> None:
    """An emergency in one thread says nothing about the others."""
    open_emergency(base)
    assert base.ask("What is aspirin?").answer.urgency is Urgency.ROUTINE


def test_a_clinician_clears_it_and_a_new_one_opens_it(bench: Bench) -> None:
    """Cleared by a signature, the thread is answered again; the next emergency flags it anew."""
    session = bench.reviewer()
    thread = open_emergency(bench.base).thread_id
    bench.desk.clear_emergency(session, thread, reason=REASON)
    assert bench.ask("What is aspirin?", thread=thread).answer.urgency is Urgency.ROUTINE
    bench.ask(SEIZURE, thread=thread)
    assert bench.ask("What is aspirin?", thread=thread).answer.urgency is Urgency.EMERGENCY


def test_the_audit_chain_holds_who_cleared_what_and_no_question(bench: Bench) -> None:
    """Flag and clearing are links of the chain, which stays whole; no word of a question is in them."""
    session = bench.reviewer()
    thread = open_emergency(bench.base).thread_id
    bench.desk.clear_emergency(session, thread, reason=REASON)
    assert bench.base.check() == ()
    assert list(bench.kinds(thread)) == ["thread_flagged", "thread_cleared"]
    events = [event for event in bench.desk.export() if event.subject == thread]
    assert session.reviewer_id in str(events[1])
    assert not any(word in str(events) for word in ("seizure", "husband"))


def test_what_cannot_be_decoded_is_refused_after_the_emergency_check(folder: Path) -> None:
    """Bytes that are no text are a clear error; a call for help among them is answered all the same."""
    arguments = [sys.executable, "-m", "curio_rag", "-C", str(folder), "ask", "-"]
    refused = subprocess.run(arguments, input=b"\xff\xfe what is gout", capture_output=True, check=False)
    assert b"not UTF-8" in refused.stderr
    assert not refused.stdout
    helped = subprocess.run(arguments, input=b"\xff I want to kill myself", capture_output=True, check=False)
    assert helped.returncode == 4
    assert b"Please talk to a person now" in helped.stdout


def test_a_language_that_is_not_spoken_reaches_a_person_without_an_index(open_base: SmallBase) -> None:
    """The emergency sentence in that language is given even where nothing was ingested."""
    answer = open_base().ask("Wie lange dauert die Therapie?").answer
    assert (answer.outcome, answer.urgency) == (Outcome.REFERRED, Urgency.URGENT)
    assert answer.advice.startswith("Ist es ein Notfall?")
