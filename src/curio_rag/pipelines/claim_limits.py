""" "Not only" and "not all" for the claim gate: what is denied of one alone or of all must not be turned round.

"Not all people need it" denies neither that people need it nor says that nobody does, so these are read
apart from plain negations: a sentence may say it in other words ("some people do not need it"), but may not say
it of all, of none, or of one alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from curio_rag.domain.claim_words import ClaimWords
from curio_rag.pipelines.claim_negation import SCOPE, SCOPE_ENDS, negations
from curio_rag.pipelines.claim_text import ReadText, Word

EXCLUSIVE = frozenset(("only", "just", "merely", "simply", "solely"))
UNIVERSAL = frozenset(("all", "every", "everyone", "everybody", "everything", "always", "necessarily"))
BETWEEN = {EXCLUSIVE: 1, UNIVERSAL: 3}
"""How many words may stand between the negation and what it limits: "do not yet know all of them"."""
DENYING = frozenset(("not", "n't", "cannot", "never", "nor"))
"""Other negations deny their own noun: "no single date fits every child" is no "not every child"."""
OF_NONE = frozenset(("nobody", "none", "nothing", "never"))
LEADING_AWAY = frozenset(("for", "during", "with", "after", "before"))
"""Words that take an "all" out of a negation that they do not follow at once: "do not eat for all 6 hours"."""
OF_TIME = frozenset(("before", "after", "under", "over", "about", "as", "like", "because", "in"))
"""After these "just" and "only" limit nothing: "just before the infusion", "just in case"."""
UNITS_OF_TIME = frozenset(("second", "minute", "hour", "day", "night", "week", "month", "year", "time"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """An "only" or an "all" with the words that it bears on, and whether it is denied."""

    kind: frozenset[str]
    denied: bool
    written: str
    words: tuple[Word, ...]


def limit_faults(
    claim: ReadText, whole: ReadText, source: ReadText, best: ReadText, vocabulary: ClaimWords
) -> Iterator[str]:
    """What a sentence says of all, of none or of one alone, where its source says otherwise.

    `claim` is a piece of the `whole` text; `source` is all that it is aligned with, `best` the one
    sentence of it that is nearest.
    """
    said, given = _limits(claim, vocabulary), _limits(source, vocabulary)
    faulty = False
    for limit in said:
        alike = [each for each in given if each.kind is limit.kind and _alike(limit, each)]
        if alike and all(each.denied is not limit.denied for each in alike):
            faulty = True
            yield f"“{limit.written}”, the source says “{alike[0].written}”"
        elif limit.denied and limit.kind is UNIVERSAL and not alike:
            weakened = _plainly_denied(limit, source, vocabulary)
            if weakened:
                yield f"“{limit.written}”, the source says “{weakened}”"
    if faulty or any(each.denied and each.kind is UNIVERSAL for each in _limits(whole, vocabulary)):
        return
    for limit in _limits(best, vocabulary):
        if not limit.denied or limit.kind is not UNIVERSAL:
            continue
        if claim.lower & OF_NONE - source.lower or _said_without(limit, claim, vocabulary):
            yield f"the source says “{limit.written}”, the sentence does not"


def _limits(read: ReadText, vocabulary: ClaimWords) -> tuple[Limit, ...]:
    """Every "only" and "all" of a text."""
    if not read.lower & (EXCLUSIVE | UNIVERSAL):
        return ()
    found: list[Limit] = []
    for place, word in enumerate(read.words):
        kind = EXCLUSIVE if word.lower in EXCLUSIVE else UNIVERSAL if word.lower in UNIVERSAL else None
        if kind is None or _limits_nothing(read, place):
            continue
        denial = _denial(read, place, BETWEEN[kind])
        first = place if denial is None else denial
        around = (*read.words[first + 1 : place], *_following(read, place, vocabulary))
        found.append(
            Limit(
                kind=kind,
                denied=denial is not None,
                written=" ".join(each.written for each in read.words[first : place + 4]),
                words=tuple(each for each in around if _bears(each, vocabulary)),
            )
        )
    return tuple(found)


def _limits_nothing(read: ReadText, place: int) -> bool:
    word = read.words[place].lower
    before = read.words[place - 1].lower if place else ""
    after = read.words[place + 1].lower if place + 1 < len(read.words) else ""
    if word == "all":
        return before in ("at", "after", "above") or after == "right"
    if word == "every":
        return after.removesuffix("s") in UNITS_OF_TIME
    return word == "just" and after in OF_TIME


def _denial(read: ReadText, place: int, between: int) -> int | None:
    """The place of the negation that reaches an "only" or an "all"."""
    for at in range(place - 1, max(-1, place - 2 - between), -1):
        if at + 1 in read.breaks or read.words[at].lower in SCOPE_ENDS:
            return None
        if read.words[at].lower in DENYING:
            apart = any(word.lower in LEADING_AWAY for word in read.words[at + 2 : place])
            return None if apart else at
    return None


def _following(read: ReadText, place: int, vocabulary: ClaimWords) -> Iterator[Word]:
    left = SCOPE
    for at in range(place + 1, min(len(read.words), place + 1 + 2 * SCOPE)):
        word = read.words[at]
        if at in read.breaks or word.lower in SCOPE_ENDS or not left:
            return
        left -= _bears(word, vocabulary)
        yield word


def _bears(word: Word, vocabulary: ClaimWords) -> bool:
    lower = word.lower
    return not (
        lower in vocabulary.function or lower in vocabulary.negations or lower in EXCLUSIVE or lower in UNIVERSAL
    )


def _alike(one: Limit, other: Limit) -> bool:
    """Whether two bear on the same; "but not all of them" names nothing, and is like any other "all"."""
    if not one.words or not other.words:
        return one.kind is UNIVERSAL
    senses = frozenset[str]().union(*(word.senses for word in other.words[:3]))
    return any(word.senses & senses for word in one.words[:3])


def _plainly_denied(limit: Limit, source: ReadText, vocabulary: ClaimWords) -> str:
    """What the source denies outright of that which a sentence denies of all alone; "" when it does not."""
    senses = frozenset[str]().union(*(word.senses for word in limit.words))
    for negation in negations(source, vocabulary):
        clause = source.words[negation.place].clause
        if any(vocabulary.family_of_hedge(word.lower) for word in source.words if word.clause == clause):
            continue
        if negation.words and negation.words[0].senses & senses:
            return " ".join([negation.cue, *(word.written for word in negation.words[:3])])
    return ""


def _said_without(limit: Limit, claim: ReadText, vocabulary: ClaimWords) -> bool:
    """Whether a sentence has what the source denies of all, and nothing that leaves some out."""
    telling = [word for word in limit.words if word.lower not in vocabulary.free] or list(limit.words)
    if not telling or not telling[0].senses & claim.senses:
        return False
    senses = frozenset[str]().union(*(word.senses for word in telling))
    there = [word for word in claim.words if word.senses & senses]
    if 2 * sum(bool(word.senses & claim.senses) for word in telling) < len(telling):
        return False
    clauses = {word.clause for word in there}
    return not any(vocabulary.family_of_hedge(word.lower) for word in claim.words if word.clause in clauses)
