"""Cuts a message into windows for a classifier: every sentence, two neighbours together, all of a short text.

One line of danger among many harmless ones would drown in the vector of the whole message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

LONGEST_WHOLE = 100
"""Words up to which the text as a whole is a window too: about as many as the texts that the classifier learnt from."""

LONGEST_SENTENCE = 60
"""Words after which a sentence without an end is cut ..."""

STEP = 40
"""... every so many words, so that what stands at a cut is seen whole in one of two windows."""

SHORT_PAIR = 50
"""Two sentences of at most so many words together are a window of their own: the danger may need both."""

_END = re.compile(r"(?<=[.!?;\u3002\u0964])\s+|\n+")


def windows(text: str) -> tuple[str, ...]:
    """The windows in order of the text, each once; none for a text without words. Linear in the text."""
    sentences = [piece for sentence in _END.split(text) for piece in _pieces(sentence)]
    found = dict.fromkeys(" ".join(sentence) for sentence in sentences)
    if len(sentences) > 1:
        total = sum(map(len, sentences))
        if total <= LONGEST_WHOLE:
            found[" ".join(word for sentence in sentences for word in sentence)] = None
        found.update(dict.fromkeys(_pairs(sentences)))
    return tuple(found)


def _pieces(sentence: str) -> Iterator[list[str]]:
    words = sentence.split()
    if not any(character.isalnum() for character in sentence):
        return
    if len(words) <= LONGEST_SENTENCE:
        yield words
        return
    for start in range(0, max(1, len(words) - LONGEST_SENTENCE + STEP), STEP):
        yield words[start : start + LONGEST_SENTENCE]


def _pairs(sentences: list[list[str]]) -> Iterator[str]:
    for first, second in pairwise(sentences):
        if len(first) + len(second) <= SHORT_PAIR:
            yield " ".join((*first, *second))
