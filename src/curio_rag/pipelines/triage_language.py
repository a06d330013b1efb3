"""In which language a message is written, by its script and its small words; enough to send it to the right words.

A few strong phrases of other languages stand in the rules of triage, and some of their words mean something else in
English ("poison", "overdose"). And a question in a language that the documents do not speak must reach a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

ENGLISH = "en"
LOOKED_AT = 4000
"""Characters from the beginning and as many from the end: enough for any message, whatever its length."""

_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS = {
    "ARABIC": "ar", "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "DEVANAGARI": "hi", "HEBREW": "he",
    "GREEK": "el", "THAI": "th", "BENGALI": "bn", "TAMIL": "ta", "CYRILLIC": "ru",
}  # fmt: skip
_LETTERS = {
    "tr": frozenset("ğşı"),
    "pl": frozenset("łąężźśćń"),
    "pt": frozenset("ãõ"),
    "es": frozenset("ñ"),
    "de": frozenset("ß"),
}
"""Letters that among the Latin alphabets known here belong to one language: a word with one counts as a small word."""

_UKRAINIAN = frozenset("іїєґІЇЄҐ")
_NONE = frozenset[str]()
_LEAST = 2
"""So many small words of a language, and more than English ones, make a text one of that language ..."""

_FEW_WORDS = 4
"""... in a text of at most so many words one is enough."""


def language_of(text: str, small_words: Iterable[tuple[str, frozenset[str]]]) -> str:
    """The ISO 639-1 code of the language, `en` where nothing speaks against it.

    `small_words` holds for each language, English included, words that occur in nearly every sentence,
    with their accents; a word that two languages share counts for both.
    """
    seen = text if len(text) <= 2 * LOOKED_AT else f"{text[:LOOKED_AT]} {text[-LOOKED_AT:]}"
    script = _script(seen)
    if script:
        return script
    words = [word.casefold() for word in _WORD.findall(seen)]
    counts = Counter(
        {
            code: sum(word in small or not _LETTERS.get(code, _NONE).isdisjoint(word) for word in words)
            for code, small in small_words
        }
    )
    english = counts.pop(ENGLISH, 0)
    best, found = max(counts.items(), key=lambda each: each[1], default=(ENGLISH, 0))
    enough = found >= _LEAST or (found == 1 and len(words) <= _FEW_WORDS)
    return best if enough and found > english else ENGLISH


def _script(text: str) -> str | None:
    """The language of a script other than Latin that most letters belong to."""
    letters = [character for character in text if character.isalpha()]
    foreign = [character for character in letters if not character.isascii()]
    if 2 * len(foreign) <= len(letters):
        return None
    scripts = Counter(unicodedata.name(character, "").split(" ")[0].split("-")[0] for character in foreign)
    name = max(scripts, key=lambda each: scripts[each]) if scripts else ""
    if name == "CYRILLIC" and not _UKRAINIAN.isdisjoint(text):
        return "uk"
    if name == "CJK" and (scripts["HIRAGANA"] or scripts["KATAKANA"]):
        return "ja"
    return _SCRIPTS.get(name)
