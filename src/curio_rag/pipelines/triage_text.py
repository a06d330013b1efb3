"""A question as the rules of triage see it: plain words on a ruler, sentence by sentence, in linear time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

SENTENCE_GAP = 4
"""How far apart on the ruler the end of a sentence pushes its neighbours, in words."""

_LONGEST_WORD = 24
_WITHOUT_SPACES = r"\u3040-\u30ff\u3400-\u9fff"
"""Japanese and Chinese: every sign is a word of its own, and a pattern names them one after the other."""

_WITH_SIGNS = r"\u0900-\u0963\u0971-\u0d7f"
"""Indian scripts: the signs of vowels belong to the word."""

_LETTERS = rf"(?:[^\W\d_{_WITHOUT_SPACES}]|[{_WITH_SIGNS}])+"
_FIGURE = re.compile(r"\d+(?:[.,]\d+)?")
"""A number that has a value; "²" and the like are digits that have none."""

_TOKEN = re.compile(
    rf"\d+(?:[.,]\d+)?|[{_WITHOUT_SPACES}]|{_LETTERS}(?:'{_LETTERS})*|[.!?;:\u3002\uff01\uff1f\u061f\u0964]+|\n"
)
_ENDS = frozenset(".!?;:\u3002\uff01\uff1f\u061f\u0964\n")
_QUOTES = {ord(mark): "'" for mark in "’‘ʼ´`′＇"}
_INVISIBLE = dict.fromkeys((173, 1564, 8288, 65279, *range(8203, 8208), *range(8234, 8239)))
_NUMBERS = {
    "zero": 0.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0,
    "nine": 9.0, "ten": 10.0, "eleven": 11.0, "twelve": 12.0, "thirteen": 13.0, "fourteen": 14.0, "fifteen": 15.0,
    "sixteen": 16.0, "seventeen": 17.0, "eighteen": 18.0, "nineteen": 19.0, "twenty": 20.0, "thirty": 30.0,
    "forty": 40.0, "fifty": 50.0, "sixty": 60.0,
}  # fmt: skip
_BEFORE_NOT = {
    "can": "cant", "could": "couldnt", "do": "dont", "does": "doesnt", "did": "didnt", "is": "isnt", "are": "arent",
    "was": "wasnt", "were": "werent", "will": "wont", "would": "wouldnt", "has": "hasnt", "have": "havent",
    "should": "shouldnt",
}  # fmt: skip


_WITHOUT_STROKE = {"ł": "l", "ı": "i", "ø": "o", "đ": "d"}
"""Letters that Unicode does not take apart, and that many people type without their stroke or with a dot."""


class _Plain(dict[int, str]):
    """Each character in lower case without its accents; built as characters turn up, one at a time.

    Normalising whole strings takes quadratic time on hostile runs of combining marks.
    """

    def __missing__(self, code: int) -> str:
        parts = unicodedata.normalize("NFKD", chr(code))[:4]
        plain = "".join(part for part in parts if not unicodedata.combining(part)).casefold()
        plain = _WITHOUT_STROKE.get(plain, plain)
        self[code] = plain
        return plain


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text without fillers, their places on the ruler, their sentences, and the numbers among them."""

    tokens: tuple[str, ...]
    places: tuple[int, ...]
    sentences: tuple[int, ...]
    numbers: Mapping[int, float]
    """Values by index into `tokens`."""

    def starts(self) -> tuple[int, ...]:
        """The index of each sentence's first word, in order of the sentences that have words."""
        firsts = (after for before, after in pairwise(range(len(self.tokens))) if self._new(before, after))
        return (0, *firsts) if self.tokens else ()

    def _new(self, before: int, after: int) -> bool:
        return self.sentences[before] != self.sentences[after]


def plain(text: str) -> str:
    """The text in lower case, without accents, invisible characters and curly quotes."""
    if text.isascii():
        return text.lower()
    return text.translate(_INVISIBLE).translate(_QUOTES).translate(_Plain())


def read_words(text: str, *, fillers: frozenset[str], correct: Callable[[str], str]) -> Words:
    """Cut a text into words; `correct` mends one word and is asked once for each different one."""
    tokens: list[str] = []
    places: list[int] = []
    sentences: list[int] = []
    numbers: dict[int, float] = {}
    mended: dict[str, str] = {}
    place = sentence = 0
    for match in _TOKEN.finditer(plain(text)):
        raw = match.group()
        if raw[0] in _ENDS:
            sentence += 1
            place += 0 if raw[0] in "\n:" else SENTENCE_GAP
            continue
        word = mended.get(raw)
        if word is None:
            word = mended[raw] = raw if raw[0].isdigit() else correct(raw.replace("'", "")[:_LONGEST_WORD])
        if word == "not" and tokens and tokens[-1] in _BEFORE_NOT and sentences[-1] == sentence:
            tokens[-1] = _BEFORE_NOT[tokens[-1]]
            continue
        if word in fillers:
            continue
        value = _value(word)
        if value is not None:
            numbers[len(tokens)] = value
        tokens.append(word)
        places.append(place)
        sentences.append(sentence)
        place += 1
    return Words(tuple(tokens), tuple(places), tuple(sentences), numbers)


def _value(word: str) -> float | None:
    if not _FIGURE.fullmatch(word):
        return _NUMBERS.get(word)
    whole, comma, rest = word.partition(",")
    return float(whole + rest if comma and len(rest) == 3 else word.replace(",", "."))


class Spelling:
    """Mends misspelt words: known misspellings, letters held down, and one wrong letter in a word that matters.

    A word that matters is found by its neighbours with one letter removed, so each look-up costs
    the length of the word, whatever the size of the list.
    """

    def __init__(
        self,
        *,
        known: Mapping[str, str],
        important: frozenset[str],
        not_misspelt: frozenset[str],
        vocabulary: frozenset[str],
    ) -> None:
        self._known = known
        self._vocabulary = vocabulary | important
        self._leave = not_misspelt | self._vocabulary
        self._neighbours = {short: word for word in sorted(important) for short in (word, *_shortened(word))}

    def correct(self, word: str) -> str:
        """The word that was meant, or the word itself."""
        held = _without_held_letters(word, self._vocabulary)
        held = self._known.get(held, held)
        if len(held) < 6 or held in self._leave:
            return held
        for short in (held, *_shortened(held)):
            meant = self._neighbours.get(short)
            if meant is not None and meant[0] == held[0] and abs(len(meant) - len(held)) <= 1:
                return meant
        return held


def _shortened(word: str) -> tuple[str, ...]:
    return tuple(word[:place] + word[place + 1 :] for place in range(len(word)))


def _without_held_letters(word: str, vocabulary: frozenset[str]) -> str:
    """`heeelp` as `help`: runs of three or more become two letters or one, whichever is a known word."""
    if not any(a == b == c for a, b, c in zip(word, word[1:], word[2:], strict=False)):
        return word
    twice = re.sub(r"(.)\1{2,}", r"\1\1", word)
    once = re.sub(r"(.)\1{2,}", r"\1", word)
    return twice if twice in vocabulary else once
