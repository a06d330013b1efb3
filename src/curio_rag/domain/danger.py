"""What a classifier thinks of a piece of a question, and from where on its word counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """How much one window of a text reads like an emergency, and the group of the card that it resembles most.

    `decision` is the personal decision that the window resembles most (a code of a referral), and
    `decision_score` how much; None where the classifier knows no decisions.
    """

    window: str
    score: float
    group: str
    decision: str | None = None
    decision_score: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Scores from where on something counts. `data/triage_model.json` names script and data of their choice.

    From `emergency` on a text is an emergency unless it reads as information, history or a figure of
    speech; from `sure` on however it reads. A part of a longer text needs `part` more, because many
    parts have many chances to look odd; what is about suicide needs `suicide` less. A rule that is
    for no protected group is believed only where some window reaches `doubt`. A personal decision counts
    from `decision` on.
    """

    emergency: float
    part: float
    suicide: float
    sure: float
    doubt: float
    decision: float

    def needed(self, *, whole: bool, suicide: bool) -> float:
        """The score from which a window counts; `whole` when it is all of the text."""
        return self.emergency + (0 if whole else self.part) - (self.suicide if suicide else 0)
