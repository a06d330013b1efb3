"""Where an answer stands with the clinicians, and what each audience may see of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from curio_rag.domain.answer_text import notice_of, plain_text
from curio_rag.domain.answers import Answer, Citation, Conflict, Reason, SearchTrace, Section, Source
from curio_rag.domain.digests import Json
from curio_rag.domain.explained_words import EXPLAINED, explanation_of
from curio_rag.domain.review_status import Review, ReviewStatus, SignedBy

__all__ = ["AnswerRecord", "Audience", "Review", "ReviewStatus", "SignedBy", "badge_of"]


UNSIGNED = (ReviewStatus.AWAITING_REVIEW, ReviewStatus.UNSAVED)

HIDDEN = {
    ReviewStatus.AWAITING_REVIEW: "A draft is waiting for a clinician. You will see it when it has been signed.",
    ReviewStatus.UNSAVED: "Answers are shown here only after a clinician has signed them.",
    ReviewStatus.REJECTED: "A clinician decided that the draft should not be shown.",
    ReviewStatus.LAPSED: "A source of this answer has changed. A clinician must sign it again before it is shown.",
    ReviewStatus.WITHDRAWN: "This answer has been withdrawn. Do not rely on it.",
}


class Audience(StrEnum):
    """Who is looking: an asker is not shown what the claim gate withheld."""

    ASKER = "asker"
    REVIEWER = "reviewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRecord:
    """An answer (its current revision) with its question and its review: what `KnowledgeBase.ask` returns.

    `drafts_visible` says whether an asker sees the words of an answer before a clinician has signed them.
    """

    answer: Answer
    question: str
    thread_id: str
    review: Review
    assistant: str = "Anna"
    drafts_visible: bool = True

    @property
    def text(self) -> str:
        """The whole answer as plain text: the notice first, `[n]` markers, sources, the status last."""
        return self.text_for(Audience.REVIEWER)

    @property
    def badge(self) -> str:
        """What stands beside the answer wherever it is shown, such as "Verified by NAME, ROLE, on DATE"."""
        signed = self.review.signed_by
        if self.review.status is ReviewStatus.APPROVED and signed is not None and not self.answer.sections:
            return f"{signed.name}, {signed.role}, has looked at this on {signed.day}."
        return badge_of(self.review)

    def text_for(self, audience: Audience, *, quotes: bool = False) -> str:
        """The plain text that this audience may see; with `quotes`, the cited words stand under each sentence."""
        shown = self.shown_to(audience)
        banner = "" if self.review.status in UNSIGNED else self.badge
        return plain_text(shown, status=self.review.status, assistant=self.assistant, quotes=quotes, badge=banner)

    def hidden_from(self, audience: Audience) -> bool:
        """Whether this audience gets the notice without the words. Fixed advice is never hidden from anybody."""
        if audience is Audience.REVIEWER or not self.answer.sections:
            return False
        if self.review.status in (ReviewStatus.AWAITING_REVIEW, ReviewStatus.UNSAVED):
            return not self.drafts_visible
        return self.review.status is not ReviewStatus.APPROVED

    def shown_to(self, audience: Audience) -> Answer:
        """The answer as this audience may see it: advice stays, hidden words go."""
        if not self.hidden_from(audience):
            return self.answer
        return replace(
            self.answer,
            sections=(),
            withheld=(),
            sources=(),
            not_covered=(),
            questions_to_ask=(),
            conflicts=(),
            incomplete=False,
            reading_grade=None,
            trace=SearchTrace(),
            reason=Reason(code="not_shown", text=HIDDEN[self.review.status]),
        )

    def to_dict(self, *, audience: Audience = Audience.REVIEWER) -> dict[str, Json]:
        """The public JSON of an answer (schema version 1); an asker gets a count of what was withheld."""
        answer = self.shown_to(audience)
        banner = "" if self.review.status in UNSIGNED else self.badge
        shown: dict[str, Json] = {
            "schema_version": 1,
            "id": answer.id,
            "thread_id": self.thread_id,
            "question": self.question,
            "outcome": answer.outcome.value,
            "status": self.review.status.value,
            "urgency": answer.urgency.value,
            "badge": self.badge,
            "notice": notice_of(answer, status=self.review.status, badge=banner),
            "review": _review(self.review, audience),
            "advice": answer.advice or None,
            "reason": _reason(answer.reason),
            "sections": [_section(answer, section) for section in answer.sections],
            "not_covered": list(answer.not_covered),
            "incomplete": answer.incomplete,
            "withheld_count": len(self.answer.withheld),
            "conflicts": [_conflict(answer, conflict) for conflict in answer.conflicts],
            "sources": [_source(source) for source in answer.sources],
            "glossary": list(_explained(answer)),
            "questions_to_ask": list(answer.questions_to_ask),
            "reading_grade": answer.reading_grade,
            "text": self.text_for(audience),
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
            shown["withheld"] = [
                {"text": each.text, "reason": _reason(each.reason), "quote": each.quote} for each in answer.withheld
            ]
        return shown


def badge_of(review: Review) -> str:
    """One line on who stands behind an answer; "Verified" only for a valid signature of a checked reviewer."""
    signed = review.signed_by
    if review.status is ReviewStatus.APPROVED and signed is not None:
        return " ".join(part for part in (_verified(review, signed), _basis(signed)) if part)
    if review.status is ReviewStatus.REJECTED and signed is not None:
        return f"Rejected by {signed.name}, {signed.role}, on {signed.day}."
    if review.status is ReviewStatus.LAPSED:
        return f"No longer verified. {' '.join(review.reasons)}"
    if review.status is ReviewStatus.WITHDRAWN:
        return f"Withdrawn. {' '.join(review.reasons)}"
    if review.status is ReviewStatus.UNSAVED:
        return "AI draft, not saved and not reviewed."
    if review.demonstration is not None:
        return f"AI draft, not verified. Signed by {review.demonstration.name} as a demonstration only."
    return "AI draft, not yet reviewed."


def _verified(review: Review, signed: SignedBy) -> str:
    who = f"{signed.name}, {signed.role}, on {signed.day}"
    if review.reused:
        return f"Verified by {who} for the same general question."
    if signed.editor is None:
        return f"Verified by {who}."
    if signed.editor[0] == signed.reviewer_id:
        return f"Verified: edited and signed by {who}."
    return f"Verified by {who}; edited by {signed.editor[1]}."


def _basis(signed: SignedBy) -> str:
    if not signed.rests_on:
        return ""
    return f"It rests on {' and '.join(signed.rests_on)} documents that no clinician has signed."


def _review(review: Review, audience: Audience) -> Json:
    shown: dict[str, Json] = {
        "revision": review.revision,
        "signed_by": review.signed_by.to_dict() if review.signed_by else None,
        "demonstration": review.demonstration.to_dict() if review.demonstration else None,
        "edited_by": review.editor[1] if review.editor else None,
        "reasons": list(review.reasons),
    }
    if audience is Audience.REVIEWER:
        # Whose desk it lies on, and whose question was answered before, is nothing for other people.
        shown |= {
            "position": review.position,
            "taken_by": review.taken.name if review.taken else None,
            "reused_from": review.reused,
        }
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


def _explained(answer: Answer) -> Iterator[Json]:
    """The lines that explain words, each as the word, its meaning and the source's number."""
    for section in answer.sections:
        for sentence in section.sentences if section.heading == EXPLAINED else ():
            explained = explanation_of(sentence.text)
            if explained is None:
                continue
            marker = answer.marker_of(sentence.citations[0])
            yield {"term": explained.name, "meaning": explained.meaning, "citation": {"marker": marker}}
