"""Reads a sentence for the claim gate: words with what they may stand for, clauses, abbreviations spelt out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from curio_rag.domain.claim_words import ClaimWords
from curio_rag.domain.glossary import Glossary
from curio_rag.pipelines.claim_units import digits_for_numerals

TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?\d*|\d[\d,]*(?:\.\d+)?|[.,;:!?()\[\]—–%]")
LETTERED_NUMBER = re.compile(r"[^\W\d_]+\d+")
CONTRACTION = re.compile(r"\b(\w+?)n['’]t\b", re.IGNORECASE)
BARE_CONTRACTION = re.compile(r"\b(do|does|is|are|did|was|were|has|have|should|could|would)nt\b", re.IGNORECASE)
BARE_CANNOT = re.compile(r"\b(?:cannot|cant|can['’]t)\b", re.IGNORECASE)
CAPITAL_COUNTRY = re.compile(r"\b(?:US|USA|UK|EU)\b")
CAPITAL_COUNTRIES = {"US": "usa", "USA": "usa", "UK": "uk", "EU": "eu"}
BREAKS = frozenset(".,;:!?()[]—–")
OPENERS = "but because so although though while whereas unless until till if when whenever which who where especially"
OPENING = frozenset(OPENERS.split())
LONGEST_ABBREVIATED = 7
REMEMBERED = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word as it is written, in lower case with one spelling, and what it may stand for.

    `clause` counts the clauses of the text from 0; `initial` marks the first word of a sentence.
    """

    written: str
    lower: str
    senses: frozenset[str]
    clause: int
    initial: bool

    @property
    def is_abbreviation(self) -> bool:
        """Whether it is written in capitals, as CRS is."""
        return len(self.written) > 1 and self.written.rstrip("s").isupper()

    @property
    def is_name(self) -> bool:
        """Whether it has a capital letter that no beginning of a sentence explains, or letters with a number."""
        if LETTERED_NUMBER.fullmatch(self.written):
            return True
        return self.written[0].isupper() and not self.initial and len(self.written) > 1


@dataclass(frozen=True, kw_only=True)
class ReadText:
    """A text with its words, numbers left out of them."""

    text: str
    words: tuple[Word, ...]
    breaks: frozenset[int]

    @cached_property
    def senses(self) -> frozenset[str]:
        """Everything that any of the words may stand for."""
        return frozenset[str]().union(*(word.senses for word in self.words))

    @cached_property
    def lower(self) -> frozenset[str]:
        """The words in lower case."""
        return frozenset(word.lower for word in self.words)

    @cached_property
    def abbreviations(self) -> frozenset[str]:
        """The abbreviations, without the s of a plural."""
        return frozenset(word.written.rstrip("s") for word in self.words if word.is_abbreviation)

    def spelt_out(self, abbreviation: str) -> tuple[int, ...]:
        """The places of consecutive words whose first letters make an abbreviation; none where there are no such."""
        size = len(abbreviation)
        if not 2 <= size <= LONGEST_ABBREVIATED:
            return ()
        initials = "".join(word.written[0].upper() for word in self.words)
        at = initials.find(abbreviation)
        return tuple(range(at, at + size)) if at >= 0 else ()


class TextReader:
    """Reads texts with one vocabulary."""

    def __init__(self, words: ClaimWords, glossary: Glossary) -> None:
        self.vocabulary = words
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._read_afresh)
        self._concepts = tuple(
            tuple(frozenset(self._stems(form)) for form in (*entry.written, entry.meaning))
            for entry in glossary.entries
        )
        self._forms = [(number, form) for number, forms in enumerate(self._concepts) for form in forms if form]

    def read(self, text: str) -> ReadText:
        """The words of a text; contractions, countries and words such as "unsafe" are spelt out first.

        Equal texts, such as the quote of several sentences, are read once.
        """
        return self._remembered(text)

    def _stems(self, form: str) -> Iterable[str]:
        for word in re.findall(r"[^\W\d_][^\W_]*", form):
            yield word if word.isupper() and len(word) > 1 else self.vocabulary.stem(word.lower())

    def _read_afresh(self, text: str) -> ReadText:
        words: list[Word] = []
        breaks: set[int] = set()
        clause, initial = 0, True
        for match in TOKEN.finditer(self._spelt_out(text)):
            token = match.group()
            if token in BREAKS:
                clause += 1
                breaks.add(len(words))
                initial = initial or token in ".!?:"
                continue
            if token[0].isdigit() or token == "%":
                initial = False
                continue
            lower = token.lower().removesuffix("'s").removesuffix("’s")
            lower = self.vocabulary.spellings.get(lower, lower)
            if lower in OPENING:
                clause += 1
            abbreviation = len(token) > 1 and token.rstrip("s").isupper()
            senses = frozenset({token.rstrip("s")}) if abbreviation else self.vocabulary.senses(lower)
            words.append(Word(written=token, lower=lower, senses=senses, clause=clause, initial=initial))
            initial = False
        return ReadText(text=text, words=tuple(words), breaks=frozenset(breaks))

    def _spelt_out(self, text: str) -> str:
        text = BARE_CANNOT.sub("can not", digits_for_numerals(text))
        text = CONTRACTION.sub(r"\1 not", text)
        text = BARE_CONTRACTION.sub(r"\1 not", text)
        text = CAPITAL_COUNTRY.sub(lambda match: CAPITAL_COUNTRIES[match.group()], text)
        text = self.vocabulary.country_pattern.sub(lambda match: self.vocabulary.country(match.group()), text)
        return self.vocabulary.phrase_pattern.sub(lambda match: self.vocabulary.phrase(match.group()), text)

    def concepts(self, read: ReadText) -> frozenset[int]:
        """The entries of the glossary of which any form stands in the text."""
        senses = read.senses
        return frozenset([number for number, form in self._forms if form <= senses])

    def words_of_concepts(self, read: ReadText, concepts: Iterable[int]) -> frozenset[str]:
        """The stems in a text that belong to the forms of some entries."""
        found: set[str] = set()
        for number in concepts:
            for form in self._concepts[number]:
                if form <= read.senses:
                    found |= form
        return frozenset(found)
