"""Acts upon documents: vetting as a signed act, and the recall of a document with everything that rests on it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from curio_rag.domain.digests import Json
from curio_rag.domain.events import Event, EventKind
from curio_rag.domain.recall import RecalledAnswer
from curio_rag.domain.review_status import ReviewStatus
from curio_rag.domain.sign_offs import Decision, DocumentState, SignOff, document_subject
from curio_rag.errors import DocumentNotFound, NotPermitted, NotVetted
from curio_rag.pipelines.desk_parts import DeskParts, SigningSession
from curio_rag.pipelines.sign_offs import checks_of, review_today
from curio_rag.pipelines.signing import attempt, check_confirmation, digest_of_subject, signed_payload, signer


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedVetting:
    """A document as somebody is about to vet it: what changed since the last signature, and what to confirm.

    `changes` are the lines of a unified difference; empty with `first` set when nobody has signed it before.
    """

    document_id: str
    title: str
    digest: str
    status: str
    first: bool
    changes: tuple[str, ...]
    subject: Mapping[str, Json]
    seen: tuple[int, str]

    @property
    def subject_digest(self) -> str:
        """What a confirmation names: the exact text and the day on which the review is due."""
        return digest_of_subject(self.subject)

    def to_dict(self) -> dict[str, Json]:
        """As `curio library vet --json` shows it."""
        return {
            "document_id": self.document_id,
            "title": self.title,
            "digest": self.digest,
            "status": self.status,
            "first": self.first,
            "changes": list(self.changes),
            "confirm": self.subject_digest,
        }


def propose_vetting(parts: DeskParts, document_ids: Sequence[str], *, review_due: date) -> tuple[ProposedVetting, ...]:
    """What would be signed, one for each document. Raises `DocumentNotFound`, and `NotVetted` for a day that passed."""
    if review_due <= parts.clock().date():
        raise NotVetted(f"The review is due on {review_due}, which is not in the future.", hint="Give a later day.")
    seen = parts.log().head()
    return tuple(
        _proposed(parts, document_id, review_due=review_due, seen=seen) for document_id in dict.fromkeys(document_ids)
    )


def vet(
    parts: DeskParts, session: SigningSession, proposed: Sequence[ProposedVetting], *, confirm: Sequence[str]
) -> tuple[Event, ...]:
    """Signs each proposed vetting, confirmed one by one by its digest; all of them, or none.

    Raises `NotPermitted` for a role that may not or a reviewer whose credential nobody has checked, and
    `ReviewClosed` for a document that was vetted, withdrawn or changed meanwhile.
    """
    subjects = ", ".join(each.document_id for each in proposed)
    with attempt(parts, "vet", subject=subjects, reviewer_id=session.reviewer_id):
        reviewer = signer(parts, session, Decision.VETTED)
        seen = min(proposed, key=lambda each: each.seen[0]).seen
        doubt = reviewer.cannot_verify(seen[0] + 1)
        if doubt is not None:
            raise NotPermitted(
                f"{doubt[0].upper()}{doubt[1:]}, so no document is vetted by this signature.",
                hint="curio reviewer check records who looked the credential up.",
            )
        if len(confirm) != len(proposed):
            raise NotPermitted(
                f"{len(proposed)} documents need {len(proposed)} confirmations, not {len(confirm)}.",
                hint="Each document is confirmed by its own digest.",
            )
        payloads: dict[str, dict[str, Json]] = {}
        for each, answer in zip(proposed, confirm, strict=True):
            check_confirmation(each.subject_digest, answer, subject=each.document_id)
            state = _state(parts, each.document_id)
            if state.digest != each.digest:
                raise NotVetted(f"{each.document_id} has changed since it was shown.", hint="Look at it again.")
            payloads[each.document_id] = signed_payload(
                session, reviewer, Decision.VETTED, parts=parts, subject=each.subject, seen=seen
            )
        return parts.shelf().append_each(EventKind.DOCUMENT_VETTED, payloads, at=parts.clock(), seen=seen[0])


def withdraw(parts: DeskParts, document_id: str, *, reason: str, by: str) -> tuple[RecalledAnswer, ...]:
    """Retracts a document, and every answer that cites it today.

    Approved ones, and drafts that askers may have seen, become `withdrawn`; other drafts return to
    the queue. It needs no signature: to stop something must be easy. Raises `DocumentNotFound`.
    """
    if not reason.strip() or not by.strip():
        raise NotPermitted("A withdrawal names who makes it and why.", hint="Give --by and --reason.")
    before = _answers_resting_on(parts, document_id)
    payload: dict[str, Json] = {"digest": _state(parts, document_id).digest, "by": by, "reason": reason}
    parts.shelf().append(EventKind.DOCUMENT_WITHDRAWN, document_id, payload, at=parts.clock())
    return tuple(_recall(parts, answer_id, status, document_id, reason) for answer_id, status in before)


def _recall(parts: DeskParts, answer_id: str, before: ReviewStatus, document_id: str, reason: str) -> RecalledAnswer:
    current = parts.shelf().current(answer_id)
    shown = before in (ReviewStatus.APPROVED, ReviewStatus.LAPSED) or (
        before is ReviewStatus.AWAITING_REVIEW and parts.rules.drafts_are_shown
    )
    kind = None
    if shown:
        kind = EventKind.ANSWER_WITHDRAWN
    elif before is ReviewStatus.AWAITING_REVIEW:
        kind = EventKind.ANSWER_RETURNED
    if kind is not None:
        payload: dict[str, Json] = {
            "document_id": document_id,
            "revision": current.revision,
            "reason": f"{document_id} was withdrawn: {reason}",
        }
        parts.shelf().append(kind, answer_id, payload, at=parts.clock())
    after = review_today(parts, parts.shelf().current(answer_id)).status
    return RecalledAnswer(answer_id=answer_id, thread_id=current.question.thread_id, before=before, after=after)


def _answers_resting_on(parts: DeskParts, document_id: str) -> list[tuple[str, ReviewStatus]]:
    bodies, checks = parts.shelf().bodies(parts.answers_citing(document_id)), checks_of(parts)
    return [
        (answer_id, review_today(parts, current, checks=checks).status)
        for answer_id, current in bodies.items()
        if any(citation.document_id == document_id for citation in current.answer.citations)
    ]


def _proposed(parts: DeskParts, document_id: str, *, review_due: date, seen: tuple[int, str]) -> ProposedVetting:
    state = _state(parts, document_id)
    document = parts.document(document_id, state.digest)
    before = _last_signed(parts, document_id)
    changes: tuple[str, ...] = ()
    if before is not None and before != state.digest:
        old = parts.document(document_id, before)
        lines = difflib.unified_diff(
            old.text.splitlines(), document.text.splitlines(), "as it was signed", "as it is now", lineterm="", n=1
        )
        changes = tuple(lines) or ("The text is the same; title, sources, structure or marks have changed.",)
    return ProposedVetting(
        document_id=document_id,
        title=document.title,
        digest=state.digest,
        status=state.status,
        first=before is None,
        changes=changes,
        subject=document_subject(
            document_id=document_id, title=document.title, digest=state.digest, review_due=review_due
        ),
        seen=seen,
    )


def _last_signed(parts: DeskParts, document_id: str) -> str | None:
    for event in reversed(parts.log().events(kinds=(EventKind.DOCUMENT_VETTED,), subjects=[document_id])):
        sign_off = SignOff.of(event)
        if sign_off is not None:
            return str(sign_off.subject.get("digest"))
    return None


def _state(parts: DeskParts, document_id: str) -> DocumentState:
    state = parts.document_state(document_id)
    if state is None:
        raise DocumentNotFound(f"There is no document {document_id!r}.", hint="`curio library list` names them all.")
    return state
