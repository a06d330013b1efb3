"""What waits at the desk, most urgent first, then oldest; and which sign-offs have lapsed since they were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from curio_rag.domain.answers import Outcome
from curio_rag.domain.digests import Json
from curio_rag.domain.events import DECIDING, Event, EventKind
from curio_rag.domain.questions import Urgency
from curio_rag.domain.review_status import Review, ReviewStatus, Taken
from curio_rag.domain.threads import CurrentAnswer
from curio_rag.errors import ReviewClosed
from curio_rag.pipelines.desk_parts import DeskParts
from curio_rag.pipelines.sign_offs import checks_of, review_by
from curio_rag.pipelines.thread_view import addressees

BY_URGENCY = {Urgency.EMERGENCY: 0, Urgency.URGENT: 1, Urgency.ROUTINE: 2}
FOLLOWED = (*sorted(DECIDING), EventKind.ANSWER_DRAFTED, EventKind.ANSWER_REUSED)
STANDING = (
    EventKind.ANSWER_APPROVED,
    EventKind.ANSWER_REUSED,
    EventKind.ANSWER_LAPSED,
    EventKind.ANSWER_RESTORED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One answer that waits. `reasons` say why it came back; `addressed_to` (id, name) is None for the pool."""

    answer_id: str
    thread_id: str
    question: str
    revision: int
    outcome: Outcome
    urgency: Urgency
    status: ReviewStatus
    asked_at: datetime
    waited: timedelta
    reasons: tuple[str, ...]
    taken: Taken | None
    addressed_to: tuple[str, str] | None

    def to_dict(self) -> dict[str, Json]:
        """As `curio review list --json` shows it."""
        return {
            "id": self.answer_id,
            "thread_id": self.thread_id,
            "question": self.question,
            "revision": self.revision,
            "outcome": self.outcome.value,
            "urgency": self.urgency.value,
            "status": self.status.value,
            "asked_at": self.asked_at.isoformat(),
            "waited_seconds": int(self.waited.total_seconds()),
            "reasons": list(self.reasons),
            "taken_by": self.taken.name if self.taken else None,
            "addressed_to": self.addressed_to[1] if self.addressed_to else None,
        }


def queue(parts: DeskParts) -> tuple[Waiting, ...]:
    """Every answer that awaits a review or whose sign-off has lapsed."""
    found = [
        (current, review)
        for current, review in _standing(parts, skip=(EventKind.ANSWER_REJECTED, EventKind.ANSWER_WITHDRAWN))
        # A reused answer stands and falls with the one that it repeats, which is in the queue itself.
        if review.status in (ReviewStatus.AWAITING_REVIEW, ReviewStatus.LAPSED) and not review.reused
    ]
    now = parts.clock()
    threads = {current.question.thread_id for current, _ in found}
    addressed = {key: who for thread_id in threads for key, who in addressees(parts, thread_id).items()}
    waiting = (_waiting(current, review, now, addressed) for current, review in found)
    return tuple(sorted(waiting, key=lambda each: (BY_URGENCY[each.urgency], each.asked_at, each.answer_id)))


def note_lapses(parts: DeskParts) -> tuple[Event, ...]:
    """Appends an event for every sign-off that has lapsed, or holds again, since the last look; the new events.

    Time alone can make a sign-off lapse, so this runs before the queue and before events are handed out.
    """
    # The head comes first: what another process notes after it is refused below, so that nothing is noted twice.
    seen = parts.log().head()[0]
    last: dict[str, Event] = {}
    for event in parts.log().events(kinds=STANDING):
        last[event.subject] = event
    if not last:
        return ()
    noted = []
    for current, review in _standing(parts, only=list(last)):
        was_lapsed = last[current.answer.id].kind == EventKind.ANSWER_LAPSED
        fallen = review.status is ReviewStatus.LAPSED or (review.reused and review.status is not ReviewStatus.APPROVED)
        if fallen and not was_lapsed:
            kind = EventKind.ANSWER_LAPSED
        elif review.status is ReviewStatus.APPROVED and was_lapsed:
            kind = EventKind.ANSWER_RESTORED
        else:
            continue
        payload: dict[str, Json] = {"revision": review.revision, "reasons": list(review.reasons)}
        try:
            noted.append(
                parts.shelf().append(
                    kind, current.answer.id, payload, at=parts.clock(), seen=seen, conflicts=(*DECIDING, *STANDING)
                )
            )
        except ReviewClosed:
            # Another process noted it, or decided, a moment ago.
            continue
    return tuple(noted)


def _standing(
    parts: DeskParts, *, only: Sequence[str] | None = None, skip: Sequence[EventKind] = ()
) -> list[tuple[CurrentAnswer, Review]]:
    """Answers with their reviews today; those whose last decision is of a kind to skip are not even read."""
    histories: dict[str, list[Event]] = {}
    for event in parts.log().events(kinds=FOLLOWED, subjects=only):
        histories.setdefault(event.subject, []).append(event)
    wanted = [answer_id for answer_id, history in histories.items() if not _ends_with(history, skip)]
    bodies, checks = parts.shelf().bodies(wanted), checks_of(parts)
    return [
        (bodies[answer_id], review_by(parts, bodies[answer_id], histories[answer_id], checks=checks))
        for answer_id in wanted
        if answer_id in bodies
    ]


def _ends_with(history: Sequence[Event], kinds: Sequence[EventKind]) -> bool:
    held = (EventKind.ANSWER_TAKEN, EventKind.ANSWER_RELEASED)
    last = next((event for event in reversed(history) if event.kind not in held), None)
    return last is not None and last.kind in kinds


def _waiting(
    current: CurrentAnswer, review: Review, now: datetime, addressed: Mapping[str, tuple[str, str]]
) -> Waiting:
    question = current.question
    return Waiting(
        answer_id=current.answer.id,
        thread_id=question.thread_id,
        question=question.text,
        revision=review.revision,
        outcome=current.answer.outcome,
        urgency=current.answer.urgency,
        status=review.status,
        asked_at=question.asked_at,
        waited=now - question.asked_at,
        reasons=review.reasons,
        taken=review.taken if review.taken and review.taken.until > now else None,
        addressed_to=addressed.get(current.answer.id),
    )
