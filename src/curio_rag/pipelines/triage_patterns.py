"""Finds the signs of a rule book in the words of a question; `domain/triage_rules.py` tells how a pattern reads."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from curio_rag.domain.triage_rules import Sign
from curio_rag.pipelines.triage_text import Words

WINDOW = 8
_RANGE = re.compile(r"#(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")
_SHORTEST_STEM = 2


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """Where a sign stands: the indices of its first and last word."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Clauses of term numbers; a clause's terms follow each other, its clauses stand close in any order."""

    clauses: tuple[tuple[int, ...], ...]
    window: int
    at_start: bool


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
    ) -> None:
        """Raises `ValueError` naming the sign and the pattern that cannot be read."""
        self._terms = _Terms()
        self._signs: dict[str, tuple[_Pattern, ...]] = {}
        for sign in signs:
            self._signs[sign.name] = tuple(
                self._compile(pattern, sign.name, classes, clean, fillers) for pattern in sign.patterns
            )

    @property
    def vocabulary(self) -> frozenset[str]:
        """Every whole word that some pattern looks for."""
        return frozenset(self._terms.words)

    def find(self, words: Words) -> dict[str, tuple[Hit, ...]]:
        """The hits of every sign that occurs, in order of the text."""
        index = self._index(words)
        starts = frozenset(words.starts())
        found: dict[str, tuple[Hit, ...]] = {}
        for name, patterns in self._signs.items():
            hits = {hit for pattern in patterns for hit in _hits(pattern, index, words, starts)}
            if hits:
                found[name] = tuple(sorted(hits))
        return found

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

    def _compile(
        self,
        text: str,
        sign: str,
        classes: Mapping[str, Sequence[str]],
        clean: Callable[[str], str],
        fillers: frozenset[str],
    ) -> _Pattern:
        window, body = WINDOW, text.strip()
        head, colon, rest = body.partition(":")
        if colon and head.strip().isdigit():
            window, body = int(head), rest.strip()
        at_start = body.startswith("^")
        clauses: list[tuple[int, ...]] = []
        for clause in body.removeprefix("^").split("..."):
            terms = [_alternatives(term, classes, clean, where=f"{sign}: {text}") for term in clause.split()]
            kept = [term for term in terms if not fillers.issuperset(term)]
            if not kept:
                raise ValueError(f"the pattern '{text}' of {sign} has a part without words")
            clauses.append(tuple(self._terms.number(term) for term in kept))
        return _Pattern(clauses=tuple(clauses), window=window, at_start=at_start)


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


def _hits(pattern: _Pattern, index: Mapping[int, list[int]], words: Words, starts: frozenset[int]) -> Iterable[Hit]:
    """One hit for each place of the rarest clause that has all other clauses within the window."""
    runs: list[tuple[list[int], int]] = []
    for clause in pattern.clauses:
        places = _runs(clause, index, words)
        if not places:
            return
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
            yield Hit(begin, end)


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
