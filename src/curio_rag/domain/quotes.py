"""Finds the place of a quote in a document: as a copy that may differ in its marks, or byte for byte.

A model's copy is looked for with `find_words`, which gives the document's own words; what is cited has to be
found by `find_quote`, which says precisely what differs when it is not there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from curio_rag.domain.answers import Reason
from curio_rag.domain.sources import Span

NAMES = {" ": "a space", "\n": "a line break", "\t": "a tab", "\u00a0": "a no-break space", "\u00ad": "a soft hyphen"}
LIKE_A_HYPHEN = "\u2010\u2011\u2012\u2013\u2014\u2212"
LIKE_QUOTES = {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "′": "'", "ʼ": "'"}


def find_quote(text: str, quote: str, *, near: Span | None = None) -> Span | Reason:
    """The span at which a quote stands in a text, byte for byte, or the reason why it has none.

    A quote that stands there several times is the one nearest to `near` (the passage that it was taken
    from); without `near` it has no place (`quote_ambiguous`). The other codes: `quote_empty`,
    `quote_space`, `quote_ligature`, `quote_punctuation` and `quote_case` for one that differs in just
    that, and `quote` for words that are not there.
    """
    if not quote.strip():
        return Reason(code="quote_empty", text="The quote is empty.")
    starts: list[int] = []
    at = text.find(quote)
    while at >= 0:
        starts.append(at)
        at = text.find(quote, at + 1)
    if not starts:
        return _difference(text, quote)
    if len(starts) > 1 and near is None:
        return Reason(
            code="quote_ambiguous", text=f"The quote stands {len(starts)} times in the document; quote more of it."
        )
    start = starts[0] if near is None else min(starts, key=lambda each: _distance(each, len(quote), near))
    return Span(start=start, end=start + len(quote))


def find_words(quote: str, text: str, *, within: Span) -> Span | None:
    """Where a quote first stands within a part of a text, whole words only; None where it does not.

    White space of any kind is equal, and so are the kinds of quotation marks and of dashes; nothing else is.
    """
    words = quote.split()
    if not words:
        return None
    pattern = r"\s+".join("".join(_alike(letter) for letter in word) for word in words)
    found = re.compile(rf"(?<!\w){pattern}(?!\w)").search(text, within.start, within.end)
    return Span(start=found.start(), end=found.end()) if found else None


def _alike(letter: str) -> str:
    """A pattern of the marks that are written for one another, or of the letter itself."""
    plain = _plain_punctuation(letter)
    others = LIKE_A_HYPHEN if plain == "-" else "".join(mark for mark, like in LIKE_QUOTES.items() if like == plain)
    return f"[{re.escape(plain + others)}]" if others else re.escape(letter)


def _distance(start: int, length: int, near: Span) -> int:
    """0 for a quote that lies within the span, else by how many characters it lies outside."""
    return max(near.start - start, start + length - near.end, 0)


def _plain_space(character: str) -> str:
    return " " if character.isspace() else character


def _letters(character: str) -> str:
    if character == "\u00ad":
        return ""
    return unicodedata.normalize("NFKC", character) if not character.isascii() else character


def _plain_punctuation(character: str) -> str:
    return "-" if character in LIKE_A_HYPHEN else LIKE_QUOTES.get(character, character)


FOLDINGS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("quote_space", "white space", _plain_space),
    ("quote_ligature", "a ligature or another form of a letter", _letters),
    ("quote_punctuation", "a dash or a quotation mark", _plain_punctuation),
    ("quote_case", "capital letters", str.lower),
)
"""What a quote may differ in, one on top of the other, with how the difference is folded away."""


def _difference(text: str, quote: str) -> Reason:
    foldings: list[Callable[[str], str]] = []
    for code, name, folding in FOLDINGS:
        foldings.append(folding)
        wanted, _ = _folded(quote.strip(), foldings)
        have, places = _folded(text, foldings)
        at = have.find(wanted) if wanted else -1
        if at >= 0:
            there = text[places[at] : places[at + len(wanted) - 1] + 1]
            return Reason(code=code, text=f"The quote differs from the document in {name}: {_first(there, quote)}")
    return Reason(code="quote", text="The document does not have these words.")


def _folded(text: str, foldings: list[Callable[[str], str]]) -> tuple[str, list[int]]:
    """The text with differences folded away and runs of spaces made one, and where each character comes from."""
    out: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        folded = character
        for folding in foldings:
            folded = "".join(folding(each) for each in folded)
        for each in folded:
            if each == " " and out and out[-1] == " ":
                continue
            out.append(each)
            places.append(place)
    return "".join(out), places


def _first(there: str, quote: str) -> str:
    """The first place at which two texts part, in words."""
    at = next((number for number, pair in enumerate(zip(there, quote, strict=False)) if pair[0] != pair[1]), None)
    if at is None:
        at = min(len(there), len(quote))
    near = " ".join(quote[max(0, at - 20) : at].split())
    return f"after “{near}” the document has {_name(there[at : at + 1])}, the quote has {_name(quote[at : at + 1])}."


def _name(character: str) -> str:
    if not character:
        return "nothing more"
    shown = NAMES.get(character)
    if shown is None:
        shown = f"“{character}”"
        if not character.isascii():
            shown += f" ({unicodedata.name(character, 'unnamed').lower()})"
    return shown
