"""The words by which the claim gate reads a sentence: what carries meaning, what means the same, what contradicts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

ENDINGS = (
    ("ies", "y"),
    ("sses", "ss"),
    ("ings", ""),
    ("ing", ""),
    ("edly", ""),
    ("ed", ""),
    ("ly", ""),
    ("es", ""),
    ("s", ""),
    ("e", ""),
)
BRITISH_ENDING = re.compile(r"(?<!exerc)(?<!otherw)(?<!surpr)(?<!adv)(?<!superv)is(?=(?:e|ed|es|ing|ation|ations)$)")
LONG_VERB = 8
SHORTEST_STEM = 3
NEAR_STEM = 6
"""Ordinary words that share their first six letters are taken for forms of one word ("inflam-ed", "inflam-mation")."""

CAPITALS = {"US": "usa", "USA": "usa", "UK": "uk", "EU": "eu"}
"""Countries by what names them only in capitals: "us" is a word."""

ABBREVIATED = re.compile(r"\b(?:USA?|UK|EU)\b")


@dataclass(frozen=True, kw_only=True)
class ClaimWords:
    """Read once from the package's data; everything is in lower case, American spelling where there are two."""

    function: frozenset[str]
    """Words that carry no meaning of their own."""
    free: frozenset[str]
    """Words that a faithful sentence may add without adding a claim: "get", "people", "help"."""
    irregular: Mapping[str, str]
    spellings: Mapping[str, str]
    synonyms: tuple[tuple[str, ...], ...]
    drugs: frozenset[str]
    """Names of drugs that their endings do not show (the glossary knows the endings)."""
    conditions: frozenset[str]
    condition_endings: tuple[str, ...]
    populations: tuple[tuple[str, ...], ...]
    countries: Mapping[str, tuple[str, ...]]
    within: Mapping[str, tuple[str, ...]]
    """The larger places whose rules hold in a smaller one: in England those of the United Kingdom."""
    regions: Mapping[str, tuple[str, ...]]
    """Of a country, names of states, provinces and cities by which a question says where it comes from."""
    directions: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    """Pairs of opposites, each side with the words that say the same."""
    absolutes: frozenset[str]
    """Words that leave no exception; a sentence may use one only where its source does."""
    hedges: Mapping[str, tuple[str, ...]]
    """Words that leave room for exceptions, by family: possible, some, often, likely."""
    negations: frozenset[str]
    phrases: Mapping[str, str]
    """Plain phrases with the word that they stand for, read alike on both sides: "gets worse" is "worsens"."""
    negative_words: Mapping[str, str]
    """Words that hold a negation, with the word that they negate: "unsafe" is "not safe"."""

    def stem(self, word: str) -> str:
        """The form that the inflections of a word share; `word` is in lower case."""
        word = self.spellings.get(word, word)
        if len(word) >= LONG_VERB:
            word = BRITISH_ENDING.sub("iz", word)
        word = self.irregular.get(word, word)
        for ending, put in ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM and not word.endswith("ss"):
                word = word[: len(word) - len(ending)] + put
                break
        if len(word) > SHORTEST_STEM and word[-1] == word[-2] and word[-1] in "bdgmnprt":
            word = word[:-1]
        return word[:-1] + "y" if word.endswith("i") else word

    def senses(self, word: str) -> frozenset[str]:
        """What a word may stand for: its stem, the groups of synonyms that it is in, its beginning when it is long."""
        found = self._senses.get(word)
        if found is None:
            stem = self.stem(word)
            found = frozenset({stem, *self._groups.get(stem, ())})
            if len(stem) >= NEAR_STEM and self.kind_by_list(stem) is None:
                found |= {f"{stem[:NEAR_STEM]}-"}
            if len(self._senses) < 100_000:
                self._senses[word] = found
        return found

    def kind_by_list(self, stem: str) -> str | None:
        """`drug`, `condition`, `population` or `country` for a stem of the lists."""
        return self._kinds.get(stem)

    def family_of_hedge(self, word: str) -> str | None:
        """The family of a hedging word, in lower case."""
        return self._hedge_families.get(word)

    def sides(self, word: str) -> frozenset[tuple[int, int]]:
        """The directions in which a word points: (number of the pair, 0 or 1)."""
        return self._sides.get(self.stem(word), frozenset())

    @cached_property
    def _senses(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def _groups(self) -> dict[str, tuple[str, ...]]:
        groups: dict[str, tuple[str, ...]] = {}
        for name, lists in (("=", self.synonyms), ("@", self.populations)):
            for number, words in enumerate(lists):
                for word in words:
                    stem = self.stem(word)
                    groups[stem] = (*groups.get(stem, ()), f"{name}{number}")
        return groups

    @cached_property
    def _kinds(self) -> dict[str, str]:
        kinds = {self.stem(word): "population" for words in self.populations for word in words}
        kinds |= {self.stem(word): "condition" for word in self.conditions}
        kinds |= {self.stem(word): "drug" for word in self.drugs}
        return kinds | {self.stem(name): "country" for name in self.countries}

    @cached_property
    def _hedge_families(self) -> dict[str, str]:
        return {word: family for family, words in self.hedges.items() for word in words}

    @cached_property
    def _sides(self) -> dict[str, frozenset[tuple[int, int]]]:
        sides: dict[str, frozenset[tuple[int, int]]] = {}
        for number, pair in enumerate(self.directions):
            for side, words in enumerate(pair):
                for word in words:
                    stem = self.stem(word)
                    sides[stem] = sides.get(stem, frozenset()) | {(number, side)}
        return sides

    @cached_property
    def country_pattern(self) -> re.Pattern[str]:
        """Finds any name of a country, in any case."""
        names = sorted(self._country_names, key=len, reverse=True)
        return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?!\w)", re.IGNORECASE)

    @cached_property
    def phrase_pattern(self) -> re.Pattern[str]:
        """Finds any of the plain phrases and of the words that hold a negation."""
        forms = sorted((*self.phrases, *self.negative_words), key=len, reverse=True)
        return re.compile(rf"\b(?:{'|'.join(map(re.escape, forms))})\b", re.IGNORECASE)

    def phrase(self, written: str) -> str:
        """What stands for a phrase that `phrase_pattern` found."""
        lower = written.lower()
        return self.phrases.get(lower) or f"not {self.negative_words[lower]}"

    @cached_property
    def _country_names(self) -> dict[str, str]:
        return {name: country for country, names in self.countries.items() for name in (country, *names)}

    def countries_in(self, text: str, *, regions: bool = False) -> frozenset[str]:
        """The countries that a text names, each under its one name; "US", "UK" and "EU" only in capitals.

        With `regions` those, too, in which a state, a province or a city that it names lies.
        """
        named = {self.country(found) for found in self.country_pattern.findall(text)}
        named |= {CAPITALS[found] for found in ABBREVIATED.findall(text)}
        if regions:
            named |= {self._region_names[found.lower()] for found in self.region_pattern.findall(text)}
        return frozenset(named)

    @cached_property
    def region_pattern(self) -> re.Pattern[str]:
        """Finds any name of a state, a province or a city, in any case."""
        names = sorted(self._region_names, key=len, reverse=True)
        return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?!\w)", re.IGNORECASE)

    @cached_property
    def _region_names(self) -> dict[str, str]:
        return {name: country for country, names in self.regions.items() for name in names}

    def ruled_with(self, countries: Iterable[str]) -> frozenset[str]:
        """These countries, the larger places whose rules hold in them, and the smaller ones within them."""
        these = frozenset(countries)
        larger = {place for country in these for place in self.within.get(country, ())}
        return these | larger | {place for place, wider in self.within.items() if these & set(wider)}

    def country(self, written: str) -> str:
        """The one name under which a country is kept, for a text that `country_pattern` found."""
        return self._country_names[written.lower()]
