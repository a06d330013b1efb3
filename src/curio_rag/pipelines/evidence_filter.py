"""Which passages may be evidence at all: on the disease, the drug and the age group that the question names."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from enum import StrEnum

from curio_rag.domain.question_types import QuestionTypes, mentions, mentions_whole
from curio_rag.domain.search_plan import SearchPlan
from curio_rag.domain.sources import Hit, Passage
from curio_rag.ports import PassageIndex

ADULT_AGE = 18

REPEATED = 0.9
"""Two passages say the same when they share this much of their runs of five words, and all of their numbers."""

SHINGLE = 5

_CHILD = re.compile(
    r"\b(?:child|children|childhood|kids?|bab(?:y|ies)|toddlers?|infants?|newborns?|p(?:a)?ediatric)\b", re.IGNORECASE
)
_ADULT = re.compile(r"\badults?\b", re.IGNORECASE)
_AGE = re.compile(
    r"\b(\d{1,3})[- ]?(?:(?:years?|yrs?|y)[- ]?(?:olds?|o)\b|yo\b)|\b(?:aged?|turned|i am|i'm|im) (\d{1,3})\b", re.I
)
_MONTHS = re.compile(r"\b\d{1,2}[- ](?:days?|weeks?|months?)[- ]old\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


class AgeGroup(StrEnum):
    """For whom a text is."""

    CHILDREN = "children"
    ADULTS = "adults"


def age_group(text: str) -> AgeGroup | None:
    """The one age group that a text is about; None where it names none, or both."""
    ages = [int(found[0] or found[1]) for found in _AGE.findall(text)]
    child = bool(_CHILD.search(text) or _MONTHS.search(text)) or any(age < ADULT_AGE for age in ages)
    adult = bool(_ADULT.search(text)) or any(age >= ADULT_AGE for age in ages)
    if child == adult:
        return None
    return AgeGroup.CHILDREN if child else AgeGroup.ADULTS


def for_the_asker(plan: SearchPlan, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits without those that are for the other age group than the question is about."""
    asked = age_group(plan.whole)
    if asked is None:
        return tuple(hits)
    return tuple(hit for hit in hits if passage_group(hit.passage) in (None, asked))


def passage_group(passage: Passage) -> AgeGroup | None:
    """For whom a passage is, by its title and headings, or else by what its document says of itself."""
    names = " ".join((passage.title, *passage.heading_path))
    if _CHILD.search(names) or _ADULT.search(names):
        return age_group(names)
    return age_group(passage.population or "")


def diseases_named(plan: SearchPlan, types: QuestionTypes) -> tuple[tuple[str, ...], ...]:
    """Every disease that the question names, by the way too."""
    return _diseases(plan, (plan.whole,), types)


def diseases_asked_for(plan: SearchPlan, types: QuestionTypes) -> tuple[tuple[str, ...], ...]:
    """The diseases that the question is about: those of its parts, where each of them names one; else none.

    Who writes "I have rheumatoid arthritis. Why do my gums bleed?" does not ask about arthritis.
    """
    each = [_diseases(plan, (part,), types) for part in plan.parts]
    return tuple(dict.fromkeys(named for found in each for named in found)) if all(each) else ()


def _diseases(plan: SearchPlan, texts: Sequence[str], types: QuestionTypes) -> tuple[tuple[str, ...], ...]:
    spellings = (spelt for text in texts for spelt in (text, plan.respelt(text)))
    return tuple(dict.fromkeys(named for text in spellings for named in types.diseases_in(text)))


def on_subject(asked: Sequence[tuple[str, ...]], hits: Sequence[Hit], types: QuestionTypes) -> tuple[Hit, ...]:
    """The hits without those of documents on another disease than these; all of them for none.

    A passage on anal cancer may well speak of cervical cancer, and still answers no question about
    it. A document whose title or headings name a disease must name the one that is asked for, with
    every word that says which; one whose names speak of no disease is left to the other signals.
    """
    return tuple(hit for hit in hits if not asked or _speaks_of(asked, hit.passage, types))


def _speaks_of(asked: Sequence[tuple[str, ...]], passage: Passage, types: QuestionTypes) -> bool:
    names = " ".join((passage.title, *passage.heading_path))
    if not types.diseases_in(names):
        return True
    for disease in asked:
        *which, kind = disease
        if not which and mentions(passage.text, kind):
            return True
        needed = which if which and kind in types.loose_diseases else disease
        negated = "non" in re.findall(r"[a-z]+", names.lower()) and "non" not in " ".join(disease)
        if not negated and all(mentions(names, word) for word in needed):
            return True
    return False


def with_drugs(index: PassageIndex, plan: SearchPlan, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Where the question names a drug, the hits that name it too: what is true of another drug answers nothing."""
    if not plan.drugs:
        return tuple(hits)
    ids = [hit.passage.id for hit in hits]
    named = frozenset[str]().union(*index.matching(plan.drugs, ids))
    return tuple(hit for hit in hits if hit.passage.id in named)


def on_the_product(plan: SearchPlan, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits without those that stand under the name of a product that is not asked about.

    Products are those that the documents declare. A heading that is nothing but a product's name
    announces what is true of that product alone, and answers only who names it; one that says more
    ("What trials found with Carvykti") answers everybody but those who name another product.
    """
    known = {name.lower() for hit in hits for name in hit.passage.products}
    asked = {name for name in known if mentions_whole(plan.whole, name)}
    return tuple(hit for hit in hits if _product_fits(hit.passage.heading_path, known, asked))


def _product_fits(heading_path: Sequence[str], known: Collection[str], asked: Collection[str]) -> bool:
    heading = heading_path[-1].lower() if heading_path else ""
    named = {name for name in known if mentions_whole(heading, name)}
    if not named or named & set(asked):
        return True
    return not asked and heading.strip(" :") not in named


def without_repeats(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits without those that say word for word what a better one says; other numbers are another statement."""
    kept: list[tuple[Hit, frozenset[tuple[str, ...]], frozenset[str]]] = []
    for hit in hits:
        runs, numbers = _runs(hit.passage.text), frozenset(_NUMBER.findall(hit.passage.text))
        if not any(numbers == known and _overlap(runs, others) >= REPEATED for _, others, known in kept):
            kept.append((hit, runs, numbers))
    return tuple(hit for hit, _, _ in kept)


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return frozenset(tuple(words[at : at + SHINGLE]) for at in range(max(1, len(words) - SHINGLE + 1)))


def _overlap(left: frozenset[tuple[str, ...]], right: frozenset[tuple[str, ...]]) -> float:
    """The Jaccard index."""
    return len(left & right) / len(left | right)
