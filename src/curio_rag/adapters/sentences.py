"""Exact spans of the sentences of a text, found by sentencex (Wikimedia) and mended for medical English.

Of the libraries tried on the cases in `tests/test_sentences.py` sentencex is the one that is fast,
offline, maintained and keeps exact offsets in every script. What it misses is held below as data:
places where it cuts after an abbreviation, and places where it sees no end. Where neither
is certain two sentences stay together, because a quote of half a sentence can say the opposite.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import sentencex  # type: ignore[import-untyped]  # a compiled module without stubs

from curio_rag.domain.sources import Span

WINDOW = 10_000
"""Characters that sentencex sees at once: unclosed quotes cost it quadratic time (1 s at 64,000, 20 ms at 10,000)."""


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


NEVER_LAST = _words(
    "a.k.a approx ca cf dr drs e.g eqn est fig figs ft i.e incl messrs mr mrs ms mt mx prof rev sen st viz vs"
)
"""What stands before these words' full stop introduces what follows, so no sentence ends there."""

BEFORE_A_NUMBER = _words(
    "app art c ca ch chap col cols eq eqs ex exp fig figs no nos nr p pp para ref refs sec sect tab tabs vol vols"
)
"""These are abbreviations when a number follows ("No. 3"); "The answer is no." is a sentence."""

BEFORE_A_SMALL_LETTER = _words(
    """
    abs admin al amp amt anat appt avail avg bid cap caps chem clin conc cont contd corp dept diag diam diff dil dist
    dx ed eds equiv esp et etc ext freq ft gal gen gm gms gr hosp hr hrs ht hx im in inc incl inf inj intl iv kg lat lb
    lbs liq ltd max mcg med meds mg min mins misc ml mm mo mos neg nos obs oz perf phys poss postop preop prev prob
    pt pts qty rec ref reg resp rx sat sec secs soln spec spp sq stat std subcut subq subsp supp surg susp sx sym syn
    syr tab tabs tbsp temp tid tsp tx unk usu var vit vol wk wks wt yr yrs
    """
)
"""Clinical shorthand that a sentence may also end with: only a small letter after it says that it goes on."""

STARTERS = r"(?=(?:An?|He|If|In|It|She|The|These|They|This|We|You|Your)\s)"
"""Words that begin a sentence far more often than a name."""

MISSED = re.compile(
    "|".join(
        (
            r"[a-z]{2}[.…][\"”]\s+(?=[A-Z“\"(])",  # She said, "I feel ill." | The nurse came.
            r"…\s+(?=[A-Z“\"(])",  # Wait… | Then call.
            r"(?:^|(?<=[.!?]\s))\([^()]{1,300}[.!?]\)\s+(?=[A-Z“\"(])",  # (This is rare.) | Most people recover.
            r"\b(?:no|may)\.\s+(?=[A-Z])",  # The answer is no. | Ask again.  Until they say that you may. | Ask.
            r"(?:\d\s?|/)[A-Za-zµ]{1,4}\.\s+(?=[A-Z])",  # Add 5 mg. | Stir.   Give 10 mL/hr. | Watch.
            r"[a-z]{3}\.\d{1,2}(?:[,–-]\d{1,2})*\s+(?=[A-Z])",  # It works.1 | It is safe.  (a raised reference)
            rf"\b(?:[a-z]\.){{2,5}}\s+{STARTERS}",  # It is given i.v. | The nurse watches you.
        )
    ),
    re.MULTILINE,
)
"""Ends of sentences that sentencex does not see."""

LAST_WORD = re.compile(r"(?<![A-Za-z.])([A-Za-z]+(?:\.[A-Za-z]+)*)\.$")
ENUMERATOR = re.compile(r"[(\[]?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]")
REFERENCES = re.compile(r"\[\d[\d,;\s–-]*\]")
BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
SURROGATES = re.compile("[\ud800-\udfff]")
LONGEST_MARK = 24
"""Abbreviations and enumerators are looked for in this many characters before a boundary."""


def sentence_spans(text: str, *, language: str = "en") -> tuple[Span, ...]:
    """The sentences of a text: in order, apart, and together covering every character that is not white space.

    Spans are in characters of the text as it is given and begin and end on characters that are not
    white space. `language` is a BCP 47 tag; for one that sentencex does not know, general
    punctuation rules apply. A blank line ends a sentence, a line break alone does not. Time is linear in
    the text's length.
    """
    base = re.split("[-_]", language.lower())[0] or "en"
    text = SURROGATES.sub("\ufffd", text)
    starts = set(_boundaries(text, base))
    if base == "en":
        starts.update(match.end() for match in MISSED.finditer(text))
    spans: list[Span] = []
    start = 0
    for boundary in (*sorted(starts - {0, len(text)}), len(text)):
        if boundary < len(text) and _goes_on(text, start, boundary, language=base):
            continue
        sentence = text[start:boundary]
        kept = sentence.strip()
        if kept:
            first = start + len(sentence) - len(sentence.lstrip())
            spans.append(Span(start=first, end=first + len(kept)))
        start = boundary
    return _with_references(text, spans)


def _boundaries(text: str, language: str) -> Iterator[int]:
    """Where sentencex begins a sentence, window by window; the last one of a window is seen again in the next."""
    position = 0
    while position < len(text):
        window = text[position : position + WINDOW]
        found = [boundary["start_index"] for boundary in sentencex.get_sentence_boundaries(language, window)]
        yield from (position + start for start in found)
        if position + WINDOW >= len(text):
            return
        # A window that is one long sentence is left at its last word, whose full stop may be its end.
        position += found[-1] if len(found) > 1 else _last_word_start(window)


def _last_word_start(window: str) -> int:
    kept = window.rstrip()
    last = kept.rsplit(maxsplit=1)[-1] if kept else ""
    return max(0, len(kept) - len(last)) or len(window)


def _goes_on(text: str, start: int, boundary: int, *, language: str) -> bool:
    """Whether the sentence begun at `start` goes on across a boundary."""
    near = text[max(start, boundary - 2 * LONGEST_MARK) : boundary]
    if BLANK_LINE.search(near[len(near.rstrip()) :]):
        return False
    before = near.rstrip()
    if len(before) <= LONGEST_MARK and ENUMERATOR.fullmatch(text[start:boundary].strip()):
        return True
    if language != "en":
        return False
    if before[-1:].isalpha() and "\n" not in near[len(before) :]:
        return True  # sentencex takes "(type 3) ... (type 4)" for a list and cuts inside the parentheses
    word = LAST_WORD.search(before[-LONGEST_MARK:])
    return word is not None and _introduces(word[1], text[boundary : boundary + 2])


def _introduces(word: str, following: str) -> bool:
    """Whether a word with a full stop is an abbreviation that leads on to what follows."""
    name = word.lower()
    if name in BEFORE_A_NUMBER and following[:1].isdigit():
        return True
    # "CF" and "MS" are diseases, not "cf." and "Ms."
    if len(word) > 1 and word.isupper():
        return False
    return name in NEVER_LAST or (name in BEFORE_A_SMALL_LETTER and following.islower())


def _with_references(text: str, spans: list[Span]) -> tuple[Span, ...]:
    """Numbered references and stray punctuation after a sentence's end belong to that sentence."""
    joined: list[Span] = []
    for span in spans:
        piece = span.of(text)
        alone = REFERENCES.fullmatch(piece) or not any(character.isalnum() for character in piece)
        if joined and alone and not BLANK_LINE.search(text, joined[-1].end, span.start):
            joined[-1] = Span(start=joined[-1].start, end=span.end)
        else:
            joined.append(span)
    return tuple(joined)
