"""Edits at the desk: a new revision in other words, or with fewer, which the claim gate has looked at again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from curio_rag.domain.answers import (
    Answer,
    Citation,
    Reason,
    Section,
    SectionKind,
    Sentence,
    Source,
    Support,
    Verdict,
)
from curio_rag.domain.events import EventKind
from curio_rag.domain.quotes import find_quote
from curio_rag.domain.review_status import Review
from curio_rag.domain.sign_offs import Decision, answer_subject
from curio_rag.domain.sources import Document, Vetting, VettingStatus
from curio_rag.domain.threads import NoteKind
from curio_rag.errors import NotPermitted, ReviewClosed, ReviewTaken, Unsupported
from curio_rag.pipelines.claims import FindDocument
from curio_rag.pipelines.desk_parts import DeskParts, SigningSession
from curio_rag.pipelines.review import OnTheDesk, admissible, lay_out
from curio_rag.pipelines.signing import attempt, check_confirmation, signed_payload, signer, written_note


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceEdit:
    """Other words for one sentence, numbered from 1 over the whole answer; None leaves the words as they are.

    With `document_id` and `quote` it rests on that one place of that document instead of its old citations.
    """

    number: int
    text: str | None = None
    document_id: str | None = None
    quote: str | None = None


def strike(
    parts: DeskParts, session: SigningSession, answer_id: str, *, numbers: Collection[int], confirm: str, reason: str
) -> Review:
    """Takes sentences out; an answer that loses a step or a warning is incomplete from then on.

    Raises what `edit` raises, and `NotPermitted` when nothing would be left.
    """
    with attempt(parts, "strike", subject=answer_id, reviewer_id=session.reviewer_id):
        laid = _open_for_edit(parts, session, answer_id, confirm=confirm)
        answer = laid.current.answer
        _check_numbers(answer, numbers)
        gone = essential(parts, answer, numbers)
        sections = _without(answer.sections, numbers)
        if not sections:
            raise NotPermitted(f"Nothing would be left of {answer_id}.", hint="Reject it instead.")
        changed = rebuilt(parts, answer, sections)
        changed = replace(changed, incomplete=answer.incomplete or gone)
        return _file(parts, session, laid, changed, reason=reason, struck=len(numbers))


def edit(
    parts: DeskParts,
    session: SigningSession,
    answer_id: str,
    *,
    edits: Sequence[SentenceEdit],
    confirm: str,
    reason: str,
) -> Review:
    """Files a new revision with these sentences changed. It waits for an approval of its own.

    Raises `SessionExpired`, `NotPermitted`, `ReviewTaken`, `ReviewClosed` for a revision that has
    changed since, and `Unsupported` when the claim gate does not let a changed sentence pass.
    """
    with attempt(parts, "edit", subject=answer_id, reviewer_id=session.reviewer_id):
        laid = _open_for_edit(parts, session, answer_id, confirm=confirm)
        answer = laid.current.answer
        _check_numbers(answer, [each.number for each in edits])
        sections = _edited(parts, answer.sections, {each.number: each for each in edits})
        return _file(parts, session, laid, rebuilt(parts, answer, sections), reason=reason, struck=0)


def revise(
    parts: DeskParts, session: SigningSession, answer_id: str, *, sections: Sequence[Section], confirm: str, reason: str
) -> Review:
    """Files a new revision with other sections, for a page that edits the whole text. Raises what `edit` raises."""
    with attempt(parts, "edit", subject=answer_id, reviewer_id=session.reviewer_id):
        laid = _open_for_edit(parts, session, answer_id, confirm=confirm)
        before = laid.current.answer
        kept = {sentence for section in before.sections for sentence in section.sentences}
        find = admissible(parts, parts.rules.admit)
        checked = tuple(
            section.keeping(
                tuple(each if each in kept else _supported(parts, each, find) for each in section.sentences)
            )
            for section in sections
        )
        old = _numbered(before.sections)
        now = {sentence.text for section in checked for sentence in section.sentences}
        lost = [number for number, sentence in old.items() if sentence.text not in now]
        changed = rebuilt(parts, before, checked)
        changed = replace(changed, incomplete=before.incomplete or essential(parts, before, lost))
        return _file(parts, session, laid, changed, reason=reason, struck=0)


def rebuilt(parts: DeskParts, answer: Answer, sections: Sequence[Section]) -> Answer:
    """The answer with other sections: its sources are those that are still cited, its grade is measured again."""
    wanted: dict[tuple[str, int | None], Citation] = {}
    for section in sections:
        for sentence in section.sentences:
            for citation in sentence.citations:
                wanted.setdefault((citation.document_id, citation.page), citation)
    old = {(each.document_id, each.page): each for each in answer.sources}
    sources = tuple(
        replace(_source(parts, citation, old.get(place)), marker=marker)
        for marker, (place, citation) in enumerate(wanted.items(), start=1)
    )
    # A pair of figures is shown as long as both of its sources are.
    conflicts = tuple(
        each
        for each in answer.conflicts
        if all((side.document_id, side.page) in wanted for side in (each.first, each.second))
    )
    return parts.regrade(replace(answer, sections=tuple(sections), sources=sources, conflicts=conflicts))


def essential(parts: DeskParts, answer: Answer, numbers: Collection[int]) -> bool:
    """Whether one of these sentences is a step, or one that its document marks as must-show."""
    number = 0
    for section in answer.sections:
        for sentence in section.sentences:
            number += 1
            if number in numbers and (section.kind is SectionKind.STEPS or _is_warning(parts, sentence)):
                return True
    return False


def cite(parts: DeskParts, document: Document, quote: str) -> Citation:
    """The one place of a quote in a document. Raises `Unsupported` when it stands there not at all, or twice."""
    span = find_quote(document.text, quote)
    if isinstance(span, Reason):
        hint = "Quote some words more." if span.code == "quote_ambiguous" else "Copy them from curio library show."
        raise Unsupported(f"{document.id}: {span.text}", hint=hint)
    within = (each.id for each in parts.passages(document.id) if each.span.holds(span))
    return Citation(
        document_id=document.id,
        document_digest=document.digest,
        passage_id=next(within, ""),
        quote=quote,
        span=span,
        page=document.page_at(span.start),
        heading_path=document.section_at(span.start).heading_path,
    )


def _open_for_edit(parts: DeskParts, session: SigningSession, answer_id: str, *, confirm: str) -> OnTheDesk:
    reviewer, laid = signer(parts, session, Decision.EDITED), lay_out(parts, answer_id)
    check_confirmation(laid.subject_digest, confirm, subject=answer_id)
    if laid.review.reused and laid.review.status.value == "approved":
        raise ReviewClosed(f"{answer_id} repeats {laid.review.reused}.", hint="Edit that one.")
    other = laid.review.taken_by_other(reviewer.id, now=parts.clock())
    if other is not None:
        raise ReviewTaken(f"{answer_id} is on the desk of {other.name} until {other.until:%H:%M} UTC.")
    return laid


def _file(
    parts: DeskParts, session: SigningSession, laid: OnTheDesk, changed: Answer, *, reason: str, struck: int
) -> Review:
    reviewer = signer(parts, session, Decision.EDITED)
    current = laid.current
    if changed == current.answer:
        raise NotPermitted("The edit changes nothing.")
    number = current.revision + 1
    thread = current.question.thread_id
    note, named = written_note(
        parts, reviewer, kind=NoteKind.REASON, thread_id=thread, answer_id=changed.id, text=reason
    )
    keyed = parts.shelf().keyed(thread, current.question.text)
    payload = signed_payload(
        session,
        reviewer,
        Decision.EDITED,
        parts=parts,
        subject=answer_subject(changed, revision=number, question_digest=keyed),
        seen=laid.seen,
        note=named,
    )
    parts.shelf().append(
        EventKind.ANSWER_EDITED,
        changed.id,
        {**payload, "revision": number, "struck": struck},
        at=parts.clock(),
        seen=laid.seen[0],
        revision=(number, changed),
        note=note,
    )
    return lay_out(parts, changed.id).review


def _edited(parts: DeskParts, sections: Sequence[Section], edits: Mapping[int, SentenceEdit]) -> tuple[Section, ...]:
    find, number, changed = admissible(parts, parts.rules.admit), 0, []
    for section in sections:
        sentences = []
        for sentence in section.sentences:
            number += 1
            sentences.append(_changed(parts, sentence, edits[number], find) if number in edits else sentence)
        changed.append(section.keeping(tuple(sentences)))
    return tuple(changed)


def _changed(parts: DeskParts, sentence: Sentence, change: SentenceEdit, find: FindDocument) -> Sentence:
    citations = sentence.citations
    if (change.document_id is None) != (change.quote is None):
        raise Unsupported("A new citation names a document and the quote.", hint="Give both.")
    if change.document_id is not None and change.quote is not None:
        document = find(change.document_id)
        if document is None:
            raise Unsupported(f"{change.document_id} is not a document that answers may rest on.")
        citations = (cite(parts, document, change.quote),)
    text = sentence.text if change.text is None else " ".join(change.text.split())
    return _supported(parts, replace(sentence, text=text, citations=citations), find)


def _supported(parts: DeskParts, sentence: Sentence, find: FindDocument) -> Sentence:
    fault = parts.gate().fault_of(sentence, find)
    if fault is not None:
        raise Unsupported(f"The claim gate does not let the edit pass ({fault.code}): {fault.text}")
    return replace(sentence, verdict=Verdict(support=Support.SUPPORTED))


def _check_numbers(answer: Answer, numbers: Collection[int]) -> None:
    count = sum(len(section.sentences) for section in answer.sections)
    wrong = [number for number in numbers if not 1 <= number <= count]
    if wrong or not numbers:
        raise NotPermitted(
            f"{answer.id} has {count} sentences; there is no sentence {wrong[0]}." if wrong else "Name a sentence.",
            hint="curio review show numbers them.",
        )


def _numbered(sections: Sequence[Section]) -> dict[int, Sentence]:
    return dict(enumerate((each for section in sections for each in section.sentences), start=1))


def _without(sections: Sequence[Section], numbers: Collection[int]) -> tuple[Section, ...]:
    number, kept = 0, []
    for section in sections:
        sentences = []
        for sentence in section.sentences:
            number += 1
            if number not in numbers:
                sentences.append(sentence)
        if sentences:
            kept.append(section.keeping(tuple(sentences)))
    return tuple(kept)


def _is_warning(parts: DeskParts, sentence: Sentence) -> bool:
    return any(
        parts.document(each.document_id, each.document_digest).warns_at(each.span) for each in sentence.citations
    )


def _source(parts: DeskParts, citation: Citation, old: Source | None) -> Source:
    state = parts.document_state(citation.document_id)
    if old is not None and old.document_digest == citation.document_digest:
        return old
    document = parts.document(citation.document_id, citation.document_digest)
    standing = Vetting(
        status=VettingStatus(state.status) if state else VettingStatus.UNVETTED,
        clinician=state.clinician if state else None,
        review_due=state.review_due if state else None,
    )
    return Source(
        marker=0,
        document_id=document.id,
        document_digest=document.digest,
        title=document.title,
        headings=citation.heading_path[-1:],
        publisher=document.publisher,
        url=document.url,
        page=citation.page,
        page_label=document.page_label(citation.page),
        jurisdiction=document.jurisdiction,
        as_of=document.as_of,
        vetting=standing,
    )
