"""Two passages that give different figures for the same thing: found by rules, precise rather than complete.

Two sentences are compared only where they speak of the same thing (nearly the same content words), with
the same scope (country, product, population, organisation, year, grade, condition, and how many people
it is true of) and with the same kinds of figures in the same order. What differs in whom or when it is
for is no conflict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from curio_rag.domain.digests import Json
from curio_rag.domain.figures import Figure, figures_of
from curio_rag.domain.question_types import WORD, QuestionTypes
from curio_rag.domain.sources import Passage, Span
from curio_rag.ports import PassageIndex, PassageShelf, VectorField, VectorShelf

SIMILAR = 0.5
"""The least cosine of two passages that are compared over a whole library, by the default model. Sentences of the
bundled documents that say the same stand in passages with .75 or more; half of all pairs there have less than .46."""

SHARED_WORDS = 1
MOST_FURTHER_WORDS = 3
"""One of the sentences may say so many words more than the other; each may not."""

_QUALIFIERS = re.compile(
    r"\b(?:most(?:ly)?|some|few|many|all|every|rare(?:ly)?|often|usual(?:ly)?|severe|serious|mild|bad|early|late|first|"
    r"second|third|middle|median|average|typical(?:ly)?|grade|new|other|another|live|not|never|no|men|women|children|"
    r"child|adults?|girls?|boys?|babies|young|older|younger|if|when|unless|until|since|before|while|during|without|who|instead)\b",
    re.IGNORECASE,
)
"""Words that say for whom, when, how bad or which; a sentence with one and a sentence without differ in scope."""

_MARKER = re.compile(r"\s*(?:[-•*]|\d{1,2}[.)])\s+")
_MONTH_NAMES = "january february march april may june july august september october november december"
_MONTHS = frozenset(_MONTH_NAMES.split())
_INNER_CAPITAL = re.compile(r"[A-Z].*[A-Z0-9]|\d")
_ENDINGS = re.compile(r"(?:ations?|ions?|ing|ings|ied|ies|ed|es|s|e|ly|ment|ments)$")
_SPLIT_POPULATION = re.compile(r"[,;/]| and ", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One sentence with figures and what is known of its scope; `span` lies in the document of the passage."""

    text: str
    span: Span
    passage: Passage
    figures: tuple[Figure, ...]
    words: frozenset[str]
    scope: frozenset[str]
    """What the sentence itself says of whom, where and when it is for."""
    around: frozenset[str]
    """The words of the title and the headings that it stands under, which it need not say again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Two statements on one thing whose figures cannot both be right, and these figures."""

    first: Statement
    second: Statement
    figures: tuple[Figure, Figure]

    def to_dict(self) -> dict[str, Json]:
        """As `curio check --conflicts --json` shows it."""
        return {
            "statements": [
                {
                    "document_id": each.passage.document_id,
                    "heading_path": list(each.passage.heading_path),
                    "text": " ".join(each.text.split()),
                    "start": each.span.start,
                    "end": each.span.end,
                    "figure": figure.span.of(each.text),
                    "jurisdiction": each.passage.jurisdiction,
                    "products": list(each.passage.products),
                    "population": each.passage.population,
                    "as_of": each.passage.as_of,
                }
                for each, figure in zip((self.first, self.second), self.figures, strict=True)
            ]
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictFinder:
    """`split` gives the spans of the sentences of a text."""

    types: QuestionTypes
    split: Callable[[str], Iterable[Span]]

    def statements(self, passage: Passage) -> Iterator[Statement]:
        """The sentences of a passage that hold figures."""
        for span in self.split(passage.text):
            marker = _MARKER.match(span.of(passage.text))
            start = span.start + (marker.end() if marker else 0)
            at = Span(start=passage.span.start + start, end=passage.span.start + span.end)
            statement = self.statement(passage.text[start : span.end], passage, at=at)
            if statement is not None:
                yield statement

    def statement(self, text: str, passage: Passage, *, at: Span) -> Statement | None:
        """A sentence as it is compared; None where it holds no figure."""
        figures = figures_of(text)
        plain = tuple(figure for figure in figures if figure.kind != "year") or figures
        if not plain:
            return None
        without = _without(text, figures)
        scope = {match.group().lower() for match in _QUALIFIERS.finditer(without)}
        scope |= {name.lower() for name in _names(without)}
        if plain is not figures:
            scope |= {f"{figure.low:.0f}" for figure in figures if figure.kind == "year"}
        return Statement(
            text=text,
            span=at,
            passage=passage,
            figures=plain,
            words=frozenset(map(_stem, self.types.content_terms(without))),
            scope=frozenset(scope),
            around=frozenset(
                form
                for match in WORD.finditer(" ".join((passage.title, *passage.heading_path)).lower())
                for form in (match.group(), _stem(match.group()))
            ),
        )

    def between(self, first: Statement, second: Statement) -> Disagreement | None:
        """How two statements disagree, or None."""
        if [figure.kind for figure in first.figures] != [figure.kind for figure in second.figures]:
            return None
        if not _same_thing(first, second) or not _same_scope(first, second):
            return None
        for one, other in zip(first.figures, second.figures, strict=True):
            if not one.agrees(other):
                return Disagreement(first=first, second=second, figures=(one, other))
        return None

    def among(self, statements: Sequence[Statement]) -> Iterator[Disagreement]:
        """Every disagreement, each pair once, in order; sentences of one document are compared too."""
        for number, first in enumerate(statements):
            for second in statements[number + 1 :]:
                found = self.between(first, second)
                if found is not None:
                    yield found


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictParts:
    """What a whole library is searched with; `model` names the vectors of `vectors` that `index` holds."""

    finder: ConflictFinder
    shelf: PassageShelf
    vectors: VectorShelf
    index: PassageIndex
    model: str


def conflicts_in_library(parts: ConflictParts, document_ids: Sequence[str]) -> tuple[Disagreement, ...]:
    """Every disagreement between passages of these documents that are about the same, by the vectors of their texts.

    The time grows with the square of the number of sentences that hold figures (388 in the bundled
    documents: 1 s). Raises `IndexDamaged` for a passage that the index does not hold.
    """
    passages = [passage for document_id in document_ids for passage in parts.shelf.passages_of(document_id)]
    statements = [statement for passage in passages for statement in parts.finder.statements(passage)]
    return tuple(found for found in parts.finder.among(statements) if _similarity(parts, found) >= SIMILAR)


def _similarity(parts: ConflictParts, found: Disagreement) -> float:
    one, other = found.first.passage.id, found.second.passage.id
    entry = next(iter(parts.vectors.index_entries(parts.model, [one])))
    return parts.index.similarities(VectorField.TEXT, entry.text_vector, [other])[0]


def _same_thing(first: Statement, second: Statement) -> bool:
    shared = first.words & second.words
    only_first, only_second = first.words - shared - second.around, second.words - shared - first.around
    if len(shared) < SHARED_WORDS or (only_first and only_second):
        return False
    further = only_first | only_second
    return len(further) <= MOST_FURTHER_WORDS and len(further) <= len(shared)


def _same_scope(first: Statement, second: Statement) -> bool:
    one, other = first.passage, second.passage
    places = {place for place in (one.jurisdiction, other.jurisdiction) if place not in (None, "", "international")}
    if len(places) > 1:
        return False
    if one.products and other.products and not set(one.products) & set(other.products):
        return False
    if one.population and other.population and not _people(one.population) & _people(other.population):
        return False
    return not (first.scope - second.scope - second.around) and not (second.scope - first.scope - first.around)


def _people(population: str) -> set[str]:
    return {part.strip().lower() for part in _SPLIT_POPULATION.split(population)}


def _without(text: str, figures: Sequence[Figure]) -> str:
    for figure in reversed(figures):
        text = f"{text[: figure.span.start]} {text[figure.span.end :]}"
    return text


def _names(text: str) -> Iterator[str]:
    """Words with a capital that does not merely begin the sentence."""
    for number, match in enumerate(WORD.finditer(text)):
        word = match.group()
        if ((number and word[0].isupper()) or _INNER_CAPITAL.search(word)) and word.lower() not in _MONTHS:
            yield word


def _stem(word: str) -> str:
    stem = _ENDINGS.sub("", word)
    return (stem if len(stem) >= 3 else word)[:6]
