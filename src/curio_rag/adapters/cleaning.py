"""Takes out of a text what no reader can see, and counts it; what can be seen stays as it is.

No compatibility normalisation (NFKC) takes place: it would turn "10²" into "102" and "½" into "1⁄2".
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_KIND_OF_RANGE: tuple[tuple[int, int, str], ...] = (
    (0x00, 0x08, "control"),
    (0x0B, 0x0C, "page or line break"),
    (0x0E, 0x1F, "control"),
    (0x7F, 0x84, "control"),
    (0x85, 0x85, "page or line break"),
    (0x86, 0x9F, "control"),
    (0xAD, 0xAD, "soft hyphen"),
    (0x034F, 0x034F, "zero-width"),
    (0x061C, 0x061C, "direction mark"),
    (0x115F, 0x1160, "blank filler"),
    (0x17B4, 0x17B5, "zero-width"),
    (0x180B, 0x180D, "variation selector"),
    (0x180E, 0x180E, "zero-width"),
    (0x180F, 0x180F, "variation selector"),
    (0x200B, 0x200D, "zero-width"),
    (0x200E, 0x200F, "direction mark"),
    (0x2028, 0x2029, "page or line break"),
    (0x202A, 0x202E, "direction override"),
    (0x2060, 0x2065, "zero-width"),
    (0x2066, 0x2069, "direction override"),
    (0x206A, 0x206F, "zero-width"),
    (0x2800, 0x2800, "blank filler"),
    (0x3164, 0x3164, "blank filler"),
    (0xD800, 0xDFFF, "half character"),
    (0xFDD0, 0xFDEF, "non-character"),
    (0xFE00, 0xFE0F, "variation selector"),
    (0xFEFF, 0xFEFF, "zero-width"),
    (0xFFA0, 0xFFA0, "blank filler"),
    (0xFFF0, 0xFFFB, "annotation mark"),
    (0xFFFE, 0xFFFF, "non-character"),
    (0x1D173, 0x1D17A, "zero-width"),
    (0xE0000, 0xE0FFF, "tag character"),
)
"""Inclusive ranges; the names stand in notes for people. U+E0100 to U+E01EF are told apart in `_kind`."""

_ESCAPE_SEQUENCE = r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\n\x07\x1b]*(?:\x07|\x1b\\)"
_UNSEEN = re.compile(
    _ESCAPE_SEQUENCE + "|[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high, _ in _KIND_OF_RANGE) + "]"
)
_JOINING_SCRIPTS = re.compile(r"[\u0600-\u08ff\u0900-\u109f\u1780-\u18af\ufb50-\ufefc]")
"""Arabic, Syriac and Indic scripts, Khmer and Mongolian: a (non-)joiner inside their words changes what is seen."""

_KEYCAPS = frozenset("#*0123456789")
_FULLWIDTH = re.compile(r"[\uff21-\uff3a\uff41-\uff5a]+")
_WORD_OF_LETTERS = re.compile(r"[^\W\d_]{2,}")
_LATIN = re.compile(r"[A-Za-z]")
_LOOKALIKE = re.compile(r"[\u0400-\u04ffΑΒΕΖΗΙΚΜΝΟΡΤΥΧονϲ]")
"""Cyrillic, and the Greek letters that can be taken for Latin ones; α, β, γ, κ, μ are at home in medical words."""

Removed = Counter[str]
"""How many characters of each kind were taken out."""


def _kind(character: str) -> str:
    code = ord(character)
    if 0xE0100 <= code <= 0xE01EF:
        return "variation selector"
    for low, high, kind in _KIND_OF_RANGE:
        if low <= code <= high:
            return kind
    return "control"


def _is_emoji(character: str) -> bool:
    return unicodedata.category(character) == "So" or character in _KEYCAPS or character in "‼⁉↔↕↖↗↘↙↩↪▪▫◾◽"


def _belongs(character: str, before: str, after: str) -> bool:
    """Whether an unseen character shapes what stands beside it, and so has to stay."""
    if character in "\u200c\u200d":
        if _JOINING_SCRIPTS.match(before) and _JOINING_SCRIPTS.match(after):
            return True
        return character == "\u200d" and bool(before and after) and _is_emoji(after) and _ends_emoji(before)
    if character in "\ufe0e\ufe0f":
        return bool(before) and (_is_emoji(before) if before not in _KEYCAPS else after == "\u20e3")
    return "\u180b" <= character <= "\u180f" and "\u1800" <= before <= "\u18af"


def _ends_emoji(character: str) -> bool:
    return _is_emoji(character) or character == "\ufe0f" or 0x1F3FB <= ord(character) <= 0x1F3FF


def clean(text: str, removed: Removed) -> str:
    """The text without unseen characters; each is counted in `removed`. Breaks of any kind become newlines."""

    def replace(match: re.Match[str]) -> str:
        found = match.group()
        if len(found) > 1:
            removed["terminal escape"] += 1
            return ""
        kind = _kind(found)
        if kind == "page or line break":
            return "\n"
        start, end = match.span()
        if _belongs(found, text[start - 1 : start], text[end : end + 1]):
            return found
        removed[kind] += 1
        return "\ufffd" if kind == "half character" else ""

    return _UNSEEN.sub(replace, text)


def notes_on(removed: Removed) -> tuple[str, ...]:
    """One sentence for a curator on what was taken out, or nothing."""
    if not removed:
        return ()
    parts = ", ".join(f"{count} {kind}" for kind, count in sorted(removed.items()))
    return (f"characters that no reader can see were left out: {parts}",)


def suspicious_words(text: str) -> tuple[str, ...]:
    """Notes on letters that imitate others: mixed scripts within a word, full-width Latin. The text keeps them."""
    notes = []
    if _LOOKALIKE.search(text):
        words = _WORD_OF_LETTERS.findall(text)
        mixed = sorted({word for word in words if _LATIN.search(word) and _LOOKALIKE.search(word)})
        if mixed:
            shown = ", ".join(f"'{word[:40]}'" for word in mixed[:5])
            notes.append(f"{len(mixed)} words mix look-alike letters of two scripts, such as {shown}")
    wide = sum(len(found) for found in _FULLWIDTH.findall(text))
    if wide:
        notes.append(f"{wide} full-width Latin letters")
    if damaged := text.count("\ufffd"):
        notes.append(f"{damaged} replacement characters (U+FFFD): the text was damaged before it came here")
    return tuple(notes)
