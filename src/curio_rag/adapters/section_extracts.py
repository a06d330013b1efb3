"""What is taken of a section: whole paragraphs and whole lists as far as a budget of words goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from curio_rag.adapters.sentences import sentence_spans
from curio_rag.domain.answers import SectionKind
from curio_rag.domain.question_types import mentions
from curio_rag.domain.sources import Block, BlockKind, Document, Span
from curio_rag.domain.time_limits import Limit, limit_of

LIST_KINDS = {BlockKind.BULLET: SectionKind.LIST, BlockKind.STEP: SectionKind.STEPS, BlockKind.ROW: SectionKind.LIST}

SLACK = 40
"""So many words more than the budget a section may have when it ends there."""

LIST_SLACK = 30
"""So many words more than are left a list may have, since it is taken whole."""

CELL = " | "
"""Stands between the cells of a row."""

INTRODUCES = re.compile(
    r"\b(?:study|studies|review|trials?|survey)\b.{0,60}\b(?:looked at|followed|compared|tested|asked|gave)\b",
    re.DOTALL,
)
"""A sentence that says what was studied and not what was found, which may not stand last."""

DICTIONARY = 8
"""A list of more items, each with a name before a colon, is looked up in and not shown whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A paragraph's sentences, or the items of one whole list."""

    kind: SectionKind
    spans: tuple[Span, ...]


def units_of(document: Document, blocks: Sequence[Block]) -> Iterator[Unit]:
    """Blocks as paragraphs and whole lists, in order."""
    run: list[Block] = []
    for block in blocks:
        if run and (block.kind is not run[-1].kind or block.kind not in LIST_KINDS):
            yield _unit(document, run)
            run = []
        run.append(block)
    if run:
        yield _unit(document, run)


def _unit(document: Document, run: Sequence[Block]) -> Unit:
    if run[0].kind in LIST_KINDS:
        return Unit(kind=LIST_KINDS[run[0].kind], spans=tuple(block.span for block in run))
    spans = [
        Span(start=block.span.start + span.start, end=block.span.start + span.end)
        for block in run
        for span in sentence_spans(block.span.of(document.text), language=document.language)
    ]
    return Unit(kind=SectionKind.PARAGRAPH, spans=tuple(spans))


@dataclass(slots=True)
class Extract:
    """What has been taken of one section; a sentence that ends in a colon waits for its list.

    `seen` are the sentences of the whole answer so far, `terms` what the question asks about.
    """

    document: Document
    budget: int
    seen: set[str]
    terms: tuple[str, ...] = ()
    units: list[Unit] = field(default_factory=list)
    words: int = 0
    _lead: Span | None = None

    def text_of(self, span: Span) -> str:
        return span.of(self.document.text)

    def take_all(self, units: Sequence[Unit]) -> None:
        """Takes the units in order until one does not fit; a section that ends soon after the budget is taken whole."""
        whole = count_words(*(self.text_of(span) for unit in units for span in unit.spans))
        if self.budget < whole <= self.budget + SLACK:
            self.budget = whole
        for unit in units:
            if not self.take(unit):
                return

    def take(self, unit: Unit) -> bool:
        """Takes a unit or as much of it as fits; False when nothing more should be taken."""
        if unit.kind is SectionKind.PARAGRAPH:
            return self._take_paragraph(unit)
        return self._take_list(unit)

    def drop_lead(self) -> None:
        self._lead = None

    def covers(self, span: Span) -> bool:
        return any(taken.holds(span) for unit in self.units for taken in unit.spans)

    def force(self, unit: Unit) -> None:
        """Takes a unit whatever the budget: warnings travel with their section."""
        spans = tuple(span for span in unit.spans if self._new(span))
        if spans:
            self._append(Unit(kind=unit.kind, spans=spans))

    def _take_paragraph(self, unit: Unit) -> bool:
        kept: list[Span] = []
        for span in unit.spans:
            self.drop_lead()
            if self.text_of(span).rstrip().endswith(":"):
                self._lead = span
                continue
            count = count_words(self.text_of(span))
            full = self.words + count > self.budget and (kept or self.units)
            if full and not (self._is_bound(span) and any(map(self._is_bound, kept))):
                while kept and INTRODUCES.search(self.text_of(kept[-1])):
                    self._take_back(kept.pop())
                self._append(Unit(kind=unit.kind, spans=tuple(kept)), counted=True)
                return False
            if self._new(span):
                kept.append(span)
                self.words += count
        self._append(Unit(kind=unit.kind, spans=tuple(kept)), counted=True)
        return True

    def _is_bound(self, span: Span) -> bool:
        """Whether a sentence says how long to stay near or not to drive; no two of them are parted."""
        return limit_of(self.text_of(span)) in (Limit.DRIVING, Limit.NEARNESS)

    def _take_list(self, unit: Unit) -> bool:
        """A list is taken whole; a long one by its items' first sentences, then by their names; a longer one, not.

        One of which half was said before is left out with what leads to it.
        """
        spans = self._looked_up(unit)
        if 2 * sum(map(self._is_said, spans)) >= len(spans):
            self.drop_lead()
            return True
        room = max(self.budget - self.words, 0) + LIST_SLACK
        for shorter in (self._rows_asked_for,) if self._is_table(unit) else (self._first_sentences, self._names):
            if count_words(*map(self.text_of, spans)) > room:
                spans = shorter(spans)
        if count_words(*map(self.text_of, spans)) > room and (self.units or self._lead):
            self.drop_lead()
            return False
        if self._lead is not None and self._new(self._lead):
            self._append(Unit(kind=SectionKind.PARAGRAPH, spans=(self._lead,)))
        self.drop_lead()
        self._append(Unit(kind=unit.kind, spans=tuple(span for span in spans if self._new(span))))
        return self.words < self.budget

    def _looked_up(self, unit: Unit) -> tuple[Span, ...]:
        """The items of a list; of a dictionary those that name most of what is asked, its lead-in then left out."""
        if unit.kind is not SectionKind.LIST or not self._is_dictionary(unit):
            return unit.spans
        names = [_named(self.text_of(span)) for span in unit.spans]
        if not all(names):
            return unit.spans
        named = [sum(mentions(name, term) for term in self.terms) for name in names]
        self.drop_lead()
        return tuple(span for span, count in zip(unit.spans, named, strict=True) if count and count == max(named))

    def _is_table(self, unit: Unit) -> bool:
        return all(CELL in self.text_of(span) for span in unit.spans)

    def _rows_asked_for(self, spans: Sequence[Span]) -> tuple[Span, ...]:
        """Of a table its first row, which heads it, and those whose first cells name what is asked; all where none."""
        head, *rows = spans
        named = [
            row for row in rows if any(mentions(self.text_of(row).partition(CELL)[0], term) for term in self.terms)
        ]
        return (head, *named) if named else tuple(spans)

    def _is_dictionary(self, unit: Unit) -> bool:
        """Whether there are too many items to show them all, or most of them give other names for a word."""
        other_names = sum("(also: " in self.text_of(span) for span in unit.spans)
        return len(unit.spans) > DICTIONARY or 2 * other_names > len(unit.spans)

    def _first_sentences(self, spans: Sequence[Span]) -> tuple[Span, ...]:
        return tuple(map(self._first_sentence, spans))

    def _names(self, spans: Sequence[Span]) -> tuple[Span, ...]:
        return tuple(map(self._name, spans))

    def _first_sentence(self, span: Span) -> Span:
        first = next(iter(sentence_spans(self.text_of(span))), Span(start=0, end=span.end - span.start))
        return Span(start=span.start + first.start, end=span.start + first.end)

    def _name(self, span: Span) -> Span:
        """Of an item such as "Blood test: a procedure in which ..." what stands before the colon."""
        name = _named(self.text_of(span))
        return Span(start=span.start, end=span.start + len(name)) if name else span

    def _append(self, unit: Unit, *, counted: bool = False) -> None:
        if unit.spans and self.units and self._continues(self.units[-1], unit):
            self.units[-1] = Unit(kind=unit.kind, spans=(*self.units[-1].spans, *unit.spans))
        elif unit.spans:
            self.units.append(unit)
        if unit.spans:
            self.words += 0 if counted else count_words(*map(self.text_of, unit.spans))

    def _continues(self, before: Unit, unit: Unit) -> bool:
        """Whether a paragraph goes on in the one before, with nothing but a sentence or two left out between them."""
        if before.kind is not SectionKind.PARAGRAPH or unit.kind is not SectionKind.PARAGRAPH:
            return False
        return "\n" not in self.document.text[before.spans[-1].end : unit.spans[0].start]

    def _new(self, span: Span) -> bool:
        """Whether these words were not said before; they count as said from now on."""
        if self._is_said(span):
            return False
        self.seen.add(self._words_of(span))
        return True

    def _take_back(self, span: Span) -> None:
        """A sentence of the unit at hand is not shown after all."""
        self.words -= count_words(self.text_of(span))
        self.seen.discard(self._words_of(span))

    def _is_said(self, span: Span) -> bool:
        return self._words_of(span) in self.seen

    def _words_of(self, span: Span) -> str:
        return " ".join(self.text_of(span).lower().split())


def count_words(*texts: str) -> int:
    """Words between white space."""
    return sum(len(text.split()) for text in texts)


def _named(text: str) -> str:
    """What stands before the first colon that is not in parentheses; empty where there is none."""
    name, colon, _ = re.sub(r"\([^()]*\)", lambda found: "-" * len(found.group()), text).partition(":")
    return text[: len(name.rstrip())] if colon else ""
