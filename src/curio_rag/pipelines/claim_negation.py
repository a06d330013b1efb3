"""Negation and hedges for the claim gate: what is denied stays denied, what may be stays a may-be.

The scope of a negation is the few words that follow it within its clause, as in NegEx (Chapman et al.,
Journal of Biomedical Informatics 2001, which takes five); the head of a hedge is the word that it weakens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curio_rag.domain.claim_words import ClaimWords
from curio_rag.pipelines.claim_text import ReadText, Word

SCOPE = 4
"""How many meaningful words after a negation it can deny."""
SCOPE_ENDS = frozenset(
    ("but", "because", "unless", "until", "if", "so", "while", "when", "although", "whereas", "than")
)
HEADS = 2
"""How many words after a hedge it can weaken."""

WEAKER = {
    "possible": frozenset({"possible", "some", "likely"}),
    "some": frozenset({"some", "possible"}),
    "often": frozenset({"often", "likely", "possible", "some"}),
    "likely": frozenset({"likely", "possible", "some"}),
}
"""What a sentence may say where its source has a hedge of this family."""
CERTAIN = frozenset({"will", "shall", "must"})
OPEN = frozenset({"may", "might", "can", "could"})
ABLE = frozenset(["you", "they", "we", "he", "she", "it", "that", "who", "so"])
"""Before "can" these tell of an ability rather than of a possibility."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoped:
    """A negation or a hedge with the words that it bears on."""

    cue: str
    place: int
    words: tuple[Word, ...]


def negations(read: ReadText, vocabulary: ClaimWords) -> tuple[Scoped, ...]:
    """Each negation with the meaningful words of its scope."""
    found: list[Scoped] = []
    for place, word in enumerate(read.words):
        if word.lower in vocabulary.negations and not _not_a_negation(read, place):
            after = _after(read, place, vocabulary, most=SCOPE)
            scope = tuple(each for each in after if each.lower not in vocabulary.function)
            found.append(Scoped(cue=word.lower, place=place, words=scope))
    return tuple(found)


def _not_a_negation(read: ReadText, place: int) -> bool:
    word, following = read.words[place].lower, [each.lower for each in read.words[place + 1 : place + 3]]
    return (
        (word == "not" and following[:1] in (["only"], ["just"]))
        or (word == "no" and following[:2] == ["longer", "than"])
        or (word == "no" and following[:1] in (["more"], ["less"]) and following[1:] == ["than"])
        or (word == "non")
        or (word == "not" and following[:1] in (["forget"], ["hesitate"]))
        or (word == "no" and place + 1 in read.breaks and (place == 0 or place in read.breaks))
    )


def _after(read: ReadText, place: int, vocabulary: ClaimWords, *, most: int) -> list[Word]:
    words: list[Word] = []
    for at in range(place + 1, min(len(read.words), place + 1 + 2 * most)):
        if at in read.breaks or read.words[at].lower in SCOPE_ENDS:
            break
        words.append(read.words[at])
        if sum(each.lower not in vocabulary.function for each in words) >= most:
            break
    return words


def negation_faults(
    claim: ReadText, whole: ReadText, source: ReadText, best: ReadText, vocabulary: ClaimWords
) -> list[str]:
    """What the sentence denies and its source does not, then what the source denies and the sentence asserts.

    `claim` is a piece of the `whole` text; `source` is all that it is aligned with, `best` the one
    sentence of it that is nearest. Each negation of one side stands for one of the other.
    """
    said, given = negations(claim, vocabulary), list(negations(source, vocabulary))
    faults = []
    for negation in said:
        partner = next((each for each in given if _overlap(negation.words, each.words, vocabulary)), None)
        if partner is None:
            faults.append(f"“{_spoken(negation)}”, which the source does not say")
        else:
            given.remove(partner)
    everywhere = list(negations(whole, vocabulary))
    for negation in negations(best, vocabulary):
        partner = next((each for each in everywhere if _overlap(each.words, negation.words, vocabulary)), None)
        if partner is not None:
            everywhere.remove(partner)
            continue
        heads = [word for word in negation.words if word.lower not in vocabulary.free] or list(negation.words)
        asserted = [word for word in heads if word.senses & claim.senses]
        if heads and heads[0].senses & claim.senses and 2 * len(asserted) >= len(heads):
            faults.append(f"the source says “{_spoken(negation)}”, which the sentence drops")
    return faults


def _overlap(said: Sequence[Word], given: Sequence[Word], vocabulary: ClaimWords) -> bool:
    if not said or not given:
        return True
    if said[0].senses & given[0].senses:
        return True
    senses = frozenset[str]().union(*(word.senses for word in given))
    strong = [word for word in said if word.lower not in vocabulary.free]
    return any(word.senses & senses for word in (strong[:2] or said))


def _spoken(negation: Scoped) -> str:
    return " ".join([negation.cue, *(word.written for word in negation.words[:3])])


def hedges(read: ReadText, vocabulary: ClaimWords, *, abilities: bool) -> tuple[Scoped, ...]:
    """Each hedge with the words that it weakens; with `abilities`, "they can" counts as one as well."""
    found: list[Scoped] = []
    for place, word in enumerate(read.words):
        if vocabulary.family_of_hedge(word.lower) is None or (not abilities and _tells_of_ability(read, place)):
            continue
        found.append(Scoped(cue=word.lower, place=place, words=_heads(read, place, vocabulary)))
    return tuple(found)


def _tells_of_ability(read: ReadText, place: int) -> bool:
    word = read.words[place].lower
    before = read.words[place - 1].lower if place else ""
    following = read.words[place + 1].lower if place + 1 < len(read.words) else ""
    if word in ("can", "could"):
        return before in ABLE
    if word.startswith(("seem", "appear")):
        return following not in ("to", "that") and before != "it"
    if word == "may":
        return following.isdigit() or before in ("in", "of", "since") or read.words[place].written == "May"
    return word == "certain" and before in ("is", "are")


def _heads(read: ReadText, place: int, vocabulary: ClaimWords) -> tuple[Word, ...]:
    heads: list[Word] = []
    weak: list[Word] = []
    for at in range(place + 1, min(len(read.words), place + 9)):
        if at in read.breaks and (heads or weak):
            break
        word = read.words[at]
        if word.lower in vocabulary.function or vocabulary.family_of_hedge(word.lower):
            continue
        (weak if word.lower in vocabulary.free else heads).append(word)
        if len(heads) == HEADS:
            break
    return tuple(heads or weak[:HEADS])


def hedge_faults(claim: ReadText, whole: ReadText, best: ReadText, vocabulary: ClaimWords) -> list[str]:
    """The hedges of the nearest source sentence that the sentence drops while it keeps what they weaken.

    `claim` is a piece of the `whole` text, which may say the hedge in another of its pieces.
    """
    said = hedges(claim, vocabulary, abilities=True)
    left = list(said)
    given = hedges(best, vocabulary, abilities=False)
    missing: list[Scoped] = []
    for hedge in given:
        same = [each for each in left if each.cue == hedge.cue]
        if same:
            left.remove(next((each for each in same if _share_a_word(each.words, hedge.words)), same[0]))
        else:
            missing.append(hedge)
    everywhere = (*said, *hedges(whole, vocabulary, abilities=True))
    missing = [hedge for hedge in missing if not any(_same_hedge(hedge, each) for each in everywhere)]
    faults = []
    for hedge in missing:
        kept = [word for word in hedge.words if word.senses & claim.senses]
        if not kept or kept[0] is not hedge.words[0]:
            continue
        family = vocabulary.family_of_hedge(hedge.cue) or "possible"
        stand_in = next((each for each in left if _stands_for(each, family, kept, claim, vocabulary)), None)
        if stand_in is None:
            faults.append(f"the source says “{hedge.cue} {kept[0].written}”, the sentence leaves out “{hedge.cue}”")
        else:
            left.remove(stand_in)
    return faults or _made_certain(claim, best)


def _made_certain(claim: ReadText, best: ReadText) -> list[str]:
    """ "Will" where the source has "may": more certain verbs than there, and fewer that leave it open."""
    counts = [
        (sum(word.lower in CERTAIN for word in read.words), sum(word.lower in OPEN for word in read.words))
        for read in (claim, best)
    ]
    (certain, left_open), (given_certain, given_open) = counts
    if certain <= given_certain or left_open >= given_open:
        return []
    return [f"“will”, the source says “{next(word.lower for word in best.words if word.lower in OPEN)}”"]


def _share_a_word(some: Sequence[Word], others: Sequence[Word]) -> bool:
    return any(one.senses & other.senses for one in some for other in others)


def _same_hedge(one: Scoped, other: Scoped) -> bool:
    """Whether the same word weakens the same thing."""
    return (
        one.cue == other.cue and bool(one.words and other.words) and bool(one.words[0].senses & other.words[0].senses)
    )


def _stands_for(said: Scoped, family: str, kept: Sequence[Word], claim: ReadText, vocabulary: ClaimWords) -> bool:
    if vocabulary.family_of_hedge(said.cue) not in WEAKER[family]:
        return False
    senses = frozenset[str]().union(*(word.senses for word in kept))
    if any(word.senses & senses for word in said.words):
        return True
    clause = claim.words[said.place].clause
    return any(word.senses & senses for word in claim.words if word.clause == clause)
