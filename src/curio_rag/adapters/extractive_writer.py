"""The writer that needs no language model: contiguous text of the sources, word for word, under short headings.

Contiguous text, because scattered sentences read badly and mislead (ROUGE-2 .064 against .176 for
showing the top passage whole, measured on experts' answers); several sources, because one gained
less (+.10 ROUGE-2 for several).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from curio_rag.adapters.asked_scope import AskedScope
from curio_rag.adapters.passage_choice import FIRST_WORDS, excerpts, is_running_text
from curio_rag.adapters.section_extracts import Extract, Unit, count_words, units_of
from curio_rag.adapters.sentences import sentence_spans
from curio_rag.domain.answers import AnswerLength, Draft, Evidence, Section, SectionKind
from curio_rag.domain.claim_words import ClaimWords
from curio_rag.domain.question_types import QuestionType, QuestionTypes, mentions, mentions_whole
from curio_rag.domain.sources import Block, Document, DocumentSection, Hit, Span

RUNNING_WORDS = {AnswerLength.SHORT: 50, AnswerLength.STANDARD: FIRST_WORDS, AnswerLength.FULL: 2 * FIRST_WORDS}
"""About how much of the first source is shown where no heading tells what to show."""

LEAST_WORDS = 40
"""With less room than this no further section is begun."""

WHOLE_SECTION_WORDS = 260
"""A longer section is entered at the passage that was found, not at its beginning."""

HEADING_BONUS = 0.15
"""Added to a section's score (about 0 to 1) when its heading announces what is asked; half of it is taken off
when the heading announces something else. In a long question what is asked for is seen less surely, so
the bonus falls with the square of its length beyond four content terms; and it is the less, the less of what is
asked the passage speaks of, beside the one that speaks of most."""

COUNTRY_BONUS = 0.1
"""Added to the score of a section that speaks of the country that is asked about."""

LEAD_SHARE = 0.6
"""A document's summary leads when it scores at least this share of the best section."""

DIGIT = re.compile(r"(?<=[^\W\d])-?\d")
"""In a designation such as ZUMA-7 or CD19: what is true of another number is about something else."""

ASKING = "questions"
"""The kind of question that lists of questions for the care team answer."""

SUBJECT_SHARE = 0.6
"""So much of what the first section is named with, among the words of the question, a further one must speak of."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A section of a document that could be shown, how good it is, and the best passage in it with where it begins."""

    evidence: Evidence
    section: DocumentSection
    score: float
    start: int
    text: str = ""

    @property
    def heading(self) -> str:
        return self.section.heading_path[-1] if self.section.heading_path else ""


@dataclass(slots=True)
class _Composition:
    """The answer as it grows."""

    room: _Room
    scope: AskedScope
    sections: list[Section] = field(default_factory=list)
    places: list[_Place] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    terms: tuple[str, ...] = ()
    words: int = 0


class ExtractiveWriter:
    """Composes answers out of whole pieces of the sources; every sentence is its own quote."""

    def __init__(self, types: QuestionTypes, words: ClaimWords) -> None:
        self._types = types
        self._words = words

    @property
    def name(self) -> str:
        """For the provenance of the answer."""
        return "extractive"

    def write(
        self, question: str, evidence: Sequence[Evidence], *, length: AnswerLength = AnswerLength.STANDARD
    ) -> Draft:
        """The section that fits the question best, then what a full answer should also say, or further sources."""
        kinds = self._types.types_of(question)
        found = [each for each in evidence if each.hits]
        if found and all(is_running_text(each.document) for each in found):
            return self._of_running_text(question, found, length=length)
        terms = self._types.content_terms(question)
        scope = AskedScope.of(question, [each.document for each in found], self._words)
        ranked = self._ranked(kinds, terms, evidence, scope)
        answer = _Composition(room=ROOMS[length], terms=terms, scope=scope)
        if not ranked:
            return Draft(sections=())
        lead = self._lead(terms, ranked)
        if lead is not None:
            self._add(answer, lead, budget=answer.room.lead)
        self._add(answer, ranked[0], budget=answer.room.main)
        facets = self._types.facets_of(question)
        if facets:
            self._add_facets(answer, question, [self._types.named(facet.type) for facet in facets], evidence)
        else:
            self._add_further(answer, terms, ranked)
        headings = [heading for place in answer.places for heading in place.section.heading_path]
        return Draft(
            sections=tuple(answer.sections),
            not_covered=self._gaps(kinds, answer.sections, headings),
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

    def _ranked(
        self, kinds: Sequence[QuestionType], terms: Sequence[str], evidence: Sequence[Evidence], scope: AskedScope
    ) -> list[_Place]:
        """The sections in which hits lie, best first.

        A section whose title and headings say all that is asked is shown from its beginning; any
        other from the passage that was found.
        """
        best: dict[tuple[str, int], _Place] = {}
        most = max((hit.parts.coverage for each in evidence for hit in each.hits), default=0.0) or 1.0
        certain = min(1.0, 4 / max(1, len(terms))) ** 2
        for each in evidence:
            for hit in each.hits:
                section = each.document.section_at(hit.passage.span.start)
                if self._asks_instead(kinds, section) or scope.is_elsewhere(" ".join(section.heading_path[-1:])):
                    continue
                score = hit.score + self._bonus(kinds, section, hit) * certain * hit.parts.coverage / most
                score += COUNTRY_BONUS * scope.bears_on(section.span.of(each.document.text))
                place = _Place(
                    evidence=each, section=section, score=score, start=hit.passage.span.start, text=hit.passage.text
                )
                if all(_names(place, term) for term in terms):
                    place = replace(place, start=section.span.start)
                key = (each.document.id, section.span.start)
                if key not in best or best[key].score < place.score:
                    best[key] = place
        return sorted(best.values(), key=lambda place: (-place.score, place.evidence.document.id, place.start))

    def _asks_instead(self, kinds: Sequence[QuestionType], section: DocumentSection) -> bool:
        """Whether a section lists questions for the care team, which answer nothing unless that is asked for."""
        asking = self._types.named(ASKING)
        return asking not in kinds and bool(section.heading_path) and asking.heads(section.heading_path[-1])

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
        """For each thing that a full answer should also say, the first section on the same subject that says it.

        A document that says several of them is about the subject; the others are then about parts of it.
        """
        related = [each for each in evidence if self._on_subject(question, each.document)]
        best = [each for each in evidence if each.document.id == answer.places[0].evidence.document.id]
        if sum(_section_of(kind, best) is not None for kind in facets) > 1:
            related = best
        for kind in facets:
            place = _section_of(kind, related)
            if place is not None:
                self._add(answer, place, budget=answer.room.facet)

    def _on_subject(self, question: str, document: Document) -> bool:
        names = " ".join((document.title, *document.synonyms))
        terms = self._types.content_terms(question)
        return 2 * sum(mentions(names, term) for term in terms) > len(terms)

    def _add_further(self, answer: _Composition, terms: Sequence[str], ranked: Sequence[_Place]) -> None:
        """Further sections on the same subject: they are named with the same words of the question as the first."""
        subject = [term for term in terms if _names(ranked[0], term)]
        designations = [term for term in terms if DIGIT.search(term) and mentions_whole(ranked[0].text, term)]
        for place in ranked[1 : 2 * answer.room.places]:
            shared = sum(_names(place, term) or mentions(place.text, term) for term in subject)
            if shared < SUBJECT_SHARE * len(subject) or not all(
                mentions_whole(place.text, each) for each in designations
            ):
                continue
            if len(answer.places) >= answer.room.places or place.score < answer.room.share * ranked[0].score:
                return
            self._add(answer, place, budget=answer.room.further)

    def _add(self, answer: _Composition, place: _Place, *, budget: int) -> None:
        budget = min(budget, answer.room.most - answer.words)
        if budget < LEAST_WORDS or any(place.section is other.section for other in answer.places):
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
            units = [Unit(kind=unit.kind, spans=answer.scope.for_the_asker(document, unit.spans)) for unit in units]
        if answer.places and _words_of(units, document) < whole / 2:
            return []
        taken = Extract(document=document, budget=budget, seen=answer.seen, terms=answer.terms)
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


def _section_of(kind: QuestionType, evidence: Sequence[Evidence]) -> _Place | None:
    """The first section that announces a thing of this kind."""
    return next(
        (
            _Place(evidence=each, section=section, score=0.0, start=section.span.start)
            for each in evidence
            for section in each.document.sections
            if section.blocks and section.heading_path and kind.heads(section.heading_path[-1])
        ),
        None,
    )


def _words_of(units: Sequence[Unit], document: Document) -> int:
    return count_words(*(span.of(document.text) for unit in units for span in unit.spans))


def _names(place: _Place, term: str) -> bool:
    """Whether a section's document or headings are named with a term, in whatever form of the word."""
    document = place.evidence.document
    return mentions(" ".join((document.title, *document.synonyms, *place.section.heading_path)), term)


def _blocks(place: _Place) -> tuple[Block, ...]:
    """Those of the section; of a long one from the block on in which the passage begins."""
    document, blocks = place.evidence.document, place.section.blocks
    if count_words(place.section.span.of(document.text)) > WHOLE_SECTION_WORDS:
        return tuple(block for block in blocks if block.span.end > place.start)
    return blocks
