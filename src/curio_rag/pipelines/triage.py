"""The first triage: emergencies and requests for personal decisions, recognised by rules before anything else runs.

It needs no index, no model and no network. The rules are data that a clinician can read
(`data/triage_rules.toml`); this module only knows what comes first: danger to life before
everything, then what cannot wait, then decisions that belong to a person. Something that sorts
texts differently, such as a classifier, can stand beside it behind the same port.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from curio_rag.domain.emergency import GENERAL, EmergencyCard
from curio_rag.domain.questions import EMERGENCY, OTHER_LANGUAGE, POLICY, Triage, Urgency
from curio_rag.domain.triage_rules import RuleBook, Sign, SignRule
from curio_rag.pipelines.triage_language import ENGLISH, language_of
from curio_rag.pipelines.triage_patterns import Hit, PatternBook
from curio_rag.pipelines.triage_readings import Readings
from curio_rag.pipelines.triage_text import Spelling, Words, plain, read_words
from curio_rag.pipelines.triage_words import OVERDOSE, SUICIDE, by_order, leading, said_groups

CELL_THERAPY = "cart_crs_icans"
_OWN_WORDS = frozenset({SUICIDE, OVERDOSE, "infant_child"})
"""Groups whose own words stand above an urgent question; the others get the call-your-team line."""

_REASON_LANGUAGE = "The message is in a language that the documents of this service do not speak."
_READING = "reading:"
_CODES = ("minor", "dosing_change", "treatment_choice", "diagnosis_request", POLICY)
"""A person behind the words comes first: an injection that also asks for a dose is a request for a dose."""


@dataclass(frozen=True, slots=True)
class _Noticed:
    """A text with everything that was found in it."""

    words: Words
    told: Mapping[str, Sequence[Hit]]
    """The signs that somebody tells of, now."""
    intended: Mapping[str, Sequence[Hit]]
    """Those, and what somebody means to do."""
    mentioned: Mapping[str, Sequence[Hit]]
    """Those that are mentioned in any way."""
    readings: Readings
    language: str

    def holds(self, rule: SignRule, hits: Mapping[str, Sequence[Hit]]) -> bool:
        """Whether one hit for each need stands within reach of a common place, and nothing speaks against it."""
        if any(self.mentioned.get(name) for name in rule.unless):
            return False
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
        return self._emergency(emergencies, noticed) if emergencies else self._less_than_emergency(noticed)

    def _less_than_emergency(self, noticed: _Noticed) -> Triage:
        if noticed.language != ENGLISH:
            return self._in_another_language(noticed.language)
        referral = self._referral(noticed)
        urgent = self._urgent(noticed)
        if urgent is not None:
            group, advice, reason = urgent
            if referral is not None and referral.outcome == "minor":
                advice = _lines(self._card.minor_line(country=self._country), advice)
            code = referral.outcome if referral else None
            text_of_reason = f"{referral.reason} {reason}" if referral else reason
            return Triage(urgency=Urgency.URGENT, code=code, group=group, advice=advice, reason=text_of_reason)
        if referral is None:
            return Triage()
        advice = self._card.minor_line(country=self._country) if referral.outcome == "minor" else ""
        return Triage(code=referral.outcome, advice=advice, reason=referral.reason)

    def reminder(self, text: str) -> str:
        """The call-your-team line where an answer speaks of what makes people call, else nothing."""
        noticed = self._notice(text)
        calls = any(noticed.holds(rule, noticed.mentioned) for rule in self._rules.urgent if not rule.personal)
        return self._card.call_team_line(country=self._country) if calls else ""

    def is_english(self, text: str) -> bool:
        """Whether the rules and the documents speak the language of a text."""
        return language_of(text, self._rules.languages) == ENGLISH

    def protects(self, group: str) -> bool:
        """Whether no reading and no doubt may remove this group."""
        return group in self._rules.protected

    def tells(self, window: str, text: str, *, group: str) -> bool:
        """Whether something in a window is told of somebody now: neither asked for information, nor long past,
        a figure of speech, nor part of a story that the whole text asks for."""
        if self._notice(text).readings.fiction:
            return False
        return self._notice(window).readings.told_somewhere(plans_count=group == SUICIDE)

    def emergency(self, group: str, *, reason: str) -> Triage:
        """The fixed advice for a group."""
        advice = self._card.advice(group, country=self._country)
        return Triage(
            urgency=Urgency.EMERGENCY, code=EMERGENCY, group=group, advice=advice, reason=reason, groups=(group,)
        )

    def with_suicide(self, found: Triage) -> Triage:
        """An emergency with the words about suicide after its own: the rules are right about the first danger
        more often than a classifier, which says only that there is a second one."""
        advice = f"{found.advice}\n\n{self._card.advice(SUICIDE, country=self._country)}"
        return replace(found, advice=advice, groups=(*found.groups, SUICIDE))

    def raised(self, found: Triage, group: str, *, reason: str) -> Triage:
        """What was found, with the words of a group above the answer unless something urgent stands there already."""
        if found.urgency is not Urgency.ROUTINE:
            return found
        shown, advice = self._line(group)
        return replace(found, urgency=Urgency.URGENT, group=shown, reason=reason, advice=_lines(found.advice, advice))

    def referred(self, found: Triage, code: str) -> Triage:
        """What was found, with the code of a personal decision where it has none."""
        rule = next((rule for rule in self._rules.referrals if rule.outcome == code), None)
        if rule is None or found.code not in {None, POLICY}:
            return found
        return replace(found, code=code, reason=" ".join(filter(None, (rule.reason, found.reason))))

    def without_emergency(self, text: str, *, reason: str) -> Triage:
        """What is left of a text whose words of danger are believed to mean something else: urgent, never less."""
        noticed = self._notice(text)
        groups = by_order(rule for rule in self._rules.emergencies if self._is_emergency(rule, noticed))
        found = self._less_than_emergency(noticed)
        return self.raised(found, groups[0].outcome, reason=reason) if groups else found

    def _notice(self, text: str) -> _Noticed:
        language = language_of(text, self._rules.languages)
        words = read_words(text, fillers=self._rules.fillers, correct=self._spelling.correct)
        found = self._book.find(words)
        readings = Readings(
            words, {name.removeprefix(_READING): hits for name, hits in found.items() if name.startswith(_READING)}
        )
        mentioned = {name: hits for name, hits in found.items() if not name.startswith(_READING)}
        told = {name: [hit for hit in hits if not readings.lowers(hit)] for name, hits in mentioned.items()}
        intended = {
            name: [hit for hit in hits if not readings.lowers(hit, plans_count=True)]
            for name, hits in mentioned.items()
        }
        return _Noticed(words, told, intended, mentioned, readings, language)

    def _is_emergency(self, rule: SignRule, noticed: _Noticed) -> bool:
        if rule.language and noticed.language == ENGLISH:
            return False
        if rule.firm or rule.language:  # the readings are English: "no" is "in the" in Portuguese
            return noticed.holds(rule, noticed.mentioned)
        if noticed.readings.fiction and rule.outcome not in self._rules.protected:
            return False
        return noticed.holds(rule, noticed.intended if rule.outcome == SUICIDE else noticed.told)

    def _in_another_language(self, language: str) -> Triage:
        """Nothing can be ruled out in words that nobody here reads: the emergency sentence, and a person."""
        advice = self._card.sentence(language) or self._card.advice(GENERAL, country=self._country)
        return Triage(
            urgency=Urgency.URGENT, code=OTHER_LANGUAGE, group=GENERAL, advice=advice, reason=_REASON_LANGUAGE
        )

    def _emergency(self, rules: Sequence[SignRule], noticed: _Noticed) -> Triage:
        mentioned = {name for name, hits in noticed.mentioned.items() if hits}
        first = leading(rules, mentioned=mentioned)
        said = said_groups(rules, mentioned=mentioned, protected=self._rules.protected)
        advice = self._card.advice_of(said, country=self._country)
        sentences = (self._card.sentence(rule.language) for rule in (first, *rules) if rule.language)
        foreign = next((sentence for sentence in sentences if sentence), "")
        return Triage(
            urgency=Urgency.EMERGENCY,
            code=EMERGENCY,
            group=first.outcome,
            advice=f"{foreign}\n\n{advice}" if foreign else advice,
            reason=first.reason,
            groups=tuple(dict.fromkeys((first.outcome, *(rule.outcome for rule in by_order(rules))))),
        )

    def _urgent(self, noticed: _Noticed) -> tuple[str, str, str] | None:
        """Group, advice and reason where the line of the card must stand above the answer."""
        lowered = (
            rule
            for rule in self._rules.emergencies
            if rule.outcome in self._rules.protected and not rule.language and noticed.holds(rule, noticed.mentioned)
        )
        plain_ = (
            rule
            for rule in self._rules.urgent
            if noticed.holds(rule, noticed.told if rule.personal else noticed.mentioned)
        )
        rule = next(iter((*by_order(lowered), *plain_)), None)
        if rule is None:
            return None
        return (*self._line(rule.outcome), rule.reason)

    def _line(self, group: str) -> tuple[str, str]:
        """The group that is shown and the words that stand above an answer."""
        if group in _OWN_WORDS:
            return group, self._card.advice(group, country=self._country)
        shown = CELL_THERAPY if group == CELL_THERAPY else GENERAL
        return shown, self._card.call_team_line(country=self._country)

    def _referral(self, noticed: _Noticed) -> SignRule | None:
        holding = {rule.outcome: rule for rule in self._rules.referrals if noticed.holds(rule, noticed.mentioned)}
        return next((holding[code] for code in _CODES if code in holding), None)


def _lines(*parts: str) -> str:
    return "\n".join(filter(None, parts))


def _clean(word: str) -> str:
    return plain(word).replace("'", "")


def _near(places: Sequence[int], anchor: int, reach: int) -> bool:
    after = bisect_left(places, anchor - reach)
    return after < len(places) and places[after] <= anchor + reach
