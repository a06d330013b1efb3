"""Measures of a ranking against graded judgements, with intervals; pure functions over numbers and ids.

nDCG has the gain 2^grade - 1; MAP divides by min(relevant, depth); ties stand in the order of the run; a
topic without results scores 0. A topic that has no relevant entry is left out of what that makes undefined.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from curio_rag.domain.digests import Json
from curio_rag.domain.measures import Measure

ROUNDS = 1_000
SEED = 20261123
ANSWER_RATE = 0.95
"""The share of answerable questions that a threshold has to let through when false answers are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """How well a score tells answerable questions from the others of one tier."""

    tier: str
    answerable: int
    unanswerable: int
    auroc: Measure
    false_answers: Measure
    threshold: float

    def to_dict(self) -> dict[str, Json]:
        """As the reports show it."""
        return {
            "tier": self.tier,
            "answerable": self.answerable,
            "unanswerable": self.unanswerable,
            "auroc": self.auroc.to_dict(),
            "false_answer_rate": self.false_answers.to_dict(),
            "answer_rate": ANSWER_RATE,
            "threshold": self.threshold,
        }


def score_run(
    run: Mapping[str, Sequence[str]], judgements: Mapping[str, Mapping[str, int]], *, relevant_from: int = 1
) -> tuple[Measure, ...]:
    """Every measure over the judged topics; `run` gives each topic's entries, best first, none twice.

    From the grade `relevant_from` on an entry is relevant; nDCG uses the grades themselves.
    """
    values: dict[str, list[float]] = {
        name: [] for name in ("nDCG@10", "MRR@10", "MAP@10", "Recall@10", "Recall@100", "P@1")
    }
    for topic, grades in judgements.items():
        for name, value in _topic_scores(run.get(topic, ()), grades, relevant_from).items():
            values[name].append(value)
    return tuple(mean_measure(name, each) for name, each in values.items())


def _topic_scores(ranked: Sequence[str], grades: Mapping[str, int], relevant_from: int) -> dict[str, float]:
    gained = [grades.get(entry, 0) for entry in ranked]
    hits = [grade >= relevant_from and entry in grades for entry, grade in zip(ranked, gained, strict=True)]
    relevant = sum(grade >= relevant_from for grade in grades.values())
    scores = {"P@1": float(bool(hits and hits[0]))}
    ideal = _gain(sorted(grades.values(), reverse=True)[:10])
    if ideal > 0:
        scores["nDCG@10"] = _gain(gained[:10]) / ideal
    if relevant:
        places = [place for place, hit in enumerate(hits[:10], start=1) if hit]
        scores["MRR@10"] = 1 / places[0] if places else 0.0
        scores["MAP@10"] = sum(nth / place for nth, place in enumerate(places, start=1)) / min(relevant, 10)
        scores["Recall@10"] = len(places) / relevant
        scores["Recall@100"] = sum(hits[:100]) / relevant
    return scores


def _gain(grades: Sequence[int]) -> float:
    return sum(((2.0**grade) - 1) / math.log2(place + 2) for place, grade in enumerate(grades))


def mean_measure(name: str, values: Sequence[float]) -> Measure:
    """The mean, and the middle 95 % of the means of samples of as many topics, drawn with replacement; 0 for none."""
    if not values:
        return Measure(name=name, value=0.0, low=0.0, high=0.0, count=0)
    draw = random.Random(SEED)
    size = len(values)
    low, high = middle([sum(draw.choices(values, k=size)) / size for _ in range(ROUNDS)])
    return Measure(name=name, value=sum(values) / size, low=low, high=high, count=size)


def separation(tier: str, answerable: Sequence[float], unanswerable: Sequence[float]) -> Separation:
    """AUROC of a score, and the share of unanswerable questions let through where 95 % of the others are.

    Intervals are drawn over both kinds of question. Both need at least one score.
    """
    return Separation(
        tier=tier,
        answerable=len(answerable),
        unanswerable=len(unanswerable),
        auroc=_two_samples("AUROC", auroc, answerable, unanswerable),
        false_answers=_two_samples("false answers", false_answer_rate, answerable, unanswerable),
        threshold=answer_threshold(answerable),
    )


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The probability that a positive scores above a negative, ties counting half (Mann and Whitney)."""
    ordered = sorted(negative)
    wins = sum(bisect_left(ordered, score) + bisect_right(ordered, score) for score in positive) / 2
    return wins / (len(positive) * len(negative))


def answer_threshold(answerable: Sequence[float]) -> float:
    """The highest score that at least 95 % of the answerable questions reach."""
    return sorted(answerable, reverse=True)[math.ceil(ANSWER_RATE * len(answerable)) - 1]


def false_answer_rate(answerable: Sequence[float], unanswerable: Sequence[float]) -> float:
    """The share of unanswerable questions that reach the threshold of the answerable ones."""
    threshold = answer_threshold(answerable)
    return sum(score >= threshold for score in unanswerable) / len(unanswerable)


def _two_samples(
    name: str,
    statistic: Callable[[Sequence[float], Sequence[float]], float],
    first: Sequence[float],
    second: Sequence[float],
) -> Measure:
    draw = random.Random(SEED)
    low, high = middle(
        [statistic(draw.choices(first, k=len(first)), draw.choices(second, k=len(second))) for _ in range(ROUNDS)]
    )
    return Measure(name=name, value=statistic(first, second), low=low, high=high, count=len(second))


def middle(values: Sequence[float]) -> tuple[float, float]:
    """The bounds of the middle 95 %."""
    ordered = sorted(values)
    cut = round(0.025 * len(ordered))
    return ordered[cut], ordered[-cut - 1]
