"""Reads the numbers of a text for the claim gate: quantities, ranges, shares of people, bounds, rhythms, months."""

from __future__ import annotations

import re
from dataclasses import dataclass

from curio_rag.pipelines.claim_units import MONTHS, SCALES, UNITS, digits_for_words

NUMBER = r"\d(?:[\d,]*\d)?(?:\.\d+)?"
UNIT_WORD = r"(?:[a-zµ]+(?:/[a-z]+)?|[%°£$€])"
QUANTITY = re.compile(
    rf"(?P<bound>(?:at least|at most|up to|more than|less than|fewer than|longer than|"
    rf"older than|higher than|greater than|shorter than|younger than|lower than|no more than|no less than|over|under|"
    rf"above|below|"
    rf"within|as many as|as little as|minimum of|maximum of|about|around|approximately|almost|nearly)\s+(?:about\s+)?)?"
    rf"(?P<currency>[£$€])?(?P<low>{NUMBER})"
    rf"(?:\s*(?P<scale_low>hundred|thousand|million|billion))?"
    rf"(?:\s*-?(?P<unit_low>[a-zµ]+|[%°])s?)??"
    rf"(?:\s*(?P<join>to|-|and|or|through)\s*(?P<high>{NUMBER}))?"
    rf"(?:\s*(?P<scale>hundred|thousand|million|billion))?"
    rf"(?:[\s-]*(?P<unit>°\s?[cf]\b|degrees? (?:celsius|fahrenheit|c\b|f\b)|{UNIT_WORD}))?"
)
SHARE = re.compile(
    rf"(?P<part>{NUMBER})(?P<joined>\s*(?:to|or|-)\s*{NUMBER})?\s*(?:people |adults |children |patients |infants )?"
    rf"(?:(?:out )?of (?:the |every |each |all )?|in (?:every |each )?|per |/)\s*(?P<whole>{NUMBER})"
    r"(?![\d.,]*\s*(?:days?|weeks?|months?|years?|hours?)\b)"
)
PERCENT = re.compile(
    rf"(?P<low>{NUMBER})(?:\s*(?:%|percent|per cent)?\s*(?:to|-|and|or)\s*(?P<high>{NUMBER}))?"
    r"\s*(?:%|percent\b|per cent\b)"
)
FREQUENCY = re.compile(
    r"\b(?P<adverb>hourly|daily|nightly|weekly|monthly|yearly|annually|annual)\b|"
    r"\b(?:every|each|per|once an?|twice an?|times an?|times per)\s(?P<unit>hour|day|night|week|month|year)\b"
)
ADVERBS = {
    "hourly": "hour",
    "daily": "day",
    "nightly": "day",
    "night": "day",
    "weekly": "week",
    "monthly": "month",
    "yearly": "year",
    "annually": "year",
    "annual": "year",
}
MANY = re.compile(r"\b(dozens|hundreds|thousands|millions|billions)\b")
VAGUE = re.compile(
    r"\b(?:a few|few|several|some|many|for|in|of|within|after)\s+"
    r"(seconds|minutes|hours|days|weeks|months|years|decades)\b"
)
ONE_UNIT = re.compile(
    r"\b(?:an?|the first|the last|first|one full)\s(second|minute|hour|day|week|month|year|decade)s?\b(?!\s*-?old)"
)
MONTH = rf"(?:{'|'.join(MONTHS)})\b"
DATE = re.compile(
    rf"\b{MONTH}(?=\s+(?:of\s+)?(?:\d|$)|[,.;)]|\s*$|\s+and\b)|(?<=\d ){MONTH}|(?<=\bin ){MONTH}|(?<=\bsince ){MONTH}"
)
AFTER_MINIMUM = re.compile(
    r"\s*(?:\(.{0,14}\)\s*)?(?:or|and) (?:more|higher|longer|older|above|over|greater|later|up)\b"
)
AFTER_MAXIMUM = re.compile(r"\s*(?:\(.{0,14}\)\s*)?(?:or|and) (?:less|lower|shorter|younger|below|under|fewer)\b")
MINIMUM = (
    "at least",
    "more than",
    "longer than",
    "older than",
    "higher than",
    "greater than",
    "over",
    "above",
    "no less than",
    "minimum of",
)
MAXIMUM = (
    "at most",
    "up to",
    "less than",
    "fewer than",
    "shorter than",
    "younger than",
    "lower than",
    "no more than",
    "under",
    "below",
    "within",
    "as many as",
    "maximum of",
)
TOLERANCE = 1e-6
"""Two values are the same when they differ by no more than this part: what rounding of binary fractions leaves."""
THIRDS = 0.008
"""A third is also 33 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number, or the two ends of a range, as it stands in a text.

    `dimension` is "" for a bare number, "share" for a part of people or cases (0 to 1), "unknown" for
    a unit that no table has; values are in the dimension's first unit. `bound` is `minimum`, `maximum` or "".
    """

    low: float
    high: float | None
    dimension: str
    bound: str
    written: str
    start: int
    counts: tuple[float, ...] = ()
    """The counts that a share is made of: 13 and 38 for "13 of 38"."""

    def equals(self, other: Quantity) -> bool:
        """Whether both say the same amount; a bare number equals one whose unit was left unsaid on its side."""
        if self.dimension != other.dimension:
            return {self.dimension, other.dimension} == {"celsius", "fahrenheit"} and self._same_heat(other)
        thirds = self.dimension == "share" and any(
            "33.33" in each.written or "66.67" in each.written for each in (self, other)
        )
        return (abs(self.low - other.low) < THIRDS if thirds else near(self.low, other.low)) and (
            self.high == other.high
            or (self.high is not None and other.high is not None and near(self.high, other.high))
        )

    def _same_heat(self, other: Quantity) -> bool:
        celsius, fahrenheit = (self, other) if self.dimension == "celsius" else (other, self)
        return self.high is None and other.high is None and abs(celsius.low * 9 / 5 + 32 - fahrenheit.low) < 0.3


def near(one: float, other: float) -> bool:
    """Whether two values are the same but for rounding."""
    return abs(one - other) <= TOLERANCE * max(abs(one), abs(other), 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """All that a text says in numbers."""

    quantities: tuple[Quantity, ...]
    frequencies: frozenset[str]
    vague: frozenset[str]
    units: frozenset[str]
    months: frozenset[str]
    many: frozenset[str]
    text: str


def numbers_of(text: str) -> Numbers:
    """Reads the numbers of a text."""
    plain = digits_for_words(text)
    quantities: list[Quantity] = []
    taken = bytearray(len(plain))
    for pattern, make in ((SHARE, _share), (PERCENT, _percent), (QUANTITY, _quantity)):
        at = 0
        while match := pattern.search(plain, at):
            first = match.start("part" if pattern is SHARE else "low")
            found = None if any(taken[first : match.end()]) or _part_of_a_name(plain, first) else make(plain, match)
            end = match.end()
            if found is not None:
                quantities.append(found)
                if pattern is QUANTITY and match["high"] and found.high is None:
                    end = match.end("low")
                taken[first:end] = b"\1" * (end - first)
            elif pattern is QUANTITY:
                end = match.end("low")
            at = max(end, match.start() + 1)
    for match in re.finditer(r"\bhalf\b(?! (?:an?|hour|day|year|life|way)\b)", plain):
        quantities.append(
            Quantity(low=0.5, high=None, dimension="share", bound="", written="half", start=match.start())
        )
    frequencies = {ADVERBS.get(each, each) for match in FREQUENCY.finditer(plain) for each in match.groups() if each}
    for match in ONE_UNIT.finditer(plain):
        before = plain[: match.start()].rstrip()
        if not before.endswith(("once", "twice", "times", "times per")) and not any(taken[match.start() : match.end()]):
            dimension, factor = UNITS[match.group(1)]
            quantities.append(
                Quantity(
                    low=factor,
                    high=None,
                    dimension=dimension,
                    bound=_bound(plain, match.start(), match.end(), ""),
                    written=match.group(),
                    start=match.start(),
                )
            )
    quantities.sort(key=lambda quantity: quantity.start)
    return Numbers(
        quantities=tuple(quantities),
        frequencies=frozenset(frequencies),
        vague=frozenset(match.group(1).removesuffix("s") for match in VAGUE.finditer(plain)),
        units=frozenset(_unit_words(plain)),
        months=frozenset(match.group() for match in DATE.finditer(plain)),
        many=frozenset(MANY.findall(plain)),
        text=plain,
    )


def _unit_words(plain: str) -> list[str]:
    return [
        word.removesuffix("s") for word in re.findall(r"\b(?:second|minute|hour|day|week|month|year|decade)s?\b", plain)
    ]


def _part_of_a_name(plain: str, start: int) -> bool:
    before = plain[max(0, start - 2) : start]
    return bool(re.search(r"[a-z]-?$", before)) or bool(re.match(r"[a-z]\d", plain[start + 1 : start + 3]))


def _value(written: str, scale: str | None = None) -> float:
    return float(written.rstrip(",").replace(",", "")) * SCALES.get(scale or "", 1)


def _share(plain: str, match: re.Match[str]) -> Quantity | None:
    part, whole = _value(match["part"]), _value(match["whole"])
    years = any(1900 <= each <= 2035 for each in (part, whole))
    if whole < 2 or part > whole:
        if years or not whole or part <= whole or "/" in match.group():
            return None
        return Quantity(
            low=part / whole, high=None, dimension="share", bound="", written=match.group().strip(), start=match.start()
        )
    high = _value(re.findall(NUMBER, match["joined"])[0]) / whole if match["joined"] else None
    return Quantity(
        low=part / whole,
        high=high,
        dimension="share",
        bound=_bound(plain, match.start(), match.end(), ""),
        written=match.group().strip(),
        start=match.start(),
        counts=(part, whole),
    )


def _percent(plain: str, match: re.Match[str]) -> Quantity:
    high = _value(match["high"]) / 100 if match["high"] else None
    return Quantity(
        low=_value(match["low"]) / 100,
        high=high,
        dimension="share",
        bound=_bound(plain, match.start(), match.end(), ""),
        written=match.group().strip(),
        start=match.start(),
    )


def _quantity(plain: str, match: re.Match[str]) -> Quantity | None:
    dimension, factor = _unit(match)
    joined = match["join"] in ("to", "-", "through") or (
        match["join"] in ("and", "or")
        and (match["join"] == "or" or "between" in plain[max(0, match.start() - 9) : match.start("low")])
    )
    low, high = _value(match["low"], match["scale_low"]), None
    if match["unit_low"] and match["unit_low"] != match["unit"]:
        joined = False
    if match["high"] and not joined:
        dimension, factor = UNITS.get((match["unit_low"] or "").removesuffix("s"), ("", 1.0))
    if match["high"] and joined:
        high = _value(match["high"], match["scale"]) * factor
        if match["scale"] and not match["scale_low"]:
            low *= SCALES[match["scale"]]
    elif match["scale"] and not match["high"]:
        low *= SCALES[match["scale"]]
    alone = dimension == "" and high is None
    end = max(match.end("low"), match.end("scale") if alone and not match["high"] else 0) if alone else match.end()
    return Quantity(
        low=low * factor,
        high=high,
        dimension=dimension,
        bound=_bound(plain, match.start(), end, match["bound"] or ""),
        written=plain[match.start("currency") if match["currency"] else match.start("low") : end].strip(),
        start=match.start("low"),
    )


def _unit(match: re.Match[str]) -> tuple[str, float]:
    if match["currency"]:
        return UNITS[match["currency"]]
    unit = (match["unit"] or "").replace(" ", "")
    if unit.startswith(("°", "degree")):
        heat = unit.lstrip("°").removeprefix("degrees").removeprefix("degree")
        return UNITS["celsius" if heat.startswith("c") else "fahrenheit"] if heat else ("degree", 1.0)
    if "/" in unit and unit.split("/")[0] in UNITS:
        return unit, 1.0
    for name in (unit, unit.removesuffix("s")):
        if name in UNITS:
            return UNITS[name]
    return "", 1.0


def _bound(plain: str, start: int, end: int, before: str) -> str:
    before = before or plain[max(0, start - 24) : start]
    before = re.sub(r"\s+(?:about|around|approximately|the|a|an)?\s*$", "", before)
    if before.endswith(MINIMUM) or AFTER_MINIMUM.match(plain, end):
        return "minimum" if not before.endswith(("no more than",)) else "maximum"
    if before.endswith(MAXIMUM) or AFTER_MAXIMUM.match(plain, end):
        return "maximum"
    return ""
