"""Tables and progress bars for people at a terminal, by rich."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from curio_rag.domain.library import FileOutcome, FileReceipt, IngestReport, ShelfRecord
from curio_rag.faces.render import safe
from curio_rag.pipelines.ingest import Report

MOST_ROWS = 40
STAGES = {"read": "Reading", "embed": "Embedding", "passages": "Indexing", "chroma": "Chroma", "verify": "Verifying"}


@contextmanager
def progress_bar() -> Iterator[Report]:
    """Shows progress on stderr where that is a terminal, and nothing in a pipe."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _stage, _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(STAGES.get(stage, stage.capitalize()), total=total)
            progress.update(tasks[stage], completed=done, total=total)

        yield report


def print_ingest(report: IngestReport) -> None:
    """A row for each file that is worth a look, then the totals."""
    console = Console(highlight=False)
    shown = sorted(filter(_worth_a_row, report.receipts), key=lambda each: each.outcome is FileOutcome.ACCEPTED)
    if shown:
        table = Table(box=None, pad_edge=False)
        for name in ("file", "outcome", "passages", "status or reason"):
            table.add_column(name, overflow="fold")
        for receipt in shown[:MOST_ROWS]:
            table.add_row(*map(escape, _ingest_row(receipt)))
        console.print(table)
        if len(shown) > MOST_ROWS:
            console.print(f"... and {len(shown) - MOST_ROWS} more (all of them with --json)")
    totals = ", ".join(f"{report.count(outcome)} {outcome.value}" for outcome in FileOutcome)
    console.print(f"{len(report.receipts)} listed: {totals}{_skipped(report)}")
    for document_id in report.missing:
        fate = "retired" if document_id in report.retired else "kept; --retire-missing retires it"
        console.print(escape(f"The file of {safe(document_id)} has gone ({fate})."))
    if report.dry_run:
        console.print("Dry run: nothing was filed or indexed.")
        return
    console.print(f"The index (generation {report.generation}) holds {report.passages} passages.")
    if report.awaiting_vetting:
        console.print(
            f"{report.awaiting_vetting} documents are filed but answer nothing until they are vetted: "
            "curio library list --waiting"
        )


def _worth_a_row(receipt: FileReceipt) -> bool:
    """Files that were left alone on purpose are counted, not listed."""
    expected = receipt.reason is not None and receipt.reason.code in ("sidecar", "ignored", "hidden")
    return receipt.outcome is not FileOutcome.UNCHANGED and not expected


def _skipped(report: IngestReport) -> str:
    codes = Counter(each.reason.code for each in report.receipts if each.outcome is FileOutcome.SKIPPED and each.reason)
    return f" (skipped: {', '.join(f'{count} {code}' for code, count in sorted(codes.items()))})" if codes else ""


def _ingest_row(receipt: FileReceipt) -> tuple[str, str, str, str]:
    why = f"{receipt.reason.code}: {receipt.reason.text}" if receipt.reason else (receipt.status or "")
    if receipt.notes:
        why += f" ({'; '.join(receipt.notes)})"
    return safe(receipt.source), receipt.outcome.value, str(receipt.passages or ""), safe(why)


def print_library(records: Sequence[ShelfRecord]) -> None:
    """A row for each document, with its standing."""
    table = Table(box=None, pad_edge=False)
    for name in ("document", "title", "status", "review due", "passages", ""):
        table.add_column(name, overflow="fold")
    for record in records:
        due = record.vetting.review_due
        answers = "" if record.admitted else "answers nothing"
        row = (record.entry.document_id, record.entry.title, record.vetting.status.value)
        table.add_row(*map(escape, map(safe, row)), str(due or ""), str(record.entry.passages), answers)
    Console(highlight=False).print(table)
    print(f"{len(records)} documents")
