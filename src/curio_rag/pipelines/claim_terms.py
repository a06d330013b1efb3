"""Terms, directions and absolutes for the claim gate: whom and what a sentence speaks of has to be in its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from curio_rag.domain.claim_words import ClaimWords
from curio_rag.domain.glossary import Glossary
from curio_rag.pipelines.claim_designations import Designations
from curio_rag.pipelines.claim_text import ReadText, TextReader, Word

STRONG_EFFECTS = "stop prevent eliminate destroy restore remove cure fix guarantee abolish eradicate reverse certain"
STRONG = frozenset(STRONG_EFFECTS.split())
"""Effects that leave nothing over: none may be said where the source tells of a weaker one."""
NEIGHBOURS = 2
LIKE = 0.7
"""From this likeness on (the part of words in common, in order) a sentence is its source with words exchanged."""
LONGEST_CHANGE = 3
MOST_REMEMBERED = 50_000
JOINABLE = ("drug", "condition", "population", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class TermFault:
    """A word of a sentence that its source does not carry."""

    code: str
    said: str
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What is known of single words."""

    reader: TextReader
    glossary: Glossary
    is_english: Callable[[str], bool]

    @cached_property
    def designations(self) -> Designations:
        """Reads and compares names that hold a number or a letter."""
        return Designations(glossary=self.glossary)

    @property
    def words(self) -> ClaimWords:
        """The vocabulary."""
        return self.reader.vocabulary

    def covered(self, claim: ReadText, source: ReadText) -> tuple[bool, ...]:
        """For each word of the sentence, whether the source has it, a synonym, or its abbreviation."""
        concepts = self.reader.concepts(claim) & self.reader.concepts(source)
        by_concept = self.reader.words_of_concepts(claim, concepts)
        spelt = {place for short in source.abbreviations for place in claim.spelt_out(short)}
        return tuple(
            bool(word.senses & source.senses)
            or bool(word.senses & by_concept)
            or place in spelt
            or (word.is_abbreviation and self._known_abbreviation(word.written.rstrip("s"), claim, source))
            for place, word in enumerate(claim.words)
        )

    @staticmethod
    def _known_abbreviation(short: str, claim: ReadText, source: ReadText) -> bool:
        """Whether the source spells it out, or the sentence itself does beside it."""
        return bool(source.spelt_out(short) or claim.spelt_out(short))

    def carries_meaning(self, word: Word) -> bool:
        """Whether a word says something of its own."""
        lower, words = word.lower, self.words
        silent = lower in words.function or lower in words.free or lower in words.negations
        return len(lower) > 1 and not silent and words.family_of_hedge(lower) is None

    def kind(self, word: Word) -> str | None:
        """`drug`, `condition`, `population`, `country`, `name`, `term`, or None for an ordinary word."""
        remembered = (word.written, word.initial)
        if remembered not in self._kinds:
            if len(self._kinds) > MOST_REMEMBERED:
                self._kinds.clear()
            self._kinds[remembered] = self._kind(word)
        return self._kinds[remembered]

    @cached_property
    def _kinds(self) -> dict[tuple[str, bool], str | None]:
        return {}

    def _kind(self, word: Word) -> str | None:
        listed = self.words.kind_by_list(self.words.stem(word.lower))
        if listed:
            return listed
        if self.glossary.is_a_drug(word.lower) and not self.is_english(word.lower):
            return "drug"
        known = self.is_english(word.lower) or self.is_english(self.words.stem(word.lower))
        if word.is_abbreviation or word.is_name:
            return "name"
        if self.glossary.may_be_a_drug(word.lower) and not known:
            return "drug"
        if len(word.lower) > 6 and word.lower.endswith(self.words.condition_endings):
            return "condition"
        return None if known or len(word.lower) < 4 else "term"

    def strange_terms(self, claim: ReadText, covered: Sequence[bool]) -> Iterator[TermFault]:
        """The drugs, conditions, people, countries, names and technical terms that the source does not have."""
        for word, known in zip(claim.words, covered, strict=True):
            if known or word.lower in self.words.function:
                continue
            kind = self.kind(word)
            if kind is None or (kind in ("name", "term") and word.lower in self.words.free):
                continue
            yield TermFault(code=kind, said=word.written)

    def substitutions(self, claim: ReadText, best: ReadText) -> Iterator[TermFault]:
        """Words that stand where the nearest source sentence has another word of the same kind, or its opposite."""
        ours, theirs = [word.lower for word in claim.words], [word.lower for word in best.words]
        matcher = SequenceMatcher(a=theirs, b=ours, autojunk=False)
        for operation, start, end, first, last in matcher.get_opcodes():
            if operation != "replace":
                continue
            if matcher.ratio() >= LIKE:
                yield from self._changed(best.words[start:end], claim.words[first:last], claim, best)
            if end - start != last - first or end - start > NEIGHBOURS:
                continue
            for old, new in zip(best.words[start:end], claim.words[first:last], strict=True):
                if old.senses & new.senses:
                    continue
                kind, other = self.kind(new), self.kind(old)
                if new.lower in self.words.absolutes and self.words.family_of_hedge(old.lower):
                    yield TermFault(code="hedge", said=new.written, source=old.written)
                elif self.opposed(old, new):
                    yield TermFault(code="direction", said=new.written, source=old.written)
                elif kind is not None and kind == other and kind != "term":
                    yield TermFault(code=kind, said=new.written, source=old.written)

    def _changed(
        self, old: Sequence[Word], new: Sequence[Word], claim: ReadText, best: ReadText
    ) -> Iterator[TermFault]:
        """A word of the source's sentence that gave way to one that the source does not have."""
        gone = [word for word in old if self.carries_meaning(word) and not word.senses & claim.senses]
        gone = [word for word in gone if not word.is_name]
        come = [word for word in new if self.carries_meaning(word) and not word.senses & best.senses]
        if gone and come and len(old) <= LONGEST_CHANGE and len(new) <= LONGEST_CHANGE:
            said, given = (" ".join(word.written for word in words) for words in (come, gone))
            yield TermFault(code="changed", said=said, source=given)

    def opposed(self, one: Word, other: Word) -> bool:
        """Whether two words point in opposite directions of one pair, and in no direction together."""
        sides, others = self.words.sides(one.lower), self.words.sides(other.lower)
        return any((number, 1 - side) in others for number, side in sides) and not sides & others

    def turned(self, claim: ReadText, source: ReadText) -> Iterator[TermFault]:
        """Directions that the source gives the other way round."""
        for place, word in enumerate(claim.words):
            sides = self.words.sides(word.lower)
            if not sides or self._bounds_a_number(place, claim):
                continue
            opposite = [each for each in source.words if self.opposed(word, each)]
            if not opposite:
                continue
            same = any(sides & self.words.sides(each.lower) or word.senses & each.senses for each in source.words)
            if not same or self._stands_elsewhere(place, claim, source):
                yield TermFault(code="direction", said=word.written, source=opposite[0].written)

    @staticmethod
    def _bounds_a_number(place: int, claim: ReadText) -> bool:
        """ "at least" and "or more" are read with their number."""
        before = claim.words[place - 1].lower if place else ""
        return (before == "at" and claim.words[place].lower in ("least", "most")) or before == "or"

    def _stands_elsewhere(self, place: int, claim: ReadText, source: ReadText) -> bool:
        """Whether the source has the opposite, and never this direction, before the word that follows."""
        word = claim.words[place]
        after = next((each for each in claim.words[place + 1 : place + 4] if self._is_content(each)), None)
        if after is None or claim.words.index(after) in claim.breaks:
            return False
        with_same = with_opposite = False
        for at, each in enumerate(source.words):
            following = next((other for other in source.words[at + 1 : at + 4] if self._is_content(other)), None)
            if following is None or not following.senses & after.senses:
                continue
            with_same = with_same or bool(each.senses & word.senses) or each.lower == word.lower
            with_opposite = with_opposite or self.opposed(word, each)
        return with_opposite and not with_same

    def _is_content(self, word: Word) -> bool:
        return word.lower not in self.words.function

    def crossed(self, claim: ReadText, source: ReadText) -> Iterator[TermFault]:
        """Two terms joined that the source has apart, each with another partner: one disease's drug for another."""
        terms = [(word, kind) for word in claim.words if (kind := self.kind(word)) in JOINABLE]
        for number, (one, its_kind) in enumerate(terms):
            for other, others_kind in terms[number + 1 :]:
                if its_kind == others_kind or one.clause != other.clause:
                    continue
                with_one = [word for word in source.words if self._beside(one, word, source)]
                with_other = [word for word in source.words if self._beside(other, word, source)]
                if any(word.senses & other.senses for word in with_one) or not with_one or not with_other:
                    continue
                instead = self._partner(with_one, others_kind, claim)
                if instead is not None and self._partner(with_other, its_kind, claim) is not None:
                    yield TermFault(
                        code="exchanged",
                        said=f"{one.written} … {other.written}",
                        source=f"{one.written} … {instead.written}",
                    )

    @staticmethod
    def _beside(one: Word, word: Word, source: ReadText) -> bool:
        return any(each.clause == word.clause and each.senses & one.senses for each in source.words)

    def _partner(self, words: Sequence[Word], kind: str | None, claim: ReadText) -> Word | None:
        """A term of a kind that the sentence does not speak of."""
        return next((word for word in words if self.kind(word) == kind and not word.senses & claim.senses), None)

    def reversed_comparison(self, claim: ReadText, source: ReadText) -> Iterator[TermFault]:
        """ "A is milder than B" where the source has it that B is milder than A."""
        ours, theirs = _sides_of_than(claim), _sides_of_than(source)
        if ours is None or theirs is None:
            return
        (left, right), (given_left, given_right) = ours, theirs
        straight = self._shared(left, given_left, given_right) + self._shared(right, given_right, given_left)
        crossed = self._shared(left, given_right, given_left) + self._shared(right, given_left, given_right)
        turned = any(self.opposed(one, other) for one in left[-2:] for other in given_left[-2:])
        if (crossed > straight) is not turned and crossed != straight:
            said, given = (" ".join(word.written for word in words[:4]) for words in (right, given_right))
            yield TermFault(code="direction", said=f"than {said}", source=f"than {given}")

    def _shared(self, some: Sequence[Word], others: Sequence[Word], besides: Sequence[Word]) -> int:
        """How many meaningful words both have, those on the other side of the comparison left out."""
        senses = frozenset[str]().union(*(word.senses for word in others))
        senses -= frozenset[str]().union(*(word.senses for word in besides))
        return sum(bool(word.senses & senses) for word in some if self._is_content(word))

    def overstatements(self, claim: ReadText, source: ReadText) -> Iterator[TermFault]:
        """Words that leave no exception or tell of a complete effect, where the source has none such."""
        stems = {self.words.stem(word.lower) for word in source.words}
        for place, word in enumerate(claim.words):
            stem = self.words.stem(word.lower)
            if word.lower in self.words.absolutes and stem not in stems and not self._like_all(word, source):
                if word.lower in ("any", "all") and not self._binds(claim, place):
                    continue
                yield TermFault(code="overstated", said=word.written)
            elif stem in STRONG and not word.senses & source.senses:
                if stem == "certain" and not (place and claim.words[place - 1].lower in ("is", "are")):
                    continue
                yield TermFault(code="overstated", said=word.written)

    @staticmethod
    def _like_all(word: Word, source: ReadText) -> bool:
        """All, each and every say the same, and so do always and necessarily."""
        alike = ({"all", "every", "each", "everyone", "everybody"}, {"always", "necessarily"})
        return any(word.lower in words and words & source.lower for words in alike)

    @staticmethod
    def _binds(claim: ReadText, place: int) -> bool:
        """ "any" that grants something, as in "any risk"; "any of the following" and "if any" do not."""
        following = claim.words[place + 1].lower if place + 1 < len(claim.words) else ""
        if claim.words[place].lower == "any":
            return following in ("risk", "risks", "chance", "danger", "harm")
        return following not in ("of", "")


def _sides_of_than(read: ReadText) -> tuple[tuple[Word, ...], tuple[Word, ...]] | None:
    """The words of the clause before "than" and after it; None without exactly one comparison of two things."""
    places = [place for place, word in enumerate(read.words) if word.lower == "than"]
    if len(places) != 1 or places[0] + 1 in read.breaks:
        return None
    start = max((place for place in read.breaks if place <= places[0]), default=0)
    end = min((place for place in read.breaks if place > places[0]), default=len(read.words))
    return read.words[start : places[0]], read.words[places[0] + 1 : end]
