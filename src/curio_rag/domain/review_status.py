"""Where an answer stands today: a fold over its events, its signatures and the documents that it rests on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from curio_rag.domain.answers import Answer
from curio_rag.domain.digests import Json
from curio_rag.domain.events import DECIDING, SIGNED_AS, Event, EventKind, readable
from curio_rag.domain.sign_offs import DocumentState, SignOff
from curio_rag.domain.sources import VettingStatus


class ReviewStatus(StrEnum):
    """The standing of an answer today."""

    AWAITING_REVIEW = "awaiting_review"
    APPROVED = "approved"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    UNSAVED = "unsaved"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedBy:
    """Who signed a revision, as what, and when; `editor` (id and name) wrote the revision, if a reviewer did."""

    reviewer_id: str
    name: str
    role: str
    signed_at: datetime
    position: int
    editor: tuple[str, str] | None = None
    rests_on: tuple[str, ...] = ()
    """The standings of cited documents that were not vetted when it was signed."""

    @property
    def day(self) -> date:
        """The day of the signature (UTC)."""
        return self.signed_at.date()

    def to_dict(self) -> dict[str, Json]:
        """As the public JSON shows it."""
        return {
            "reviewer_id": self.reviewer_id,
            "name": self.name,
            "role": self.role,
            "signed_at": self.signed_at.isoformat(),
            "edited_by": self.editor[1] if self.editor else None,
            "rests_on": list(self.rests_on),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Who has an answer on the desk, and until when."""

    reviewer_id: str
    name: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The review of one answer; until a clinician decides it waits.

    `signed_by` is set while a valid signature covers the current revision, also of a lapsed one.
    `demonstration` names a signature that never verifies. `reasons` say why an answer lapsed, was
    withdrawn, or came back. `position` is the last event that counts: whoever decides must have seen it.
    `reused` is the answer whose sign-off this one shows.
    """

    status: ReviewStatus
    revision: int = 1
    position: int = 0
    signed_by: SignedBy | None = None
    demonstration: SignedBy | None = None
    editor: tuple[str, str] | None = None
    reasons: tuple[str, ...] = ()
    taken: Taken | None = None
    reused: str | None = None

    def taken_by_other(self, reviewer_id: str | None, *, now: datetime) -> Taken | None:
        """Somebody else who has the answer on the desk now."""
        if self.taken is None or self.taken.until <= now or self.taken.reviewer_id == reviewer_id:
            return None
        return self.taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What the fold asks of the outside: is a signature good, does it ever verify, how does a document stand.

    `fault` compares a sign-off with the content that it should cover and answers with a reason or
    None. `approve_on` are the standings of documents on which an approval may rest.
    """

    fault: Callable[[SignOff, Answer], str | None]
    cannot_verify: Callable[[SignOff], str | None]
    document: Callable[[str], DocumentState | None]
    approve_on: Collection[str]


def review_of(answer: Answer, history: Iterable[Event], *, checks: Checks, now: datetime) -> Review:
    """Folds the events of one answer (`answer` is its current revision, in order of the chain) into its review.

    An approval counts only for the revision that it names and only when its signer had seen everything
    that was decided before it, so that neither an older signature nor a copied one revives anything.
    """
    folded = Review(status=ReviewStatus.AWAITING_REVIEW)
    decision: SignOff | None = None
    for event in history:
        if event.kind not in DECIDING:
            continue
        with readable(event):
            folded, decision = _step(folded, decision, event)
        folded = replace(folded, position=event.position)
    if decision is None or folded.status is ReviewStatus.WITHDRAWN:
        return folded
    return _decided(folded, decision, answer, checks=checks, now=now)


def _step(folded: Review, decision: SignOff | None, event: Event) -> tuple[Review, SignOff | None]:
    if event.kind == EventKind.ANSWER_EDITED:
        sign_off = SignOff.of(event)
        number = event.payload.get("revision")
        return (
            Review(
                status=ReviewStatus.AWAITING_REVIEW,
                revision=number if isinstance(number, int) else folded.revision + 1,
                taken=folded.taken,
                editor=_editor(folded, event, sign_off),
            ),
            None,
        )
    if event.kind == EventKind.ANSWER_WITHDRAWN:
        return replace(folded, status=ReviewStatus.WITHDRAWN, reasons=(event.text("reason"),)), None
    if event.kind == EventKind.ANSWER_RETURNED:
        return replace(folded, status=ReviewStatus.AWAITING_REVIEW, reasons=(event.text("reason"),)), None
    if event.kind == EventKind.ANSWER_TAKEN:
        until = datetime.fromisoformat(event.text("until"))
        return replace(
            folded, taken=Taken(reviewer_id=event.text("reviewer"), name=event.text("name"), until=until)
        ), decision
    if event.kind == EventKind.ANSWER_RELEASED:
        return replace(folded, taken=None), decision
    sign_off = SignOff.of(event)
    if sign_off is None or sign_off.decision != SIGNED_AS[EventKind(event.kind)]:
        return folded, decision
    stale = sign_off.revision != folded.revision or sign_off.anchor[0] < folded.position
    if stale or folded.status is ReviewStatus.WITHDRAWN:
        return folded, decision
    # What cannot be read is found out here, where the event is known.
    _signed_by(folded, sign_off)
    return replace(folded, taken=None, reasons=()), sign_off


def _editor(folded: Review, event: Event, sign_off: SignOff | None) -> tuple[str, str] | None:
    """Words that were only carried over to a new version of their source are still those of whoever wrote them."""
    if event.payload.get("carried") or sign_off is None:
        return folded.editor
    return sign_off.reviewer_id, sign_off.reviewer_name


def _decided(folded: Review, decision: SignOff, answer: Answer, *, checks: Checks, now: datetime) -> Review:
    fault = checks.fault(decision, answer)
    signed = _signed_by(folded, decision)
    if decision.decision == "rejected":
        if fault is None:
            return replace(folded, status=ReviewStatus.REJECTED, signed_by=signed)
        return replace(folded, reasons=(f"A rejection does not count: {fault}.",))
    if fault is not None:
        return replace(folded, status=ReviewStatus.LAPSED, reasons=(f"The sign-off does not hold: {fault}.",))
    doubt = checks.cannot_verify(decision)
    if doubt is not None:
        return replace(folded, demonstration=signed, reasons=(f"Signed, but not verified: {doubt}.",))
    reasons = tuple(lapses(answer, checks=checks, today=now.date()))
    status = ReviewStatus.LAPSED if reasons else ReviewStatus.APPROVED
    return replace(folded, status=status, signed_by=signed, reasons=reasons)


def _signed_by(folded: Review, decision: SignOff) -> SignedBy:
    standings = {str(each.get("status")) for each in decision.documents} - {VettingStatus.VETTED.value}
    return SignedBy(
        reviewer_id=decision.reviewer_id,
        name=decision.reviewer_name,
        role=decision.role,
        signed_at=decision.signed_at,
        position=decision.position,
        editor=folded.editor,
        rests_on=tuple(sorted(standings)),
    )


def lapses(answer: Answer, *, checks: Checks, today: date) -> Iterable[str]:
    """Why the documents no longer carry an answer, one sentence for each document, in order of the text."""
    cited: dict[tuple[str, str], list[int]] = {}
    numbered = enumerate((sentence for section in answer.sections for sentence in section.sentences), start=1)
    for number, sentence in numbered:
        for citation in sentence.citations:
            numbers = cited.setdefault((citation.document_id, citation.document_digest), [])
            if number not in numbers:
                numbers.append(number)
    for (document_id, digest), numbers in cited.items():
        change = _change(document_id, digest, checks.document(document_id), checks.approve_on, today)
        if change:
            noun, verb = ("sentence", "rests") if len(numbers) == 1 else ("sentences", "rest")
            yield f"{document_id} {change}; {noun} {_listed(numbers)} {verb} on it."


def _listed(numbers: list[int]) -> str:
    """In words, with runs of three or more as "1 to 5"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join(parts)


def _change(
    document_id: str, digest: str, state: DocumentState | None, approve_on: Collection[str], today: date
) -> str | None:
    if state is None:
        return "is no longer in the library"
    if state.status == VettingStatus.WITHDRAWN:
        return "was withdrawn"
    if state.digest != digest:
        return f"changed on {state.changed_on}" if state.changed_on else "was changed"
    if state.status == VettingStatus.EXPIRED:
        return f"was due for review on {state.review_due}" if state.review_due else "is overdue for review"
    return None if state.status in approve_on else f"is {state.status}"
