"""What is searched for a question: the parts that ask, their terms, and what was mended and expanded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from curio_rag.domain.question_types import WORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A word as it was written and the word that was searched instead."""

    written: str
    mended: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """A word or phrase of the question and what it stands for, which is searched beside it.

    One that is `keyword_only` is another spelling, and no part of what is embedded.
    """

    written: str
    meaning: str
    keyword_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """A question as it is searched: `whole` is what is left of it, `parts` are what it asks, at most three.

    `terms` are the content words of `whole` in lower case, each once, in order; `drugs` are those of
    them that name a drug or a trial product.
    """

    whole: str
    parts: tuple[str, ...]
    terms: tuple[str, ...]
    drugs: tuple[str, ...] = ()
    corrections: tuple[Correction, ...] = ()
    expansions: tuple[Expansion, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """What is embedded: the whole and each part, each once, with the meanings in parentheses."""
        return tuple(dict.fromkeys(_expanded(text, self.expansions) for text in (self.whole, *self.parts)))

    def respelt(self, text: str) -> str:
        """A part of the question in its other spelling ("leukemia" for "leukaemia"), which names the same diseases."""
        for each in self.expansions:
            if each.keyword_only:
                text = _as_word(each.written).sub(each.meaning, text)
        return text

    @property
    def phrases(self) -> tuple[str, ...]:
        """Each two terms that are neighbours in the question, once, in order."""
        words = [match.group().lower() for match in WORD.finditer(self.whole)]
        known = frozenset(self.terms)
        pairs = (f"{first} {second}" for first, second in pairwise(words) if first in known and second in known)
        return tuple(dict.fromkeys(pairs))

    @property
    def keywords(self) -> tuple[str, ...]:
        """What the keyword search looks for: the terms, and the words of what they stand for."""
        words = [word.lower() for expansion in self.expansions for word in expansion.meaning.split()]
        return tuple(dict.fromkeys((*self.terms, *words)))

    def alternatives(self, term: str) -> tuple[str, ...]:
        """A term, and the words or phrases that say the same: a passage with any of them covers it."""
        meanings = (each.meaning.lower() for each in self.expansions if term in each.written.lower().split())
        return (term, *meanings)

    def searched(self, passages: int) -> tuple[str, ...]:
        """For people: the terms, what was mended, what was added. No sentence of the question is in it."""
        lines = [f"{passages} passages for: {', '.join(self.terms)}"]
        if self.corrections:
            lines.append("mended: " + ", ".join(f"{each.written} to {each.mended}" for each in self.corrections))
        if self.expansions:
            lines.append("also: " + ", ".join(f"{each.meaning} for {each.written}" for each in self.expansions))
        return tuple(lines)


def _as_word(written: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(written)}(?![\w-])")


def _expanded(text: str, expansions: Iterable[Expansion]) -> str:
    """The text with each meaning in parentheses where its word is first used."""
    for each in expansions:
        found = None if each.keyword_only else _as_word(each.written).search(text)
        if found:
            text = f"{text[: found.end()]} ({each.meaning}){text[found.end() :]}"
    return text
