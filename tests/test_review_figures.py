"""What the log says of how reviewers work, and the training queue that measures what they catch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curio_rag.adapters.training import read_drafts
from curio_rag.domain.training import TrainingResult, score_of
from curio_rag.errors import EvalError, ReviewClosed, ReviewerNotFound
from tests.desk import Bench
from tests.fakes import NOON


def test_stats_count_what_each_reviewer_did(bench: Bench) -> None:
    """Decisions, edits, strikes, comments, refusals, and the time from the last look to the decision."""
    one, two = bench.reviewer(), bench.reviewer("Test Reviewer Two")
    bench.vet(one, "gout.md", "asthma.md")
    first, second = bench.ask().answer.id, bench.ask("Does asthma make the airways narrow?").answer.id
    bench.desk.show(first, viewer=one.reviewer_id)
    bench.desk.strike(one, first, numbers=[1], confirm=bench.confirm(first), reason="Not needed.")
    bench.clock.forward(seconds=90)
    bench.approve(one, first)
    bench.desk.comment(two, second, confirm=bench.confirm(second), text="Call us.")
    bench.desk.reject(two, second, confirm=bench.confirm(second), reason="Thin.")
    with pytest.raises(ReviewClosed, match="is rejected"):
        bench.approve(two, second)
    ours, theirs = bench.desk.stats()
    assert (ours.approved, ours.unedited, ours.rejected, ours.median_seconds) == (1, 0, 0, 90.0)
    assert (ours.edits, ours.sentences_struck) == (0, 1)
    assert (theirs.approved, theirs.rejected, theirs.refused_attempts) == (0, 1, 1)
    assert (theirs.sentences_struck, theirs.comments) == (0, 1)
    assert theirs.median_seconds is None


def test_training_measures_what_is_caught_and_touches_no_thread(bench: Bench) -> None:
    """About half of the drafts are bad; the rate has an interval; the ledger does not change."""
    one = bench.reviewer()
    head = bench.desk.head()
    drafts = bench.desk.training_drafts(one.reviewer_id, count=8, seed=1)
    assert len(drafts) == 8
    assert 3 <= sum(draft.bad for draft in drafts) <= 5
    for number, draft in enumerate(drafts):
        bench.desk.train(one.reviewer_id, draft, approved=not draft.bad or number == 0, seconds=3)
    score = bench.desk.training_score(one.reviewer_id)
    missed = 1 if drafts[0].bad else 0
    assert (score.caught, score.bad) == (sum(draft.bad for draft in drafts) - missed, sum(d.bad for d in drafts))
    assert score.false_alarms == 0
    assert bench.desk.head() == head
    assert bench.desk.stats()[0].training == score
    again = bench.desk.training_drafts(one.reviewer_id, count=4, seed=1)
    assert not {draft.id for draft in again if draft.bad} & {draft.id for draft in drafts}
    with pytest.raises(ReviewerNotFound):
        bench.desk.training_drafts("r_nobody")


def test_the_interval_of_a_rate_is_wilsons() -> None:
    """Against published values: 9 of 10 gives .596 to .982 (Newcombe 1998, method 3)."""
    results = [
        TrainingResult(
            reviewer_id="r_1", draft_id=str(n), bad=True, fault="number", approved=n == 0, seconds=1.0, at=NOON
        )
        for n in range(10)
    ]
    interval = score_of("r_1", results).interval
    assert interval is not None
    assert interval == pytest.approx((0.5958, 0.9821), abs=1e-3)
    assert score_of("r_2", results).catch_rate is None


def test_the_bundled_drafts_differ_from_their_source_exactly_when_bad() -> None:
    """A good draft has its source's words; a bad one says what is wrong with it."""
    drafts = read_drafts(None)
    assert sum(draft.bad for draft in drafts) >= 8
    for draft in drafts:
        assert draft.bad == (draft.text != draft.quote) == bool(draft.fault)


def test_rows_of_the_tamper_set_are_drafts_too(tmp_path: Path) -> None:
    """Its label says whether a draft is bad, its class what is wrong."""
    path = tmp_path / "rows.jsonl"
    row = {"id": "1", "class": "number", "label": "withheld", "text": "8", "evidence": [{"title": "t", "text": "7"}]}
    good = {**row, "id": "2", "label": "supported"}
    path.write_text("\n".join(map(json.dumps, (row, good))), encoding="utf-8")
    first, second = read_drafts(path)
    assert (first.bad, first.fault, first.quote) == (True, "number", "7")
    assert (second.bad, second.fault) == (False, "")


@pytest.mark.parametrize("content", ["", "x", "{}", '{"id": "1"}', "[1]"])
def test_a_malformed_training_file_is_named(tmp_path: Path, content: str) -> None:
    """File and line."""
    path = tmp_path / "drafts.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(EvalError, match=r"drafts\.jsonl"):
        read_drafts(path)
