"""Who may sign: named people with a role, a credential that somebody checked, and a key that can be revoked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from curio_rag.domain.digests import Json
from curio_rag.domain.events import Event, EventKind, json_object, readable


class Role(StrEnum):
    """The professions that take part in a review; the settings say which of them may sign what."""

    PHYSICIAN = "physician"
    NURSE = "nurse"
    PHARMACIST = "pharmacist"
    SCIENTIST = "scientist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """An entry in a professional register, and who looked it up there, and when; nobody as long as it is unchecked."""

    register: str
    number: str
    checked_by: str | None = None
    checked_on: date | None = None

    def to_dict(self) -> dict[str, Json]:
        """As statements and JSON show it."""
        return {
            "register": self.register,
            "number": self.number,
            "checked_by": self.checked_by,
            "checked_on": self.checked_on.isoformat() if self.checked_on else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """One reviewer and one key. Positions are those of the audit chain; nobody's clock decides what came first.

    `public_key` is the raw Ed25519 key in base64. From `revoked_from` on nothing that the key signed counts;
    that lies before `revoked_at` when a key was found to have been stolen earlier.
    """

    id: str
    name: str
    role: Role
    credential: Credential
    key_id: str
    public_key: str
    demonstration: bool
    added_at: int
    checked_at: int | None = None
    revoked_at: int | None = None
    revoked_from: int | None = None
    revoked_reason: str = ""

    @property
    def standing(self) -> str:
        """In a word: `revoked`, `demonstration`, `unchecked` or `checked`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.demonstration:
            return "demonstration"
        return "unchecked" if self.checked_at is None else "checked"

    def key_fault(self, position: int) -> str | None:
        """Why a signature at this position of the chain is not this reviewer's word, or None."""
        if position <= self.added_at:
            return f"the key of {self.name} was registered only afterwards"
        if self.revoked_from is not None and position >= self.revoked_from:
            return f"the key of {self.name} was revoked ({self.revoked_reason})"
        return None

    def cannot_verify(self, position: int) -> str | None:
        """Why a signature at this position never shows as verified, or None for a checked credential."""
        if self.demonstration:
            return f"{self.name} is a demonstration reviewer"
        if self.checked_at is None or position <= self.checked_at:
            return f"nobody had checked the credential of {self.name}"
        return None

    def to_dict(self) -> dict[str, Json]:
        """As `curio reviewer list --json` shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "role": self.role.value,
            "credential": self.credential.to_dict(),
            "standing": self.standing,
            "demonstration": self.demonstration,
            "key_id": self.key_id,
            "public_key": self.public_key,
            "revoked_from": self.revoked_from,
            "revoked_reason": self.revoked_reason or None,
        }


def reviewers_of(events: Iterable[Event]) -> dict[str, Reviewer]:
    """Every reviewer there ever was, by id, as the events in order of the chain leave them.

    Raises `IndexDamaged` for an event that cannot be read.
    """
    found: dict[str, Reviewer] = {}
    for event in events:
        with readable(event):
            known = found.get(event.subject)
            if event.kind == EventKind.REVIEWER_ADDED:
                found.setdefault(event.subject, _added(event))
            elif known is not None and event.kind == EventKind.REVIEWER_CHECKED:
                found[event.subject] = _checked(known, event)
            elif known is not None and event.kind == EventKind.REVIEWER_REVOKED:
                found[event.subject] = _revoked(known, event)
    return found


def _added(event: Event) -> Reviewer:
    credential = json_object(event.payload.get("credential"))
    return Reviewer(
        id=event.subject,
        name=event.text("name"),
        role=Role(event.text("role")),
        credential=Credential(register=str(credential.get("register")), number=str(credential.get("number"))),
        key_id=event.text("key_id"),
        public_key=event.text("public_key"),
        demonstration=bool(event.payload.get("demonstration")),
        added_at=event.position,
    )


def _revoked(reviewer: Reviewer, event: Event) -> Reviewer:
    since = event.payload.get("revoked_from")
    since = since if isinstance(since, int) else event.position
    return replace(
        reviewer,
        revoked_at=event.position,
        revoked_from=min(since, reviewer.revoked_from or since),
        revoked_reason=event.text("reason"),
    )


def _checked(reviewer: Reviewer, event: Event) -> Reviewer:
    day = date.fromisoformat(event.text("checked_on"))
    credential = replace(reviewer.credential, checked_by=event.text("checked_by"), checked_on=day)
    return replace(reviewer, credential=credential, checked_at=reviewer.checked_at or event.position)
