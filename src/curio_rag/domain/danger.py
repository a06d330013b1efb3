"""What a classifier thinks of a piece of a question, and from where on its word counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """How likely one window of a text tells of an emergency: log odds, and the group of the card it resembles most."""

    window: str
    score: float
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Log odds. They were chosen by cross-validation; `data/triage_model.json` names script and data.

    From `emergency` on a text is an emergency unless it reads as information, history or a figure of
    speech; from `sure` on however it reads. A part of a longer text needs `part` more, because many
    parts have many chances to look odd; a whole text about suicide needs `suicide` less. A rule that is
    for no protected group is believed only where some window reaches `doubt`.
    """

    emergency: float
    part: float
    suicide: float
    sure: float
    doubt: float

    def needed(self, *, whole: bool, suicide: bool) -> float:
        """The score from which a window counts; `whole` when it is all of the text."""
        return self.emergency - (self.suicide if suicide else 0) if whole else self.emergency + self.part
