"""The first triage: emergencies and requests for personal decisions, recognised by rules before anything else runs.

It needs no index, no model and no network. The rules are data that a clinician can read
(`data/triage_rules.toml`); this module only knows what comes first: danger to life before
everything, then what cannot wait, then decisions that belong to a person. Something that sorts
texts differently, such as a classifier, can stand beside it behind the same port.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from curio_rag.domain.emergency import GENERAL, GROUPS, EmergencyCard
from curio_rag.domain.questions import Triage, Urgency
from curio_rag.domain.triage_rules import RuleBook, Sign, SignRule
from curio_rag.pipelines.triage_patterns import Hit, PatternBook
from curio_rag.pipelines.triage_readings import Readings
from curio_rag.pipelines.triage_text import Spelling, Words, plain, read_words

EMERGENCY = "emergency"
SUICIDE, OVERDOSE, CELL_THERAPY = "suicide_selfharm", "overdose_poison", "cart_crs_icans"
_OWN_WORDS = frozenset({SUICIDE, OVERDOSE, "infant_child"})
"""Groups whose own words stand above an urgent question; the others get the call-your-team line."""

_READING = "reading:"
_CODES = ("minor", "dosing_change", "treatment_choice", "diagnosis_request")
_ORDER = {group: place for place, group in enumerate(GROUPS)}


@dataclass(frozen=True, slots=True)
class _Noticed:
    """A text with everything that was found in it."""

    words: Words
    told: Mapping[str, Sequence[Hit]]
    """The signs that somebody tells of, now."""
    mentioned: Mapping[str, Sequence[Hit]]
    """Those that are mentioned in any way."""
    fiction: bool

    def holds(self, rule: SignRule, hits: Mapping[str, Sequence[Hit]]) -> bool:
        """Whether one hit for each need stands within the rule's reach of a common place."""
        places = [
            sorted({self.words.places[hit.first] for name in need for hit in hits.get(name, ())}) for need in rule.needs
        ]
        if not all(places):
            return False
        anchors = min(places, key=len)
        return any(all(_near(need, anchor, rule.within) for need in places) for anchor in anchors)


class RuleTriage:
    """`TriageRules` by a card of fixed advice and a book of rules; immutable, safe to share between threads."""

    def __init__(self, card: EmergencyCard, rules: RuleBook, *, country: str | None) -> None:
        """`country` chooses the numbers of the card (ISO 3166, or EU); None shows those of several.

        Raises `ValueError` naming a pattern of the rules that cannot be read.
        """
        self._card, self._rules, self._country = card, rules, country
        readings = tuple(Sign(name=_READING + sign.name, patterns=sign.patterns) for sign in rules.readings)
        negations = {word for sign in rules.readings if sign.name == "negation" for word in sign.patterns[0].split("|")}
        self._book = PatternBook(
            (*rules.signs, *readings),
            classes={name: tuple(map(_clean, words)) for name, words in rules.classes},
            clean=_clean,
            fillers=rules.fillers,
            negations=frozenset(negations),
        )
        self._spelling = Spelling(
            known=dict(rules.misspellings),
            important=rules.spelling,
            not_misspelt=rules.not_misspelt,
            vocabulary=self._book.vocabulary,
        )

    def assess(self, text: str) -> Triage:
        """The most pressing thing in a text; `Triage()` where there is nothing. Never raises; linear in the text."""
        noticed = self._notice(text)
        emergencies = [rule for rule in self._rules.emergencies if self._is_emergency(rule, noticed)]
        if emergencies:
            return self._emergency(emergencies)
        referral = self._referral(noticed)
        urgent = self._urgent(noticed)
        if urgent is not None:
            group, advice, reason = urgent
            if referral is not None and referral.outcome == "minor":
                advice = f"{self._card.minor_line(country=self._country)}\n{advice}"
            code = referral.outcome if referral else None
            text_of_reason = f"{referral.reason} {reason}" if referral else reason
            return Triage(urgency=Urgency.URGENT, code=code, group=group, advice=advice, reason=text_of_reason)
        if referral is None:
            return Triage()
        advice = self._card.minor_line(country=self._country) if referral.outcome == "minor" else ""
        return Triage(code=referral.outcome, advice=advice, reason=referral.reason)

    def _notice(self, text: str) -> _Noticed:
        words = read_words(text, fillers=self._rules.fillers, correct=self._spelling.correct)
        found = self._book.find(words)
        readings = Readings(
            words, {name.removeprefix(_READING): hits for name, hits in found.items() if name.startswith(_READING)}
        )
        mentioned = {name: hits for name, hits in found.items() if not name.startswith(_READING)}
        told = {name: [hit for hit in hits if not readings.lowers(hit)] for name, hits in mentioned.items()}
        return _Noticed(words, told, mentioned, readings.fiction)

    def _is_emergency(self, rule: SignRule, noticed: _Noticed) -> bool:
        if rule.firm:
            return noticed.holds(rule, noticed.mentioned)
        if noticed.fiction and rule.outcome not in self._rules.protected:
            return False
        return noticed.holds(rule, noticed.told)

    def _emergency(self, rules: Sequence[SignRule]) -> Triage:
        first = min(rules, key=lambda rule: _ORDER.get(rule.outcome, len(_ORDER)))
        groups = {rule.outcome for rule in rules}
        advice = self._card.advice(first.outcome, country=self._country)
        if {SUICIDE, OVERDOSE} <= groups:
            advice = f"{self._card.advice(OVERDOSE, country=self._country)}\n\n{advice}"
        sentences = (self._card.sentence(rule.language) for rule in rules if rule.language)
        foreign = next((sentence for sentence in sentences if sentence), "")
        return Triage(
            urgency=Urgency.EMERGENCY,
            code=EMERGENCY,
            group=first.outcome,
            advice=f"{foreign}\n\n{advice}" if foreign else advice,
            reason=first.reason,
        )

    def _urgent(self, noticed: _Noticed) -> tuple[str, str, str] | None:
        """Group, advice and reason where the line of the card must stand above the answer."""
        lowered = (
            rule
            for rule in self._rules.emergencies
            if rule.outcome in self._rules.protected and noticed.holds(rule, noticed.mentioned)
        )
        plain_ = (
            rule
            for rule in self._rules.urgent
            if noticed.holds(rule, noticed.told if rule.personal else noticed.mentioned)
        )
        rule = next(iter((*_by_order(lowered), *plain_)), None)
        if rule is None:
            return None
        if rule.outcome in _OWN_WORDS:
            return rule.outcome, self._card.advice(rule.outcome, country=self._country), rule.reason
        group = CELL_THERAPY if rule.outcome == CELL_THERAPY else GENERAL
        return group, self._card.call_team_line(country=self._country), rule.reason

    def _referral(self, noticed: _Noticed) -> SignRule | None:
        holding = {rule.outcome: rule for rule in self._rules.referrals if noticed.holds(rule, noticed.mentioned)}
        return next((holding[code] for code in _CODES if code in holding), None)


def _by_order(rules: Iterable[SignRule]) -> list[SignRule]:
    return sorted(rules, key=lambda rule: _ORDER.get(rule.outcome, len(_ORDER)))


def _clean(word: str) -> str:
    return plain(word).replace("'", "")


def _near(places: Sequence[int], anchor: int, reach: int) -> bool:
    after = bisect_left(places, anchor - reach)
    return after < len(places) and places[after] <= anchor + reach
