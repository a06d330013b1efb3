"""The rules of triage as values: signs, the combinations of signs that are emergencies, and how a sentence is read.

A pattern is a line that a clinician can read:

    chest|breastbone ... pain*|tight*      one of the first and one of the second, close together, in any order
    cant breath*                           these words one after the other
    <cannot> swallow*                      any word of the class `cannot`
    fruity|pear_drops                      an underscore joins words that stand for one
    temp* ... #38-43                       a number from 38 to 43
    ^ what are                             at the start of a sentence
    6: rash ... breath*                    at most 6 words apart (otherwise 8)

`*` stands for any ending. Case, accents, apostrophes and small words (a, the, my, very ...) do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One thing that can be noticed in a question; any of its patterns suffices."""

    name: str
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRule:
    """Signs that together mean something: one of each tuple of `needs`, at most `within` words apart.

    `outcome` is a group of the emergency card or a referral code. `reason` says in plain words what
    was noticed and never quotes a question. `language` is set on rules for words of another language, which
    count in texts of any language but English.
    A `firm` rule holds however the sentence is read; a `personal` one only where a person tells of it;
    none holds where a sign of `unless` occurs.

    Two settings only choose words and never whether there is an emergency. Where a rule that rests on a
    sign of `yields_to` holds too, that rule's words say it better, and this one's are not said unless
    its group is protected, in which case they come last. The words of a rule that is `always_said` follow
    those of another group.
    """

    outcome: str
    needs: tuple[tuple[str, ...], ...]
    reason: str
    within: int = 40
    language: str | None = None
    firm: bool = False
    personal: bool = False
    unless: tuple[str, ...] = ()
    yields_to: tuple[str, ...] = ()
    always_said: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """All rules with the word lists that they use.

    `readings` are the signs by which a sentence is read as a question for information, history,
    fiction and so on. `protected` names the groups that no reading may remove: they become urgent.
    """

    edition: str
    status: str
    digest: str
    classes: tuple[tuple[str, tuple[str, ...]], ...]
    fillers: frozenset[str]
    misspellings: tuple[tuple[str, str], ...]
    spelling: frozenset[str]
    not_misspelt: frozenset[str]
    signs: tuple[Sign, ...]
    readings: tuple[Sign, ...]
    emergencies: tuple[SignRule, ...]
    urgent: tuple[SignRule, ...]
    referrals: tuple[SignRule, ...]
    protected: frozenset[str]
    languages: tuple[tuple[str, frozenset[str]], ...] = ()
    """For each language, English among them, the small words by which a text of it is known."""
