"""Builds a document's text block by block, so that every span is exact by construction and none is searched for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from curio_rag.adapters.cleaning import Removed, clean, notes_on
from curio_rag.adapters.sentences import sentence_spans
from curio_rag.domain.digests import Json
from curio_rag.domain.sources import Block, BlockKind, Span

_LINE_KINDS = frozenset({BlockKind.BULLET, BlockKind.STEP})
_ALERT = re.compile(r"\s*\[!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*", re.IGNORECASE)
_MUST_SHOW_ALERT = re.compile(r"\s*\[!(?:IMPORTANT|WARNING|CAUTION)\]\s*", re.IGNORECASE)
_SUPERSCRIPTS = str.maketrans("0123456789+-−=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾")
_SUBSCRIPTS = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader found in one file, before its metadata: the visible text and its structure."""

    text: str
    blocks: tuple[Block, ...]
    must_show: tuple[Span, ...] = ()
    page_starts: tuple[int, ...] = ()
    page_labels: tuple[str, ...] = ()
    title: str | None = None
    language: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def first_heading(self) -> str | None:
        """The words of the first heading, on one line."""
        for block in self.blocks:
            if block.kind is BlockKind.HEADING:
                return " ".join(block.span.of(self.text).split())
        return None

    def to_dict(self) -> dict[str, Json]:
        """For the way from a child process to its parent."""
        return {
            "text": self.text,
            "blocks": [[b.kind.value, b.span.start, b.span.end, b.level] for b in self.blocks],
            "must_show": [[s.start, s.end] for s in self.must_show],
            "page_starts": list(self.page_starts),
            "page_labels": list(self.page_labels),
            "title": self.title,
            "language": self.language,
            "notes": list(self.notes),
        }


def raised(text: str) -> str:
    """Digits and signs as superscripts, so that 10 to the power of 6 never reads as 106."""
    return text.translate(_SUPERSCRIPTS)


def lowered(text: str) -> str:
    """Digits and signs as subscripts."""
    return text.translate(_SUBSCRIPTS)


def _sentences(text: str, span: Span) -> tuple[Span, ...]:
    """The sentences within a span of a text."""
    return tuple(Span(start=span.start + one.start, end=span.start + one.end) for one in sentence_spans(span.of(text)))


class BlockWriter:
    """Collects blocks in reading order; `finish` gives the whole."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.removed: Removed = Removed()
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._must_show: list[Span] = []
        self._page_starts: list[int] = []
        self._pages_to_come = 0
        self._break = True

    def add(self, kind: BlockKind, content: str, *, level: int = 0, marker: str = "", must_show: bool = False) -> None:
        """Append one block; white space is collapsed, line breaks kept, and empty content is nothing at all."""
        content = self._tidy(content)
        if not content:
            return
        if self._parts:
            self._append(self._separator(kind))
        self._page_starts.extend([self._length] * self._pages_to_come)
        self._pages_to_come = 0
        if marker:
            self._append("  " * (level - 1) + marker + " ")
        span = Span(start=self._length, end=self._length + len(content))
        self._append(content)
        self._blocks.append(Block(kind=kind, span=span, level=level))
        self._break = False
        if must_show:
            self._must_show.append(span)

    def start_page(self) -> None:
        """What is added from here on stands on the next physical page."""
        self._pages_to_come += 1
        self._break = True

    def end_table(self) -> None:
        """The next row belongs to another table."""
        self._break = True

    def finish(
        self, *, page_labels: Iterable[str] = (), title: str | None = None, language: str | None = None
    ) -> Reading:
        """The text with its blocks."""
        text = "".join(self._parts)
        self._page_starts.extend([self._length] * self._pages_to_come)
        self._pages_to_come = 0
        if self._page_starts:
            self._page_starts[0] = 0
        return Reading(
            text=text,
            blocks=tuple(self._blocks),
            must_show=tuple(one for span in self._must_show for one in _sentences(text, span)),
            page_starts=tuple(self._page_starts),
            page_labels=tuple(page_labels),
            title=self._tidy(title or "").replace("\n", " ") or None,
            language=language,
            notes=(*self.notes, *notes_on(self.removed)),
        )

    def _tidy(self, content: str) -> str:
        lines = (" ".join(line.split()) for line in clean(content, self.removed).split("\n"))
        return "\n".join(line for line in lines if line)

    def _separator(self, kind: BlockKind) -> str:
        last = self._blocks[-1].kind
        together = not self._break and (
            (kind in _LINE_KINDS and last in _LINE_KINDS) or (kind is BlockKind.ROW and last is BlockKind.ROW)
        )
        return "\n" if together else "\n\n"

    def _append(self, part: str) -> None:
        self._parts.append(part)
        self._length += len(part)


class ListItem:
    """A list item that is being read; what follows a nested list within it is a paragraph of its own."""

    def __init__(self, kind: BlockKind, marker: str, level: int) -> None:
        self.parts: list[str] = []
        self.must_show = False
        self._kind, self._marker, self._level = kind, marker, level

    def write(self, writer: BlockWriter) -> None:
        """Writes the words so far, if there are any; paragraphs of one item are parted by a line break."""
        content = "\n".join(part for part in self.parts if part.strip())
        if not content:
            return
        writer.add(self._kind, content, level=self._level, marker=self._marker, must_show=self.must_show)
        self.parts, self.must_show = [], False
        self._kind, self._marker, self._level = BlockKind.PARAGRAPH, "", 0


def without_alert_mark(text: str) -> tuple[str, bool, bool]:
    """A quotation's first words without `[!WARNING]`; whether there was a mark, and whether it must be shown."""
    match = _ALERT.match(text)
    if match is None:
        return text, False, False
    return text[match.end() :], True, _MUST_SHOW_ALERT.match(text) is not None
