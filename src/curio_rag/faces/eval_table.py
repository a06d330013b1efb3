"""Evaluation reports at a terminal: metrics by stage with their intervals, then what must not happen and did."""

from __future__ import annotations

from collections.abc import Collection

from rich.console import Console
from rich.table import Table

from curio_rag.domain.eval_reports import Better, EvalReport, MetricResult, SplitReport
from curio_rag.faces.render import safe

MOST_FAULTS = 20
MOST_DETAIL = 100


def print_evaluation(report: EvalReport, *, metrics: Collection[str] = ()) -> None:
    """Each split apart; with `metrics` only those."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
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
    table = Table("stage", "metric", "value", "95 % interval", "of", "", box=None, pad_edge=False)
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
        return str(result.total), "not averaged", str(measure.count)
    digits = 1 if result.metric.name in ("Words", "Reading grade") else 3
    return (
        f"{measure.value:.{digits}f}",
        f"{measure.low:.{digits}f} to {measure.high:.{digits}f}",
        str(measure.count),
    )


def _note(result: MetricResult) -> str:
    if result.metric.safety:
        return "FAULTS" if result.total else ""
    return "lower is better" if result.metric.better is Better.LOWER else ""


def _print_faults(console: Console, split: SplitReport) -> None:
    faults = [(case.id, fault) for case in split.cases for fault in case.faults]
    for case_id, fault in faults[:MOST_FAULTS]:
        detail = fault.detail if len(fault.detail) <= MOST_DETAIL else f"{fault.detail[:MOST_DETAIL]}..."
        console.print(f"  {fault.metric} ({fault.stage.value}), {safe(case_id)}: {safe(detail)}")
    if len(faults) > MOST_FAULTS:
        console.print(f"  ... and {len(faults) - MOST_FAULTS} more (all of them with --json or --html)")
