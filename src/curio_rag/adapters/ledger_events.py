"""The audit chain of the ledger: read and added to link by link, and the head by which its end is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select

from curio_rag.adapters.ledger import Ledger, in_pieces
from curio_rag.adapters.ledger_schema import EVENTS
from curio_rag.domain.digests import Json, canonical_json
from curio_rag.domain.events import Event, event_digest


class LedgerEvents:
    """`EventLog` over the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def head(self) -> tuple[int, str]:
        """Position and digest of the last event; (0, "") of an empty chain."""
        with self._ledger.reading() as connection:
            return head_of(connection)

    def events(
        self, *, after: int = 0, kinds: Sequence[str] = (), subjects: Sequence[str] | None = None
    ) -> tuple[Event, ...]:
        """The events after a position, of these kinds (none: all) and about these subjects, in order of the chain."""
        if subjects is None:
            with self._ledger.reading() as connection:
                return events_of(connection, after=after, kinds=kinds)
        found: list[Event] = []
        with self._ledger.reading() as connection:
            for some in in_pieces(subjects):
                found.extend(events_of(connection, after=after, kinds=kinds, subjects=some))
        return tuple(sorted(found, key=lambda event: event.position))

    def every_event(self) -> Iterator[Event]:
        """The whole chain as it is stored, whatever state it is in, in order of position."""
        with self._ledger.reading() as connection:
            for row in connection.execute(select(EVENTS).order_by(EVENTS.c.position)):
                yield _event(row)


def head_of(connection: Connection) -> tuple[int, str]:
    """Position and digest of the last event; (0, "") of an empty chain."""
    query = select(EVENTS.c.position, EVENTS.c.digest).order_by(EVENTS.c.position.desc()).limit(1)
    row = connection.execute(query).first()
    return (row[0], row[1]) if row else (0, "")


def events_of(
    connection: Connection, *, after: int = 0, kinds: Sequence[str] = (), subjects: Sequence[str] | None = None
) -> tuple[Event, ...]:
    """Inside the caller's transaction: events after a position, of these kinds, about these subjects."""
    query = select(EVENTS).order_by(EVENTS.c.position)
    if after:
        query = query.where(EVENTS.c.position > after)
    if kinds:
        query = query.where(EVENTS.c.kind.in_([str(kind) for kind in kinds]))
    if subjects is not None:
        query = query.where(EVENTS.c.subject.in_(list(subjects)))
    return tuple(_event(row) for row in connection.execute(query))


def append_event(connection: Connection, *, at: datetime, kind: str, subject: str, payload: dict[str, Json]) -> Event:
    """Adds one link to the audit chain inside the caller's transaction.

    The digest is SHA-256 over the canonical JSON (RFC 8785) of position, time, kind, subject,
    payload and the digest before it, so that an edit anywhere breaks every later link.
    """
    last, previous = head_of(connection)
    position = last + 1
    digest = event_digest(
        position=position, at=at.isoformat(), kind=kind, subject=subject, payload=payload, previous=previous
    )
    event = Event(
        position=position,
        at=at.isoformat(),
        kind=kind,
        subject=subject,
        body=canonical_json(payload).decode(),
        previous=previous,
        digest=digest,
    )
    connection.execute(
        insert(EVENTS).values(
            position=event.position,
            at=event.at,
            kind=event.kind,
            subject=event.subject,
            payload=event.body,
            previous=event.previous,
            digest=event.digest,
        )
    )
    return event


def _event(row: Row[tuple[object, ...]]) -> Event:
    return Event(
        position=row.position,
        at=row.at,
        kind=row.kind,
        subject=row.subject,
        body=row.payload,
        previous=row.previous,
        digest=row.digest,
    )
