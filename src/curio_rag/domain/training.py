"""The training queue: drafts with a known answer, to measure whether people catch what is wrong."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from curio_rag.domain.digests import Json

Z = 1.959964
"""The 97.5th percentile of the normal distribution, for 95 % intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingDraft:
    """A sentence beside the quote that it is said to rest on; `bad` ones must be rejected, and `fault` says why."""

    id: str
    question: str
    text: str
    quote: str
    source: str
    bad: bool
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """What one reviewer decided on one draft, and in how many seconds."""

    reviewer_id: str
    draft_id: str
    bad: bool
    fault: str
    approved: bool
    seconds: float
    at: datetime

    @property
    def right(self) -> bool:
        """Whether a bad draft was rejected or a good one approved."""
        return self.approved is not self.bad


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingScore:
    """The catch rate of one reviewer: bad drafts rejected, of those shown, with Wilson's 95 % interval."""

    reviewer_id: str
    bad: int
    caught: int
    good: int
    false_alarms: int
    median_seconds: float | None

    @property
    def catch_rate(self) -> float | None:
        """From 0 to 1; None when no bad draft was shown."""
        return self.caught / self.bad if self.bad else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % score interval of the catch rate (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
        if not self.bad:
            return None
        share, count = self.caught / self.bad, self.bad
        middle = share + Z * Z / (2 * count)
        reach = Z * math.sqrt(share * (1 - share) / count + Z * Z / (4 * count * count))
        scale = 1 + Z * Z / count
        return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)

    def to_dict(self) -> dict[str, Json]:
        """As `curio review train --json` and `curio review stats --json` show it."""
        return {
            "reviewer_id": self.reviewer_id,
            "bad_drafts": self.bad,
            "caught": self.caught,
            "catch_rate": self.catch_rate,
            "catch_rate_95": list(self.interval) if self.interval else None,
            "good_drafts": self.good,
            "false_alarms": self.false_alarms,
            "median_seconds": self.median_seconds,
        }


def score_of(reviewer_id: str, results: Iterable[TrainingResult]) -> TrainingScore:
    """The score over every result of one reviewer."""
    own = [each for each in results if each.reviewer_id == reviewer_id]
    seconds = sorted(each.seconds for each in own)
    median = statistics.median(seconds) if seconds else None
    return TrainingScore(
        reviewer_id=reviewer_id,
        bad=sum(each.bad for each in own),
        caught=sum(each.bad and not each.approved for each in own),
        good=sum(not each.bad for each in own),
        false_alarms=sum(not each.bad and not each.approved for each in own),
        median_seconds=median,
    )
