"""How a sentence is meant: told now, denied, past or to come, invented, a figure of speech, or asked as information."""

from __future__ import annotations

from collections.abc import Mapping

from curio_rag.pipelines.triage_patterns import Hit
from curio_rag.pipelines.triage_text import Words

_DIRECT = 3
"""A negation reaches this many words ..."""

_LISTED = 12
"""... and one that opens a list ("denies any fever, chills, vomiting") this many, until another clause begins."""

_OPENS_LIST = frozenset({"no", "denies", "denied", "deny", "without", "nor"})


class Readings:
    """The readings of one text. `found` holds the hits of the reading signs; a missing one never occurs."""

    def __init__(self, words: Words, found: Mapping[str, tuple[Hit, ...]]) -> None:
        self._words = words
        self._at = {name: frozenset(hit.first for hit in hits) for name, hits in found.items()}
        self._in = {name: frozenset(words.sentences[hit.first] for hit in hits) for name, hits in found.items()}
        self._speaks = self._first_persons()
        self.fiction = bool(found.get("fiction"))
        """Somebody asks for a story or wants a part to be played; read over the whole text."""

    def lowers(self, hit: Hit, *, plans_count: bool = False) -> bool:
        """Whether the sign is mentioned without being told of somebody now (fiction apart).

        With `plans_count`, what is still to come is not lowered: a plan to die is the danger itself.
        """
        not_now = self._past(hit) or (self._planned(hit) and not plans_count)
        return self._negated(hit) or self._informs(hit) or not_now or self._is("figurative", hit)

    def told_somewhere(self, *, plans_count: bool) -> bool:
        """Whether some sentence tells of somebody now: not as information, history or a figure of speech."""
        tokens, sentences = self._words.tokens, self._words.sentences
        last = len(tokens) - 1
        ends = (place for place in range(len(tokens)) if place == last or sentences[place + 1] != sentences[place])
        return any(
            not (
                self._informs(end)
                or self._past(end)
                or (self._planned(end) and not plans_count)
                or self._is("figurative", end)
            )
            for end in (Hit(place, place) for place in ends)
        )

    def _is(self, reading: str, hit: Hit) -> bool:
        return self._words.sentences[hit.first] in self._in.get(reading, ())

    def _past(self, hit: Hit) -> bool:
        return self._is("history", hit) and not self._is("present", hit)

    def _planned(self, hit: Hit) -> bool:
        now = self._is("present", hit) or self._is("asks_action", hit)
        return self._is("planned", hit) and not now

    def _informs(self, hit: Hit) -> bool:
        """A question for information in whose sentence nobody has spoken of a person before the sign ends."""
        if not self._is("information", hit) or self._is("asks_action", hit):
            return False
        speaks = self._speaks.get(self._words.sentences[hit.last])
        return speaks is None or speaks > hit.last

    def _first_persons(self) -> dict[int, int]:
        """Where each sentence first speaks of a person, unless as a mere possibility ("if I get", "I should know")."""
        first: dict[int, int] = {}
        hypothetical, modal = self._at.get("hypothetical", frozenset()), self._at.get("modal", frozenset())
        for place in sorted(self._at.get("person", ())):
            if place - 1 not in hypothetical and place + 1 not in modal:
                first.setdefault(self._words.sentences[place], place)
        return first

    def _negated(self, hit: Hit) -> bool:
        if hit.negative:
            return False
        inner = range(hit.last - 1, max(hit.first, hit.last - _DIRECT), -1)
        return any(self._denies(place) for place in inner) or self._denied_before(hit.first)

    def _denied_before(self, first: int) -> bool:
        for distance in range(1, _LISTED + 1):
            place = first - distance
            if place < 0 or self._words.sentences[place] != self._words.sentences[first]:
                return False
            if self._denies(place) and (distance <= _DIRECT or self._words.tokens[place] in _OPENS_LIST):
                return True
            if place in self._at.get("list_stop", ()):
                return False
        return False

    def _denies(self, place: int) -> bool:
        return place in self._at.get("negation", ()) and place not in self._at.get("not_negation", ())
