"""What a reviewer sees: each sentence beside its source, every warning, what was withheld and what is missing."""

from __future__ import annotations

from dataclasses import dataclass

from curio_rag.domain.answers import Answer, Citation, Reason, Sentence
from curio_rag.domain.digests import Json
from curio_rag.domain.events import EventKind
from curio_rag.domain.reviews import AnswerRecord
from curio_rag.domain.sources import Document, Span
from curio_rag.domain.threads import Note
from curio_rag.errors import DocumentNotFound
from curio_rag.pipelines.desk_parts import DeskParts
from curio_rag.pipelines.review import admissible, lay_out
from curio_rag.pipelines.signing import reviewer_named

SURROUNDING = 240
"""Characters of the source before and after a quote; whole words, and no further than its section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCitation:
    """A quote with what stands around it in the version that was cited, and how that document stands today."""

    citation: Citation
    title: str
    before: str
    after: str
    standing: str
    changed: bool

    def to_dict(self) -> dict[str, Json]:
        """As `curio review show --json` shows it."""
        return {
            "document_id": self.citation.document_id,
            "title": self.title,
            "heading_path": list(self.citation.heading_path),
            "page": self.citation.page,
            "quote": self.citation.quote,
            "before": self.before,
            "after": self.after,
            "standing": self.standing,
            "changed": self.changed,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSentence:
    """A sentence by its number (from 1 over the whole answer), its quotes, and what the claim gate says of it now."""

    number: int
    heading: str
    text: str
    citations: tuple[ShownCitation, ...]
    warning: Reason | None

    def to_dict(self) -> dict[str, Json]:
        """As `curio review show --json` shows it."""
        return {
            "number": self.number,
            "heading": self.heading,
            "text": self.text,
            "citations": [each.to_dict() for each in self.citations],
            "warning": {"code": self.warning.code, "text": self.warning.text} if self.warning else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskView:
    """Everything that a decision needs; `confirm` is the digest that a signature over it must name."""

    record: AnswerRecord
    sentences: tuple[ShownSentence, ...]
    notes: tuple[Note, ...]
    confirm: str
    sign_blocked: str | None

    def to_dict(self) -> dict[str, Json]:
        """As `curio review show --json` shows it."""
        return {
            "answer": self.record.to_dict(),
            "sentences": [each.to_dict() for each in self.sentences],
            "notes": [{**each.to_dict(), "kind": each.kind.value} for each in self.notes],
            "confirm": self.confirm,
            "sign_blocked": self.sign_blocked,
        }


def show(parts: DeskParts, answer_id: str, *, assistant: str, viewer: str | None) -> DeskView:
    """Lays an answer out; with a `viewer`, the log keeps who looked at it and when. Raises `ReviewNotFound`."""
    laid = lay_out(parts, answer_id)
    answer, question = laid.current.answer, laid.current.question
    if viewer is not None:
        name = reviewer_named(parts, viewer).name
        payload: dict[str, Json] = {"reviewer": viewer, "name": name, "revision": laid.review.revision}
        parts.shelf().append(EventKind.ANSWER_VIEWED, answer_id, payload, at=parts.clock())
    return DeskView(
        record=AnswerRecord(
            answer=answer,
            question=question.text,
            thread_id=question.thread_id,
            review=laid.review,
            assistant=assistant,
            drafts_visible=parts.rules.drafts_are_shown,
        ),
        sentences=_sentences(parts, answer),
        notes=tuple(note for note in parts.shelf().notes(question.thread_id) if note.answer_id == answer_id),
        confirm=laid.subject_digest,
        sign_blocked=_blocked(parts, answer),
    )


def _blocked(parts: DeskParts, answer: Answer) -> str | None:
    """Why the cited documents would not let an approval pass today."""
    for document_id in dict.fromkeys(citation.document_id for citation in answer.citations):
        state = parts.document_state(document_id)
        standing = state.status if state else "no longer in the library"
        if standing not in parts.rules.approve_on:
            return f"{document_id} is {standing}, and an approval may not rest on it."
    return None


def _sentences(parts: DeskParts, answer: Answer) -> tuple[ShownSentence, ...]:
    find, heading = admissible(parts, parts.rules.admit), ""
    shown: list[ShownSentence] = []
    for section in answer.sections:
        heading = section.heading or heading
        for sentence in section.sentences:
            shown.append(
                ShownSentence(
                    number=len(shown) + 1,
                    heading=heading,
                    text=sentence.text,
                    citations=_citations(parts, sentence),
                    warning=parts.gate().fault_of(sentence, find),
                )
            )
    return tuple(shown)


def _citations(parts: DeskParts, sentence: Sentence) -> tuple[ShownCitation, ...]:
    return tuple(_citation(parts, citation) for citation in sentence.citations)


def _citation(parts: DeskParts, citation: Citation) -> ShownCitation:
    state = parts.document_state(citation.document_id)
    standing, changed = "removed", True
    if state is not None:
        standing, changed = state.status, state.digest != citation.document_digest
    try:
        document = parts.document(citation.document_id, citation.document_digest)
    except DocumentNotFound:
        return ShownCitation(citation=citation, title="", before="", after="", standing=standing, changed=changed)
    before, after = _around(document, citation.span)
    return ShownCitation(
        citation=citation, title=document.title, before=before, after=after, standing=standing, changed=changed
    )


def _around(document: Document, span: Span) -> tuple[str, str]:
    found = document.section_at(span.start)
    section = Span(start=found.blocks[0].span.start, end=found.span.end) if found.blocks else found.span
    start = max(min(section.start, span.start), span.start - SURROUNDING)
    end = min(section.end, span.end + SURROUNDING)
    before, after = document.text[start : span.start], document.text[span.end : end]
    if start > section.start:
        before = "… " + before.partition(" ")[2]
    if end < section.end:
        after = after.rpartition(" ")[0] + " …"
    return " ".join(before.split()), " ".join(after.split())
