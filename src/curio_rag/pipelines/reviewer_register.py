"""The register of reviewers: added with a key, their credential looked up by somebody else, their key revoked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from curio_rag.domain.digests import Json
from curio_rag.domain.events import EventKind
from curio_rag.domain.reviewers import Reviewer, Role
from curio_rag.errors import NotPermitted
from curio_rag.pipelines.desk_parts import DeskParts
from curio_rag.pipelines.review_ports import SigningKey
from curio_rag.pipelines.signing import attempt, reviewer_named


def add_reviewer(
    parts: DeskParts,
    *,
    name: str,
    role: Role,
    register: str,
    number: str,
    demonstration: bool,
    make_key: Callable[[str], SigningKey],
) -> Reviewer:
    """Registers somebody with a new key. Raises `NotPermitted` for an empty name, register or number.

    Nothing that they sign is verified until `check_credential` says who looked the number up.
    """
    if not name.strip() or not register.strip() or not number.strip():
        raise NotPermitted(
            "A reviewer has a name, a register and a number in it.",
            hint="A demonstration reviewer has invented ones, and says so.",
        )
    reviewer_id = parts.new_id("r_")
    key = make_key(reviewer_id)
    payload: dict[str, Json] = {
        "name": name.strip(),
        "role": role.value,
        "credential": {"register": register.strip(), "number": number.strip()},
        "key_id": key.key_id,
        "public_key": key.public_key,
        "demonstration": demonstration,
    }
    parts.shelf().append(EventKind.REVIEWER_ADDED, reviewer_id, payload, at=parts.clock())
    return reviewer_named(parts, reviewer_id)


def check_credential(parts: DeskParts, reviewer_id: str, *, by: str, on: date) -> Reviewer:
    """Records who looked a credential up in its register, and when. Raises `ReviewerNotFound`, `NotPermitted`."""
    with attempt(parts, "check credential", subject=reviewer_id, reviewer_id=reviewer_id):
        reviewer = reviewer_named(parts, reviewer_id)
        if not by.strip() or by.strip().casefold() == reviewer.name.casefold():
            raise NotPermitted("Somebody else looks a credential up.", hint="Name that person with --by.")
        if on > parts.clock().date():
            raise NotPermitted(f"{on} is in the future.", hint="Give the day on which it was looked up.")
        if reviewer.demonstration:
            raise NotPermitted(f"{reviewer.name} is a demonstration reviewer and stays one.")
        payload: dict[str, Json] = {
            "checked_by": by.strip(),
            "checked_on": on.isoformat(),
            "credential": {"register": reviewer.credential.register, "number": reviewer.credential.number},
        }
        parts.shelf().append(EventKind.REVIEWER_CHECKED, reviewer_id, payload, at=parts.clock())
    return reviewer_named(parts, reviewer_id)


def revoke(parts: DeskParts, reviewer_id: str, *, by: str, reason: str, since: int | None = None) -> Reviewer:
    """Ends a key. What it signed earlier stands, unless `since` names an earlier position of the chain.

    From that position on nothing that the key signed counts any more, for a key that was stolen. Raises
    `ReviewerNotFound`, and `NotPermitted` without a reason or for a position that lies ahead.
    """
    with attempt(parts, "revoke", subject=reviewer_id, reviewer_id=reviewer_id):
        reviewer_named(parts, reviewer_id)
        if not reason.strip() or not by.strip():
            raise NotPermitted("A revocation names who makes it and why.", hint="Give --by and --reason.")
        last = parts.log().head()[0]
        if since is not None and not 0 < since <= last:
            raise NotPermitted(f"The audit log has the positions 1 to {last}.", hint="curio audit export shows them.")
        payload: dict[str, Json] = {"by": by.strip(), "reason": reason.strip(), "revoked_from": since}
        parts.shelf().append(EventKind.REVIEWER_REVOKED, reviewer_id, payload, at=parts.clock())
    return reviewer_named(parts, reviewer_id)
