"""The figures of a sentence: time spans, shares, temperatures, amounts, counts and years, in one unit for each kind."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from curio_rag.domain.sources import Span


class Bound(StrEnum):
    """How a figure is meant."""

    EXACT = "exact"
    AT_LEAST = "at least"
    AT_MOST = "at most"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A value or a range in the unit of its kind.

    The kinds are `days` (a time span), `every days` (a rhythm), `per day`, `percent`, `degrees Celsius`, `age` (years),
    `year` (of the calendar), `money` with its sign, a unit of amount such as `mg/dl`, and `number of ...`.
    """

    kind: str
    low: float
    high: float
    span: Span
    bound: Bound = Bound.EXACT
    roughly: bool = False

    def agrees(self, other: Figure) -> bool:
        """Whether both can be true of one thing: the ranges touch, one tenth wider where a figure is rough."""
        low, high = self._reach(other)
        other_low, other_high = other._reach(self)
        return low <= other_high + 1e-9 and other_low <= high + 1e-9

    def _reach(self, other: Figure) -> tuple[float, float]:
        """Two limits of one sort are compared as they are: "at least 2" and "at least 8 weeks" are two rules."""
        margin = 0.1 if self.roughly else 0.02 if self.kind in ("days", "degrees Celsius") else 0.0
        if self.kind == "degrees Celsius":
            margin = 0.002
        low, high = self.low * (1 - margin), self.high * (1 + margin)
        if self.bound is other.bound:
            return low, high
        if self.bound is Bound.AT_LEAST:
            return low, math.inf
        return (0.0, high) if self.bound is Bound.AT_MOST else (low, high)


_SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety hundred"
WORDS = {word: number for number, word in enumerate(_SMALL.split(" "))} | {
    word: 10 * number for number, word in enumerate(_TENS.split(" "), start=2)
}
DAYS = {
    "second": 1 / 86400,
    "minute": 1 / 1440,
    "hour": 1 / 24,
    "day": 1.0,
    "night": 1.0,
    "week": 7.0,
    "fortnight": 14.0,
    "month": 365 / 12,
    "year": 365.0,
}
AMOUNTS = r"mg/dL|g/L|g/dL|mg/kg|mg|mcg|µg|micrograms?|grams?|g|mL|litres?|liters?|L|units?|IU|kg|cm|mm"

_PLAIN = (
    rf"(?<![\w.,])(?:\d{{1,3}}(?:,\d{{3}}){{1,3}}(?:\.\d{{1,6}})?|\d{{1,9}}(?:\.\d{{1,6}})?|(?:{'|'.join(WORDS)})\b)"
)
"""A number of a sane length, entered at its beginning only: a long run of digits costs no more than its length."""

_RANGE = rf"(?P<low>{_PLAIN})(?:\s*(?:to|or|and|[-–])\s*(?P<high>{_PLAIN}))?"
_UNIT = "|".join(DAYS)
_BEFORE = re.compile(
    r"(?P<least>\b(?:at least|no less than|more than|over|from|minimum of|longer than|above)\s+(?:about\s+)?)?"
    r"(?P<most>\b(?:at most|up to|no more than|less than|fewer than|within|within the first|under|until|below|"
    r"in the first)\s+)?"
    r"(?P<roughly>\b(?:about|around|roughly|nearly|almost|some|the first|day)\s+)?$",
    re.IGNORECASE,
)
"""What stands right before a figure and says how it is meant."""

LONGEST_BEFORE = 40
_ANY = re.compile(rf"\d|\b(?:half|once|twice|week|fortnight|month|year|{'|'.join(WORDS)})\b", re.IGNORECASE)
_OF_A_HUNDRED = r"\s+(?:of|in|out of)\s+(?:every\s+)?(?:100|a hundred)\b"
_PATTERNS = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("year", r"\b(?P<low>(?:19|20)\d\d)\b(?!\s*(?:mg|people|patients))"),
        ("percent", rf"{_RANGE}(?:\s*(?:%|percent\b|per cent\b)|{_OF_A_HUNDRED})"),
        ("ratio", rf"\bone\s+(?:in|of|out of)\s+(?:every\s+)?(?P<low>{_PLAIN})\b"),
        ("half", r"\bhalf\s+(?:of\s+)?(?:the|all|these|those)\s+(?P<low>)people\b"),
        ("celsius", rf"{_RANGE}\s*°\s*C\b"),
        ("fahrenheit", rf"{_RANGE}\s*°\s*F\b"),
        ("money", rf"(?P<sign>[$£€])\s?{_RANGE}"),
        ("amount", rf"{_RANGE}\s*(?P<unit>{AMOUNTS})\b(?!-)"),
        ("per day", r"\b(?P<low>once|twice)\s+(?:an?|each|every|per)\s+(?P<unit>day|week|month|year)\b"),
        ("per day", rf"{_RANGE}\s+times\s+(?:an?|each|every|per)\s+(?P<unit>day|week|month|year)\b"),
        ("every", rf"\bevery\s+{_RANGE}\s+(?P<unit>{_UNIT})s?\b"),
        ("age", rf"{_RANGE}\s+years?\s+(?:of age|old|and older|or older|and younger)\b"),
        ("age", r"\baged?\s+(?P<low>\d{1,3})\b"),
        ("days", rf"{_RANGE}[\s-]+(?:full\s+|more\s+|whole\s+)?(?P<unit>{_UNIT})s?\b"),
        ("a", r"\b(?:an?|the first)\s+(?P<low>)(?P<unit>week|fortnight|month|year)\b"),
        ("day", rf"\bday\s+{_RANGE}\b"),
        (
            "number",
            rf"(?<![\w.,])(?P<low>\d{{1,9}}(?:,\d{{3}}){{0,3}}|{'|'.join(list(WORDS)[2:])})\s+(?P<unit>[a-z]{{4,}}s)\b",
        ),
    )
)
"""Tried in this order; what one of them has taken is no longer there for the next."""

_DATE = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\s+\d{1,2}(?=,)"
    r"|\b\d{1,2}(?=\s+(?:January|February|March|April|May|June|July|August|September|October|November|December)\b)"
)
_STUDY_SIZE = re.compile(r"\b(?:study|trial|survey|review|group|report)\s+(?:of|with|in)\s+(?:about\s+)?[\d,]+\s+\w+")


def figures_of(sentence: str) -> tuple[Figure, ...]:
    """The figures in order of the text; none overlap. The size of a study and the days of a date are no figures."""
    if _ANY.search(sentence) is None:
        return ()
    hidden = _STUDY_SIZE.sub(_blank, _DATE.sub(_blank, sentence))
    found: list[Figure] = []
    for name, pattern in _PATTERNS:
        matches = list(pattern.finditer(hidden))
        found.extend(figure for match in matches if (figure := _figure(name, match)) is not None)
        for match in matches:
            hidden = hidden[: match.start()] + _blank(match) + hidden[match.end() :]
    found.sort(key=lambda figure: figure.span)
    return tuple(_without_repetition(found, sentence))


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _figure(name: str, match: re.Match[str]) -> Figure | None:
    groups = match.groupdict()
    low_text = groups.get("low") or ""
    low, high = _number(low_text), _number(groups.get("high") or low_text)
    unit = (groups.get("unit") or "").lower()
    kind, low, high = _in_one_unit(name, low, high, unit, groups.get("sign") or "")
    if high < low:
        return None
    before = _BEFORE.search(match.string, max(0, match.start() - LONGEST_BEFORE), match.start())
    said = before.groupdict() if before else {}
    bound = Bound.AT_LEAST if said.get("least") else Bound.AT_MOST if said.get("most") else Bound.EXACT
    start = before.start() if before else match.start()
    return Figure(
        kind=kind,
        low=low,
        high=high,
        span=Span(start=start, end=match.end()),
        bound=bound,
        roughly=said.get("roughly") is not None,
    )


def _in_one_unit(name: str, low: float, high: float, unit: str, sign: str) -> tuple[str, float, float]:
    if name == "ratio":
        return "percent", 100 / low if low else 0.0, 100 / low if low else 0.0
    if name == "half":
        return "percent", 50.0, 50.0
    if name == "celsius":
        return "degrees Celsius", low, high
    if name == "fahrenheit":
        return "degrees Celsius", (low - 32) / 1.8, (high - 32) / 1.8
    if name == "money":
        return f"money {sign}", low, high
    if name == "amount":
        return unit, low, high
    if name == "per day":
        return "per day", low / DAYS[unit], high / DAYS[unit]
    if name == "every":
        return "every days", low * DAYS[unit], high * DAYS[unit]
    if name == "days":
        return "days", low * DAYS[unit], high * DAYS[unit]
    if name == "a":
        return "days", DAYS[unit], DAYS[unit]
    if name == "day":
        return "days", low, high
    if name == "number":
        return f"number of {unit}", low, high
    return name, low, high


def _number(text: str) -> float:
    word = text.lower()
    if word in ("once", "twice"):
        return 1.0 if word == "once" else 2.0
    if word in WORDS:
        return float(WORDS[word])
    return float(word.replace(",", "")) if word else 1.0


def _without_repetition(figures: list[Figure], sentence: str) -> Iterator[Figure]:
    """Without what only says a figure again in another unit: "38 °C (100.4 °F)", "4 weeks (28 days)"."""
    before: Figure | None = None
    for figure in figures:
        again = (
            before is not None
            and before.kind == figure.kind
            and sentence[before.span.end : figure.span.start].strip() == "("
            and before.agrees(figure)
        )
        if not again:
            yield figure
        before = figure
