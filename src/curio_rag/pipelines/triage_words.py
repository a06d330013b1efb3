"""Which words of the emergency card are said: whose come first, and whose must follow.

A message often names more than one danger, and words that fit one of them may hurt in another: "do not eat
or drink" is wrong for low blood sugar, and whoever gasps is not helped by the words about a stroke because
he "cannot get three words out". The rules say which of them gives way and whose first aid must be said in any case.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from curio_rag.domain.emergency import GROUPS
from curio_rag.domain.triage_rules import SignRule

SUICIDE, OVERDOSE, BLEEDING = "suicide_selfharm", "overdose_poison", "bleeding"
_BODY_FIRST = frozenset({OVERDOSE, BLEEDING})
"""What was swallowed or cut cannot wait until the words about suicide have been read."""

MOST_SAID = 3
"""Groups whose words are said at most, besides a protected one that gave way: more than that nobody reads."""

_ORDER = {group: place for place, group in enumerate(GROUPS)}


def by_order(rules: Iterable[SignRule]) -> list[SignRule]:
    """The rules in the order of the groups, as they stand within a group."""
    return sorted(rules, key=lambda rule: _ORDER.get(rule.outcome, len(_ORDER)))


def leading(rules: Sequence[SignRule], *, mentioned: Collection[str]) -> SignRule:
    """The rule whose group an emergency belongs to. `rules` hold and are not empty; `mentioned` names the signs."""
    return by_order(_standing(rules, mentioned))[0]


def said_groups(
    rules: Sequence[SignRule], *, mentioned: Collection[str], protected: Collection[str]
) -> tuple[str, ...]:
    """The groups whose words are said, in that order, each once."""
    standing = _standing(rules, mentioned)
    first = leading(rules, mentioned=mentioned).outcome
    body: frozenset[str] = _BODY_FIRST if first == SUICIDE else frozenset()
    follow = [rule.outcome for rule in by_order(standing) if rule.always_said or rule.outcome in body]
    kept = [rule.outcome for rule in by_order(rules) if rule not in standing and rule.outcome in protected]
    groups = dict.fromkeys((*tuple(dict.fromkeys((first, *follow)))[:MOST_SAID], *kept))
    return tuple(sorted(groups, key=lambda group: group not in body))


def _standing(rules: Sequence[SignRule], mentioned: Collection[str]) -> Sequence[SignRule]:
    """The rules that give way to no other; all of them where each gives way."""
    return [rule for rule in rules if not _gives_way(rule, rules, mentioned)] or rules


def _gives_way(rule: SignRule, rules: Sequence[SignRule], mentioned: Collection[str]) -> bool:
    stronger = {sign for sign in rule.yields_to if sign in mentioned}
    others = (other for other in rules if other.outcome != rule.outcome)
    return any(not stronger.isdisjoint(need) for other in others for need in other.needs)
