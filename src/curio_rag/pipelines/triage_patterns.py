"""Finds the signs of a rule book in the words of a question; `domain/triage_rules.py` tells how a pattern reads."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from curio_rag.domain.triage_rules import Sign
from curio_rag.pipelines.triage_text import Words

WINDOW = 8
_RANGE = re.compile(r"#(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")
_SHORTEST_STEM = 2


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """Where a sign stands: the indices of its first and last word.

    `negative` is set where the sign itself is that something is missing or does not stop.
    """

    first: int
    last: int
    negative: bool = False


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Clauses of term numbers; a clause's terms follow each other, its clauses stand close in any order."""

    clauses: tuple[tuple[int, ...], ...]
    window: int
    at_start: bool
    negative: bool


@dataclass(slots=True)
class _Terms:
    """Every alternation that occurs in a pattern, numbered, with the ways to recognise one in a word."""

    numbers: dict[tuple[str, ...], int] = field(default_factory=dict)
    words: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    stems: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    ranges: list[tuple[float, float, int]] = field(default_factory=list)

    def number(self, alternatives: tuple[str, ...]) -> int:
        known = self.numbers.get(alternatives)
        if known is not None:
            return known
        number = self.numbers[alternatives] = len(self.numbers)
        for word in dict.fromkeys(alternatives):
            measured = _RANGE.fullmatch(word)
            if measured:
                self.ranges.append((float(measured[1]), float(measured[2]), number))
            elif word.endswith("*"):
                self.stems[word[:-1]].append(number)
            else:
                self.words[word].append(number)
        return number

    def of_word(self, word: str) -> tuple[int, ...]:
        found = list(self.words.get(word, ()))
        for length in range(_SHORTEST_STEM, len(word) + 1):
            found.extend(self.stems.get(word[:length], ()))
        return tuple(found)

    def of_number(self, value: float) -> Iterable[int]:
        return (number for low, high, number in self.ranges if low <= value <= high)


class PatternBook:
    """The compiled patterns of all signs. Immutable after construction, safe to share between threads."""

    def __init__(
        self,
        signs: Iterable[Sign],
        *,
        classes: Mapping[str, Sequence[str]],
        clean: Callable[[str], str],
        fillers: frozenset[str],
        negations: frozenset[str],
    ) -> None:
        """Raises `ValueError` naming the sign and the pattern that cannot be read."""
        self._terms = _Terms()
        self._classes, self._clean, self._fillers, self._negations = classes, clean, fillers, negations
        self._by_first_term: dict[int, list[tuple[str, _Pattern]]] = defaultdict(list)
        for sign in signs:
            for text in sign.patterns:
                for variant in _variants(text, classes):
                    pattern = self._compile(variant, sign.name)
                    self._by_first_term[pattern.clauses[0][0]].append((sign.name, pattern))

    @property
    def vocabulary(self) -> frozenset[str]:
        """Every whole word that some pattern looks for."""
        return frozenset(self._terms.words)

    def find(self, words: Words) -> dict[str, tuple[Hit, ...]]:
        """The hits of every sign that occurs, in order of the text."""
        index = self._index(words)
        starts = frozenset(words.starts())
        found: dict[str, set[Hit]] = defaultdict(set)
        for term in tuple(index):
            for name, pattern in self._by_first_term.get(term, ()):
                hits = _hits(pattern, index, words, starts)
                if hits:
                    found[name].update(hits)
        return {name: tuple(sorted(hits)) for name, hits in found.items()}

    def _index(self, words: Words) -> dict[int, list[int]]:
        index: dict[int, list[int]] = defaultdict(list)
        seen: dict[str, tuple[int, ...]] = {}
        for place, token in enumerate(words.tokens):
            terms = seen.get(token)
            if terms is None:
                terms = seen[token] = self._terms.of_word(token)
            value = words.numbers.get(place)
            for term in dict.fromkeys((*terms, *self._terms.of_number(value))) if value is not None else terms:
                if not index[term] or index[term][-1] != place:
                    index[term].append(place)
        return index

    def _compile(self, text: str, sign: str) -> _Pattern:
        window, body = WINDOW, text.strip()
        head, colon, rest = body.partition(":")
        if colon and head.strip().isdigit():
            window, body = int(head), rest.strip()
        at_start = body.startswith("^")
        clauses: list[tuple[int, ...]] = []
        negative = False
        for clause in body.removeprefix("^").split("..."):
            terms = [
                _alternatives(term, self._classes, self._clean, where=f"{sign}: {text}") for term in clause.split()
            ]
            kept = [term for term in terms if not self._fillers.issuperset(term)]
            if not kept:
                raise ValueError(f"the pattern '{text}' of {sign} has a part without words")
            negative = negative or any(self._negations.intersection(term) for term in kept)
            clauses.append(tuple(self._terms.number(term) for term in kept))
        return _Pattern(clauses=tuple(clauses), window=window, at_start=at_start, negative=negative)


def _variants(text: str, classes: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """The pattern without alternatives of several words (`pear_drops`), and once for each of them."""
    terms = [
        ["|".join(single), *joined] if joined else [term]
        for term in text.split()
        for joined in [
            [word.replace("_", " ") for word in term.split("|") if "_" in word and word[1:-1] not in classes]
        ]
        for single in [[word for word in term.split("|") if "_" not in word or word[1:-1] in classes]]
    ]
    return (" ".join(filter(None, chosen)) for chosen in product(*terms) if all(chosen))


def _alternatives(
    term: str, classes: Mapping[str, Sequence[str]], clean: Callable[[str], str], *, where: str
) -> tuple[str, ...]:
    found: list[str] = []
    for word in term.split("|"):
        if word.startswith("<") and word.endswith(">"):
            if word[1:-1] not in classes:
                raise ValueError(f"unknown word class {word} in {where}")
            found.extend(classes[word[1:-1]])
        elif word.startswith("#"):
            if not _RANGE.fullmatch(word):
                raise ValueError(f"unreadable range {word} in {where}")
            found.append(word)
        else:
            found.append(clean(word))
    if not all(found) or any(word == "*" for word in found):
        raise ValueError(f"an empty word in {where}")
    return tuple(found)


def _hits(pattern: _Pattern, index: Mapping[int, list[int]], words: Words, starts: frozenset[int]) -> list[Hit]:
    """One hit for each place of the rarest clause that has all other clauses within the window."""
    hits: list[Hit] = []
    if any(term not in index for clause in pattern.clauses for term in clause):
        return hits
    runs: list[tuple[list[int], int]] = []
    for clause in pattern.clauses:
        places = _runs(clause, index, words)
        if not places:
            return hits
        runs.append((places, len(clause)))
    if pattern.at_start:
        first, length = runs[0]
        near = [place for place in first if any(place - back in starts for back in range(3))]
        runs[0] = (near, length)
    anchor, length = min(runs, key=lambda run: len(run[0]))
    for place in anchor:
        begin, end = place, place + length - 1
        for places, size in runs:
            if places is anchor:
                continue
            nearest = _nearest(places, place, words)
            if nearest is None or abs(words.places[nearest] - words.places[place]) > pattern.window:
                break
            begin, end = min(begin, nearest), max(end, nearest + size - 1)
        else:
            hits.append(Hit(begin, end, pattern.negative))
    return hits


def _runs(clause: tuple[int, ...], index: Mapping[int, list[int]], words: Words) -> list[int]:
    """Where the terms of a clause follow each other without a gap."""
    places = index.get(clause[0], [])
    for offset, term in enumerate(clause[1:], 1):
        if not places:
            break
        following = set(index.get(term, ()))
        places = [
            place
            for place in places
            if place + offset in following and words.places[place + offset] - words.places[place] == offset
        ]
    return places


def _nearest(places: Sequence[int], place: int, words: Words) -> int | None:
    after = bisect_left(places, place)
    around = [places[at] for at in (after - 1, after) if 0 <= at < len(places)]
    return min(around, key=lambda other: abs(words.places[other] - words.places[place]), default=None)
