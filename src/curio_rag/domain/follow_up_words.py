"""The words by which a question is known to follow another: openers, words that point back, words that name nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class FollowUpWords:
    """Read once from the package's data; the fields other than `frame` and `classes` are regular expressions, any case.

    `courtesies` and `openers` stand at the beginning of a message; `instead` opens a question that keeps
    what was asked and changes of what. `expletives` are uses of "it" or "that" that point to nothing;
    `anaphors` point back, of them those in `event` to what was said as a whole, and `persons` to somebody.
    A text without any of `verbs` is a fragment. `frame` are words that ask but name no subject. Words of one
    of the `classes` replace each other: another country, another product.
    """

    courtesies: str
    openers: str
    instead: str
    expletives: tuple[str, ...]
    anaphors: str
    persons: str
    event: str
    verbs: str
    frame: frozenset[str]
    classes: tuple[frozenset[str], ...]

    @cached_property
    def courtesy(self) -> re.Pattern[str]:
        """A run of courtesies at the beginning."""
        return re.compile(rf"\s*{self.courtesies}", re.IGNORECASE)

    @cached_property
    def opener(self) -> re.Pattern[str]:
        """A word such as "and" at the beginning."""
        return re.compile(rf"\s*{self.openers}", re.IGNORECASE)

    @cached_property
    def replacing(self) -> re.Pattern[str]:
        """Such as "what about" at the beginning."""
        return re.compile(rf"\s*(?:{self.instead})", re.IGNORECASE)

    @cached_property
    def expletive(self) -> re.Pattern[str]:
        """Words that look as if they pointed back."""
        return re.compile("|".join(self.expletives), re.IGNORECASE)

    @cached_property
    def anaphor(self) -> re.Pattern[str]:
        """A word that points back."""
        return re.compile(self.anaphors, re.IGNORECASE)

    @cached_property
    def person(self) -> re.Pattern[str]:
        """A word that points to somebody."""
        return re.compile(self.persons, re.IGNORECASE)

    @cached_property
    def whole(self) -> re.Pattern[str]:
        """A word that points back to what was said as a whole."""
        return re.compile(self.event, re.IGNORECASE)

    @cached_property
    def verb(self) -> re.Pattern[str]:
        """A word that only a whole question has."""
        return re.compile(self.verbs, re.IGNORECASE)
