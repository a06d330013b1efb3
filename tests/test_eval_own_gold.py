"""A service's own gold: plain answers, cases made from approved answers, and its own tests on a report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curio_rag.adapters.gold_files import load_gold
from curio_rag.domain.answers import Outcome
from curio_rag.domain.eval_reports import FactStatus
from curio_rag.errors import EvalError
from curio_rag.pipelines.new_case import case_from_answer
from tests.conftest import ROOT
from tests.desk import Bench
from tests.test_cli import run

pytest_plugins = ["pytester"]

PLAIN = {
    "question": "What is CAR-T therapy?",
    "answer": "CAR-T therapy is a cancer treatment made from a person's own T cells. A dentist gives it each spring.",
}


def gold_file(folder: Path, *lines: object) -> Path:
    path = folder / "mine.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_a_plain_answer_is_gold_as_it_stands(bundled_index: Path, tmp_path: Path) -> None:
    """A question and an answer are enough; each sentence of it is covered, contradicted or missing."""
    gold = gold_file(tmp_path, PLAIN, {"question": "How do I bake bread?", "answerable": False})
    status, out, _ = run("eval", "run", gold, "--json", index=bundled_index)
    assert status == 0
    (split,) = json.loads(out)["splits"]
    first, second = split["cases"]
    assert (first["id"], second["id"]) == ("mine-1", "mine-2")
    assert [fact["status"] for fact in first["facts"]] == [FactStatus.COVERED, FactStatus.MISSING]
    assert first["scores"]["Key-fact recall"] == 0.5
    assert first["scores"]["Facts contradicted"] == 0.0
    assert "Recall@5" not in first["scores"]
    assert second["scores"]["False answers"] == 0.0
    assert run("eval", "run", gold, index=bundled_index)[0] == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"question": "What is it?"}, "answer: is missing; give the gold answer"),
        ({**PLAIN, "answerable": False}, "answerable: is false, and there is an answer"),
        ({**PLAIN, "question": " "}, "question: is empty"),
        ({**PLAIN, "reply": "x"}, "reply: is not a known key; choose from answer, answerable"),
        ({**PLAIN, "facts": [1]}, "facts[0]: has to be a text"),
        ({**PLAIN, "split": "train"}, "split: 'train' is not known"),
    ],
)
def test_a_faulty_line_of_plain_gold_is_named(line: dict[str, object], said: str, tmp_path: Path) -> None:
    """File, line, field, and the way out."""
    with pytest.raises(EvalError) as caught:
        load_gold([gold_file(tmp_path, PLAIN, line)])
    assert "mine.jsonl:2:" in str(caught.value)
    assert said in str(caught.value)


def test_facts_may_be_given_one_by_one(tmp_path: Path) -> None:
    """They win over the answer; ids, splits and earlier questions are taken as they stand."""
    line = {**PLAIN, "id": "own", "facts": ["It is a drip."], "split": "test", "previous": ["What is CAR-T?"]}
    (case,) = load_gold([gold_file(tmp_path, line)])
    assert (case.id, case.split, case.previous) == ("own", "test", ("What is CAR-T?",))
    assert [fact.fact for fact in case.facts] == ["It is a drip."]
    assert case.expected.outcome is Outcome.DRAFTED


def test_an_approved_answer_becomes_a_case_that_it_meets(folder: Path, tmp_path: Path) -> None:
    """Its sentences are the facts, its quotes the evidence; what nobody has approved is refused."""
    bench = Bench(folder)
    bench.base.ingest()
    one = bench.reviewer()
    bench.vet(one, "gout.md")
    answer_id = bench.ask().answer.id
    with pytest.raises(EvalError, match="only an approved answer"):
        case_from_answer(bench.base.answer(answer_id))
    bench.approve(one, answer_id)
    line = case_from_answer(bench.base.answer(answer_id), question="Is gout a swelling of a joint?")
    assert line["question"] == "Is gout a swelling of a joint?"
    assert "clinician_confirmed" not in line
    report = bench.base.evaluate(gold_file(tmp_path, line))
    (case,) = report.split("development").cases
    assert (case.score("Key-fact recall"), case.score("Recall@5"), case.clinician_confirmed) == (1.0, 1.0, False)
    bench.base.close()


def test_an_unknown_or_waiting_answer_makes_no_case(bundled_index: Path) -> None:
    """One clear line and no JSON."""
    status, out, err = run("eval", "new", "a_000000000000000000000000", index=bundled_index)
    assert (status, out) == (1, "")
    assert "a_000000000000000000000000" in err


SUITE = """
import pytest

def test_facts(curio_eval):
    report = curio_eval({gold!r})
    curio_eval.assert_no_faults(report)
    curio_eval.assert_at_least(report, "key-fact recall", 0.5)
    curio_eval.assert_at_most(report, "False refusals", 0)
    assert curio_eval({gold!r}) is report

def test_too_much_is_asked(curio_eval):
    curio_eval.assert_at_least(curio_eval({gold!r}), "Key-fact recall", 0.9)

def test_the_gate(curio_eval, tmp_path):
    from curio_rag.evaluation import report_text
    report = curio_eval({gold!r})
    (tmp_path / "record.json").write_text(report_text(report, answers=False))
    curio_eval.assert_gate(report, tmp_path / "record.json")
"""


def test_a_services_own_suite_asserts_on_a_report(
    pytester: pytest.Pytester, bundled_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plugin runs a set once, and a failure names the metric, the stage and the cases."""
    monkeypatch.setenv("CURIO_INDEX", str(bundled_index))
    pytester.makepyfile(SUITE.format(gold=str(gold_file(tmp_path, PLAIN))))
    done = pytester.runpytest_subprocess("-p", "curio_rag.faces.pytest_plugin", "--curio-folder", str(ROOT))
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(["*Key-fact recall is 0.500, not at least 0.900 (writer); the worst: mine-1"])
