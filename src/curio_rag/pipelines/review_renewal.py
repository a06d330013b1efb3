"""Renewal: answers whose source was edited elsewhere and vetted again, ready to be signed again on one screen.

An answer qualifies only when each quote, and the whole section that it stands in, is byte for byte
what it was. Nothing is renewed by itself: each answer takes its own confirmation and its own signature.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from curio_rag.domain.answers import Answer, Citation, Sentence
from curio_rag.domain.digests import Json
from curio_rag.domain.events import EventKind
from curio_rag.domain.review_status import Review, ReviewStatus
from curio_rag.domain.sign_offs import Decision, answer_subject
from curio_rag.domain.sources import Document, DocumentSection, Span
from curio_rag.domain.threads import CurrentAnswer
from curio_rag.errors import DocumentNotFound, ReviewClosed
from curio_rag.pipelines.desk_parts import DeskParts, SigningSession
from curio_rag.pipelines.review import approve, lay_out
from curio_rag.pipelines.review_edits import rebuilt
from curio_rag.pipelines.review_queue import queue
from curio_rag.pipelines.signing import attempt, check_confirmation, digest_of_subject, signed_payload, signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewable:
    """A lapsed answer whose words and sections stand unchanged in the newly vetted versions."""

    current: CurrentAnswer
    renewed: Answer
    documents: tuple[str, ...]
    reasons: tuple[str, ...]
    subject_digest: str

    def to_dict(self) -> dict[str, Json]:
        """As `curio review renew --json` shows it."""
        return {
            "id": self.current.answer.id,
            "question": self.current.question.text,
            "documents": list(self.documents),
            "reasons": list(self.reasons),
            "sentences": [each.text for section in self.renewed.sections for each in section.sentences],
            "confirm": self.subject_digest,
        }


def renewable(parts: DeskParts) -> tuple[Renewable, ...]:
    """Every lapsed answer that can be signed again as it is, in the order of the queue."""
    lapsed = (each.answer_id for each in queue(parts) if each.status is ReviewStatus.LAPSED)
    found = (_renewable(parts, parts.shelf().current(answer_id)) for answer_id in lapsed)
    return tuple(each for each in found if each is not None)


def renew(parts: DeskParts, session: SigningSession, answer_id: str, *, confirm: str) -> Review:
    """Files the answer over the new versions of its sources and approves it, in the signer's name.

    Raises what `approve` raises, and `ReviewClosed` when the answer is not renewable.
    """
    with attempt(parts, "renew", subject=answer_id, reviewer_id=session.reviewer_id):
        reviewer, laid = signer(parts, session, Decision.APPROVED), lay_out(parts, answer_id)
        each = _renewable(parts, laid.current) if laid.review.status is ReviewStatus.LAPSED else None
        if each is None:
            raise ReviewClosed(f"{answer_id} is not to be renewed.", hint="curio review renew lists those that are.")
        check_confirmation(each.subject_digest, confirm, subject=answer_id)
        number = laid.current.revision + 1
        keyed = parts.shelf().keyed(laid.current.question.thread_id, laid.current.question.text)
        payload = signed_payload(
            session,
            reviewer,
            Decision.EDITED,
            parts=parts,
            subject=answer_subject(each.renewed, revision=number, question_digest=keyed),
            seen=laid.seen,
        )
        parts.shelf().append(
            EventKind.ANSWER_EDITED,
            answer_id,
            {**payload, "revision": number, "struck": 0, "carried": True},
            at=parts.clock(),
            seen=laid.seen[0],
            revision=(number, each.renewed),
        )
    return approve(parts, session, answer_id, confirm=confirm, acknowledge_incomplete=each.renewed.incomplete)


def _renewable(parts: DeskParts, current: CurrentAnswer) -> Renewable | None:
    changed: dict[str, tuple[Document, Document]] = {}
    for citation in current.answer.citations:
        state = parts.document_state(citation.document_id)
        if state is None or state.status not in parts.rules.approve_on:
            return None
        if state.digest != citation.document_digest:
            try:
                old = parts.document(citation.document_id, citation.document_digest)
                changed[citation.document_id] = (old, parts.document(citation.document_id, state.digest))
            except DocumentNotFound:
                return None
    in_conflict = {side.document_id for each in current.answer.conflicts for side in (each.first, each.second)}
    if not changed or in_conflict & set(changed):
        # Two sources that differ need eyes again when one of them changes.
        return None
    sections = []
    for section in current.answer.sections:
        sentences = [_carried(parts, sentence, changed) for sentence in section.sentences]
        kept = tuple(sentence for sentence in sentences if sentence is not None)
        if len(kept) != len(sentences):
            return None
        sections.append(section.keeping(kept))
    renewed = rebuilt(parts, current.answer, sections)
    keyed = parts.shelf().keyed(current.question.thread_id, current.question.text)
    subject = answer_subject(renewed, revision=current.revision + 1, question_digest=keyed)
    return Renewable(
        current=current,
        renewed=renewed,
        documents=tuple(changed),
        reasons=tuple(f"{document_id} was vetted again; these words are unchanged." for document_id in changed),
        subject_digest=digest_of_subject(subject),
    )


def _carried(parts: DeskParts, sentence: Sentence, changed: dict[str, tuple[Document, Document]]) -> Sentence | None:
    citations: list[Citation] = []
    for citation in sentence.citations:
        if citation.document_id not in changed:
            citations.append(citation)
            continue
        moved = _moved(parts, citation, *changed[citation.document_id])
        if moved is None:
            return None
        citations.append(moved)
    return replace(sentence, citations=tuple(citations))


def _moved(parts: DeskParts, citation: Citation, old: Document, new: Document) -> Citation | None:
    section = old.section_at(citation.span.start)
    same = [each for each in new.sections if _same(section, old, each, new)]
    if len(same) != 1 or not section.span.holds(citation.span):
        return None
    start = same[0].span.start + citation.span.start - section.span.start
    span = Span(start=start, end=start + len(citation.quote))
    if span.of(new.text) != citation.quote:
        return None
    passage = next((each.id for each in parts.passages(new.id) if each.span.holds(span)), "")
    return replace(citation, document_digest=new.digest, span=span, passage_id=passage, page=new.page_at(start))


def _same(section: DocumentSection, old: Document, other: DocumentSection, new: Document) -> bool:
    """The same heading path, the same bytes but for white space at the end, and the same marked warnings."""
    return (
        section.heading_path == other.heading_path
        and section.span.of(old.text).rstrip() == other.span.of(new.text).rstrip()
        and _warnings(section, old) == _warnings(other, new)
    )


def _warnings(section: DocumentSection, document: Document) -> list[int]:
    return [span.start - section.span.start for span in document.must_show if section.span.holds(span)]
