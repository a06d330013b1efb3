"""Cuts a document into passages along its own structure; every character outside the headings lands in one.

Three steps: the stretches between headings and page breaks, the pieces of a stretch (sentences,
list items, table rows) with their token counts, and the cheapest way to pack neighbours into passages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version as installed_version
from itertools import accumulate, pairwise

from curio_rag.adapters.piece_cutting import cut_evenly, trimmed
from curio_rag.adapters.sentences import sentence_spans
from curio_rag.domain.sources import Block, BlockKind, Document, Passage, Span, context_line

RULES = "4"
"""Part of the version; raised with every change to how a document is cut or to what is embedded of a passage."""

PASSAGE_COST = 1.5
"""What each passage costs beside the square of its fill (0 to 1), which alone would favour many small ones."""

SENTENCE_BREAK = 0.15
ITEM_BREAK = 0.1
LEAD_IN_BREAK = 0.6
WHOLE_LIST_BREAK = 1.0
HEADER_ROW_BREAK = 0.5
CUT_BREAK = 0.6
"""What it costs to part a list from its lead-in, a list that fits, a table's first row from the next, a sentence."""

LONGEST_COUNTED = 40
"""Characters for each token of the limit; what is longer is cut before it is counted, to bound memory."""

LEAST_SENTENCE = 15
"""Characters; what is not longer says nothing by itself."""

ITEMS = frozenset({BlockKind.BULLET, BlockKind.STEP})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """What is kept whole if it can be. `opens`: first of its block; `cut`: begins within a sentence or item."""

    span: Span
    kind: BlockKind
    opens: bool
    cut: bool = False
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Text between two headings, or the part of it on one page."""

    span: Span
    heading_path: tuple[str, ...]


class PassageSplitter:
    """Passages of at most `max_tokens`, counted by `count_tokens` on the passage's exact text.

    Together with its title and headings a passage has at most `window` tokens, so that a model which
    reads so many loses nothing of it; yet half of the smaller number is always left for the text. Only one
    character that alone has more tokens than that would exceed it. `count_tokens` gives a number
    for each text, in order; it may but need not be additive over texts parted by white space
    (WordPiece is), for what is packed by sums is counted again.
    """

    def __init__(
        self, count_tokens: Callable[[Sequence[str]], Sequence[int]], *, max_tokens: int = 240, window: int = 254
    ) -> None:
        if max_tokens < 1:
            raise ValueError(f"a passage needs room for at least one token: {max_tokens}")
        self._count = count_tokens
        self._limit = max_tokens
        self._window = window

    @property
    def version(self) -> str:
        """The rules, the limits and the release that finds sentences."""
        return f"passages-{RULES}/{self._limit}/{self._window}/sentencex-{installed_version('sentencex')}"

    def sentences(self, passage: Passage) -> tuple[str, ...]:
        """Each sentence that is more than a word or two, under the passage's own heading or else its title.

        Empty for a passage of one sentence, whose own vector says the same.
        """
        texts = [span.of(passage.text).strip() for span in sentence_spans(passage.text)]
        texts = [text for text in texts if len(text) > LEAST_SENTENCE]
        heading = passage.heading_path[-1] if passage.heading_path else passage.title
        return tuple(f"{heading}: {text}" if heading else text for text in texts) if len(texts) > 1 else ()

    def split(self, document: Document) -> tuple[Passage, ...]:
        """Passages in order; none for a blank document. A document of headings alone becomes passages of them."""
        headings = document.headings
        stretches = tuple(_stretches(document))
        blocks = tuple(block for block in document.blocks if block.kind is not BlockKind.HEADING)
        if headings and not any(stretch.span.of(document.text).strip() for stretch in stretches):
            stretches = tuple(_by_page(document, Span(start=0, end=len(document.text)), ()))
            blocks = tuple(replace(block, kind=BlockKind.PARAGRAPH) for block in headings)
        cutter = _Cutter(count=self._count, limit=self._room(document, stretches))
        spans = cutter.spans(document.text, _in_stretches(document.text, stretches, blocks))
        return tuple(
            _passage(document, span, stretch)
            for stretch, within in zip(stretches, spans, strict=True)
            for span in within
        )

    def _room(self, document: Document, stretches: Sequence[_Stretch]) -> int:
        """How many tokens a passage's text may have beside the longest title and headings of its document."""
        lines = {context_line(document.title, stretch.heading_path) for stretch in stretches}
        longest = max(self._count([line for line in lines if line]), default=0) if any(lines) else 0
        limit = min(self._limit, self._window)
        return min(limit, max(self._window - longest, -(-limit // 2)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cutter:
    """Counts and packs the pieces of one document to passages of at most `limit` tokens."""

    count: Callable[[Sequence[str]], Sequence[int]]
    limit: int

    def spans(self, text: str, stretches: Sequence[Sequence[_Piece]]) -> list[tuple[Span, ...]]:
        """The spans of the passages of each stretch."""
        return self._pack_all(text, self._counted(text, stretches))

    def _counted(self, text: str, stretches: Sequence[Sequence[_Piece]]) -> list[list[_Piece]]:
        """The pieces with their counts, those over the limit cut until they fit; one count for each round."""
        done: list[list[_Piece]] = [list(self._shortened(text, pieces)) for pieces in stretches]
        open_pieces = [piece for pieces in done for piece in pieces]
        counts: dict[Span, int] = {}
        while open_pieces:
            counted = self.count([piece.span.of(text) for piece in open_pieces])
            counts.update((piece.span, tokens) for piece, tokens in zip(open_pieces, counted, strict=True))
            too_long = {piece.span for piece in open_pieces if counts[piece.span] > self.limit}
            open_pieces = []
            if too_long:
                for index, pieces in enumerate(done):
                    done[index] = []
                    for piece in pieces:
                        parts = self._parts(text, piece, counts[piece.span]) if piece.span in too_long else (piece,)
                        done[index].extend(parts)
                        open_pieces.extend(part for part in parts if part.span not in counts)
        return [[replace(piece, tokens=max(1, counts[piece.span])) for piece in pieces] for pieces in done]

    def _shortened(self, text: str, pieces: Sequence[_Piece]) -> Iterator[_Piece]:
        longest = LONGEST_COUNTED * self.limit
        for piece in pieces:
            length = piece.span.end - piece.span.start
            if length <= longest:
                yield piece
            else:
                yield from self._shortened(text, self._parts(text, piece, length // 4))

    def _parts(self, text: str, piece: _Piece, tokens: int) -> tuple[_Piece, ...]:
        """A list item or row by its sentences, whatever else is too long by even cuts; itself if it cannot be cut."""
        spans: tuple[Span, ...] = ()
        if piece.kind is not BlockKind.PARAGRAPH and not piece.cut:
            spans = _sentences(text, piece.span)
        if len(spans) < 2:
            spans = cut_evenly(text, piece.span, parts=max(2, -(-tokens * 9 // (self.limit * 8))))
        first, *rest = (replace(piece, span=span, opens=False, cut=True) for span in spans)
        return replace(first, opens=piece.opens, cut=piece.cut or len(spans) == 1), *rest

    def _pack_all(self, text: str, stretches: Sequence[Sequence[_Piece]]) -> list[tuple[Span, ...]]:
        """Pack by sums, count the results exactly, and pack tighter where a sum was less than the whole."""
        packed = [_pack(pieces, self.limit) for pieces in stretches]
        flat = [span.of(text) for spans in packed for span in spans]
        counts = iter(self.count(flat) if flat else ())
        for index, pieces in enumerate(stretches):
            excess = max((next(counts) - self.limit for _ in packed[index]), default=0)
            room = self.limit
            while excess > 0 and len(packed[index]) < len(pieces):
                room = max(0, min(room - excess, room * 9 // 10))
                packed[index] = _pack(pieces, room)
                again = self.count([span.of(text) for span in packed[index]])
                excess = max(again) - self.limit
        return packed


def _passage(document: Document, span: Span, stretch: _Stretch) -> Passage:
    return Passage(
        document_id=document.id,
        document_digest=document.digest,
        span=span,
        text=span.of(document.text),
        title=document.title,
        heading_path=stretch.heading_path,
        page=document.page_at(span.start),
        jurisdiction=document.jurisdiction,
        products=document.products,
        population=document.population,
        as_of=document.as_of,
    )


def _stretches(document: Document) -> Iterator[_Stretch]:
    """What lies between headings, page by page, in order."""
    start, path = 0, tuple[str, ...]()
    sections = {section.span.start: section for section in document.sections}
    for heading in document.headings:
        yield from _by_page(document, Span(start=start, end=max(start, heading.span.start)), path)
        start, path = max(start, heading.span.end), sections[heading.span.start].heading_path
    yield from _by_page(document, Span(start=start, end=len(document.text)), path)


def _by_page(document: Document, span: Span, path: tuple[str, ...]) -> Iterator[_Stretch]:
    inside = sorted({start for start in document.page_starts if span.start < start < span.end})
    for start, end in pairwise((span.start, *inside, span.end)):
        yield _Stretch(span=Span(start=start, end=end), heading_path=path)


def _in_stretches(text: str, stretches: Sequence[_Stretch], blocks: Sequence[Block]) -> list[list[_Piece]]:
    """The pieces of each stretch; a block that runs over a page break has pieces on both pages."""
    cut: list[list[_Piece]] = []
    position = 0
    for stretch in stretches:
        while position < len(blocks) and blocks[position].span.end <= stretch.span.start:
            position += 1
        last = position
        while last < len(blocks) and blocks[last].span.start < stretch.span.end:
            last += 1
        cut.append(list(_pieces(text, stretch.span, blocks[position:last])))
    return cut


def _pieces(text: str, within: Span, blocks: Sequence[Block]) -> Iterator[_Piece]:
    """Sentences of paragraphs, whole items and rows; text outside the blocks is markers or paragraphs."""
    position = within.start
    for block in blocks:
        start, end = max(block.span.start, position), min(block.span.end, within.end)
        if not text[start:end].strip():
            continue
        gap = text[position:start]
        marker = gap.rfind("\n") + 1
        yield from _paragraphs(text, Span(start=position, end=position + marker))
        whole = trimmed(text, Span(start=position + marker, end=end))
        if block.kind is BlockKind.PARAGRAPH:
            yield from _as_sentences(text, whole)
        else:
            yield _Piece(span=whole, kind=block.kind, opens=True)
        position = end
    yield from _paragraphs(text, Span(start=position, end=within.end))


def _paragraphs(text: str, span: Span) -> Iterator[_Piece]:
    """Text that no block names: each part between blank lines is a paragraph."""
    start = span.start
    for blank in re.finditer(r"\n\s*\n", span.of(text)):
        yield from _as_sentences(text, Span(start=start, end=span.start + blank.start()))
        start = span.start + blank.end()
    yield from _as_sentences(text, Span(start=start, end=span.end))


def _as_sentences(text: str, span: Span) -> Iterator[_Piece]:
    for index, sentence in enumerate(_sentences(text, span)):
        yield _Piece(span=sentence, kind=BlockKind.PARAGRAPH, opens=index == 0)


def _sentences(text: str, span: Span) -> tuple[Span, ...]:
    return tuple(
        Span(start=span.start + found.start, end=span.start + found.end) for found in sentence_spans(span.of(text))
    )


def _pack(pieces: Sequence[_Piece], limit: int) -> tuple[Span, ...]:
    """The cheapest way to join neighbours to at most `limit` tokens, found by dynamic programming.

    The square of the fill makes equal passages cheaper than a full one with a remnant. A piece that
    is over the limit alone stays alone.
    """
    before = [0, *accumulate(piece.tokens for piece in pieces)]
    breaks = _break_costs(pieces, limit)
    cheapest, came_from = [0.0], [0]
    for end in range(1, len(before)):
        best, origin = float("inf"), end - 1
        for start in range(end - 1, -1, -1):
            size = before[end] - before[start]
            if size > limit and start < end - 1:
                break
            cost = cheapest[start] + breaks[start] + PASSAGE_COST + (size / max(1, limit)) ** 2
            if cost < best:
                best, origin = cost, start
        cheapest.append(best)
        came_from.append(origin)
    spans: list[Span] = []
    end = len(pieces)
    while end:
        start = came_from[end]
        spans.append(Span(start=pieces[start].span.start, end=pieces[end - 1].span.end))
        end = start
    return tuple(reversed(spans))


def _break_costs(pieces: Sequence[_Piece], limit: int) -> list[float]:
    """What a break before each piece costs; between blocks it is free."""
    costs = [0.0] * len(pieces)
    for index in range(1, len(pieces)):
        piece, previous = pieces[index], pieces[index - 1]
        if piece.cut:
            costs[index] = CUT_BREAK
        elif not piece.opens:
            costs[index] = SENTENCE_BREAK
        elif piece.kind in ITEMS:
            costs[index] = ITEM_BREAK if previous.kind in ITEMS else LEAD_IN_BREAK
        elif piece.kind is BlockKind.ROW:
            header = previous.kind is BlockKind.ROW and (index < 2 or pieces[index - 2].kind is not BlockKind.ROW)
            costs[index] = HEADER_ROW_BREAK if header else ITEM_BREAK
    for first, end in _lists(pieces):
        lead_in = max(0, first - 1)
        if sum(piece.tokens for piece in pieces[lead_in:end]) <= limit:
            costs[lead_in + 1 : end] = [WHOLE_LIST_BREAK] * (end - lead_in - 1)
    return costs


def _lists(pieces: Sequence[_Piece]) -> Iterator[tuple[int, int]]:
    """Where each list begins and ends among the pieces."""
    start: int | None = None
    for index, piece in enumerate(pieces):
        if piece.kind in ITEMS and start is None:
            start = index
        elif piece.kind not in ITEMS and start is not None:
            yield start, index
            start = None
    if start is not None:
        yield start, len(pieces)
