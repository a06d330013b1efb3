"""What lay words and abbreviations stand for, common misspellings, and what is courtesy in a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

ABBREVIATION = re.compile(r"[A-Z][A-Za-z0-9-]*[A-Z0-9]")


@dataclass(frozen=True, kw_only=True)
class GlossaryEntry:
    """Words that stand for a meaning; `exact` ones only as they are written ("ALL" is a leukemia, "all" is not).

    A meaning that is `keyword_only`, another spelling, is no part of what is embedded.
    """

    written: tuple[str, ...]
    meaning: str
    exact: bool = False
    keyword_only: bool = False

    @cached_property
    def abbreviation(self) -> str:
        """The first written form that is one; empty for none, and for one that is also a word ("ALL")."""
        return next((form for form in self.written if ABBREVIATION.fullmatch(form) and not self.exact), "")

    @cached_property
    def spelt_out(self) -> re.Pattern[str]:
        """Finds the meaning in a text."""
        return re.compile(rf"(?<![\w-]){re.escape(self.meaning)}(?![\w-])", re.IGNORECASE)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Finds any of the written forms as whole words."""
        forms = "|".join(re.escape(form) for form in sorted(self.written, key=len, reverse=True))
        return re.compile(rf"(?<![\w-])(?:{forms})(?![\w-])", 0 if self.exact else re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Glossary:
    """All that is known of how patients write, read once from the package's data."""

    entries: tuple[GlossaryEntry, ...]
    spellings: Mapping[str, str]
    """Common misspellings of English words, whole words in lower case."""
    rewritings: tuple[tuple[str, str], ...]
    """Patterns and what to put in their place, for what a single word does not show ("dose medicare pay")."""
    greetings: tuple[str, ...]
    """Patterns of openings, matched at the beginning of a sentence."""
    courtesies: tuple[str, ...]
    """Patterns of thanks and sign-offs; a sentence is one when the pattern and few other words make it up."""
    telling: tuple[str, ...]
    """Patterns of what must not be dropped: ages, amounts, pregnancy, negation, countries, drugs, diseases."""
    asking: tuple[str, ...]
    """Patterns of sentences that ask without a question mark."""
    drugs: tuple[str, ...]
    """Endings by which the name of a drug is known."""
    drug_like: tuple[str, ...]
    """Endings that drugs share with other words, such as "cytokine"."""

    @cached_property
    def rewrite_patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        """The rewritings, compiled."""
        return tuple((re.compile(pattern, re.IGNORECASE), new) for pattern, new in self.rewritings)

    @cached_property
    def greeting(self) -> re.Pattern[str]:
        """Finds an opening."""
        return _any(self.greetings)

    @cached_property
    def courtesy(self) -> re.Pattern[str]:
        """Finds thanks or a sign-off."""
        return _any(self.courtesies)

    @cached_property
    def tells(self) -> re.Pattern[str]:
        """Finds what must not be dropped."""
        return _any(self.telling)

    @cached_property
    def asks(self) -> re.Pattern[str]:
        """Finds that something is asked."""
        return _any(self.asking)

    @cached_property
    def _drug(self) -> re.Pattern[str]:
        return re.compile(rf"\w*(?:{'|'.join(self.drugs)})", re.IGNORECASE)

    @cached_property
    def _drug_like(self) -> re.Pattern[str]:
        return re.compile(rf"\w*(?:{'|'.join((*self.drugs, *self.drug_like))})", re.IGNORECASE)

    @cached_property
    def _written(self) -> frozenset[str]:
        return frozenset(word.lower() for entry in self.entries for form in entry.written for word in form.split())

    def is_a_drug(self, word: str) -> bool:
        """Whether a word ends as only the names of drugs do."""
        return self._drug.fullmatch(word) is not None

    def may_be_a_drug(self, word: str) -> bool:
        """Whether a word ends as the names of drugs do."""
        return self._drug_like.fullmatch(word) is not None

    def knows(self, word: str) -> bool:
        """Whether a word, in lower case, is one of the lay words, abbreviations or other spellings."""
        return word in self._written


def _any(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
