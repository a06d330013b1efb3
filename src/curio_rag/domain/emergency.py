"""The emergency card: fixed advice for people in danger, by kind of emergency and by country."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

GENERAL = "general"
"""The group whose words serve where no other group fits."""

GROUPS = (
    "suicide_selfharm",
    "cart_crs_icans",
    "overdose_poison",
    "anaphylaxis",
    "pregnancy",
    "infant_child",
    "stroke",
    "breathing",
    "bleeding",
    "sepsis_neutropenic",
    "cardiac",
    "neuro_spine",
    "metabolic_other",
    GENERAL,
)
"""The kinds of emergency; where several fit, the first in this order leads unless a rule gives way to another's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSource:
    """Where a number or an instruction on the card was read, and when."""

    id: str
    title: str
    url: str
    read_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryLines:
    """The telephone numbers of one country, each as words that fit into a sentence.

    `emergency` follows "Call"; `crisis`, `poison` and `child` are whole sentences, empty where no
    line is known. `sources` are ids of `CardSource`.
    """

    code: str
    name: str
    emergency: str
    crisis: str = ""
    poison: str = ""
    child: str = ""
    covers: tuple[str, ...] = ()
    """Codes of further countries that these lines serve, such as the member states behind EU."""
    sources: tuple[str, ...] = ()

    def fill(self, words: str) -> str:
        """The words with this country's lines in place of `{emergency}`, `{crisis}`, `{poison}` and `{child}`."""
        for name in ("emergency", "crisis", "poison", "child"):
            words = words.replace("{" + name + "}", getattr(self, name))
        return "\n".join(line for line in (" ".join(line.split()) for line in words.splitlines()) if line)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupWords:
    """What is said to people in one kind of emergency; the first line is the action."""

    group: str
    title: str
    words: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSentence:
    """The emergency sentence in a language that the rest of the library does not speak."""

    language: str
    name: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyCard:
    """The whole card. `status` says whether a clinician has signed it; `digest` covers every word of its file."""

    edition: str
    status: str
    as_of: date
    review_due: date
    digest: str
    groups: tuple[GroupWords, ...]
    call_team: str
    """For urgent questions: what makes people after cell therapy call their team, and when to call an ambulance."""
    minor: str
    """For children and teenagers who write themselves."""
    fallback: CountryLines
    """Where no country is set, or one that the card does not know."""
    countries: tuple[CountryLines, ...]
    languages: tuple[ForeignSentence, ...]
    sources: tuple[CardSource, ...]

    def lines(self, country: str | None) -> CountryLines:
        """The numbers of a country (ISO 3166 code, or EU); the fallback for None and for an unknown one."""
        code = (country or "").strip().upper()
        code = {"UK": "GB"}.get(code, code)
        own = (lines for lines in self.countries if lines.code == code)
        shared = (lines for lines in self.countries if code in lines.covers)
        return next(own, None) or next(shared, self.fallback)

    def advice(self, group: str, *, country: str | None) -> str:
        """The words for a kind of emergency; those of the general group for an unknown one."""
        by_group = {entry.group: entry.words for entry in self.groups}
        return self.lines(country).fill(by_group.get(group) or by_group[GENERAL])

    def advice_of(self, groups: Sequence[str], *, country: str | None) -> str:
        """The words for several kinds at once, a blank line between them; no line is said twice."""
        lines = [self.advice(group, country=country).splitlines() for group in groups]
        said = [{line for before in lines[:place] for line in before} for place in range(len(lines))]
        blocks = ([line for line in own if line not in before] for own, before in zip(lines, said, strict=True))
        return "\n\n".join("\n".join(block) for block in blocks if block)

    def call_team_line(self, *, country: str | None) -> str:
        """The line that stands above the answer to an urgent question."""
        return self.lines(country).fill(self.call_team)

    def minor_line(self, *, country: str | None) -> str:
        """The words for a child or teenager who writes."""
        return self.lines(country).fill(self.minor)

    def sentence(self, language: str) -> str:
        """The emergency sentence in a language (ISO 639-1 code); empty where the card has none."""
        return next((entry.sentence for entry in self.languages if entry.language == language.lower()), "")
