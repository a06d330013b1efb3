"""Cuts a piece of text that no passage can hold: after clauses, else between words, else between characters."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from curio_rag.domain.sources import Span

CLAUSE_END = re.compile(r"[,;:，；：、—–)\]](?=\s|[^\x00-\u2fff])")
SPACE = re.compile(r"\s")
JOINERS = frozenset("\u200d\ufe0f")
"""Characters that bind their neighbours into one sign (zero width joiner, variation selector)."""


def trimmed(text: str, span: Span) -> Span:
    """The span without the white space at its ends."""
    piece = span.of(text)
    start = span.start + len(piece) - len(piece.lstrip())
    return Span(start=start, end=max(start, span.start + len(piece.rstrip())))


def cut_evenly(text: str, span: Span, *, parts: int) -> tuple[Span, ...]:
    """About so many parts of similar length, none blank, which together cover all but white space.

    The span itself, alone, when it has one character.
    """
    length = span.end - span.start
    parts = min(parts, length)
    ideal = [span.start + length * part // parts for part in range(1, parts)]
    reach = length // parts
    points: list[int] = []
    for position in ideal:
        point = _best_cut(text, position, reach, within=span)
        if point > (points[-1] if points else span.start):
            points.append(point)
    edges = (span.start, *points, span.end)
    cut = (trimmed(text, Span(start=start, end=end)) for start, end in pairwise(edges))
    return tuple(part for part in cut if part.start < part.end)


def _best_cut(text: str, position: int, reach: int, *, within: Span) -> int:
    """The end of a clause near a position, else white space less near, else the position itself."""
    for pattern, distance in ((CLAUSE_END, reach // 3), (SPACE, reach // 2)):
        low, high = max(within.start + 1, position - distance), min(within.end - 1, position + distance)
        found = [match.end() for match in pattern.finditer(text, low, high)]
        if found:
            return min(found, key=lambda end: (abs(end - position), end))
    point = position
    while point < min(within.end - 1, position + reach // 2) and (
        unicodedata.combining(text[point]) or text[point] in JOINERS or text[point - 1] in JOINERS
    ):
        point += 1
    return point
