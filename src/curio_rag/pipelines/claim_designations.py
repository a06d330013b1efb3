"""Designations for the claim gate: ZUMA-7, CD19, grade 3 and hepatitis B have to stand in the source as a whole.

Read apart from numbers, which count something, and from words, of which a designation is only half.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from curio_rag.domain.glossary import Glossary
from curio_rag.pipelines.claim_units import CLASS_WORDS, SMALL_NUMBERS, digits_for_numerals

HYPHENS = r"\-\u2010\u2011\u2012\u2013\u2212"
COMPOUND = re.compile(rf"[^\W_]+(?:\.\d+)*(?:[{HYPHENS}][^\W_]+(?:\.\d+)*)*")
PARTS = re.compile(rf"[{HYPHENS}]")
DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
SPACED = re.compile(r"\b([^\W\d_]{2,}) (\d+)(?![\d.,]*\d)\b")
COUNTING_WORDS = (
    "pre post mid early late over under above below age aged ages day days week weeks month months year years to in "
    "of or and than about around plus minus up by from per top non page pages since until before after a an the"
)
COUNTING = frozenset(COUNTING_WORDS.split())
"""Before a hyphen and a number that counts ("mid-2025", "over-65s"): there the number alone has to be in the source."""
ITS_OWN_NAME = {"covid19": "covid"}
"""Designations that are known without their number as well: there is one COVID."""

VALUE = rf"(?:\d{{1,2}}[A-Ea-e]?|[A-H]|{'|'.join(list(SMALL_NUMBERS)[1:11])})\b"
JOIN = rf"\s*(?:[/{HYPHENS}]|,? ?\b(?:to|and|or|through)\b)\s*"
CLASSED = re.compile(
    rf"\b(?P<family>(?i:{'|'.join(CLASS_WORDS)}))s?[ {HYPHENS}]"
    rf"(?P<values>(?:{VALUE},\s*)*{VALUE}(?:{JOIN}{VALUE})?)(?![.,]\d)"
)
LETTER = r"[A-HJ-Z]\b(?!['’])"
LETTERED = re.compile(
    rf"\b(?P<family>(?i:hepatitis|vitamin|influenza|flu|hemophilia|haemophilia|immunoglobulin))s?[ {HYPHENS}]"
    rf"(?P<values>(?:{LETTER},\s*)*{LETTER}(?:{JOIN}{LETTER})?)"
)
CELL = re.compile(
    rf"(?<![\w{HYPHENS}])(?<!CAR )(?P<values>(?:[B-HJ-Z][{HYPHENS}]?(?:\s+(?:and|or)\s+|, |/))?[B-HJ-Z])[ {HYPHENS}]"
    r"(?P<family>cell|lymphocyte)s?\b"
)
ONE_FAMILY = {"lymphocyte": "cell", "flu": "influenza", "haemophilia": "hemophilia"}
SINGLE = re.compile(rf"{VALUE}")
MOST_REMEMBERED = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Designation:
    """A name that holds a number or a single letter: as written, and in the one form that is compared.

    `family` is what several of one kind share ("zuma", "grade", "cell"). `number` is set where the
    number counts something after all and is enough ("mid-2025").
    """

    written: str
    form: str
    family: str
    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignationFault:
    """A designation that the source does not have, and the one that it has instead ("" when it has none)."""

    said: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Designations:
    """Reads designations and compares them; the glossary tells which letters are the same ("IL" is interleukin)."""

    glossary: Glossary

    def faults(self, claim: str, best: str, context: str) -> Iterator[DesignationFault]:
        """The designations of a sentence that are not in `context` (all that it may rest on), and those
        that were exchanged against the nearest source sentence, `best`.
        """
        said = self._of(claim)
        if not said and not SPACED.search(claim):
            return
        given = self._of(context)
        forms = {each.form for each in given} | self._by_meaning(context)
        families = {each.family for each in given if not each.number}
        said = (*said, *(each for each in self._spaced(claim) if each.family in families))
        nearest = self._of(best)
        for each in dict.fromkeys(said):
            there = each.form in forms or self._is_otherwise_there(each, context)
            if there and not self._exchanged(each, said, nearest):
                continue
            yield DesignationFault(said=each.written, source=_instead(each, said, (*nearest, *given)))

    def joined(self, claim: str, source: str) -> str:
        """A sentence with "ZUMA 7" written as the source has it, "ZUMA-7", so that its 7 is no count."""
        if not SPACED.search(claim):
            return claim
        forms = {each.form for each in self._of(source) if not each.number}
        return SPACED.sub(
            lambda match: f"{match[1]}-{match[2]}" if self._form(match[1], match[2]) in forms else match.group(), claim
        )

    @cached_property
    def _of(self) -> Callable[[str], tuple[Designation, ...]]:
        return lru_cache(maxsize=MOST_REMEMBERED)(self._read)

    def _read(self, text: str) -> tuple[Designation, ...]:
        text = digits_for_numerals(text)
        return (*self._compounds(text), *_classed(text))

    def _compounds(self, text: str) -> Iterator[Designation]:
        if not DIGITS.search(text):
            return
        for match in COMPOUND.finditer(text):
            written = match.group()
            if written[0].isdigit() and written.isdigit():
                continue
            parts = PARTS.split(written)
            numbered = [number for number, part in enumerate(parts) if DIGITS.search(part)]
            if not numbered:
                continue
            first = numbered[0]
            if parts[first][0].isdigit():
                if first == 0 or not parts[first - 1].isalpha():
                    continue
                first -= 1
            letters, rest = parts[first], parts[first + 1 : numbered[-1] + 1]
            counted = DIGITS.search(rest[0] if rest else "")
            if letters.lower() in COUNTING and counted:
                yield Designation(written=written, form=written.lower(), family="", number=counted.group())
            elif letters.lower().removesuffix("s") not in CLASS_WORDS:
                yield Designation(
                    written="-".join((letters, *rest)),
                    form=self._form(letters, "".join(rest)),
                    family=self._same(re.sub(r"\d.*", "", letters).lower()),
                )

    def _spaced(self, text: str) -> Iterator[Designation]:
        for match in SPACED.finditer(text):
            letters, number = match.groups()
            yield Designation(
                written=match.group(), form=self._form(letters, number), family=self._same(letters.lower())
            )

    def _form(self, letters: str, rest: str) -> str:
        return f"{self._same(letters.lower())}{rest.lower()}"

    def _same(self, letters: str) -> str:
        return self._letters.get(letters, letters)

    @cached_property
    def _letters(self) -> Mapping[str, str]:
        """Abbreviations of a single word, with that word."""
        return {
            form.lower(): entry.meaning.lower()
            for entry in self.glossary.entries
            for form in entry.written
            if form.isalpha() and form.isupper() and entry.meaning.isalpha()
        }

    @cached_property
    def _meanings(self) -> tuple[tuple[re.Pattern[str], frozenset[str]], ...]:
        """What abbreviations stand for that holds a designation: LBCL is large B-cell lymphoma."""
        found = ((entry.pattern, frozenset(each.form for each in self._read(entry.meaning)))
                 for entry in self.glossary.entries)  # fmt: skip
        return tuple((pattern, forms) for pattern, forms in found if forms)

    def _by_meaning(self, context: str) -> frozenset[str]:
        return frozenset[str]().union(*(forms for pattern, forms in self._meanings if pattern.search(context)))

    def _is_otherwise_there(self, said: Designation, context: str) -> bool:
        """A number that counts is there as a number; other designations with a space, or without the number."""
        if said.number:
            return re.search(rf"(?<![\d.,]){re.escape(said.number)}(?![\d]|[.,]\d)", context) is not None
        short = ITS_OWN_NAME.get(said.form)
        if short is not None:
            return re.search(rf"\b{short}\b(?![{HYPHENS}]?\d)", context, re.IGNORECASE) is not None
        return any(each.form == said.form for each in self._spaced(context))

    @staticmethod
    def _exchanged(one: Designation, said: tuple[Designation, ...], nearest: tuple[Designation, ...]) -> bool:
        """Whether the nearest sentence has another of the family in its place."""
        if not one.family:
            return False
        ours = Counter(each.form for each in said if each.family == one.family)
        theirs = Counter(each.form for each in nearest if each.family == one.family)
        if one.form not in theirs:
            return bool(theirs.keys() - ours.keys())
        return ours.total() == theirs.total() and ours[one.form] > theirs[one.form]


def _classed(text: str) -> Iterator[Designation]:
    """Grade 3, type A, hepatitis B, T cells: each value of a list by itself."""
    for pattern in (CLASSED, LETTERED, CELL):
        for match in pattern.finditer(text):
            family = match["family"].lower()
            family = ONE_FAMILY.get(family, family)
            for value in (
                SINGLE.findall(match["values"]) if pattern is CLASSED else re.findall(rf"\b{LETTER}", match["values"])
            ):
                number = SMALL_NUMBERS.get(value.lower())
                yield Designation(
                    written=match.group() if pattern is not CELL else f"{value} {match['family']}",
                    form=f"{family}:{value.lower() if number is None else number}",
                    family=f"{family}:",
                )


def _instead(said: Designation, others: tuple[Designation, ...], given: tuple[Designation, ...]) -> str:
    """What the source has of the same family, first what the sentence does not say."""
    family = [each for each in given if each.family == said.family and each.form != said.form]
    unsaid = [each for each in family if each.form not in {other.form for other in others}]
    return next((each.written for each in (*unsaid, *family)), "")
