"""The metrics of an evaluation run: which stage each one judges, which way is better, and what it says."""

from __future__ import annotations

from collections.abc import Sequence

from curio_rag.domain.eval_reports import Better, Metric, Stage
from curio_rag.errors import EvalError

RETRIEVAL_MEASURES = ("Recall@5", "nDCG@10", "MRR@10")
ALONE = "Recall@20"
"""What each of the two indexes is measured by on its own."""

MISSED_EMERGENCY = "Emergencies missed"
UNSUPPORTED = "Unsupported sentences"
ALTERED = "Altered sentences released"
FORBIDDEN = "Forbidden statements"
MUST_SAY = "Must-say missing"

METRICS: tuple[Metric, ...] = (
    Metric(
        name="Whole quotes",
        stage=Stage.SPLITTER,
        meaning="the share of gold quotes that stand whole in one passage",
    ),
    Metric(
        name=MISSED_EMERGENCY,
        stage=Stage.TRIAGE,
        meaning="emergencies that were not answered as one",
        better=Better.LOWER,
        worst=1.0,
        safety=True,
    ),
    Metric(
        name="Emergency group",
        stage=Stage.TRIAGE,
        meaning="the share of emergencies that triage gives the right group of the emergency card",
    ),
    Metric(
        name="False alarms",
        stage=Stage.TRIAGE,
        meaning="the share of other questions that were taken for an emergency",
        better=Better.LOWER,
        worst=1.0,
    ),
    Metric(
        name="Urgent recognised",
        stage=Stage.TRIAGE,
        meaning="the share of urgent questions that carry the call-your-team line",
    ),
    Metric(
        name="Decisions referred",
        stage=Stage.TRIAGE,
        meaning="the share of requests for a personal decision that were referred for an accepted reason",
    ),
    Metric(
        name="False referrals",
        stage=Stage.TRIAGE,
        meaning="the share of answerable questions that were referred to a person",
        better=Better.LOWER,
        worst=1.0,
    ),
    Metric(
        name="Keyword Recall@20",
        stage=Stage.KEYWORD_INDEX,
        meaning="the share of gold passages among the first 20 by words alone",
    ),
    Metric(
        name="Vector Recall@20",
        stage=Stage.VECTOR_INDEX,
        meaning="the share of gold passages among the first 20 by vectors of the text alone",
    ),
    Metric(
        name="Recall@5",
        stage=Stage.RETRIEVAL,
        meaning="the share of gold passages among the first 5 hits",
    ),
    Metric(
        name="nDCG@10",
        stage=Stage.RETRIEVAL,
        meaning="the discounted gain of the first 10 hits against the best order",
    ),
    Metric(
        name="MRR@10",
        stage=Stage.RETRIEVAL,
        meaning="one over the rank of the first gold passage, 0 beyond 10",
    ),
    Metric(
        name="Evidence precision",
        stage=Stage.EVIDENCE,
        meaning="the share of the hits kept as evidence that are gold passages",
    ),
    Metric(
        name="Evidence recall",
        stage=Stage.EVIDENCE,
        meaning="the share of the gold passages that are kept as evidence",
    ),
    Metric(
        name="False answers",
        stage=Stage.ABSTENTION,
        meaning="the share of unanswerable questions that were answered",
        better=Better.LOWER,
        worst=1.0,
    ),
    Metric(
        name="False refusals",
        stage=Stage.ABSTENTION,
        meaning="the share of answerable questions that were not answered",
        better=Better.LOWER,
        worst=1.0,
    ),
    Metric(
        name="Refusal reason",
        stage=Stage.ABSTENTION,
        meaning="the share of unanswerable questions that were refused for an accepted reason",
    ),
    Metric(
        name="Key-fact recall",
        stage=Stage.WRITER,
        meaning="the share of key facts that the answer conveys",
    ),
    Metric(
        name="Facts contradicted",
        stage=Stage.WRITER,
        meaning="the share of the facts of plain gold answers that the answer contradicts",
        better=Better.LOWER,
        worst=1.0,
    ),
    Metric(
        name="Gold quotes cited",
        stage=Stage.WRITER,
        meaning="the share of gold quotes of which the answer cites any part",
    ),
    Metric(
        name="On-subject sentences",
        stage=Stage.WRITER,
        meaning="the share of sentences, explained words aside, that cite a gold passage",
    ),
    Metric(
        name=MUST_SAY,
        stage=Stage.WRITER,
        meaning="statements that had to stand in an answer and do not",
        better=Better.LOWER,
        worst=1.0,
        safety=True,
    ),
    Metric(
        name=FORBIDDEN,
        stage=Stage.WRITER,
        meaning="statements that must not stand in an answer and do",
        better=Better.LOWER,
        worst=0.0,
        safety=True,
    ),
    Metric(
        name="Reading grade",
        stage=Stage.WRITER,
        meaning="years of schooling by Flesch and Kincaid, of answers with sentences",
        better=Better.LOWER,
    ),
    Metric(
        name="Words",
        stage=Stage.WRITER,
        meaning="the length of answers with sentences",
        better=Better.NEITHER,
    ),
    Metric(
        name="Citation recall",
        stage=Stage.CLAIM_GATE,
        meaning="the share of released sentences that their quotes together support",
        worst=0.0,
    ),
    Metric(
        name="Citation precision",
        stage=Stage.CLAIM_GATE,
        meaning="the share of quotes that help to support their sentence",
        worst=0.0,
    ),
    Metric(
        name="Exact quotes released",
        stage=Stage.CLAIM_GATE,
        meaning="the share of gold quotes that the claim gate lets through as they are",
    ),
    Metric(
        name=UNSUPPORTED,
        stage=Stage.CLAIM_GATE,
        meaning="released sentences that their quotes do not support, by a check of its own",
        better=Better.LOWER,
        safety=True,
    ),
    Metric(
        name=ALTERED,
        stage=Stage.CLAIM_GATE,
        meaning="gold quotes with another number, sense or citation that the claim gate let through",
        better=Better.LOWER,
        safety=True,
    ),
)
"""In the order of the stages; citation recall and precision are those of ALCE (Gao et al. 2023), by rules."""


def metric_named(name: str) -> Metric:
    """Raises `EvalError` for an unknown name."""
    for metric in METRICS:
        if metric.name.lower() == name.lower():
            return metric
    known = ", ".join(metric.name for metric in METRICS)
    raise EvalError(f"There is no metric {name!r}.", hint=f"Choose from: {known}.")


def check_metrics(names: Sequence[str]) -> tuple[str, ...]:
    """The names as they are written here; none for none. Raises `EvalError` for an unknown one."""
    return tuple(metric_named(name).name for name in names)
