"""The audit log as values: events in a hash chain, each digest covering the one before it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from curio_rag.domain.digests import Json, digest_json
from curio_rag.errors import IndexDamaged


class EventKind(StrEnum):
    """What can happen; the values stand in the ledger and are only ever added to."""

    DOCUMENT_FILED = "document_filed"
    DOCUMENT_RETIRED = "document_retired"
    DOCUMENT_VETTED = "document_vetted"
    DOCUMENT_WITHDRAWN = "document_withdrawn"
    ANSWER_DRAFTED = "answer_drafted"
    ANSWER_REUSED = "answer_reused"
    ANSWER_VIEWED = "answer_viewed"
    ANSWER_TAKEN = "answer_taken"
    ANSWER_RELEASED = "answer_released"
    ANSWER_EDITED = "answer_edited"
    ANSWER_APPROVED = "answer_approved"
    ANSWER_REJECTED = "answer_rejected"
    ANSWER_COMMENTED = "answer_commented"
    ANSWER_LAPSED = "answer_lapsed"
    ANSWER_RESTORED = "answer_restored"
    ANSWER_WITHDRAWN = "answer_withdrawn"
    ANSWER_RETURNED = "answer_returned"
    THREAD_FLAGGED = "thread_flagged"
    THREAD_CLEARED = "thread_cleared"
    REVIEWER_ADDED = "reviewer_added"
    REVIEWER_CHECKED = "reviewer_checked"
    REVIEWER_REVOKED = "reviewer_revoked"
    SESSION_OPENED = "session_opened"
    ATTEMPT_REFUSED = "attempt_refused"


DECIDING = frozenset(
    {
        EventKind.ANSWER_TAKEN,
        EventKind.ANSWER_RELEASED,
        EventKind.ANSWER_EDITED,
        EventKind.ANSWER_APPROVED,
        EventKind.ANSWER_REJECTED,
        EventKind.ANSWER_WITHDRAWN,
        EventKind.ANSWER_RETURNED,
    }
)
"""What changes where an answer stands: a decision by somebody who has not seen one of these is refused."""

SIGNED_AS = {
    EventKind.ANSWER_APPROVED: "approved",
    EventKind.ANSWER_REJECTED: "rejected",
    EventKind.ANSWER_EDITED: "edited",
    EventKind.ANSWER_COMMENTED: "commented",
    EventKind.DOCUMENT_VETTED: "vetted",
    EventKind.THREAD_CLEARED: "cleared",
}
"""What a signed statement must decide to stand in an event of this kind; a signed comment is no approval."""

REVIEWER_KINDS = (EventKind.REVIEWER_ADDED, EventKind.REVIEWER_CHECKED, EventKind.REVIEWER_REVOKED)
VETTING_KINDS = (EventKind.DOCUMENT_VETTED, EventKind.DOCUMENT_WITHDRAWN)
EMERGENCY_KINDS = (EventKind.THREAD_FLAGGED, EventKind.THREAD_CLEARED)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One link of the chain as it is stored: `body` is the canonical JSON of the payload, `at` an ISO 8601 time."""

    position: int
    at: str
    kind: str
    subject: str
    body: str
    previous: str
    digest: str

    @cached_property
    def payload(self) -> Mapping[str, Json]:
        """What happened. Raises `IndexDamaged` for a body that is no JSON object, which only a hand can have made."""
        with readable(self):
            found = json.loads(self.body)
            if not isinstance(found, dict):
                raise ValueError("no object")
        return found

    @property
    def time(self) -> datetime:
        """When it happened, with its time zone."""
        return datetime.fromisoformat(self.at)

    def text(self, name: str) -> str:
        """A text of the payload; empty where there is none."""
        return str(self.payload.get(name) or "")

    def part(self, name: str) -> Mapping[str, Json]:
        """An object of the payload; empty where there is none."""
        return json_object(self.payload.get(name))

    def to_dict(self) -> dict[str, Json]:
        """As `curio audit export` and `events_after` give it."""
        return {
            "position": self.position,
            "at": self.at,
            "kind": self.kind,
            "subject": self.subject,
            "payload": self.payload,
            "previous": self.previous,
            "digest": self.digest,
        }


@contextmanager
def readable(event: Event) -> Iterator[None]:
    """Whatever cannot be read inside was changed by hand, and is named as damage: `IndexDamaged`."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
        raise IndexDamaged(
            f"Event {event.position} of the audit log was changed by hand: it cannot be read.",
            hint="`curio audit verify` says more; restore the ledger from a backup.",
        ) from problem


def event_digest(*, position: int, at: str, kind: str, subject: str, payload: Json, previous: str) -> str:
    """SHA-256 over the canonical JSON (RFC 8785) of position, time, kind, subject, payload and the digest before it."""
    return digest_json(
        {"position": position, "at": at, "kind": kind, "subject": subject, "payload": payload, "previous": previous}
    )


def json_object(value: Json) -> Mapping[str, Json]:
    """The value where it is an object, otherwise an empty one."""
    return value if isinstance(value, Mapping) else {}


def json_list(value: Json) -> tuple[Json, ...]:
    """The value where it is a list, otherwise nothing."""
    return tuple(value) if isinstance(value, list | tuple) else ()
