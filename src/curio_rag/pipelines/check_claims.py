"""Runs the claim gate alone over rows of sentences, without an answer around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from curio_rag.domain.answers import Citation, Reason, Sentence
from curio_rag.domain.claims import CheckedClaim, ClaimRow, Judgement, QuotedWords
from curio_rag.domain.library import ShelfRecord
from curio_rag.domain.quotes import find_quote
from curio_rag.domain.sources import Document, Span
from curio_rag.pipelines.claims import ClaimGate


class CitableDocuments:
    """The documents that a sentence may cite today; the library is read when the first is asked for."""

    def __init__(self, library: Callable[[], Iterable[ShelfRecord]], load: Callable[[str], Document]) -> None:
        self._library = library
        self._load = load
        self._loaded: dict[str, Document] = {}

    @cached_property
    def _records(self) -> dict[str, ShelfRecord]:
        return {record.entry.document_id: record for record in self._library()}

    def find(self, document_id: str) -> Document | None:
        """A document that answers may rest on today; None for any other."""
        record = self._records.get(document_id)
        if record is None or not record.admitted:
            return None
        if document_id not in self._loaded:
            self._loaded[document_id] = self._load(document_id)
        return self._loaded[document_id]

    def why_not(self, document_id: str) -> str:
        """Why a document may not be cited: there is none with this id, or its standing."""
        record = self._records.get(document_id)
        standing = f"is {record.vetting.status.value}, so no answer may rest on it" if record else "does not exist"
        return f"The document {document_id!r} {standing}."


def check_claims(rows: Iterable[ClaimRow], gate: ClaimGate, shelf: CitableDocuments) -> Iterator[CheckedClaim]:
    """One answer for each row, in order; a quote that cannot be found withholds its sentence with what differs."""
    for row in rows:
        if row.citations is None:
            yield CheckedClaim(id=row.id, judgement=gate.judge(row.text, row.evidence or ()))
        else:
            yield CheckedClaim(id=row.id, judgement=_judge_cited(row.text, row.citations, gate, shelf))


def _judge_cited(text: str, quotes: Iterable[QuotedWords], gate: ClaimGate, shelf: CitableDocuments) -> Judgement:
    citations: list[Citation] = []
    for each in quotes:
        document = shelf.find(each.document_id)
        if document is None:
            return _refused(Reason(code="document", text=shelf.why_not(each.document_id)), each.quote)
        place = find_quote(document.text, each.quote, near=Span(start=0, end=len(document.text)))
        if isinstance(place, Reason):
            return _refused(Reason(code=place.code, text=f"{each.document_id}: {place.text}"), each.quote)
        citations.append(_citation(document, each.quote, place))
    return gate.judge_sentence(Sentence(text=text, citations=tuple(citations)), shelf.find)


def _citation(document: Document, quote: str, span: Span) -> Citation:
    return Citation(
        document_id=document.id,
        document_digest=document.digest,
        passage_id="",
        quote=quote,
        span=span,
        page=document.page_at(span.start),
        heading_path=document.section_at(span.start).heading_path,
    )


def _refused(reason: Reason, quote: str) -> Judgement:
    return Judgement(reasons=(reason,), coverage=0.0, aligned=quote)
