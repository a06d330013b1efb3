"""Several processes ask, review and ingest on one ledger: nothing is lost, and nothing is decided twice."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from curio_rag.domain.events import Event, EventKind
from curio_rag.errors import IndexLocked, ReviewClosed, ReviewTaken
from curio_rag.pipelines.review_queue import note_lapses
from tests.conftest import ROOT
from tests.desk import Bench

ASKER = """
import sys
from pathlib import Path
from tests.desk import Bench
bench = Bench(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    print(bench.base.ask(f"Is gout a painful swelling of joint {number}?").answer.id, flush=True)
"""

REVIEWER = """
import sys
from datetime import timedelta
from curio_rag.errors import CurioError
from pathlib import Path
from tests.desk import PASSPHRASE, Bench
bench = Bench(Path(sys.argv[1]))
session = bench.desk.open_session(sys.argv[2], PASSPHRASE)
bench.clock.now += timedelta(seconds=1)
done = 0
while done < int(sys.argv[3]):
    for waiting in bench.desk.queue():
        try:
            bench.desk.take(waiting.answer_id, reviewer_id=sys.argv[2])
            bench.approve(session, waiting.answer_id)
            print(waiting.answer_id, flush=True)
        except CurioError as problem:
            if problem.code not in ("review_closed", "review_taken"):
                raise
    done = sum(event.kind == "answer_approved" for event in bench.desk.export())
"""

INGESTER = """
import sys
from curio_rag.errors import IndexLocked
from pathlib import Path
from tests.desk import Bench
bench = Bench(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    text = f"# Note {number}\\n\\nNote {number} is about knees.\\n"
    (bench.folder / "knowledge" / f"note{number}.md").write_text(text, encoding="utf-8")
    bench.base.ingest()
    print(number, flush=True)
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def lines(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out.split()


def test_processes_ask_review_and_ingest_at_once(bench: Bench) -> None:
    """Two askers, two reviewers, one ingest: every question is there, approved exactly once, and the chain is whole."""
    one, two = bench.reviewer(), bench.reviewer("Test Reviewer Two")
    bench.vet(one, "gout.md")
    folder, each = str(bench.folder), 6
    askers = [start(ASKER, folder, str(each)) for _ in range(2)]
    reviewers = [start(REVIEWER, folder, session.reviewer_id, str(2 * each)) for session in (one, two)]
    ingester = start(INGESTER, folder, "2")
    asked = [answer_id for process in askers for answer_id in lines(process)]
    approved = [answer_id for process in reviewers for answer_id in lines(process)]
    assert lines(ingester) == ["0", "1"]
    assert len(set(asked)) == 2 * each
    assert Counter(approved) == Counter(asked)
    events = bench.desk.export()
    assert Counter(event.subject for event in events if event.kind == EventKind.ANSWER_APPROVED) == Counter(asked)
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    assert {bench.status(answer_id) for answer_id in asked} == {"approved"}
    assert bench.desk.audit().findings == ()


def test_of_many_decisions_on_one_revision_one_counts(bench: Bench) -> None:
    """Eight at the same moment: one approval is filed, the others are told that something was decided."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    confirm = bench.confirm(answer_id)
    results: list[str] = []
    gate = threading.Barrier(8)

    def decide() -> None:
        gate.wait()
        try:
            results.append(bench.desk.approve(one, answer_id, confirm=confirm).status.value)
        except ReviewClosed:
            results.append("refused")

    workers = [threading.Thread(target=decide) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(results) == ["approved", *["refused"] * 7]
    assert bench.kinds(answer_id).count(EventKind.ANSWER_APPROVED) == 1
    assert bench.desk.audit().findings == ()


def test_of_many_takers_one_has_it(bench: Bench) -> None:
    """Eight reviewers reach for one answer at the same moment."""
    sessions = [bench.reviewer(f"Test Reviewer {number}") for number in range(8)]
    answer_id = bench.ask().answer.id
    results: list[str] = []
    gate = threading.Barrier(8)

    def reach(reviewer_id: str) -> None:
        gate.wait()
        try:
            bench.desk.take(answer_id, reviewer_id=reviewer_id)
            results.append("taken")
        except (ReviewTaken, ReviewClosed):
            results.append("refused")

    workers = [threading.Thread(target=reach, args=(session.reviewer_id,)) for session in sessions]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(results) == [*["refused"] * 7, "taken"]


def lapsed_answer(bench: Bench) -> str:
    """The id of an approved answer whose source's vetting has run out since."""
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    bench.approve(one, answer_id)
    bench.clock.now += timedelta(days=400)
    return answer_id


def test_a_lapse_is_noted_once_by_many(bench: Bench) -> None:
    """Whoever looks first writes the event."""
    answer_id = lapsed_answer(bench)
    workers = [threading.Thread(target=bench.desk.note_lapses) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert bench.kinds(answer_id).count(EventKind.ANSWER_LAPSED) == 1


def test_a_lapse_noted_by_another_in_the_middle_of_a_look_is_not_noted_again(bench: Bench) -> None:
    """The other process writes right after this one has read the events: the moment in which two were once noted."""
    answer_id = lapsed_answer(bench)
    parts = bench.desk._parts

    class Interrupted:
        """An event log during whose first reading somebody else looks, too."""

        def __init__(self) -> None:
            self.others = [parts]

        def __getattr__(self, name: str) -> Any:
            return getattr(parts.log(), name)

        def events(self, **which: Any) -> tuple[Event, ...]:
            found = parts.log().events(**which)
            while self.others:
                assert len(note_lapses(self.others.pop())) == 1
            return found

    log = Interrupted()
    assert note_lapses(replace(parts, log=lambda: log)) == ()
    assert bench.kinds(answer_id).count(EventKind.ANSWER_LAPSED) == 1


def test_a_vetting_while_somebody_else_writes_is_told_so(bench: Bench) -> None:
    """The index has one writer; nothing is signed when it cannot be indexed at once."""
    from curio_rag.adapters.write_lock import write_lock

    one = bench.reviewer()
    head = bench.desk.head()
    with write_lock(bench.base.config.index_folder), pytest.raises(IndexLocked):
        bench.vet(one, "gout.md")
    assert bench.desk.head() == head
