"""A measured value with its interval."""

from __future__ import annotations

from dataclasses import dataclass

from curio_rag.domain.digests import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A mean over `count` topics, or a statistic of that many unanswerable ones, and its bootstrap interval of 95 %."""

    name: str
    value: float
    low: float
    high: float
    count: int

    def to_dict(self) -> dict[str, Json]:
        """As the reports show it."""
        return {"value": self.value, "low": self.low, "high": self.high, "count": self.count}
