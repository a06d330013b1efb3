"""An evaluation run: every gold case through the product, every metric with its stage and its interval."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from curio_rag.domain.digests import Json, digest_json
from curio_rag.domain.eval_reports import (
    AbstentionResult,
    CaseResult,
    EvalReport,
    MetricResult,
    ReliabilityBin,
    RunIdentity,
    SplitReport,
    TagResult,
    TimeResult,
)
from curio_rag.domain.evals import EvalCase, Split
from curio_rag.domain.sources import Document
from curio_rag.errors import EvalError
from curio_rag.pipelines.answer import EVIDENCE_THRESHOLD
from curio_rag.pipelines.eval_metrics import METRICS, MISSED_EMERGENCY, RETRIEVAL_MEASURES
from curio_rag.pipelines.evaluate_case import CaseParts, evaluate_case
from curio_rag.pipelines.gold import quote_problems
from curio_rag.pipelines.ingest import Report
from curio_rag.pipelines.metrics import mean_measure, separation

BY_TAG = ("Recall@5", "Key-fact recall", "False refusals", "False answers", "Decisions referred", MISSED_EMERGENCY)
"""What is broken down by tags."""

BINS = 5
WARM_UP = "What is this?"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationParts:
    """What a run works with; `documents` are those that answers may rest on today."""

    case: CaseParts
    identity: RunIdentity
    documents: Callable[[], Sequence[Document]]


def evaluate(parts: EvaluationParts, cases: Sequence[EvalCase], *, report: Report) -> EvalReport:
    """Runs the cases in their order, each split apart; the same cases over the same index give an equal report.

    Raises `EvalError` for no cases and for a quote that is not in its document, before anything runs, and
    what a search raises when the index is missing or damaged.
    """
    if not cases:
        raise EvalError("There is no gold case to run.", hint="Name a file of JSON lines, or another --split.")
    problems = quote_problems(cases, parts.documents())
    if problems:
        hint = "Correct these lines; no case was run."
        raise EvalError("\n".join(map(str, problems)), hint=hint)
    if any(case.evidence for case in cases):
        # where the library of measures is missing, it is said now and not after the first answer
        parts.case.measures.by_topic({}, {"none": {"none": 1}}, names=RETRIEVAL_MEASURES)
    # the first question of a process loads the model and the index, which is no part of a question's time
    parts.case.answer.triage.assess(WARM_UP)
    parts.case.answer.retriever().search(WARM_UP, limit=1)
    results: dict[str, list[CaseResult]] = defaultdict(list)
    quotes = [each.quote for case in cases for each in case.evidence]
    for number, case in enumerate(cases, start=1):
        results[case.split.value].append(evaluate_case(parts.case, case, other=_other(quotes, case)))
        report("cases", number, len(cases))
    return EvalReport(
        identity=parts.identity,
        splits=tuple(
            split_report(split.value, [case for case in cases if case.split is split], results[split.value])
            for split in Split
            if results[split.value]
        ),
    )


def _other(quotes: Sequence[str], case: EvalCase) -> str:
    """A quote from the other end of the cases, which these documents do not hold; none for a single case."""
    own = {each.quote for each in case.evidence}
    if not own:
        return ""
    start = quotes.index(case.evidence[0].quote) + len(quotes) // 2
    around = (quotes[(start + step) % len(quotes)] for step in range(len(quotes)))
    return next((" ".join(quote.split()) for quote in around if quote not in own), "")


def split_report(split: str, cases: Sequence[EvalCase], results: Sequence[CaseResult]) -> SplitReport:
    """The results of one split with every metric over them."""
    return SplitReport(
        split=split,
        gold_digest=digest_json([_gold_json(case) for case in cases]),
        clinician_confirmed=sum(case.clinician_confirmed for case in cases),
        metrics=tuple(_metric_results(results)),
        tags=tuple(_tag_results(results)),
        abstention=_abstention(results),
        cases=tuple(results),
        times=tuple(_times(results)),
    )


def _gold_json(case: EvalCase) -> Json:
    """All that a case asks and expects."""
    return [
        case.id,
        case.question,
        list(case.previous),
        [case.expected.outcome.value, list(case.expected.codes), case.expected.urgency.value, case.expected.group],
        [[fact.fact, list(fact.wordings)] for fact in case.facts],
        [[each.document_id, each.quote] for each in case.evidence],
        list(case.must_say),
        list(case.must_not_say),
    ]


def _metric_results(results: Sequence[CaseResult]) -> Iterator[MetricResult]:
    for metric in METRICS:
        values = [value for case in results if (value := case.score(metric.name)) is not None]
        if values:
            total = int(sum(values)) if metric.safety else 0
            yield MetricResult(metric=metric, measure=mean_measure(metric.name, values), total=total)


def _tag_results(results: Sequence[CaseResult]) -> Iterator[TagResult]:
    for name in BY_TAG:
        by_tag: dict[tuple[str, str], list[float]] = defaultdict(list)
        for case in results:
            value = case.score(name)
            if value is not None:
                for pair in _tags(case):
                    by_tag[pair].append(value)
        for (tag, of), values in sorted(by_tag.items()):
            yield TagResult(tag=tag, value=of, measure=mean_measure(name, values))


def _tags(case: CaseResult) -> Iterator[tuple[str, str]]:
    yield "type", case.type
    yield "wording", case.wording
    yield "topic", case.topic
    if case.group:
        yield "group", case.group
    for feature in case.features:
        yield "feature", feature


def _abstention(results: Sequence[CaseResult]) -> AbstentionResult | None:
    """Over answerable and unanswerable questions that were searched; None without both kinds."""
    scored = [
        (case.strength, case.kind == "answerable")
        for case in results
        if case.strength is not None and case.kind in ("answerable", "unanswerable")
    ]
    answerable = [strength for strength, is_answerable in scored if is_answerable]
    others = [strength for strength, is_answerable in scored if not is_answerable]
    if not answerable or not others:
        return None
    return AbstentionResult(
        threshold=EVIDENCE_THRESHOLD,
        auroc=replace(separation("all", answerable, others).auroc, count=len(scored)),
        brier=mean_measure("Brier", [(strength - truth) ** 2 for strength, truth in scored]),
        reliability=tuple(_reliability(scored)),
    )


def _reliability(scored: Sequence[tuple[float, bool]]) -> Iterator[ReliabilityBin]:
    for number in range(BINS):
        inside = [each for each in scored if min(BINS - 1, int(each[0] * BINS)) == number]
        if inside:
            yield ReliabilityBin(
                low=number / BINS,
                high=(number + 1) / BINS,
                count=len(inside),
                strength=statistics.fmean(strength for strength, _ in inside),
                answerable=statistics.fmean(truth for _, truth in inside),
            )


def _times(results: Sequence[CaseResult]) -> Iterator[TimeResult]:
    by_stage: dict[str, list[float]] = defaultdict(list)
    for case in results:
        for each in case.milliseconds:
            by_stage[each.stage].append(each.milliseconds)
    for stage, values in by_stage.items():
        ordered = sorted(values)
        yield TimeResult(
            stage=stage,
            median=statistics.median(values),
            p95=ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))],
        )
