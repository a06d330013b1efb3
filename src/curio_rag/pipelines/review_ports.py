"""What the review desk asks of the outside; each docstring is the contract that an adapter keeps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from curio_rag.domain.answers import Answer
from curio_rag.domain.digests import Json
from curio_rag.domain.events import DECIDING, Event
from curio_rag.domain.threads import CurrentAnswer, Note

VerifySignature: TypeAlias = Callable[[str, bytes, str], bool]
"""Public key (base64), message, signature (base64): whether the key made it. Never raises."""


class SigningKey(Protocol):
    """An opened private key."""

    @property
    def key_id(self) -> str: ...

    @property
    def public_key(self) -> str:
        """The raw Ed25519 key in base64."""
        ...

    def sign(self, message: bytes) -> str:
        """The signature in base64."""
        ...


class EventLog(Protocol):
    """The audit chain."""

    def head(self) -> tuple[int, str]:
        """Position and digest of the last event; (0, "") of an empty chain."""
        ...

    def events(
        self, *, after: int = 0, kinds: Sequence[str] = (), subjects: Sequence[str] | None = None
    ) -> tuple[Event, ...]:
        """The events after a position, of these kinds (none: all) and about these subjects, in order of the chain."""
        ...

    def every_event(self) -> Iterator[Event]:
        """The whole chain as it is stored, whatever state it is in, in order of position."""
        ...


class ReviewShelf(Protocol):
    """Answers with their revisions, notes, and the acts upon them."""

    def current(self, answer_id: str) -> CurrentAnswer:
        """The question and the current revision. Raises `ReviewNotFound`."""
        ...

    def bodies(self, subjects: Sequence[str]) -> dict[str, CurrentAnswer]:
        """The current revisions of these answers; unknown ids are left out."""
        ...

    def in_thread(self, thread_id: str) -> tuple[CurrentAnswer, ...]:
        """Every question of a thread with its answer, oldest first. Raises `ReviewNotFound`."""
        ...

    def threads(self) -> tuple[tuple[str, datetime, int], ...]:
        """Id, time of opening and number of questions of every thread, newest first."""
        ...

    def notes(self, thread_id: str) -> tuple[Note, ...]:
        """Comments and reasons of a thread, oldest first."""
        ...

    def keyed(self, thread_id: str, text: str) -> str:
        """HMAC of a text under the key of its thread, which erasure destroys."""
        ...

    def append(
        self,
        kind: str,
        subject: str,
        payload: dict[str, Json],
        *,
        at: datetime,
        seen: int | None = None,
        conflicts: Collection[str] = DECIDING,
        revision: tuple[int, Answer] | None = None,
        note: Note | None = None,
    ) -> Event:
        """One act in one transaction: the event with the revision or the note that it is about.

        With `seen`, raises `ReviewClosed` when an event of the `conflicts` happened to the subject
        after that position of the chain.
        """
        ...

    def append_each(
        self, kind: str, payloads: Mapping[str, dict[str, Json]], *, at: datetime, seen: int
    ) -> tuple[Event, ...]:
        """The same act on several subjects in one transaction: all or none.

        Raises `ReviewClosed` when an event of this kind or a withdrawal happened to one of them after `seen`.
        """
        ...

    def keep_reusable(self, answer_id: str, plain_question: str, *, country: str) -> None:
        """Remembers an approved answer under a keyed digest of its question's plain words and a country."""
        ...

    def reusable(self, plain_question: str, *, country: str) -> tuple[str, ...]:
        """The ids of answers that were approved for the same plain words in this country, newest first."""
        ...
