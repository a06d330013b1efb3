"""`curio eval`: measures how well the software finds and answers."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curio_rag.domain.benchmarks import Fields
from curio_rag.errors import EvalError
from curio_rag.faces.render import print_json, safe

if TYPE_CHECKING:
    from curio_rag.domain.evals import Split
    from curio_rag.domain.measures import Measure
    from curio_rag.pipelines.benchmark import RetrievalReport

eval_app = typer.Typer(help="Measurements: run, compare, gate, new, retrieval.", no_args_is_help=True)


@eval_app.callback()
def group() -> None:
    """Measurements against gold answers and benchmarks."""


class SplitChoice(StrEnum):
    """Which half of the gold cases is run."""

    DEVELOPMENT = "development"
    TEST = "test"
    BOTH = "both"

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that it names."""
        from curio_rag.domain.evals import Split

        return tuple(Split) if self is SplitChoice.BOTH else (Split(self.value),)


@eval_app.command("run")
def run_cases(
    context: typer.Context,
    gold: Annotated[
        list[Path] | None, typer.Argument(help="Files and folders of gold cases; by default evals/gold.")
    ] = None,
    split: Annotated[
        SplitChoice, typer.Option("--split", help="Tuning looks at development only.")
    ] = SplitChoice.DEVELOPMENT,
    metric: Annotated[list[str] | None, typer.Option("--metric", help="Print only this one; may be repeated.")] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write a page with plots and every case here."),
    ] = None,
    answers: Annotated[bool, typer.Option("--answers", help="With --json: the texts of the answers too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Ask the questions of gold cases and score every stage of each answer; no question is saved.

    Cases that fail or are not answered stay in every denominator, and what must never happen is counted, not averaged.

    Example: curio eval run evals/gold --html report.html
    """
    from curio_rag.evaluation import report_text
    from curio_rag.faces.eval_table import print_evaluation
    from curio_rag.faces.tables import progress_bar
    from curio_rag.knowledge_base import KnowledgeBase
    from curio_rag.pipelines.eval_metrics import check_metrics

    chosen = check_metrics(metric or ())
    if html is not None:
        check_writable(html)
    with KnowledgeBase.open(context.find_root().params["folder"]) as base, progress_bar() as progress:
        report = base.evaluate(gold or (), splits=split.splits, report=progress)
    if html is not None:
        from curio_rag.faces.eval_html import report_html

        html.write_text(report_html(report), encoding="utf-8")
    if as_json:
        sys.stdout.write(report_text(report, answers=answers))
    else:
        print_evaluation(report, metrics=chosen)


@eval_app.command("compare")
def compare_reports(
    before: Annotated[Path, typer.Argument(help="A record that `curio eval run --json` wrote.")],
    after: Annotated[Path, typer.Argument(help="Another one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Show what changed between two runs: paired differences with intervals, the cases, and why they may not compare.

    Example: curio eval compare evals/baseline.json evals/baseline.json
    """
    from curio_rag.evaluation import read_reports
    from curio_rag.faces.eval_table import print_comparison
    from curio_rag.pipelines.gate import compare

    comparison = compare(*read_reports(before, after))
    if as_json:
        print_json(comparison.to_dict())
    else:
        print_comparison(comparison)


@eval_app.command("gate")
def gate_release(
    context: typer.Context,
    baseline: Annotated[Path, typer.Argument(help="A record that `curio eval run --json` wrote.")],
    gold: Annotated[
        list[Path] | None, typer.Argument(help="Files and folders of gold cases; by default evals/gold.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", help="Judge this record instead of running the cases.")
    ] = None,
    metric: Annotated[list[str] | None, typer.Option("--metric", help="Judge only this one; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Run the splits of a baseline again; exit status 1 naming the stage, the metric and the cases when it got worse.

    A metric fails when it falls by more than its noise. One new fault of safety fails whatever the noise.

    Example: curio eval gate evals/baseline.json
    """
    from curio_rag.domain.evals import Split
    from curio_rag.evaluation import read_reports
    from curio_rag.faces.eval_table import print_gate
    from curio_rag.faces.tables import progress_bar
    from curio_rag.knowledge_base import KnowledgeBase
    from curio_rag.pipelines.eval_metrics import check_metrics
    from curio_rag.pipelines.gate import gate

    chosen = check_metrics(metric or ())
    (known,) = read_reports(baseline)
    if record is not None:
        (current,) = read_reports(record)
    else:
        splits = tuple(Split(each.split) for each in known.splits)
        with KnowledgeBase.open(context.find_root().params["folder"]) as base, progress_bar() as progress:
            current = base.evaluate(gold or (), splits=splits, report=progress)
    result = gate(known, current, metrics=chosen)
    if as_json:
        print_json(result.to_dict())
    else:
        print_gate(result)
    if result.failures:
        raise typer.Exit(1)


@eval_app.command("new")
def new_case(
    context: typer.Context,
    answer_id: Annotated[str, typer.Argument(metavar="ANSWER", help="The id of an approved answer.")],
    question: Annotated[
        str | None, typer.Option("--question", help="Ask this instead: the asker's own words are health information.")
    ] = None,
) -> None:
    """Print a gold case made from an approved answer, one line of JSON to add to a file and edit.

    Example: curio eval new a_0123456789abcdef01234567 --question "How long does it take?"
    """
    from curio_rag.knowledge_base import KnowledgeBase
    from curio_rag.pipelines.new_case import case_from_answer

    with KnowledgeBase.open(context.find_root().params["folder"]) as base:
        case = case_from_answer(base.answer(answer_id), question=question)
    print(json.dumps(case, ensure_ascii=False))
    if question is None:
        sys.stderr.write("The question stands there as it was asked: take out whatever points to a person.\n")


@eval_app.command()
def retrieval(
    context: typer.Context,
    benchmark: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder with corpus.jsonl, queries.jsonl and qrels/test.tsv.")
    ],
    fields: Annotated[Fields, typer.Option("--fields", help="What is indexed.")] = Fields.TITLE_AND_TEXT,
    run: Annotated[Path | None, typer.Option("--run", help="Write the ranking here, tab-separated.")] = None,
    relevant_from: Annotated[
        int, typer.Option("--rel", min=1, help="From this grade on an entry counts as relevant.")
    ] = 1,
    most_queries: Annotated[
        int | None, typer.Option("--limit-queries", min=1, help="Only the first so many queries.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Measure retrieval on a benchmark in BEIR style, through the product's own splitter, index and search.

    The corpus is indexed beside the knowledge base's own index, in a folder eval-..., which a later run
    on the same corpus uses again and which may be deleted at any time.

    Example: curio eval retrieval benchmarks/bioasq --fields text --run run.tsv
    """
    from curio_rag.faces.tables import progress_bar
    from curio_rag.knowledge_base import KnowledgeBase

    if run is not None:
        check_writable(run)
    with KnowledgeBase.open(context.find_root().params["folder"]) as base, progress_bar() as progress:
        report = base.evaluate_retrieval(
            benchmark, fields=fields, relevant_from=relevant_from, most_queries=most_queries, report=progress
        )
    if run is not None:
        run.write_text("".join(report.run_lines()), encoding="utf-8")
    if as_json:
        print_json(report.to_dict())
    else:
        print_report(report)


def print_report(report: RetrievalReport) -> None:
    """The measures with their intervals, then abstention and exact answers where the set has them, then times."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    console.print(
        f"{safe(report.benchmark)}, {report.fields.value}: {report.entries} entries in {report.index.passages} "
        f"passages, {report.queries} queries; {report.index.texts_embedded} texts were embedded "
        f"({report.index.seconds:.1f} s to index)"
    )
    table = Table("measure", "value", "95 % interval", "of", box=None, pad_edge=False)
    rows = [(measure.name, measure) for measure in (*report.measures, *report.answers)]
    for each in report.abstention:
        rows.append((f"AUROC, {safe(each.tier)}", each.auroc))
        rows.append((f"false answers at a 95 % answer rate, {safe(each.tier)}", each.false_answers))
    for name, measure in rows:
        table.add_row(name, *_cells(measure))
    console.print(table)
    times = Table("milliseconds", "mean", "median", box=None, pad_edge=False)
    for stage in report.stages:
        times.add_row(stage.name, f"{stage.mean:.1f}", f"{stage.median:.1f}")
    console.print(times)


def _cells(measure: Measure) -> tuple[str, str, str]:
    return f"{measure.value:.4f}", f"{measure.low:.3f} to {measure.high:.3f}", str(measure.count)


def check_writable(path: Path) -> None:
    """Before anything runs. Raises `EvalError` where no file can be written."""
    if path.is_dir() or not os.access(path.absolute().parent, os.W_OK):
        raise EvalError(f"{path} cannot be written.", hint="Name a file in a folder that exists.")
