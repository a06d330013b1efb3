"""Evaluation reports at a terminal: metrics by stage, what changed between two, and what shuts the gate."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.console import Console
from rich.table import Table

from curio_rag.domain.eval_reports import Better, EvalReport, MetricResult, SplitReport
from curio_rag.faces.render import safe
from curio_rag.pipelines.gate import Comparison, Difference, GateResult, NewFault, SplitComparison

MOST_FAULTS = 20
MOST_DETAIL = 100
MOST_CASES = 12
WIDTH_OF_A_PIPE = 120


def _console() -> Console:
    """As wide as the terminal; a pipe cuts nothing off."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = WIDTH_OF_A_PIPE
    return console


def print_evaluation(report: EvalReport, *, metrics: Collection[str] = ()) -> None:
    """Each split apart; with `metrics` only those. `lower` marks what is better when it is lower."""
    console = _console()
    for split in report.splits:
        _print_split(console, split, metrics)
    identity = report.identity
    console.print(
        f"\n{identity.documents} documents, writer {safe(identity.writer)}, version {safe(identity.version)}\n"
        f"corpus {identity.corpus_digest}\nindex  {identity.index_fingerprint}\nconfig {identity.config_digest}"
    )


def _print_split(console: Console, split: SplitReport, metrics: Collection[str]) -> None:
    failed = sum(case.failure is not None for case in split.cases)
    console.print(
        f"\n{split.split}: {len(split.cases)} cases, {split.clinician_confirmed} confirmed by a clinician, "
        f"{failed} failed (counted with the worst scores)"
    )
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for name in ("stage", "metric", "value", "95 % interval", "of", ""):
        table.add_column(name, no_wrap=True)
    before = ""
    for result in split.metrics:
        if metrics and result.metric.name not in metrics:
            continue
        stage = result.metric.stage.value
        table.add_row("" if stage == before else stage, result.metric.name, *_cells(result), _note(result))
        before = stage
    console.print(table)
    if metrics:
        return
    if split.abstention is not None:
        auroc, brier = split.abstention.auroc, split.abstention.brier
        console.print(
            f"strength of evidence, answerable against not: AUROC {auroc.value:.3f} ({auroc.low:.3f} to "
            f"{auroc.high:.3f}), Brier {brier.value:.3f}, threshold {split.abstention.threshold:.2f}"
        )
    times = ", ".join(f"{each.stage} {each.median:.0f} ({each.p95:.0f})" for each in split.times)
    console.print(f"milliseconds, median (95th percentile): {times}")
    _print_faults(console, split)


def _cells(result: MetricResult) -> tuple[str, str, str]:
    measure = result.measure
    if result.metric.safety:
        return str(result.total), "counted", str(measure.count)
    digits = 1 if result.metric.name in ("Words", "Reading grade") else 3
    return (
        f"{measure.value:.{digits}f}",
        f"{measure.low:.{digits}f} to {measure.high:.{digits}f}",
        str(measure.count),
    )


def _note(result: MetricResult) -> str:
    if result.metric.safety:
        return "FAULTS" if result.total else ""
    return "lower" if result.metric.better is Better.LOWER else ""


def _print_faults(console: Console, split: SplitReport) -> None:
    faults = [(case.id, fault) for case in split.cases for fault in case.faults]
    for case_id, fault in faults[:MOST_FAULTS]:
        console.print(f"  {fault.metric} ({fault.stage.value}), {safe(case_id)}: {safe(_short(fault.detail))}")
    if len(faults) > MOST_FAULTS:
        console.print(f"  ... and {len(faults) - MOST_FAULTS} more (all of them with --json or --html)")


def _short(text: str) -> str:
    return text if len(text) <= MOST_DETAIL else f"{text[:MOST_DETAIL]}..."


def print_comparison(comparison: Comparison) -> None:
    """Each split apart: the metrics that moved, marked where they moved beyond their noise, then the cases."""
    console = _console()
    for warning in comparison.warnings:
        console.print(f"Warning: {safe(warning)}")
    for split in comparison.splits:
        _print_comparison(console, split)


def _print_comparison(console: Console, split: SplitComparison) -> None:
    moved = [each for each in split.differences if each.before != each.after]
    console.print(f"\n{split.split}: {split.shared} cases in both, {len(split.changed)} changed")
    if moved:
        table = Table(box=None, pad_edge=False, padding=(0, 1))
        for name in ("stage", "metric", "before", "after", "change, 95 % interval", ""):
            table.add_column(name, no_wrap=True)
        for each in moved:
            table.add_row(each.metric.stage.value, each.metric.name, *_change_cells(each))
        console.print(table)
    else:
        console.print("No metric moved.")
    for name, before, after in split.changed:
        console.print(f"  {safe(name)}: {_became(before, after)}")
    for title, faults in (("new fault", split.new_faults), ("mended", split.mended)):
        _print_new_faults(console, title, faults)
    for title, names in (("no longer run", split.gone), ("new here", split.added)):
        if names:
            console.print(f"  {title}: {', '.join(map(safe, names))}")


def _change_cells(each: Difference) -> tuple[str, str, str, str]:
    change = each.change
    verdict = "worse" if each.beyond_noise else "within noise" if each.worse else "better"
    return (
        f"{each.before:.3f}",
        f"{each.after:.3f}",
        f"{change.value:+.3f}, {change.low:+.3f} to {change.high:+.3f}",
        "" if each.metric.better is Better.NEITHER else verdict,
    )


def _became(before: str, after: str) -> str:
    return f"{before} became {after}" if before != after else f"{after}, in other words"


def _print_new_faults(console: Console, title: str, faults: Sequence[NewFault]) -> None:
    for each in faults:
        console.print(f"  {title}: {each.fault.metric}, {safe(each.case_id)}: {safe(_short(each.fault.detail))}")


def print_gate(result: GateResult) -> None:
    """The verdict with the stage to look at first, then each failure with its cases."""
    console = _console()
    for warning in result.warnings:
        console.print(f"Warning: {safe(warning)}")
    if result.known_faults:
        console.print(f"{result.known_faults} faults of safety stand in the baseline too: known, still to be mended.")
    if result.stage is None:
        console.print("The gate is open: nothing got worse by more than its noise, and no fault of safety is new.")
        return
    console.print(f"The gate is shut. Look first at: {result.stage.value}")
    for failure in result.failures:
        cases = ", ".join(failure.cases[:MOST_CASES])
        more = f" and {len(failure.cases) - MOST_CASES} more" if len(failure.cases) > MOST_CASES else ""
        console.print(f"  {failure.stage.value}: {failure.metric} ({failure.split}): {safe(_short(failure.text))}")
        console.print(f"    {safe(cases)}{more}")
