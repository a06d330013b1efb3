"""The writer that needs no language model: contiguous text of the sources, word for word, under short headings.

Contiguous text, because scattered sentences read badly and mislead (ROUGE-2 .064 against .176 for
showing the top passage whole, measured on experts' answers); several sources, because one gained
less (+.10 ROUGE-2 for several).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from curio_rag.adapters.sentences import sentence_spans
from curio_rag.domain.answers import Citation, Draft, Evidence, Section, SectionKind, Sentence
from curio_rag.domain.question_types import QuestionType, QuestionTypes, mentions
from curio_rag.domain.sources import Block, BlockKind, Document, DocumentSection, Hit, Span

MOST_WORDS = 270
"""What a standard answer may hold before no further section is begun."""

MAIN_WORDS = 130
LEAD_WORDS = 60
FACET_WORDS = 85
FURTHER_WORDS = 80
WHOLE_SECTION_WORDS = 260
"""A longer section is entered at the passage that was found, not at its beginning."""

HEADING_BONUS = 0.15
"""Added to a section's score (0 to 1) when its heading announces what is asked; half of it is taken off
when the heading announces something else. In a long question what is asked for is seen less surely, so
the bonus falls with the square of its length beyond four content terms."""

LEAD_SHARE = 0.6
"""A document's summary leads when it scores at least this share of the best section."""

FURTHER_SHARE = 0.6
"""A further section must score at least this share of the first one's."""

LIST_KINDS = {BlockKind.BULLET: SectionKind.LIST, BlockKind.STEP: SectionKind.STEPS, BlockKind.ROW: SectionKind.LIST}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A section of a document that could be shown, how good it is, and where the best passage in it begins."""

    evidence: Evidence
    section: DocumentSection
    score: float
    start: int

    @property
    def heading(self) -> str:
        return self.section.heading_path[-1] if self.section.heading_path else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """A paragraph's sentences, or the items of one whole list."""

    kind: SectionKind
    spans: tuple[Span, ...]


@dataclass(slots=True)
class _Composition:
    """The answer as it grows."""

    sections: list[Section] = field(default_factory=list)
    places: list[_Place] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    words: int = 0


class ExtractiveWriter:
    """Composes answers out of whole pieces of the sources; every sentence is its own quote."""

    def __init__(self, types: QuestionTypes) -> None:
        self._types = types

    @property
    def name(self) -> str:
        """For the provenance of the answer."""
        return "extractive"

    def write(self, question: str, evidence: Sequence[Evidence]) -> Draft:
        """The section that fits the question best, then what a full answer should also say, or further sources."""
        kinds = self._types.types_of(question)
        terms = self._types.content_terms(question)
        ranked = self._ranked(kinds, terms, evidence)
        answer = _Composition()
        if not ranked:
            return Draft(sections=())
        lead = self._lead(terms, ranked)
        if lead is not None:
            self._add(answer, lead, budget=LEAD_WORDS)
        self._add(answer, ranked[0], budget=MAIN_WORDS)
        facets = self._types.facets_of(question)
        if facets:
            self._add_facets(answer, question, [self._types.named(facet.type) for facet in facets], evidence)
        else:
            self._add_further(answer, terms, ranked)
        return Draft(
            sections=tuple(answer.sections),
            not_covered=self._gaps(kinds, answer),
            questions_to_ask=self._types.asking([place.evidence.document.title for place in answer.places]),
        )

    def _ranked(
        self, kinds: Sequence[QuestionType], terms: Sequence[str], evidence: Sequence[Evidence]
    ) -> list[_Place]:
        """The sections in which hits lie, best first.

        A section whose title and headings say all that is asked is shown from its beginning; any
        other from the passage that was found.
        """
        best: dict[tuple[str, int], _Place] = {}
        for each in evidence:
            for hit in each.hits:
                section = each.document.section_at(hit.passage.span.start)
                score = hit.score + self._bonus(kinds, section, hit) * min(1.0, 4 / max(1, len(terms))) ** 2
                place = _Place(evidence=each, section=section, score=score, start=hit.passage.span.start)
                if all(_names(place, term) for term in terms):
                    place = replace(place, start=section.span.start)
                key = (each.document.id, section.span.start)
                if key not in best or best[key].score < place.score:
                    best[key] = place
        return sorted(best.values(), key=lambda place: (-place.score, place.evidence.document.id, place.start))

    def _lead(self, terms: Sequence[str], ranked: Sequence[_Place]) -> _Place | None:
        """The best document's own summary, when the question is about the whole document and the summary was found."""
        best = ranked[0]
        if not all(mentions(best.evidence.document.title, term) for term in terms):
            return None
        return next(
            (
                place
                for place in ranked[1:]
                if place.evidence.document.id == best.evidence.document.id
                and place.heading.lower() in self._types.general_headings
                and place.score >= LEAD_SHARE * best.score
            ),
            None,
        )

    def _bonus(self, kinds: Sequence[QuestionType], section: DocumentSection, hit: Hit) -> float:
        headings = (section.heading_path or (hit.passage.title,))[-2:]
        if any(kind.heads(heading) for kind in kinds for heading in headings):
            return HEADING_BONUS
        return -HEADING_BONUS / 2 if any(kind.heads(headings[-1]) for kind in self._types.types) else 0.0

    def _add_facets(
        self, answer: _Composition, question: str, facets: Sequence[QuestionType], evidence: Sequence[Evidence]
    ) -> None:
        """For each thing that a full answer should also say, the first section on the same subject that says it."""
        related = [each for each in evidence if self._on_subject(question, each.document)]
        for kind in facets:
            place = next(
                (
                    _Place(evidence=each, section=section, score=0.0, start=section.span.start)
                    for each in related
                    for section in each.document.sections
                    if section.blocks and section.heading_path and kind.heads(section.heading_path[-1])
                ),
                None,
            )
            if place is not None and answer.words < MOST_WORDS:
                self._add(answer, place, budget=FACET_WORDS)

    def _on_subject(self, question: str, document: Document) -> bool:
        names = " ".join((document.title, *document.synonyms))
        terms = self._types.content_terms(question)
        return 2 * sum(mentions(names, term) for term in terms) > len(terms)

    def _add_further(self, answer: _Composition, terms: Sequence[str], ranked: Sequence[_Place]) -> None:
        """Further sections on the same subject: they are named with the same words of the question as the first."""
        subject = [term for term in terms if _names(ranked[0], term)]
        for place in ranked[1:8]:
            if not all(_names(place, term) for term in subject):
                continue
            if answer.words >= MOST_WORDS or len(answer.places) >= 4 or place.score < FURTHER_SHARE * ranked[0].score:
                return
            self._add(answer, place, budget=FURTHER_WORDS)

    def _add(self, answer: _Composition, place: _Place, *, budget: int) -> None:
        if any(place.section is other.section for other in answer.places):
            return
        pieces = self._pieces(answer, place, budget=budget)
        if not pieces:
            return
        first, *rest = pieces
        heading = self._heading(answer, place)
        answer.sections.extend([Section(heading=heading, kind=first.kind, sentences=first.sentences), *rest])
        answer.places.append(place)

    def _heading(self, answer: _Composition, place: _Place) -> str:
        """The section's own heading; the document's title where that says more, or where another document speaks."""
        title, heading = place.evidence.document.title, place.heading
        general = heading.lower().strip(" :") in self._types.general_headings or not heading
        if general:
            return title
        same_document = not answer.places or any(
            other.evidence.document.id == place.evidence.document.id for other in answer.places
        )
        taken = any(section.heading == heading for section in answer.sections)
        return heading if same_document and not taken else f"{title}: {heading}"

    def _pieces(self, answer: _Composition, place: _Place, *, budget: int) -> list[Section]:
        """The section's units from the place on, as far as the budget goes, and the warnings that travel with it."""
        taken = _Taken(document=place.evidence.document, budget=budget, seen=answer.seen)
        for unit in _units(place):
            spans = tuple(kept for span in unit.spans if (kept := self._without_boilerplate(taken.document, span)))
            if spans and not taken.take(_Unit(kind=unit.kind, spans=spans)):
                break
        taken.drop_lead()
        warnings = [
            span for span in taken.document.must_show if place.section.span.holds(span) and not taken.covers(span)
        ]
        if warnings:
            taken.force(_Unit(kind=SectionKind.PARAGRAPH, spans=tuple(warnings)))
        answer.words += taken.words
        return [
            Section(heading="", kind=unit.kind, sentences=tuple(_sentence(place.evidence, span) for span in unit.spans))
            for unit in taken.units
        ]

    def _without_boilerplate(self, document: Document, span: Span) -> Span | None:
        """The sentence, or the item up to a sentence that leads elsewhere; None when nothing is left."""
        text = span.of(document.text)
        end = next(
            (each.start for each in sentence_spans(text) if self._types.is_boilerplate(each.of(text))), len(text)
        )
        kept = text[:end].rstrip()
        return Span(start=span.start, end=span.start + len(kept)) if kept else None

    def _gaps(self, kinds: Sequence[QuestionType], answer: _Composition) -> tuple[str, ...]:
        """What was asked for and stands neither under such a heading nor in the words of the answer."""
        names = dict(self._types.gaps)
        said = " ".join(sentence.text for section in answer.sections for sentence in section.sentences)
        headings = [heading for place in answer.places for heading in place.section.heading_path]
        return tuple(
            names[kind.name]
            for kind in kinds
            if kind.name in names and not kind.asks(said) and not any(kind.heads(heading) for heading in headings)
        )


@dataclass(slots=True)
class _Taken:
    """What has been taken of one section; a sentence that ends in a colon waits for its list."""

    document: Document
    budget: int
    seen: set[str]
    units: list[_Unit] = field(default_factory=list)
    words: int = 0
    _lead: Span | None = None

    def text_of(self, span: Span) -> str:
        return span.of(self.document.text)

    def take(self, unit: _Unit) -> bool:
        """Takes a unit or as much of it as fits; False when nothing more should be taken."""
        if unit.kind is SectionKind.PARAGRAPH:
            return self._take_paragraph(unit)
        return self._take_list(unit)

    def drop_lead(self) -> None:
        self._lead = None

    def covers(self, span: Span) -> bool:
        return any(taken.holds(span) for unit in self.units for taken in unit.spans)

    def force(self, unit: _Unit) -> None:
        """Takes a unit whatever the budget: warnings travel with their section."""
        spans = tuple(span for span in unit.spans if self._new(span))
        if spans:
            self._append(_Unit(kind=unit.kind, spans=spans))

    def _take_paragraph(self, unit: _Unit) -> bool:
        kept: list[Span] = []
        for span in unit.spans:
            self.drop_lead()
            if self.text_of(span).rstrip().endswith(":"):
                self._lead = span
                continue
            count = _count(self.text_of(span))
            if self.words + count > self.budget and (kept or self.units):
                self._append(_Unit(kind=unit.kind, spans=tuple(kept)))
                return False
            if self._new(span):
                kept.append(span)
                self.words += count
        self._append(_Unit(kind=unit.kind, spans=tuple(kept)), counted=True)
        return True

    def _take_list(self, unit: _Unit) -> bool:
        """A list is taken whole; a long one by its items' first sentences, then by their names; a longer one, not."""
        spans = unit.spans
        room = max(self.budget - self.words, 0) + 60
        if _count(*map(self.text_of, spans)) > room:
            spans = tuple(self._first_sentence(span) for span in spans)
        if _count(*map(self.text_of, spans)) > room:
            spans = tuple(self._name(span) for span in spans)
        if _count(*map(self.text_of, spans)) > room and (self.units or self._lead):
            self.drop_lead()
            return False
        if self._lead is not None and self._new(self._lead):
            self._append(_Unit(kind=SectionKind.PARAGRAPH, spans=(self._lead,)))
        self.drop_lead()
        self._append(_Unit(kind=unit.kind, spans=tuple(span for span in spans if self._new(span))))
        return self.words < self.budget

    def _first_sentence(self, span: Span) -> Span:
        first = next(iter(sentence_spans(self.text_of(span))), Span(start=0, end=span.end - span.start))
        return Span(start=span.start + first.start, end=span.start + first.end)

    def _name(self, span: Span) -> Span:
        """Of an item such as "Blood test: a procedure in which ..." what stands before the colon."""
        name, colon, _ = self.text_of(span).partition(":")
        return Span(start=span.start, end=span.start + len(name.rstrip())) if colon and name.strip() else span

    def _append(self, unit: _Unit, *, counted: bool = False) -> None:
        if unit.spans and self.units and self._continues(self.units[-1], unit):
            self.units[-1] = _Unit(kind=unit.kind, spans=(*self.units[-1].spans, *unit.spans))
        elif unit.spans:
            self.units.append(unit)
        if unit.spans:
            self.words += 0 if counted else _count(*map(self.text_of, unit.spans))

    def _continues(self, before: _Unit, unit: _Unit) -> bool:
        """Whether a paragraph goes on in the one before, with nothing but a sentence or two left out between them."""
        if before.kind is not SectionKind.PARAGRAPH or unit.kind is not SectionKind.PARAGRAPH:
            return False
        return "\n" not in self.document.text[before.spans[-1].end : unit.spans[0].start]

    def _new(self, span: Span) -> bool:
        """Whether these words were not said before; they count as said from now on."""
        words = " ".join(self.text_of(span).lower().split())
        if words in self.seen:
            return False
        self.seen.add(words)
        return True


def _names(place: _Place, term: str) -> bool:
    """Whether a section's document or headings are named with a term, in whatever form of the word."""
    document = place.evidence.document
    return mentions(" ".join((document.title, *document.synonyms, *place.section.heading_path)), term)


def _units(place: _Place) -> Iterator[_Unit]:
    """The section as paragraphs and whole lists; a long section from the block on in which the passage begins."""
    document, blocks = place.evidence.document, place.section.blocks
    if _count(place.section.span.of(document.text)) > WHOLE_SECTION_WORDS:
        blocks = tuple(block for block in blocks if block.span.end > place.start)
    run: list[Block] = []
    for block in blocks:
        if run and (block.kind is not run[-1].kind or block.kind not in LIST_KINDS):
            yield _unit(document, run)
            run = []
        run.append(block)
    if run:
        yield _unit(document, run)


def _unit(document: Document, run: Sequence[Block]) -> _Unit:
    if run[0].kind in LIST_KINDS:
        return _Unit(kind=LIST_KINDS[run[0].kind], spans=tuple(block.span for block in run))
    spans = [
        Span(start=block.span.start + span.start, end=block.span.start + span.end)
        for block in run
        for span in sentence_spans(block.span.of(document.text), language=document.language)
    ]
    return _Unit(kind=SectionKind.PARAGRAPH, spans=tuple(spans))


def _sentence(evidence: Evidence, span: Span) -> Sentence:
    document = evidence.document
    quote = span.of(document.text)
    passage = next(
        (passage for passage in evidence.passages if passage.span.holds(span)),
        next(passage for passage in evidence.passages if passage.span.end > span.start),
    )
    citation = Citation(
        document_id=document.id,
        document_digest=document.digest,
        passage_id=passage.id,
        quote=quote,
        span=span,
        page=document.page_at(span.start),
        heading_path=passage.heading_path,
    )
    return Sentence(text=" ".join(quote.split()), citations=(citation,))


def _count(*texts: str) -> int:
    return sum(len(text.split()) for text in texts)
