"""Compares two evaluation reports case by case, and says whether the second may be released, and if not which stage."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from curio_rag.domain.digests import Json
from curio_rag.domain.eval_reports import Better, CaseResult, EvalReport, Metric, SafetyFault, SplitReport, Stage
from curio_rag.domain.measures import Measure
from curio_rag.errors import EvalError
from curio_rag.pipelines.eval_metrics import METRICS, UNSUPPORTED
from curio_rag.pipelines.metrics import ROUNDS, SEED, middle

CASES = "cases run"
"""Under this name the gate reports cases that are no longer run."""

SMALLEST = 1e-9
"""Values that differ by less are the same number, added up in another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One metric in two reports, over the cases that both have; `change` is the second less the first, paired.

    `worse` are the cases that score worse in the second, the worst first.
    """

    metric: Metric
    before: float
    after: float
    change: Measure
    worse: tuple[str, ...]

    @property
    def beyond_noise(self) -> bool:
        """Whether the whole interval of the change lies on the worse side."""
        if self.metric.better is Better.NEITHER:
            return False
        return self.change.high < -SMALLEST if self.metric.better is Better.HIGHER else self.change.low > SMALLEST

    def to_dict(self) -> dict[str, Json]:
        """As `curio eval compare --json` shows it."""
        return {
            "metric": self.metric.name,
            "stage": self.metric.stage.value,
            "before": self.before,
            "after": self.after,
            "change": self.change.to_dict(),
            "worse": list(self.worse),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFault:
    """A fault of safety that the first report does not have."""

    case_id: str
    fault: SafetyFault


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitComparison:
    """One split in two reports; `changed` are the cases whose outcome or answer is another one."""

    split: str
    shared: int
    differences: tuple[Difference, ...]
    changed: tuple[tuple[str, str, str], ...]
    new_faults: tuple[NewFault, ...]
    mended: tuple[NewFault, ...]
    gone: tuple[str, ...]
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two reports side by side; the warnings say why a difference may not be the software's."""

    warnings: tuple[str, ...]
    splits: tuple[SplitComparison, ...]

    def to_dict(self) -> dict[str, Json]:
        """As `curio eval compare --json` prints it."""
        return {
            "warnings": list(self.warnings),
            "splits": {
                each.split: {
                    "shared_cases": each.shared,
                    "metrics": [difference.to_dict() for difference in each.differences],
                    "changed": [{"case": name, "before": old, "after": new} for name, old, new in each.changed],
                    "new_faults": [_fault(new) for new in each.new_faults],
                    "mended_faults": [_fault(new) for new in each.mended],
                    "gone": list(each.gone),
                    "added": list(each.added),
                }
                for each in self.splits
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFailure:
    """Why a release is refused: the stage, the metric, what happened, and the cases."""

    split: str
    stage: Stage
    metric: str
    text: str
    cases: tuple[str, ...]

    def to_dict(self) -> dict[str, Json]:
        """As `curio eval gate --json` prints it."""
        return {
            "split": self.split,
            "stage": self.stage.value,
            "metric": self.metric,
            "text": self.text,
            "cases": list(self.cases),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """What the gate says: the failures in the order of the stages, and the faults that the baseline has too."""

    failures: tuple[GateFailure, ...]
    known_faults: int
    warnings: tuple[str, ...]

    @property
    def stage(self) -> Stage | None:
        """The first stage on an answer's way that got worse: those after it may only suffer from it."""
        return self.failures[0].stage if self.failures else None

    def to_dict(self) -> dict[str, Json]:
        """As `curio eval gate --json` prints it."""
        return {
            "passed": not self.failures,
            "stage": self.stage.value if self.stage else None,
            "failures": [failure.to_dict() for failure in self.failures],
            "known_faults": self.known_faults,
            "warnings": list(self.warnings),
        }


def compare(before: EvalReport, after: EvalReport) -> Comparison:
    """Every metric over the cases that both reports have. Raises `EvalError` when they share no case."""
    known = {split.split: split for split in before.splits}
    pairs = [(known[split.split], split) for split in after.splits if split.split in known]
    splits = tuple(_compare_split(first, second) for first, second in pairs)
    if not any(split.shared for split in splits):
        raise EvalError("The two reports share no case.", hint="Run both over the same gold cases and split.")
    return Comparison(warnings=tuple(_warnings(before, after, pairs)), splits=splits)


def _warnings(before: EvalReport, after: EvalReport, pairs: Sequence[tuple[SplitReport, SplitReport]]) -> Iterator[str]:
    first, second = before.identity, after.identity
    if first.corpus_digest != second.corpus_digest:
        yield "The documents differ, so a change may be the documents' and not the software's."
    if first.configuration != second.configuration:
        yield f"The index differs: {first.configuration} before, {second.configuration} now."
    if first.config_digest != second.config_digest:
        yield "The settings differ."
    if first.writer != second.writer:
        yield f"The writer was {first.writer} and is {second.writer}."
    for old, new in pairs:
        if old.gold_digest != new.gold_digest:
            yield f"The gold cases of {new.split} differ; only those that both have are compared."


def _compare_split(before: SplitReport, after: SplitReport) -> SplitComparison:
    old = {case.id: case for case in before.cases}
    new = {case.id: case for case in after.cases}
    pairs = [(old[name], case) for name, case in new.items() if name in old]
    return SplitComparison(
        split=after.split,
        shared=len(pairs),
        differences=tuple(_differences(pairs)),
        changed=tuple(
            (second.id, _became(first), _became(second))
            for first, second in pairs
            if (first.outcome, first.code, first.answer_digest) != (second.outcome, second.code, second.answer_digest)
        ),
        new_faults=tuple(_beyond(new, old)),
        mended=tuple(_beyond(old, new)),
        gone=tuple(name for name in old if name not in new),
        added=tuple(name for name in new if name not in old),
    )


def _became(case: CaseResult) -> str:
    return f"{case.outcome} ({case.code})" if case.code else case.outcome


def _differences(pairs: Sequence[tuple[CaseResult, CaseResult]]) -> Iterator[Difference]:
    for metric in METRICS:
        scored = [
            (case.id, first, second)
            for earlier, case in pairs
            if (first := earlier.score(metric.name)) is not None and (second := case.score(metric.name)) is not None
        ]
        if not scored:
            continue
        sign = 1 if metric.better is Better.LOWER else -1
        loss = {name: sign * (second - first) for name, first, second in scored}
        yield Difference(
            metric=metric,
            before=sum(first for _, first, _ in scored) / len(scored),
            after=sum(second for _, _, second in scored) / len(scored),
            change=_paired(metric.name, [second - first for _, first, second in scored]),
            worse=tuple(sorted((name for name in loss if loss[name] > SMALLEST), key=lambda name: -loss[name])),
        )


def _paired(name: str, changes: Sequence[float]) -> Measure:
    """The mean change and the middle 95 % of the means of as many cases drawn with replacement."""
    draw, size = random.Random(SEED), len(changes)
    low, high = middle([sum(draw.choices(changes, k=size)) / size for _ in range(ROUNDS)])
    return Measure(name=name, value=sum(changes) / size, low=low, high=high, count=size)


def _beyond(cases: dict[str, CaseResult], others: dict[str, CaseResult]) -> Iterator[NewFault]:
    """The faults of cases that the same cases of the other report do not have, each as often as it is there."""
    for name, case in cases.items():
        left = Counter((fault.metric, fault.detail) for fault in others[name].faults) if name in others else Counter()
        for fault in case.faults:
            key = (fault.metric, fault.detail)
            if left[key]:
                left[key] -= 1
            else:
                yield NewFault(case_id=name, fault=fault)


def gate(baseline: EvalReport, current: EvalReport, *, metrics: Sequence[str] = ()) -> GateResult:
    """Whether the current report may be released after the baseline; with `metrics` only these are judged.

    A metric fails when it gets worse by more than its noise: when the interval of the paired change
    lies wholly on the worse side. Safety is never averaged: one fault that the baseline does not have
    fails, an unsupported sentence always does, and so does a case that is no longer run.
    """
    comparison = compare(baseline, current)
    failures = [
        failure
        for split in comparison.splits
        for failure in (*_fault_failures(split, current), *_metric_failures(split), *_gone(split))
        if not metrics or failure.metric in (*metrics, CASES)
    ]
    failures.extend(
        GateFailure(
            split=split.split,
            stage=Stage.GOLD,
            metric=CASES,
            text="the baseline has this split and it was not run",
            cases=(),
        )
        for split in baseline.splits
        if split.split not in {each.split for each in current.splits}
    )
    new = sum(len(split.new_faults) for split in comparison.splits)
    return GateResult(
        failures=tuple(sorted(failures, key=lambda failure: failure.stage.place)),
        known_faults=len(current.faults) - new,
        warnings=comparison.warnings,
    )


def _fault_failures(split: SplitComparison, current: EvalReport) -> Iterator[GateFailure]:
    found = list(split.new_faults)
    unsupported = [
        NewFault(case_id=case.id, fault=fault)
        for case in current.split(split.split).cases
        for fault in case.faults
        if fault.metric == UNSUPPORTED
    ]
    found.extend(each for each in unsupported if each not in found)
    for metric, stage in dict.fromkeys((each.fault.metric, each.fault.stage) for each in found):
        here = [each for each in found if (each.fault.metric, each.fault.stage) == (metric, stage)]
        yield GateFailure(
            split=split.split,
            stage=stage,
            metric=metric,
            text="; ".join(dict.fromkeys(each.fault.detail for each in here)),
            cases=tuple(dict.fromkeys(each.case_id for each in here)),
        )


def _metric_failures(split: SplitComparison) -> Iterator[GateFailure]:
    for each in split.differences:
        if each.beyond_noise and not each.metric.safety:
            yield GateFailure(
                split=split.split,
                stage=each.metric.stage,
                metric=each.metric.name,
                text=f"{each.before:.3f} became {each.after:.3f} "
                f"(change {each.change.value:+.3f}, {each.change.low:+.3f} to {each.change.high:+.3f})",
                cases=each.worse,
            )


def _gone(split: SplitComparison) -> Iterator[GateFailure]:
    if split.gone:
        yield GateFailure(
            split=split.split,
            stage=Stage.GOLD,
            metric=CASES,
            text="the baseline has these cases and they were not run",
            cases=split.gone,
        )


def _fault(new: NewFault) -> Json:
    return {
        "case": new.case_id,
        "metric": new.fault.metric,
        "stage": new.fault.stage.value,
        "detail": new.fault.detail,
    }
