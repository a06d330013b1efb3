"""Runs the claim gate alone over rows of sentences, without an answer around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from curio_rag.domain.answers import Citation, Reason, Sentence
from curio_rag.domain.claims import CheckedClaim, ClaimRow, Judgement, QuotedWords
from curio_rag.domain.sources import Document, Span
from curio_rag.pipelines.claims import ClaimGate, FindDocument
from curio_rag.pipelines.quotes import find_quote

WhyNot = Callable[[str], str]
"""Why a document may not be cited, in words: there is none with this id, or its standing."""


def check_claims(
    rows: Iterable[ClaimRow], gate: ClaimGate, find: FindDocument, why_not: WhyNot
) -> Iterator[CheckedClaim]:
    """One answer for each row, in order; a quote that cannot be found withholds its sentence with what differs."""
    for row in rows:
        if row.citations is None:
            yield CheckedClaim(id=row.id, judgement=gate.judge(row.text, row.evidence or ()))
        else:
            yield CheckedClaim(id=row.id, judgement=_judge_cited(row.text, row.citations, gate, find, why_not))


def _judge_cited(
    text: str, quotes: Iterable[QuotedWords], gate: ClaimGate, find: FindDocument, why_not: WhyNot
) -> Judgement:
    citations: list[Citation] = []
    for each in quotes:
        document = find(each.document_id)
        if document is None:
            return _refused(Reason(code="document", text=why_not(each.document_id)), each.quote)
        place = find_quote(document.text, each.quote, near=Span(start=0, end=len(document.text)))
        if isinstance(place, Reason):
            return _refused(Reason(code=place.code, text=f"{each.document_id}: {place.text}"), each.quote)
        citations.append(_citation(document, each.quote, place))
    return gate.judge_sentence(Sentence(text=text, citations=tuple(citations)), find)


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
