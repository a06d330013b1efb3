"""Makes headings, paragraphs and lists out of a PDF's visible lines, page by page.

What a PDF does not say has to be inferred: headings from size and weight, paragraphs from the distance
of lines, lists from their markers. Tables come out as lines of text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from curio_rag.adapters.blocks import BlockWriter, Reading
from curio_rag.adapters.isolation import run_isolated
from curio_rag.adapters.pdf_refusals import WARNS, corrupt
from curio_rag.domain.digests import Json
from curio_rag.domain.sources import BlockKind
from curio_rag.errors import UnreadableDocument

_BULLET = re.compile(r"\s*([•◦‣▪▫●○■□·∙➢✓\uf0b7\uf0a7\uf0d8]|[-–—*](?=\s))\s*(?=\S)")
_LONE_BULLET = re.compile(r"\s*[•◦‣▪▫●○■□·∙➢✓\uf0b7\uf0a7\uf0d8]\s*")
_STEP = re.compile(r"\s*(\d{1,2})[.)]\s+(?=\S)")
_HYPHEN = re.compile(r"([^\W\d_]{2,})-$")
_WORD_START = re.compile(r"[^\W\d_]+")
_LARGER = 1.12
"""A heading's size over the body's, at least."""

_COMMON_SHARE = 0.1
_PARAGRAPH_GAP = 1.35
"""The distance of two lines over the usual one from which a paragraph begins."""

_HEADING_CHARACTERS = 160
_BOLD_CHARACTERS = 90
_REPEATED_PAGES = 3
_REPEATED_SHARE = 0.6
_UNMAPPED_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Line:
    """A visible line: its size in points, whether it is bold, and its origin, upwards from the foot of the page."""

    text: str
    size: float
    bold: bool
    x: float
    y: float


def read_pdf(content: bytes, *, name: str, seconds: float) -> Reading:
    """The visible text, structure, pages and labels. Raises `UnreadableDocument`.

    Reasons: `encrypted`, `no_text`, `corrupt`, `encoding`, `resource_limit`.
    """
    result = run_isolated("pdf", content, name=name, seconds=seconds)
    pages = _pages(result)
    notes = [str(note) for note in cast("Sequence[Json]", result["notes"])]
    _check_text(pages, notes, name, hidden=int(cast("int", result["hidden"])))
    labels = [str(label) for label in cast("Sequence[Json]", result["labels"])]
    empty = [str(number) for number, page in enumerate(pages, 1) if not page]
    if empty:
        notes.append(f"no text on page {', '.join(empty[:20])}{' and others' if len(empty) > 20 else ''}")
    pages, dropped = _without_repeated_margins(pages)
    if dropped:
        notes.append(f"{dropped} repeated headers, footers and page numbers left out after their first")
    writer = BlockWriter()
    writer.notes.extend(notes)
    _Layout(pages).write(writer)
    return writer.finish(page_labels=labels)


def _pages(result: Mapping[str, Json]) -> list[list[Line]]:
    return [
        [Line(str(text), float(size), bool(bold), float(x), float(y)) for text, size, bold, x, y in page]
        for page in cast("list[list[tuple[str, float, bool, float, float]]]", result["pages"])
    ]


def _check_text(pages: Sequence[Sequence[Line]], notes: Sequence[str], name: str, *, hidden: int) -> None:
    text = "".join(line.text for page in pages for line in page)
    if not text.strip():
        if any(WARNS in note for note in notes):
            raise corrupt(name, "it is damaged and no text is left")
        what = "all of its text is invisible, as a scanner leaves it" if hidden else "it has no text layer"
        raise UnreadableDocument(
            f"{name}: {what}.", reason="no_text", hint="Run text recognition on it, check the result, and save that."
        )
    if text.count("\ufffd") > _UNMAPPED_SHARE * len(text):
        raise UnreadableDocument(
            f"{name} does not say which letters its fonts show.",
            reason="encoding",
            hint="Ask its publisher for another edition, or print it to a new PDF and check the text.",
        )


def _without_repeated_margins(pages: Sequence[Sequence[Line]]) -> tuple[list[list[Line]], int]:
    """Drops what stands at the head or foot of most pages, but keeps its first instance, for it may be a warning."""
    outer = [[*page[:2], *page[2:][-2:]] for page in pages]
    counts = Counter(key for lines in outer for key in {_shape(line.text) for line in lines})
    least = max(_REPEATED_PAGES, _REPEATED_SHARE * sum(bool(page) for page in pages))
    repeated = {shape for shape, count in counts.items() if count >= least}
    kept: list[list[Line]] = []
    seen: set[str] = set()
    dropped = 0
    for page, edges in zip(pages, outer, strict=True):
        remaining = []
        for index, line in enumerate(page):
            shape = _shape(line.text)
            at_edge = index < 2 or index >= len(page) - 2
            if at_edge and shape in repeated and line in edges:
                bare_number = not re.search(r"[^\W\d_]{3,}", shape.replace("page", ""))
                if shape in seen or bare_number:
                    dropped += 1
                    continue
                seen.add(shape)
            remaining.append(line)
        kept.append(remaining)
    return kept, dropped


def _shape(text: str) -> str:
    return re.sub(r"\d+", "#", " ".join(text.lower().split()))


class _Layout:
    """Sorts the lines of a document into blocks."""

    def __init__(self, pages: Sequence[Sequence[Line]]) -> None:
        self._pages = pages
        lines = [line for page in pages for line in page]
        sizes: Counter[float] = Counter()
        for line in lines:
            sizes[line.size] += len(line.text)
        self._body = sizes.most_common(1)[0][0] if sizes else 12.0
        bold = sum(len(line.text) for line in lines if line.bold)
        self._bold_counts = bold < 0.4 * max(1, sizes.total())
        large = sorted({line.size for line in lines if self._is_large(line)}, reverse=True)
        self._levels = {size: min(6, level) for level, size in enumerate(large, 1)}
        self._bold_level = min(6, len(large) + 1) if large else 2
        self._gap = self._usual_gap()
        self._words = frozenset(word.lower() for line in lines for word in _WORD_START.findall(line.text))

    def write(self, writer: BlockWriter) -> None:
        """Writes every page; no block runs over the end of one."""
        for page in self._pages:
            writer.start_page()
            for block in self._blocks(page):
                block.write(writer)

    def _blocks(self, page: Sequence[Line]) -> list[_Draft]:
        drafts: list[_Draft] = []
        previous: Line | None = None
        for line in _with_joined_bullets(page):
            draft = self._begin(line, previous, drafts[-1] if drafts else None)
            if draft is None:
                drafts[-1].append(line.text, self._words)
            else:
                drafts.append(draft)
            previous = line
        return drafts

    def _begin(self, line: Line, previous: Line | None, last: _Draft | None) -> _Draft | None:
        """The block that a line begins, or None where it goes on with the last one."""
        level = self._heading_level(line)
        if level:
            goes_on = last is not None and last.level == level and last.kind is BlockKind.HEADING
            if goes_on and previous is not None and 0 < previous.y - line.y < 1.6 * line.size:
                return None
            return _Draft(BlockKind.HEADING, line.text, level=level)
        inside = last is not None and last.kind is not BlockKind.HEADING
        broken = previous is None or not inside or self._is_apart(previous, line)
        if match := _BULLET.match(line.text):
            if broken or match[1] not in "-–—*" or not _ends_in_number(last):
                return _Draft(BlockKind.BULLET, line.text[match.end() :], marker="-", level=1, x=line.x)
        elif match := _STEP.match(line.text):
            in_list = last is not None and last.kind is BlockKind.STEP
            if broken or in_list or match[1] == "1" or (last is not None and last.ends_sentence):
                return _Draft(BlockKind.STEP, line.text[match.end() :], marker=f"{match[1]}.", level=1, x=line.x)
        if not broken and not self._is_indented(previous, line, last):
            return None
        if inside and last is not None and previous is not None and self._runs_over(last, previous, line):
            return None
        return _Draft(BlockKind.PARAGRAPH, line.text)

    def _is_apart(self, previous: Line, line: Line) -> bool:
        distance = previous.y - line.y
        return distance < -0.5 * line.size or distance > _PARAGRAPH_GAP * max(self._gap, line.size)

    def _is_indented(self, previous: Line | None, line: Line, last: _Draft | None) -> bool:
        """A first line that is set in, after a sentence has ended."""
        if previous is None or last is None or last.kind is not BlockKind.PARAGRAPH or not last.ends_sentence:
            return False
        return 0.7 * line.size <= line.x - previous.x <= 4 * line.size and line.text.lstrip()[:1].isupper()

    def _runs_over(self, last: _Draft, previous: Line, line: Line) -> bool:
        """A sentence that goes on at the head of the next column."""
        return line.y > previous.y and not last.ends_sentence and line.text.lstrip()[:1].islower()

    def _is_large(self, line: Line) -> bool:
        return line.size >= _LARGER * self._body and bool(re.search(r"[^\W\d_]", line.text))

    def _heading_level(self, line: Line) -> int:
        text = line.text.strip()
        if _BULLET.match(line.text) or len(text) > _HEADING_CHARACTERS:
            return 0
        if self._is_large(line):
            return self._levels[line.size]
        short = len(text) <= _BOLD_CHARACTERS and not text.endswith((".", ",", ";", ":", "!"))
        worded = text[:1].isupper() or bool(_STEP.match(line.text))
        return self._bold_level if self._bold_counts and line.bold and short and worded else 0

    def _usual_gap(self) -> float:
        gaps: Counter[float] = Counter()
        for page in self._pages:
            for above, below in pairwise(page):
                if above.size == below.size == self._body and 0 < above.y - below.y < 4 * self._body:
                    gaps[round((above.y - below.y) * 2) / 2] += 1
        # Not the most common one: in a page of lists that is the gap between the items.
        common = [gap for gap, count in gaps.items() if count >= _COMMON_SHARE * gaps.total()]
        return min(common, default=1.2 * self._body)


class _Draft:
    """A block that lines are still being added to."""

    def __init__(self, kind: BlockKind, text: str, *, marker: str = "", level: int = 0, x: float = 0.0) -> None:
        self.kind, self.level, self.x = kind, level, x
        self._marker = marker
        self._text = text.strip()

    @property
    def ends_sentence(self) -> bool:
        return self._text[-1:] in ".:;!?"

    @property
    def text(self) -> str:
        return self._text

    def append(self, line: str, words: frozenset[str]) -> None:
        """Joins a wrapped line; a hyphen goes only where the whole word stands elsewhere in the document."""
        line = line.strip()
        hyphen, start = _HYPHEN.search(self._text), _WORD_START.match(line)
        if self._text.endswith("\u00ad"):
            self._text = self._text[:-1] + line
        elif hyphen and start and start.group()[0].islower():
            whole = (hyphen[1] + start.group()).lower() in words
            self._text = (self._text[:-1] if whole else self._text) + line
        else:
            self._text = f"{self._text} {line}"

    def write(self, writer: BlockWriter) -> None:
        writer.add(self.kind, self._text, level=self.level, marker=self._marker)


def _ends_in_number(last: _Draft | None) -> bool:
    return last is not None and last.text[-1:].isdigit()


def _with_joined_bullets(page: Sequence[Line]) -> list[Line]:
    """A bullet that was drawn as a line of its own goes before the line that follows it."""
    joined: list[Line] = []
    mark: Line | None = None
    for line in page:
        if mark is not None:
            line = Line(f"• {line.text.lstrip()}", line.size, line.bold, mark.x, line.y)
            mark = None
        elif _LONE_BULLET.fullmatch(line.text):
            mark = line
            continue
        joined.append(line)
    return joined
