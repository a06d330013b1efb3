"""Numbers for the claim gate: quantities with their units, ranges, spans of time, shares of people, bounds.

A quantity of a sentence has to be one of its source: the same value in the same unit, or one that is
equal to it (two weeks and 14 days, 43 % and 43 of every 100). Months and weeks are not converted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from curio_rag.pipelines.claim_quantities import Numbers, Quantity, near, numbers_of
from curio_rag.pipelines.claim_units import MONTHS

__all__ = ["NumberFault", "number_faults", "numbers_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFault:
    """A number of a sentence that its source does not have: a code and what to say."""

    code: str
    said: str
    source: str


def number_faults(claim: Numbers, source: Numbers) -> list[NumberFault]:
    """What a sentence says in numbers that its source does not say."""
    faults: list[NumberFault] = []
    for quantity in claim.quantities:
        equal = [each for each in source.quantities if _agree(quantity, each)]
        if equal:
            if not any(_bounds_agree(quantity, each) for each in equal):
                faults.append(NumberFault(code="limit", said=_with_bound(quantity), source=_with_bound(equal[0])))
            continue
        if _said_otherwise(quantity, source):
            continue
        nearest = _nearest(quantity, claim, source)
        faults.append(
            NumberFault(code=_code(quantity, nearest), said=_shown(quantity), source=_shown(nearest) if nearest else "")
        )
    if not faults and (exchanged := _exchanged(claim, source)) is not None:
        faults.append(exchanged)
    faults += [
        NumberFault(code="time_span", said=f"every {each}", source="") for each in sorted(_new_rhythms(claim, source))
    ]
    faults += [NumberFault(code="time_span", said=f"{each}s", source="") for each in sorted(claim.vague - source.units)]
    if (said := ONLY_ONCE.search(claim.text)) and not ONE.search(source.text):
        faults.append(NumberFault(code="number", said=said.group(), source=""))
    faults += [NumberFault(code="number", said=each, source="") for each in sorted(claim.many - source.many)]
    faults += [
        NumberFault(code="number", said=each.title(), source="") for each in sorted(claim.months - source.months)
    ]
    return faults


ONLY_ONCE = re.compile(r"\b(?:only|just) once\b|\bonce only\b|(?<!\bat )\bonce(?=\s*[.;)]|\s*$)")
ONE = re.compile(r"\b(?:once|one|single|1)\b")
NEIGHBOUR = re.compile(r"[^\W\d_]{3,}")
WINDOW = 40
"""How many characters on either side of a number tell what it belongs to."""
CLEARLY = 0.5


def _exchanged(claim: Numbers, source: Numbers) -> NumberFault | None:
    """Two numbers of one kind that each stand beside what the source gives to the other."""
    pairs = [
        (each, next((other for other in source.quantities if each.equals(other)), None)) for each in claim.quantities
    ]
    placed = [(each, other) for each, other in pairs if other is not None]
    for number, (one, its) in enumerate(placed):
        for other, others in placed[number + 1 :]:
            if one.dimension != other.dimension or one.equals(other) or its is others:
                continue
            if (one.start < other.start) is (its.start < others.start) and _one_date(source, its, others):
                continue
            straight = _kinship(claim, one, source, its) + _kinship(claim, other, source, others)
            crossed = _kinship(claim, one, source, others) + _kinship(claim, other, source, its)
            if crossed > straight + CLEARLY:
                return NumberFault(
                    code="exchanged",
                    said=f"{one.written} … {other.written}",
                    source=" … ".join(each.written for each in sorted((its, others), key=lambda each: each.start)),
                )
    return None


def _one_date(source: Numbers, one: Quantity, other: Quantity) -> bool:
    """Whether two numbers are the day and the year of one date."""
    first, second = sorted((one.start, other.start))
    return re.fullmatch(rf"\d+ (?:{'|'.join(MONTHS)}),? ", source.text[first:second]) is not None


def _kinship(claim: Numbers, one: Quantity, source: Numbers, other: Quantity) -> float:
    """How much of what stands around two numbers is the same; near words count more."""
    ours, theirs = _around(claim, one), _around(source, other)
    return sum(min(weight, theirs.get(word, 0.0)) for word, weight in ours.items())


def _around(numbers: Numbers, quantity: Quantity) -> dict[str, float]:
    others = [each.start for each in numbers.quantities]
    first = max((start for start in others if start < quantity.start), default=-1)
    last = min((start for start in others if start > quantity.start), default=len(numbers.text))
    weights: dict[str, float] = {}
    for match in NEIGHBOUR.finditer(
        numbers.text, max(first, quantity.start - WINDOW, 0), min(last, quantity.start + WINDOW + 20)
    ):
        word = match.group()[:6]
        distance = abs(match.start() - quantity.start)
        if word not in quantity.written and word not in JOINING:
            weights[word] = max(weights.get(word, 0.0), 1.0 if distance < WINDOW / 2 else 0.5)
    return weights


WORDS_BETWEEN = "and the for with after from within about were was had have has than who out per are"
JOINING = frozenset(WORDS_BETWEEN.split())


def _new_rhythms(claim: Numbers, source: Numbers) -> frozenset[str]:
    return claim.frequencies - source.frequencies


def _agree(one: Quantity, other: Quantity) -> bool:
    if one.equals(other):
        return True
    if one.dimension == "" and one.high is None and one.low in other.counts:
        return True
    # "in 38 to 61 people" may come back as two numbers; the ends of a range are numbers too, with their bound
    if one.high is None and other.high is not None and one.dimension == other.dimension:
        return (one.bound == "minimum" and near(one.low, other.low)) or (
            one.bound == "maximum" and near(one.low, other.high)
        )
    return False


def _bounds_agree(one: Quantity, other: Quantity) -> bool:
    return one.bound == other.bound or other.high is not None


def _said_otherwise(quantity: Quantity, source: Numbers) -> bool:
    """A year that the source gives as part of a date, "one" and "a single", a count that the words make plain."""
    if quantity.dimension == "" and quantity.high is None:
        if quantity.low == 2 and re.search(r"\b(?:both|pair|couple|either|two)\b", source.text):
            return True
        if quantity.low == 1 and re.search(r"\b(?:one|single|once)\b", source.text):
            return True
        if quantity.low == 1.5 and "one and a half" in source.text:
            return True
    return False


def _nearest(quantity: Quantity, claim: Numbers, source: Numbers) -> Quantity | None:
    """What the source says in the place of a number: of the same kind, not said elsewhere, in the same company."""
    unsaid = [each for each in source.quantities if not any(other.equals(each) for other in claim.quantities)]
    others = unsaid or source.quantities
    same = [each for each in others if each.dimension == quantity.dimension]
    times = [each for each in others if {each.dimension, quantity.dimension} <= {"time", "calendar"}]
    other_unit = [each for each in others if each.written.split()[0] == quantity.written.split()[0]]
    return max(same or times or other_unit, key=lambda each: _kinship(claim, quantity, source, each), default=None)


def _code(quantity: Quantity, nearest: Quantity | None) -> str:
    if quantity.dimension in ("time", "calendar"):
        return "time_span"
    return "unit" if nearest is not None and nearest.dimension != quantity.dimension else "number"


def _with_bound(quantity: Quantity) -> str:
    words = {"minimum": "at least ", "maximum": "at most "}
    return f"{words.get(quantity.bound, '')}{_shown(quantity)}"


def _shown(quantity: Quantity) -> str:
    """As people write it: texts are read in lower case, degrees are not."""
    return re.sub(r"° ?[cf]$", lambda match: match.group().upper(), quantity.written)
