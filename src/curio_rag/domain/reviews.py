"""Where an answer stands with the clinicians, and what each audience may see of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from curio_rag.domain.answer_text import notice_of, plain_text
from curio_rag.domain.answers import Answer, Citation, Conflict, Reason, Section, Source
from curio_rag.domain.digests import Json


class ReviewStatus(StrEnum):
    """The standing of an answer today."""

    AWAITING_REVIEW = "awaiting_review"
    APPROVED = "approved"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    UNSAVED = "unsaved"


class Audience(StrEnum):
    """Who is looking: an asker is not shown what the claim gate withheld."""

    ASKER = "asker"
    REVIEWER = "reviewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The review of one answer; until a clinician decides it waits."""

    status: ReviewStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRecord:
    """An answer with its question and its review: what `KnowledgeBase.ask` returns."""

    answer: Answer
    question: str
    thread_id: str
    review: Review
    assistant: str = "Anna"

    @property
    def text(self) -> str:
        """The whole answer as plain text: the notice first, `[n]` markers, sources, the status last."""
        return plain_text(self.answer, status=self.review.status, assistant=self.assistant)

    def to_dict(self, *, audience: Audience = Audience.REVIEWER) -> dict[str, Json]:
        """The public JSON of an answer (schema version 1); an asker gets a count of what was withheld."""
        answer = self.answer
        shown: dict[str, Json] = {
            "schema_version": 1,
            "id": answer.id,
            "thread_id": self.thread_id,
            "question": self.question,
            "outcome": answer.outcome.value,
            "status": self.review.status.value,
            "urgency": answer.urgency.value,
            "notice": notice_of(answer, status=self.review.status),
            "advice": answer.advice or None,
            "reason": _reason(answer.reason),
            "sections": [_section(answer, section) for section in answer.sections],
            "not_covered": list(answer.not_covered),
            "incomplete": answer.incomplete,
            "withheld_count": len(answer.withheld),
            "conflicts": [_conflict(answer, conflict) for conflict in answer.conflicts],
            "sources": [_source(source) for source in answer.sources],
            "glossary": [],
            "questions_to_ask": list(answer.questions_to_ask),
            "reading_grade": answer.reading_grade,
            "text": self.text,
            "search": {
                "searched": list(answer.trace.searched),
                "passages_searched": answer.trace.passages_searched,
                "evidence": answer.trace.evidence,
                "threshold": answer.trace.threshold,
                "nearest": list(answer.trace.nearest),
                "follows": list(answer.trace.follows),
            },
            "provenance": {
                "writer": answer.provenance.writer,
                "fallback": _reason(answer.provenance.fallback),
                "index_fingerprint": answer.provenance.index_fingerprint,
                "config_digest": answer.provenance.config_digest,
                "version": answer.provenance.version,
                "created_at": answer.provenance.created_at.isoformat(),
            },
        }
        if audience is Audience.REVIEWER:
            shown["withheld"] = [{"text": each.text, "reason": _reason(each.reason)} for each in answer.withheld]
        return shown


def _reason(reason: Reason | None) -> Json:
    return None if reason is None else {"code": reason.code, "text": reason.text}


def _section(answer: Answer, section: Section) -> Json:
    return {
        "heading": section.heading,
        "kind": section.kind.value,
        "sentences": [
            {
                "text": sentence.text,
                "verdict": sentence.verdict.support.value,
                "citations": [_citation(answer, citation) for citation in sentence.citations],
            }
            for sentence in section.sentences
        ],
    }


def _citation(answer: Answer, citation: Citation) -> Json:
    return {
        "marker": answer.marker_of(citation),
        "document_id": citation.document_id,
        "passage_id": citation.passage_id,
        "quote": citation.quote,
        "start": citation.span.start,
        "end": citation.span.end,
        "page": citation.page,
        "heading_path": list(citation.heading_path),
    }


def _conflict(answer: Answer, conflict: Conflict) -> Json:
    sides = ((conflict.first, conflict.first_figure), (conflict.second, conflict.second_figure))
    return [{"figure": figure, "citation": _citation(answer, citation)} for citation, figure in sides]


def _source(source: Source) -> Json:
    return {
        "marker": source.marker,
        "document_id": source.document_id,
        "title": source.title,
        "publisher": source.publisher,
        "url": source.url,
        "page": source.page,
        "page_label": source.page_label,
        "headings": list(source.headings),
        "jurisdiction": source.jurisdiction,
        "products": list(source.products),
        "population": source.population,
        "as_of": source.as_of,
        "vetting": source.vetting.to_dict(),
    }
