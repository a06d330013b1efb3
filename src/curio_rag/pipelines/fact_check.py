"""Whether sentences convey a fact, by words, figures and negation alone: covered, contradicted or missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from curio_rag.domain.eval_reports import FactStatus
from curio_rag.domain.evals import normalise
from curio_rag.domain.figures import figures_of

COVERED_FROM = 0.5
"""The share of a fact's content words that a sentence must have to convey it. Of the facts of the development gold
cases 94 % are judged as their wordings judge them at .5, 91 % at .4 and 92 % at .6 (`evals/fact_check_report.py`)."""

SUPPORTED_FROM = 0.6
"""The same of a sentence and its quotes, which may say less than half in other words."""

DENIED_FROM = 0.75
"""A sentence with so many of a fact's words and the other sense denies it; with fewer it may be about another thing."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nobody|without|cannot|can't|don't|doesn't|isn't|aren't|won't)\b|n['’]t\b"
)
_ENDINGS = (
    "ations",
    "ation",
    "ments",
    "ment",
    "ingly",
    "ings",
    "ing",
    "ions",
    "ion",
    "edly",
    "ies",
    "ed",
    "es",
    "ly",
    "s",
)
_SMALL = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by can could did do does for from had has have he her his how i if in into is "
        "it its may might more most must of on or our out over she should so some such than that the their them then "
        "there these they this those to up was we were what when which while who will with would you your about after "
        "also any before each every other says said people person",
    )
)


def judge_fact(fact: str, sentences: Sequence[str], *, covered_from: float = COVERED_FROM) -> FactStatus:
    """What the sentences, one or two neighbours at a time, do with a fact.

    Covered where enough of its content words and all of its numbers stand there and it is negated
    as often; contradicted where the words stand there with another figure or the other sense.
    """
    wanted = frozenset(stem for stem in content_stems(fact) if not stem[0].isdigit())
    if not wanted:
        return FactStatus.MISSING
    found = FactStatus.MISSING
    for text in (*sentences, *(f"{first} {second}" for first, second in pairwise(sentences))):
        share = len(wanted & content_stems(text)) / len(wanted)
        if share < covered_from:
            continue
        same_sense = _negated(fact) == _negated(text)
        if _numbers(fact) <= _numbers(text) and same_sense:
            return FactStatus.COVERED
        if _other_figure(fact, text) or (not same_sense and share >= DENIED_FROM):
            found = FactStatus.CONTRADICTED
    return found


def supports(quotes: Sequence[str], sentence: str) -> bool:
    """Whether quotes carry a sentence: it is their own words, or they convey all that it says."""
    joined = " ".join(" ".join(quote.split()) for quote in quotes)
    said = " ".join(sentence.split())
    if not joined or not said:
        return False
    return said == joined or judge_fact(said, [joined], covered_from=SUPPORTED_FROM) is FactStatus.COVERED


def content_stems(text: str) -> frozenset[str]:
    """The words that carry meaning, without their endings, and the numbers."""
    return frozenset(_stem(word) for word in normalise(text).split() if word not in _SMALL)


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def _numbers(text: str) -> frozenset[str]:
    return frozenset(match.group().replace(",", "") for match in _NUMBER.finditer(text))


def _negated(text: str) -> bool:
    return len(_NEGATION.findall(text.lower())) % 2 == 1


def _other_figure(fact: str, text: str) -> bool:
    """Whether the text gives figures of a kind that the fact gives, and none of them agrees."""
    given = figures_of(text)
    for figure in figures_of(fact):
        agreements = [figure.agrees(each) for each in given if each.kind == figure.kind]
        if agreements and not any(agreements):
            return True
    return False
