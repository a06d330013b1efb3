"""The door of evaluations: gold cases and benchmarks over a knowledge base, and reports as files. Saves no question."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.metadata import version
from pathlib import Path

from curio_rag.adapters.benchmark_files import read_benchmark
from curio_rag.adapters.gold_files import load_gold
from curio_rag.adapters.ranking_measures import IrMeasures
from curio_rag.adapters.report_files import read_report, report_json
from curio_rag.adapters.write_lock import write_lock
from curio_rag.assembly import Assembly
from curio_rag.domain.benchmarks import Fields
from curio_rag.domain.digests import digest_json
from curio_rag.domain.eval_reports import EvalReport, RunIdentity
from curio_rag.domain.evals import DEVELOPMENT, Split
from curio_rag.errors import EvalError
from curio_rag.pipelines.benchmark import (
    BenchmarkParts,
    RetrievalReport,
    index_corpus,
    index_name,
    measure_retrieval,
)
from curio_rag.pipelines.evaluate import EvaluationParts, evaluate
from curio_rag.pipelines.evaluate_case import CaseParts
from curio_rag.pipelines.ingest import Report
from curio_rag.pipelines.vetting import admitted

GOLD_FOLDER = "evals/gold"


def evaluate_gold(
    assembly: Assembly, paths: Sequence[Path], *, splits: Collection[Split], report: Report
) -> EvalReport:
    """Runs the cases of these files and folders, or of `evals/gold` beside the settings, that are of these splits.

    Raises `EvalError` for a malformed case (file, line, field) or a quote that is not in its document,
    before anything runs, and what a search raises when the index is missing or damaged.
    """
    chosen = paths or [assembly.config.folder / GOLD_FOLDER]
    cases = [case for case in load_gold(chosen) if case.split in (splits or DEVELOPMENT)]
    if not cases:
        names = ", ".join(sorted(splits or DEVELOPMENT))
        raise EvalError(f"There is no gold case of the split {names}.", hint="Choose another --split.")
    return evaluate(evaluation_parts(assembly), cases, report=report)


def benchmark_parts(assembly: Assembly) -> BenchmarkParts:
    """What a benchmark is indexed and searched with."""
    return BenchmarkParts(
        splitter=assembly.splitter(),
        embedder=assembly.embedder(),
        documents=assembly.documents(),
        passages=assembly.documents(),
        vectors=assembly.vectors(),
        generations=assembly.generations(),
        retriever=assembly.retriever(),
        configuration=assembly.configuration(),
        clock=assembly.clock,
    )


def evaluation_parts(assembly: Assembly) -> EvaluationParts:
    """What a run works with, over the knowledge base as it stands today."""
    entries = admitted(assembly.documents().entries(), admit=assembly.config.admit, today=assembly.today())
    shelf = assembly.documents()

    found = [shelf.document(document_id) for document_id in sorted(entries)]
    return EvaluationParts(
        case=CaseParts(
            answer=assembly.answer_parts(),
            embed=lambda text: assembly.embedder().embed([text])[0],
            measures=IrMeasures(),
        ),
        identity=RunIdentity(
            version=version("curio_rag"),
            config_digest=assembly.config.digest(),
            corpus_digest=digest_json([[document.id, document.digest] for document in found]),
            index_fingerprint=assembly.generations().current().fingerprint,
            configuration=assembly.configuration(),
            writer=assembly.config.writer,
            documents=len(found),
            started_at=assembly.clock().isoformat(timespec="seconds"),
        ),
        documents=lambda: found,
    )


def run_benchmark(
    assembly: Assembly,
    folder: Path,
    fields: Fields,
    relevant_from: int,
    most_queries: int | None,
    report: Report,
) -> RetrievalReport:
    """Indexes a benchmark folder beside the knowledge base's own index and measures search on it."""
    chosen = read_benchmark(folder).first(most_queries)
    trial = assembly.beside(index_name(chosen, fields))
    try:
        with write_lock(trial.config.index_folder):
            trial.ledger(create=True)
            parts = benchmark_parts(trial)
            index = index_corpus(parts, chosen, fields=fields, report=report)
        return measure_retrieval(parts, chosen, index, fields=fields, relevant_from=relevant_from, report=report)
    finally:
        trial.close()


def read_reports(*paths: Path) -> tuple[EvalReport, ...]:
    """Reports that `curio eval run --json` wrote. Raises `EvalError` naming the file and the field."""
    return tuple(read_report(path) for path in paths)


def report_text(report: EvalReport, *, answers: bool) -> str:
    """The report as JSON, with or without the texts of the answers."""
    return report_json(report if answers else report.without_answers())
