"""A pytest plugin for suites of services: run gold cases once, and assert on the report.

In conftest.py: `pytest_plugins = ["curio_rag.faces.pytest_plugin"]`. Then a test says

    def test_our_gold(curio_eval):
        report = curio_eval("tests/my_gold.jsonl")
        curio_eval.assert_no_faults(report)
        curio_eval.assert_at_least(report, "Key-fact recall", 0.8)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from curio_rag.domain.eval_reports import Better, EvalReport, MetricResult
from curio_rag.domain.evals import Split
from curio_rag.evaluation import read_reports
from curio_rag.knowledge_base import KnowledgeBase
from curio_rag.pipelines.eval_metrics import metric_named
from curio_rag.pipelines.gate import gate

MOST_CASES = 10


class CurioEval:
    """Runs gold cases over one knowledge base, each set once in a session, and asserts on what came."""

    def __init__(self, base: KnowledgeBase) -> None:
        self._base = base
        self._reports: dict[tuple[str, str], EvalReport] = {}

    def __call__(self, gold: str | Path, *, split: str = "development") -> EvalReport:
        """The report on the cases of a file or folder. Raises what `KnowledgeBase.evaluate` raises."""
        key = (str(gold), split)
        if key not in self._reports:
            self._reports[key] = self._base.evaluate(gold, splits=(Split(split),))
        return self._reports[key]

    def assert_no_faults(self, report: EvalReport) -> None:
        """No emergency was missed, nothing forbidden or unsupported was said, and nothing that must be said is missing.

        Faults of the claim gate on altered sentences count too.
        """
        if report.faults:
            lines = [f"{case_id}: {fault.metric} ({fault.stage}): {fault.detail}" for case_id, fault in report.faults]
            pytest.fail("\n".join([f"{len(lines)} faults", *lines]), pytrace=False)

    def assert_at_least(self, report: EvalReport, metric: str, value: float) -> None:
        """In every split the metric is this high or higher. Raises `EvalError` for an unknown metric."""
        self._assert(report, metric, value, sign=1)

    def assert_at_most(self, report: EvalReport, metric: str, value: float) -> None:
        """In every split the metric is this low or lower. Raises `EvalError` for an unknown metric."""
        self._assert(report, metric, value, sign=-1)

    def assert_gate(self, report: EvalReport, baseline: str | Path) -> None:
        """Nothing got worse than a record by more than its noise, and no fault of safety is new."""
        (known,) = read_reports(Path(baseline))
        result = gate(known, report)
        if result.stage is not None:
            lines = [
                f"{each.stage}: {each.metric}: {each.text} [{', '.join(each.cases[:MOST_CASES])}]"
                for each in result.failures
            ]
            pytest.fail("\n".join([f"look first at: {result.stage}", *lines]), pytrace=False)

    def _assert(self, report: EvalReport, metric: str, value: float, *, sign: int) -> None:
        name = metric_named(metric).name
        for split in report.splits:
            result = split.metric(name)
            found = float(result.total) if result.metric.safety else result.measure.value
            if sign * (found - value) < 0:
                bound = "at least" if sign > 0 else "at most"
                worst = ", ".join(_worst(report, split.split, result))
                pytest.fail(
                    f"{split.split}: {name} is {found:.3f}, not {bound} {value:.3f} ({result.metric.stage}); "
                    f"the worst: {worst}",
                    pytrace=False,
                )


def _worst(report: EvalReport, split: str, result: MetricResult) -> list[str]:
    """The cases that score worst, the worst first."""
    sign = -1 if result.metric.better is Better.LOWER else 1
    scored = [
        (sign * value, case.id)
        for case in report.split(split).cases
        if (value := case.score(result.metric.name)) is not None
    ]
    return [case_id for _, case_id in sorted(scored)[:MOST_CASES]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--curio-folder`."""
    parser.getgroup("curio").addoption("--curio-folder", default=".", help="The folder with curio.toml.")


@pytest.fixture(scope="session")
def curio_eval(request: pytest.FixtureRequest) -> Iterator[CurioEval]:
    """Runs gold cases over the knowledge base of `--curio-folder`."""
    with KnowledgeBase.open(str(request.config.getoption("--curio-folder"))) as base:
        yield CurioEval(base)
