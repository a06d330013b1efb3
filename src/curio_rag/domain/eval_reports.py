"""What an evaluation run measured: each case with its scores, each metric with its stage and interval."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from curio_rag.domain.evals import GoldEvidence
from curio_rag.domain.measures import Measure


class Stage(StrEnum):
    """The stages of an answer in the order of its way, so that the first that failed can be named."""

    GOLD = "gold cases"
    SPLITTER = "splitter"
    TRIAGE = "triage"
    KEYWORD_INDEX = "keyword index"
    VECTOR_INDEX = "vector index"
    RETRIEVAL = "retrieval"
    EVIDENCE = "evidence selection"
    ABSTENTION = "abstention"
    WRITER = "writer"
    CLAIM_GATE = "claim gate"

    @property
    def place(self) -> int:
        """0 for the first."""
        return list(Stage).index(self)


class Better(StrEnum):
    """Which way a metric improves."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One thing that is measured on a case; `worst` is the score of a case that failed.

    A metric of `safety` counts faults: it is never averaged, and one new fault fails the gate.
    """

    name: str
    stage: Stage
    meaning: str
    better: Better = Better.HIGHER
    worst: float = 0.0
    safety: bool = False


class FactStatus(StrEnum):
    """What an answer does with a key fact."""

    COVERED = "covered"
    CONTRADICTED = "contradicted"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactResult:
    """A key fact and what became of it."""

    fact: str
    status: FactStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyFault:
    """One thing that must not happen and did, at the stage that let it happen."""

    metric: str
    stage: Stage
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTime:
    """Milliseconds of one stage of one answer."""

    stage: str
    milliseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSentence:
    """A released sentence under its heading, with the words that it cites."""

    heading: str
    text: str
    quotes: tuple[GoldEvidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFailure:
    """A case whose answering failed; it keeps the worst score in every metric that it has part in."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One case: what was expected, what came, its scores, and what was missed.

    `kind` is `answerable`, `unanswerable`, `emergency` or `decision`; `strength` the strength of the
    evidence from 0 to 1, None where nothing was searched. `answer_digest` names the exact answer.
    The times and the shown answer take no part in comparison: two runs with equal results are equal.
    """

    id: str
    kind: str
    question: str
    previous: tuple[str, ...] = ()
    topic: str
    type: str
    wording: str
    features: tuple[str, ...] = ()
    group: str = ""
    clinician_confirmed: bool = False
    expected: str
    accepted: tuple[str, ...] = ()
    outcome: str
    code: str = ""
    urgency: str
    strength: float | None = None
    scores: dict[str, float]
    faults: tuple[SafetyFault, ...] = ()
    facts: tuple[FactResult, ...] = ()
    missed_quotes: tuple[GoldEvidence, ...] = ()
    answer_digest: str = ""
    failure: CaseFailure | None = None
    advice: str = field(default="", compare=False)
    sentences: tuple[ShownSentence, ...] = field(default=(), compare=False)
    milliseconds: tuple[StageTime, ...] = field(default=(), compare=False)

    def score(self, metric: str) -> float | None:
        """The value of a metric; None where it does not apply."""
        return self.scores.get(metric)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """A metric over all the cases that it applies to; for a metric of safety `total` counts the faults."""

    metric: Metric
    measure: Measure
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TagResult:
    """A metric over the cases with one tag, such as `type` `side_effects`."""

    tag: str
    value: str
    measure: Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Cases whose strength of evidence lies between two bounds: the mean strength, and the share that is answerable."""

    low: float
    high: float
    count: int
    strength: float
    answerable: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstentionResult:
    """How well the strength of the evidence tells answerable from unanswerable questions.

    `brier` is the mean squared distance of the strength, read as a probability, from what is true.
    """

    threshold: float
    auroc: Measure
    brier: Measure
    reliability: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeResult:
    """Milliseconds of one stage over all cases."""

    stage: str
    median: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitReport:
    """One split, reported apart: a test half is never averaged with what was tuned on."""

    split: str
    gold_digest: str
    clinician_confirmed: int
    metrics: tuple[MetricResult, ...]
    tags: tuple[TagResult, ...]
    abstention: AbstentionResult | None
    cases: tuple[CaseResult, ...]
    times: tuple[TimeResult, ...] = field(default=(), compare=False)

    def metric(self, name: str) -> MetricResult:
        """The result of a metric. Raises `KeyError` for one that was not measured."""
        for result in self.metrics:
            if result.metric.name == name:
                return result
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunIdentity:
    """What was measured, so that reports of different kinds are told apart; `started_at` is not compared."""

    version: str
    config_digest: str
    corpus_digest: str
    index_fingerprint: str
    configuration: str
    writer: str
    documents: int
    started_at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalReport:
    """What `curio eval run` gives; equal for two runs that measured the same."""

    schema_version: int = 1
    identity: RunIdentity
    splits: tuple[SplitReport, ...]

    def split(self, name: str) -> SplitReport:
        """One split. Raises `KeyError` for one that was not run."""
        for each in self.splits:
            if each.split == name:
                return each
        raise KeyError(name)

    @property
    def faults(self) -> tuple[tuple[str, SafetyFault], ...]:
        """Every fault of safety with its case."""
        return tuple((case.id, fault) for split in self.splits for case in split.cases for fault in case.faults)

    def without_answers(self) -> EvalReport:
        """The same without the texts of the answers and the times of each, which a baseline does not need."""
        return replace(self, splits=tuple(_without_answers(split) for split in self.splits))


def _without_answers(split: SplitReport) -> SplitReport:
    return replace(split, cases=tuple(replace(case, advice="", sentences=(), milliseconds=()) for case in split.cases))
