"""Triage by rules and by a classifier together: what either of them finds counts, and how it is meant is read last.

The rules are precise where somebody wrote down the words; the classifier finds the words that nobody
thought of, doubts a rule that fired on words of another meaning, and finds requests for personal decisions.
Suicide, overdose, danger after cell therapy and small children are never doubted away. Where the rules
saw another danger and the classifier suicide, the words about suicide follow the others.
Without the classifier the rules work alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from curio_rag.domain.danger import Suspicion, Thresholds
from curio_rag.domain.questions import Triage, Urgency
from curio_rag.errors import CurioError
from curio_rag.pipelines.triage import RuleTriage
from curio_rag.pipelines.triage_text import plain
from curio_rag.pipelines.triage_windows import windows
from curio_rag.pipelines.triage_words import SUICIDE

NOTICED = "The message reads like messages of people in danger."
DOUBTED = "Words of danger were noticed; the whole reads as if they were meant otherwise."


class DangerClassifier(Protocol):
    """Tells from examples how much a piece of text reads like somebody in danger."""

    @property
    def thresholds(self) -> Thresholds:
        """From where on its scores count."""
        ...

    def suspicions(self, windows: Sequence[str]) -> tuple[Suspicion, ...]:
        """The windows that deserve a closer look, the last one always, in order; none for no windows.

        Windows are plain: in lower case, without accents. Raises `ConfigError` where the model cannot be loaded.
        """
        ...


class ClassifiedTriage:
    """`TriageRules` by rules and classifier; safe to share between threads."""

    def __init__(self, rules: RuleTriage, classifier: Callable[[], DangerClassifier]) -> None:
        """`classifier` makes it when it is first needed and raises `CurioError` where it cannot be loaded."""
        self._rules, self._classifier = rules, classifier

    def assess(self, text: str) -> Triage:
        """The most pressing thing in a text; never raises. What nothing may doubt away is said without the model."""
        ruled = self._rules.assess(text)
        alarm = ruled.urgency is Urgency.EMERGENCY
        if (alarm and any(map(self._rules.protects, ruled.groups))) or not self._rules.is_english(text):
            return ruled
        seen = plain(text)
        try:
            classifier = self._classifier()
            suspicions = classifier.suspicions(windows(seen))
        except CurioError:
            return ruled
        limits = classifier.thresholds
        if alarm and suspicions and all(each.score < limits.doubt for each in suspicions):
            return self._rules.without_emergency(text, reason=DOUBTED)
        certain = _certain(suspicions, limits, whole=" ".join(seen.split()))
        told = [
            each
            for each in certain
            if each.score >= limits.sure or self._rules.tells(each.window, text, group=each.group)
        ]
        if alarm:
            return self._rules.with_suicide(ruled) if told and _worst(told).group == SUICIDE else ruled
        if told:
            return self._rules.emergency(_worst(told).group, reason=NOTICED)
        if certain and self._rules.protects(_worst(certain).group):
            ruled = self._rules.raised(ruled, _worst(certain).group, reason=NOTICED)
        return self._with_decision(ruled, suspicions, limits)

    def _with_decision(self, found: Triage, suspicions: Sequence[Suspicion], limits: Thresholds) -> Triage:
        """What was found, with the decision that some window asks for where the rules name no code."""
        asking = max(suspicions, key=lambda each: each.decision_score, default=None)
        if asking is None or asking.decision is None or asking.decision_score < limits.decision:
            return found
        return self._rules.referred(found, asking.decision)

    def reminder(self, text: str) -> str:
        """As the rules have it."""
        return self._rules.reminder(text)


def _certain(suspicions: Sequence[Suspicion], limits: Thresholds, *, whole: str) -> list[Suspicion]:
    return [
        each
        for each in suspicions
        if each.score >= limits.needed(whole=each.window == whole, suicide=each.group == SUICIDE)
    ]


def _worst(suspicions: Sequence[Suspicion]) -> Suspicion:
    return max(suspicions, key=lambda each: each.score)
