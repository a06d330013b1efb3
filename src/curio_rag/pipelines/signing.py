"""One signed act: who may do it, what is signed, and what the log keeps of an attempt that was refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from curio_rag.domain.digests import Json, canonical_json, digest_json
from curio_rag.domain.events import EventKind
from curio_rag.domain.reviewers import Reviewer
from curio_rag.domain.sign_offs import Decision, DocumentState, statement_of
from curio_rag.domain.threads import Note, NoteKind
from curio_rag.errors import CurioError, NotPermitted, ReviewClosed, ReviewerNotFound, SessionExpired
from curio_rag.pipelines.desk_parts import DeskParts, SigningSession
from curio_rag.pipelines.sign_offs import reviewers_in

SHORTEST_CONFIRMATION = 16
"""Characters of a digest after its tag; fewer could be met by chance."""


@contextmanager
def attempt(parts: DeskParts, action: str, *, subject: str, reviewer_id: str) -> Iterator[None]:
    """Whatever is refused inside leaves a line in the audit log: who tried what, and the code of the refusal."""
    try:
        yield
    except CurioError as problem:
        parts.shelf().append(
            EventKind.ATTEMPT_REFUSED,
            subject,
            {"action": action, "reviewer": reviewer_id, "code": problem.code},
            at=parts.clock(),
        )
        raise


def signer(parts: DeskParts, session: SigningSession, decision: Decision) -> Reviewer:
    """The reviewer of a session who may sign such a decision now.

    Raises `SessionExpired`, `ReviewerNotFound`, and `NotPermitted` for a revoked key or a role that may not.
    """
    if parts.clock() >= session.expires_at:
        raise SessionExpired(
            f"The signing session ended at {session.expires_at:%H:%M} UTC.", hint="Open one with the passphrase."
        )
    found = reviewer_named(parts, session.reviewer_id)
    if found.revoked_at is not None:
        raise NotPermitted(f"The key of {found.name} was revoked: {found.revoked_reason}.", hint="Add a new key.")
    if session.key.key_id != found.key_id:
        raise NotPermitted(f"The session's key is not the one registered for {found.name}.")
    if not parts.rules.may(found.role, decision):
        setting = {Decision.VETTED: "document_signers", Decision.COMMENTED: "comment_signers"}
        raise NotPermitted(
            f"A {found.role.value} may not do that here.",
            hint=f"The setting is {setting.get(decision, 'answer_signers')}.",
        )
    return found


def reviewer_named(parts: DeskParts, reviewer_id: str) -> Reviewer:
    """A reviewer by id. Raises `ReviewerNotFound`."""
    found = reviewers_in(parts).get(reviewer_id)
    if found is None:
        raise ReviewerNotFound(f"There is no reviewer {reviewer_id!r}.", hint="`curio reviewer list` names them all.")
    return found


def check_confirmation(subject_digest: str, confirm: str, *, subject: str) -> None:
    """Each signature is confirmed by the digest of what was shown, whole or its beginning. Raises `ReviewClosed`."""
    asked, wanted = confirm.removeprefix("sha256:"), subject_digest.removeprefix("sha256:")
    if len(asked) < SHORTEST_CONFIRMATION or not wanted.startswith(asked):
        raise ReviewClosed(
            f"The confirmation does not name the words of {subject} as they stand now.",
            hint="Look at it again; the digest stands below it.",
        )


def signed_payload(
    session: SigningSession,
    reviewer: Reviewer,
    decision: Decision,
    *,
    parts: DeskParts,
    subject: Mapping[str, Json],
    seen: tuple[int, str],
    documents: Sequence[DocumentState] = (),
    note: Mapping[str, Json] | None = None,
    acknowledged_incomplete: bool = False,
) -> dict[str, Json]:
    """The statement with its signature, as the event holds it."""
    statement = statement_of(
        decision=decision,
        subject=subject,
        documents=documents,
        reviewer=reviewer,
        signed_at=parts.clock(),
        seen=seen,
        note=note,
        acknowledged_incomplete=acknowledged_incomplete,
    )
    return {"statement": statement, "signature": session.key.sign(canonical_json(statement))}


def written_note(
    parts: DeskParts, reviewer: Reviewer, *, kind: NoteKind, thread_id: str, answer_id: str, text: str
) -> tuple[Note, dict[str, Json]]:
    """A note to keep, and how a statement refers to it. Raises `NotPermitted` for one without words."""
    if not text.strip():
        raise NotPermitted(f"The {kind.value} is empty.", hint="Write a sentence.")
    note = Note(
        id=parts.new_id("n_"),
        thread_id=thread_id,
        answer_id=answer_id,
        kind=kind,
        reviewer_id=reviewer.id,
        name=reviewer.name,
        role=reviewer.role.value,
        text=text.strip(),
        at=parts.clock(),
    )
    return note, {"id": note.id, "kind": kind.value, "digest": parts.shelf().keyed(thread_id, note.text)}


def digest_of_subject(subject: Mapping[str, Json]) -> str:
    """What a confirmation names."""
    return digest_json(subject)
