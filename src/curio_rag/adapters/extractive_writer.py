"""The writer that needs no language model: contiguous text of the sources, word for word, under short headings.

Contiguous text, because scattered sentences read badly and mislead (ROUGE-2 .064 against .176 for
showing the top passage whole, measured on experts' answers); several sources, because one gained
less (+.10 ROUGE-2 for several).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from curio_rag.adapters.passage_choice import FIRST_WORDS, excerpts, is_running_text
from curio_rag.adapters.section_choice import Asked, Place, SectionChoice
from curio_rag.adapters.section_extracts import Extract, Unit, count_words, units_of
from curio_rag.adapters.sentences import sentence_spans
from curio_rag.domain.answers import AnswerLength, Draft, Evidence, Section, SectionKind
from curio_rag.domain.claim_words import ClaimWords
from curio_rag.domain.question_types import QuestionType, QuestionTypes
from curio_rag.domain.sources import Block, Document, Span

RUNNING_WORDS = {AnswerLength.SHORT: 50, AnswerLength.STANDARD: FIRST_WORDS, AnswerLength.FULL: 2 * FIRST_WORDS}
"""About how much of the first source is shown where no heading tells what to show."""

LEAST_WORDS = 40
"""With less room than this no further section is begun."""

WHOLE_SECTION_WORDS = 260
"""A longer section is entered at the passage that was found, not at its beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """How many words the whole answer, apart from warnings, and each kind of section may have; how many sections.

    A further section must score at least `share` of the first one's: on the development gold cases the
    answers of standard length hold the same key facts with .8 as with .6, in a fifth fewer words.
    """

    most: int
    lead: int
    main: int
    facet: int
    further: int
    places: int
    share: float


ROOMS = {
    AnswerLength.SHORT: _Room(most=130, lead=60, main=110, facet=0, further=0, places=1, share=1.0),
    AnswerLength.STANDARD: _Room(most=280, lead=60, main=160, facet=85, further=80, places=4, share=0.8),
    AnswerLength.FULL: _Room(most=700, lead=90, main=260, facet=160, further=160, places=8, share=0.6),
}


@dataclass(slots=True)
class _Composition:
    """The answer as it grows."""

    room: _Room
    asked: Asked
    sections: list[Section] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    words: int = 0


class ExtractiveWriter:
    """Composes answers out of whole pieces of the sources; every sentence is its own quote."""

    def __init__(self, types: QuestionTypes, words: ClaimWords) -> None:
        self._types = types
        self._words = words
        self._choice = SectionChoice(types=types)

    @property
    def name(self) -> str:
        """For the provenance of the answer."""
        return "extractive"

    def write(
        self, question: str, evidence: Sequence[Evidence], *, length: AnswerLength = AnswerLength.STANDARD
    ) -> Draft:
        """The section that fits the question best, then what a full answer should also say, or further sources."""
        found = [each for each in evidence if each.hits]
        if found and all(is_running_text(each.document) for each in found):
            return self._of_running_text(question, found, length=length)
        asked = Asked.of(question, found, self._types, self._words)
        ranked = self._choice.ranked(asked, evidence)
        if not ranked:
            return Draft(sections=())
        answer = _Composition(room=ROOMS[length], asked=asked)
        lead = self._choice.lead(asked, ranked)
        if lead is not None:
            self._add(answer, lead, budget=answer.room.lead)
        self._add(answer, ranked[0], budget=answer.room.main)
        if not self._types.facets_of(question):
            for place in self._choice.further(asked, ranked, share=answer.room.share):
                if len(answer.places) < answer.room.places:
                    self._add(answer, place, budget=answer.room.further)
        elif answer.places:
            for place in self._choice.facets(asked, evidence, first=answer.places[0]):
                self._add(answer, place, budget=answer.room.facet)
        headings = [heading for place in answer.places for heading in place.section.heading_path]
        return Draft(
            sections=tuple(answer.sections),
            not_covered=self._gaps(asked.kinds, answer.sections, headings),
            questions_to_ask=self._types.asking([place.evidence.document.title for place in answer.places]),
        )

    def _of_running_text(self, question: str, evidence: Sequence[Evidence], *, length: AnswerLength) -> Draft:
        """Where no heading tells: the runs of sentences that answer, each source under its title."""
        chosen = excerpts(question, evidence, types=self._types, first_words=RUNNING_WORDS[length])
        sections = tuple(
            Section(
                heading="" if number else each.evidence.document.title,
                kind=SectionKind.PARAGRAPH,
                sentences=tuple(each.evidence.verbatim(span) for span in run),
            )
            for each in chosen
            for number, run in enumerate(each.runs)
        )
        return Draft(
            sections=sections,
            not_covered=self._gaps(self._types.types_of(question), sections, ()),
            questions_to_ask=self._types.asking([each.evidence.document.title for each in chosen]),
        )

    def _add(self, answer: _Composition, place: Place, *, budget: int) -> None:
        budget = min(budget, answer.room.most - answer.words)
        if (
            budget < LEAST_WORDS
            or len(answer.places) >= answer.room.places
            or any(place.section is other.section for other in answer.places)
        ):
            return
        pieces = self._pieces(answer, place, budget=budget)
        if not pieces:
            return
        first, *rest = pieces
        heading = self._heading(answer, place)
        answer.sections.extend([Section(heading=heading, kind=first.kind, sentences=first.sentences), *rest])
        answer.places.append(place)

    def _heading(self, answer: _Composition, place: Place) -> str:
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

    def _pieces(self, answer: _Composition, place: Place, *, budget: int) -> list[Section]:
        """The section's units from the place on, as far as the budget goes, and the warnings that travel with it.

        Nothing of a further section of which more than half is for other countries or products.
        """
        document = place.evidence.document
        units = [
            Unit(kind=unit.kind, spans=spans)
            for unit in units_of(document, _blocks(place))
            if (spans := tuple(kept for span in unit.spans if (kept := self._without_boilerplate(document, span))))
        ]
        whole = _words_of(units, document)
        if whole > budget:
            units = [
                Unit(kind=unit.kind, spans=answer.asked.scope.for_the_asker(document, unit.spans)) for unit in units
            ]
        if answer.places and _words_of(units, document) < whole / 2:
            return []
        taken = Extract(document=document, budget=budget, seen=answer.seen, terms=answer.asked.terms)
        taken.take_all(units)
        taken.drop_lead()
        warnings = [
            span for span in taken.document.must_show if place.section.span.holds(span) and not taken.covers(span)
        ]
        if warnings:
            taken.force(Unit(kind=SectionKind.PARAGRAPH, spans=tuple(warnings)))
        answer.words += taken.words
        return [
            Section(heading="", kind=unit.kind, sentences=tuple(place.evidence.verbatim(span) for span in unit.spans))
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

    def _gaps(
        self, kinds: Sequence[QuestionType], sections: Sequence[Section], headings: Sequence[str]
    ) -> tuple[str, ...]:
        """What was asked for and stands neither under one of the sources' headings nor in the words of the answer."""
        names = dict(self._types.gaps)
        said = " ".join(sentence.text for section in sections for sentence in section.sentences)
        return tuple(
            names[kind.name]
            for kind in kinds
            if kind.name in names
            and not self._types.answers(kind, said)
            and not any(kind.heads(heading) for heading in headings)
        )


def _words_of(units: Sequence[Unit], document: Document) -> int:
    return count_words(*(span.of(document.text) for unit in units for span in unit.spans))


def _blocks(place: Place) -> tuple[Block, ...]:
    """Those of the section; of a long one from the block on in which the passage begins."""
    document, blocks = place.evidence.document, place.section.blocks
    if count_words(place.section.span.of(document.text)) > WHOLE_SECTION_WORDS:
        return tuple(block for block in blocks if block.span.end > place.start)
    return blocks
