"""Which sections of the documents that were found answer a question: the best, the summary before it, what follows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from curio_rag.adapters.asked_scope import AskedScope
from curio_rag.domain.answers import Evidence
from curio_rag.domain.claim_words import ClaimWords
from curio_rag.domain.question_types import QuestionType, QuestionTypes, mentions, mentions_whole
from curio_rag.domain.sources import Document, DocumentSection, Hit

HEADING_BONUS = 0.15
"""Added to a section's score (about 0 to 1) when its heading announces what is asked; half of it is taken off
when the heading announces something else. In a long question what is asked for is seen less surely, so
the bonus falls with the square of its length beyond four content terms; and it is the less, the less of what is
asked the passage speaks of, beside the one that speaks of most."""

COUNTRY_BONUS = 0.1
"""Added to the score of a section that speaks of the country that is asked about. On the development gold cases
.05 to .1 gained a key fact, and .15 lost three."""

LEAD_SHARE = 0.6
"""A document's summary leads when it scores at least this share of the best section."""

SUBJECT_SHARE = 0.6
"""So much of what the first section is named with, among the words of the question, a further one must speak of."""

DESIGNATION = re.compile(r"[^\W\d]-?\d")
"""In ZUMA-7 or CD19: what is true of another number is about something else."""

DEFINED = re.compile(
    r"\bwhat(?:['’]s| is| are) (?:an? |the )?(?P<subject>[^?,.;:]{2,40}?)(?=[?,.;:]| and\b|$)", re.IGNORECASE
)
"""In "What is ICANS and how long does it last?" what is to be defined."""

ASKING = "questions"
"""The kind of question that lists of questions for the care team answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A section of a document that could be shown, how good it is, and the best passage in it with where it begins."""

    evidence: Evidence
    section: DocumentSection
    score: float
    start: int
    text: str = ""

    @property
    def heading(self) -> str:
        """Its own heading; empty for a section without one."""
        return self.section.heading_path[-1] if self.section.heading_path else ""

    def names(self, term: str) -> bool:
        """Whether the section's document or headings are named with a term, in whatever form of the word."""
        return mentions(" ".join((_named(self.evidence.document), *self.section.heading_path)), term)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as the choice of sections reads it."""

    question: str
    kinds: tuple[QuestionType, ...]
    terms: tuple[str, ...]
    scope: AskedScope

    @classmethod
    def of(cls, question: str, evidence: Sequence[Evidence], types: QuestionTypes, words: ClaimWords) -> Asked:
        """Its kinds, its content terms, and the countries and products that it names."""
        return cls(
            question=question,
            kinds=types.types_of(question),
            terms=types.content_terms(question),
            scope=AskedScope.of(question, [each.document for each in evidence], words),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionChoice:
    """Chooses sections by the scores of the hits in them and by what their headings announce."""

    types: QuestionTypes

    def ranked(self, asked: Asked, evidence: Sequence[Evidence]) -> list[Place]:
        """The sections in which hits lie, best first.

        A section whose title and headings say all that is asked is shown from its beginning; any
        other from the passage that was found. Left out are lists of questions for the care team,
        unless they are asked for, and sections that are headed with another country.
        """
        best: dict[tuple[str, int], Place] = {}
        most = max((hit.parts.coverage for each in evidence for hit in each.hits), default=0.0) or 1.0
        certain = min(1.0, 4 / max(1, len(asked.terms))) ** 2
        for each in evidence:
            for hit in each.hits:
                section = each.document.section_at(hit.passage.span.start)
                heading = " ".join(section.heading_path[-1:])
                if self._asks_instead(asked, heading) or asked.scope.is_elsewhere(heading):
                    continue
                bonus = self._bonus(asked, section, hit) * certain * hit.parts.coverage / most
                bonus += COUNTRY_BONUS * asked.scope.bears_on(section.span.of(each.document.text))
                place = Place(
                    evidence=each,
                    section=section,
                    score=hit.score + bonus,
                    start=hit.passage.span.start,
                    text=hit.passage.text,
                )
                if all(place.names(term) for term in asked.terms):
                    place = replace(place, start=section.span.start)
                key = (each.document.id, section.span.start)
                if key not in best or best[key].score < place.score:
                    best[key] = place
        return sorted(best.values(), key=lambda place: (-place.score, place.evidence.document.id, place.start))

    def lead(self, asked: Asked, ranked: Sequence[Place]) -> Place | None:
        """The best document's own summary, where the question is about the whole document or asks what its subject is.

        Where it is about the whole document, only a summary that was found.
        """
        best = ranked[0]
        document = best.evidence.document
        for found in DEFINED.finditer(asked.question):
            subject = self.types.content_terms(found["subject"])
            if subject and all(mentions(_named(document), term) for term in subject):
                return _first_section([best.evidence], self._is_general)
        if not all(mentions(document.title, term) for term in asked.terms):
            return None
        return next(
            (
                place
                for place in ranked[1:]
                if place.evidence.document.id == document.id
                and self._is_general(place.heading)
                and place.score >= LEAD_SHARE * best.score
            ),
            None,
        )

    def facets(self, asked: Asked, evidence: Sequence[Evidence], *, first: Place) -> Iterator[Place]:
        """For each thing that a full answer should also say, the first section on the same subject that says it.

        A document that says several of them is about the subject; the others are then about parts of it.
        """
        kinds = [self.types.named(facet.type) for facet in self.types.facets_of(asked.question)]
        related = [each for each in evidence if self._on_subject(asked, each.document)]
        best = [each for each in evidence if each.document.id == first.evidence.document.id]
        if sum(_first_section(best, kind.heads) is not None for kind in kinds) > 1:
            related = best
        for kind in kinds:
            place = _first_section(related, kind.heads)
            if place is not None:
                yield place

    def further(self, asked: Asked, ranked: Sequence[Place], *, share: float) -> Iterator[Place]:
        """Further sections on the same subject: they speak of what the first one is named with, best first.

        Each scores at least `share` of the first. A designation that the first one holds stands in each.
        """
        first, *others = ranked
        subject = [term for term in asked.terms if first.names(term)]
        designations = [each for each in asked.terms if DESIGNATION.search(each) and mentions_whole(first.text, each)]
        for place in others:
            if place.score < share * first.score:
                return
            shared = sum(place.names(term) or mentions(place.text, term) for term in subject)
            same = all(mentions_whole(place.text, each) for each in designations)
            if same and shared >= SUBJECT_SHARE * len(subject):
                yield place

    def _is_general(self, heading: str) -> bool:
        return heading.lower().strip(" :") in self.types.general_headings

    def _asks_instead(self, asked: Asked, heading: str) -> bool:
        """Whether a section lists questions for the care team, which answer nothing unless that is asked for."""
        asking = self.types.named(ASKING)
        return asking not in asked.kinds and asking.heads(heading)

    def _bonus(self, asked: Asked, section: DocumentSection, hit: Hit) -> float:
        headings = (section.heading_path or (hit.passage.title,))[-2:]
        if any(kind.heads(heading) for kind in asked.kinds for heading in headings):
            return HEADING_BONUS
        return -HEADING_BONUS / 2 if any(kind.heads(headings[-1]) for kind in self.types.types) else 0.0

    def _on_subject(self, asked: Asked, document: Document) -> bool:
        return 2 * sum(mentions(_named(document), term) for term in asked.terms) > len(asked.terms)


def _first_section(evidence: Sequence[Evidence], headed: Callable[[str], bool]) -> Place | None:
    """The first section with such a heading."""
    return next(
        (
            Place(evidence=each, section=section, score=0.0, start=section.span.start)
            for each in evidence
            for section in each.document.sections
            if section.blocks and section.heading_path and headed(section.heading_path[-1])
        ),
        None,
    )


def _named(document: Document) -> str:
    return " ".join((document.title, *document.synonyms))
