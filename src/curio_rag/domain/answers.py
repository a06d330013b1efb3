"""An answer: sections of sentences, each with the exact words that it rests on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from curio_rag.domain.questions import Urgency
from curio_rag.domain.sources import Document, Hit, Passage, Span, Vetting


class Outcome(StrEnum):
    """What became of a question."""

    DRAFTED = "drafted"
    ABSTAINED = "abstained"
    REFERRED = "referred"


class SectionKind(StrEnum):
    """How the sentences of a section are laid out."""

    PARAGRAPH = "paragraph"
    STEPS = "steps"
    LIST = "list"


class AnswerLength(StrEnum):
    """How much an answer says: the point alone, an answer for most readers, or all that bears on the question."""

    SHORT = "short"
    STANDARD = "standard"
    FULL = "full"


class Support(StrEnum):
    """What the claim gate found of a sentence."""

    UNCHECKED = "unchecked"
    SUPPORTED = "supported"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why something was withheld, abstained from or referred: a stable code and words for a person."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """The exact words that a sentence rests on: `document.text[span] == quote`, checked by the claim gate."""

    document_id: str
    document_digest: str
    passage_id: str
    quote: str
    span: Span
    page: int | None = None
    heading_path: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Document, passage: Passage, span: Span) -> Citation:
        """The words at a span of a document; `passage` is the one in which they begin."""
        return cls(
            document_id=document.id,
            document_digest=document.digest,
            passage_id=passage.id,
            quote=span.of(document.text),
            span=span,
            page=document.page_at(span.start),
            heading_path=passage.heading_path,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the claim gate says of one sentence; the reason is set when it is withheld."""

    support: Support = Support.UNCHECKED
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence (or one item of a list) and the citations that support it."""

    text: str
    citations: tuple[Citation, ...]
    verdict: Verdict = Verdict()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Sentences under a short heading; an empty heading continues the section before."""

    heading: str
    kind: SectionKind
    sentences: tuple[Sentence, ...]

    def keeping(self, sentences: tuple[Sentence, ...]) -> Section:
        """The same section with other sentences."""
        return replace(self, sentences=sentences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A sentence that the claim gate kept back, and why; `essential` when it was a step or a warning.

    `quote` is what stands nearest to it in the cited words, for the clinician to compare.
    """

    text: str
    reason: Reason
    essential: bool = False
    quote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two sources that give different figures for the same thing; the reviewer is asked to look at the pair.

    The figures are the words of the quotes in which they differ.
    """

    first: Citation
    second: Citation
    first_figure: str
    second_figure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One document (and page of it) that an answer cites, with its standing when the answer was written."""

    marker: int
    document_id: str
    document_digest: str
    title: str
    headings: tuple[str, ...]
    publisher: str
    url: str | None
    page: int | None
    page_label: str | None
    jurisdiction: str | None
    as_of: str | None
    vetting: Vetting
    products: tuple[str, ...] = ()
    population: str | None = None

    @property
    def scope(self) -> str:
        """For whom the source is written, in words; empty where it does not say."""
        return ", ".join(filter(None, (self.jurisdiction, *self.products, self.population)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made an answer, so that it can be made again.

    `fallback` says why the configured writer's draft was not used, and `writer` is then the one that
    stood in; None when the configured writer wrote it.
    """

    writer: str
    index_fingerprint: str
    config_digest: str
    version: str
    created_at: datetime
    fallback: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTrace:
    """What was searched and how strong the evidence was; shown with `--explain` and when abstaining.

    `evidence` runs from 0 (nothing on the question) to 1; at or above `threshold` an answer is
    written. `nearest` are titles of the documents that came closest. `follows` are the phrases of
    earlier turns that the question was searched with; empty for one that stands for itself.
    """

    searched: tuple[str, ...] = ()
    passages_searched: int = 0
    evidence: float = 0.0
    threshold: float = 0.0
    nearest: tuple[str, ...] = ()
    hits: tuple[tuple[str, float], ...] = ()
    follows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One document that bears on a question: its hits (best first) and all of its passages in order."""

    document: Document
    vetting: Vetting
    hits: tuple[Hit, ...]
    passages: tuple[Passage, ...]

    def cite(self, span: Span) -> Citation:
        """The document's words at a span, in the passage that holds them, or else the one in which they begin."""
        passage = next(
            (each for each in self.passages if each.span.holds(span)),
            next(each for each in self.passages if each.span.end > span.start),
        )
        return Citation.of(self.document, passage, span)

    def verbatim(self, span: Span) -> Sentence:
        """The document's own words at a span as a sentence that cites them; runs of white space become one space."""
        citation = self.cite(span)
        return Sentence(text=" ".join(citation.quote.split()), citations=(citation,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a writer returns, before the claim gate has looked at it."""

    sections: tuple[Section, ...]
    not_covered: tuple[str, ...] = ()
    questions_to_ask: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The complete, immutable answer to one question.

    `advice` is fixed text that stands above everything else: emergency advice, or the
    call-your-team line. It refers to its question by id: the text of a question is kept apart.
    """

    id: str
    question_id: str
    outcome: Outcome
    urgency: Urgency
    provenance: Provenance
    reason: Reason | None = None
    advice: str = ""
    sections: tuple[Section, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    not_covered: tuple[str, ...] = ()
    incomplete: bool = False
    sources: tuple[Source, ...] = ()
    questions_to_ask: tuple[str, ...] = ()
    reading_grade: float | None = None
    trace: SearchTrace = SearchTrace()

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Every citation, in the order of the text."""
        return tuple(
            citation for section in self.sections for sentence in section.sentences for citation in sentence.citations
        )

    def marker_of(self, citation: Citation) -> int:
        """The number under which a citation's document and page stand among the sources."""
        for source in self.sources:
            if (source.document_id, source.page) == (citation.document_id, citation.page):
                return source.marker
        raise KeyError(citation.document_id)
