"""Revisions, notes and decisions of the ledger: each act is one transaction with its event."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Row, Select, func, select
from sqlalchemy.dialects.sqlite import insert

from curio_rag.adapters.ledger import Ledger, in_pieces
from curio_rag.adapters.ledger_answers import insert_citations, question_of
from curio_rag.adapters.ledger_events import append_event, events_of
from curio_rag.adapters.ledger_schema import ANSWERS, META, NOTES, QUESTIONS, REUSABLE, REVISIONS, THREADS
from curio_rag.domain.answers import Answer
from curio_rag.domain.digests import Json, digest_bytes, keyed_digest
from curio_rag.domain.events import DECIDING, VETTING_KINDS, Event
from curio_rag.domain.threads import CurrentAnswer, Note, NoteKind
from curio_rag.errors import ReviewClosed, ReviewNotFound


class LedgerReviews:
    """`ReviewShelf` over the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def current(self, answer_id: str) -> CurrentAnswer:
        """The question and the current revision. Raises `ReviewNotFound`."""
        with self._ledger.reading() as connection:
            row = connection.execute(_answers().where(ANSWERS.c.id == answer_id)).first()
            if row is None:
                raise ReviewNotFound(
                    f"There is no answer {answer_id!r}.", hint="`curio review list` names those that wait."
                )
            return _current(connection, row)

    def in_thread(self, thread_id: str) -> tuple[CurrentAnswer, ...]:
        """Every question of a thread with its answer, oldest first. Raises `ReviewNotFound`."""
        with self._ledger.reading() as connection:
            if connection.execute(select(THREADS.c.id).where(THREADS.c.id == thread_id)).first() is None:
                raise ReviewNotFound(f"There is no thread {thread_id!r}.", hint="`curio thread list` names them all.")
            rows = connection.execute(
                _answers().where(QUESTIONS.c.thread_id == thread_id).order_by(QUESTIONS.c.asked_at, ANSWERS.c.id)
            ).all()
            return tuple(_current(connection, row) for row in rows)

    def threads(self) -> tuple[tuple[str, datetime, int], ...]:
        """Id, time of opening and number of questions of every thread, newest first."""
        query = (
            select(THREADS.c.id, THREADS.c.opened_at, func.count(QUESTIONS.c.id))
            .join(QUESTIONS, QUESTIONS.c.thread_id == THREADS.c.id, isouter=True)
            .group_by(THREADS.c.id)
            .order_by(THREADS.c.opened_at.desc(), THREADS.c.id)
        )
        with self._ledger.reading() as connection:
            return tuple((row[0], datetime.fromisoformat(row[1]), row[2]) for row in connection.execute(query))

    def notes(self, thread_id: str) -> tuple[Note, ...]:
        """Comments and reasons of a thread, oldest first."""
        query = select(NOTES).where(NOTES.c.thread_id == thread_id).order_by(NOTES.c.at, NOTES.c.id)
        with self._ledger.reading() as connection:
            return tuple(_note(row) for row in connection.execute(query))

    def keyed(self, thread_id: str, text: str) -> str:
        """HMAC of a text under the key of its thread, which erasure destroys."""
        with self._ledger.reading() as connection:
            key = connection.execute(select(THREADS.c.key).where(THREADS.c.id == thread_id)).scalar_one()
        return keyed_digest(text, key=key)

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

        With `seen`, the act is refused with `ReviewClosed` when an event of the `conflicts` happened to
        the subject after that position of the chain: nobody decides on what they have not seen.
        """
        with self._ledger.writing() as connection:
            if seen is not None:
                _refuse_unseen(connection, [subject], seen=seen, conflicts=conflicts)
            if revision is not None:
                number, answer = revision
                body = msgspec.json.encode(answer)
                payload = {**payload, "answer_digest": digest_bytes(body)}
                connection.execute(
                    insert(REVISIONS).values(answer_id=answer.id, revision=number, body=body, created_at=at.isoformat())
                )
                insert_citations(connection, answer)
            if note is not None:
                connection.execute(insert(NOTES).values(**_note_row(note)))
            return append_event(connection, at=at, kind=str(kind), subject=subject, payload=payload)

    def append_each(
        self, kind: str, payloads: Mapping[str, dict[str, Json]], *, at: datetime, seen: int
    ) -> tuple[Event, ...]:
        """The same act on several subjects in one transaction: all or none. Raises `ReviewClosed`."""
        with self._ledger.writing() as connection:
            _refuse_unseen(connection, list(payloads), seen=seen, conflicts=VETTING_KINDS)
            return tuple(
                append_event(connection, at=at, kind=str(kind), subject=subject, payload=payload)
                for subject, payload in payloads.items()
            )

    def keep_reusable(self, answer_id: str, plain_question: str, *, country: str) -> None:
        """Remembers an approved answer under a keyed digest of its question's plain words and a country."""
        with self._ledger.writing() as connection:
            key = keyed_digest(plain_question, key=_reuse_key(connection))
            row = {"question_key": key, "country": country, "answer_id": answer_id}
            connection.execute(insert(REUSABLE).values(**row).on_conflict_do_nothing())

    def reusable(self, plain_question: str, *, country: str) -> tuple[str, ...]:
        """The ids of answers that were approved for the same plain words in this country, newest first."""
        with self._ledger.reading() as connection:
            stored = connection.execute(select(META.c.value).where(META.c.key == REUSE_KEY)).scalar_one_or_none()
            if stored is None:
                return ()
            key = keyed_digest(plain_question, key=bytes.fromhex(stored))
            query = (
                select(REUSABLE.c.answer_id)
                .join(ANSWERS, ANSWERS.c.id == REUSABLE.c.answer_id)
                .where(REUSABLE.c.question_key == key, REUSABLE.c.country == country)
                .order_by(ANSWERS.c.created_at.desc(), ANSWERS.c.id)
            )
            return tuple(connection.execute(query).scalars())

    def bodies(self, subjects: Sequence[str]) -> dict[str, CurrentAnswer]:
        """The current revisions of these answers; unknown ids are left out."""
        found: dict[str, CurrentAnswer] = {}
        with self._ledger.reading() as connection:
            for some in in_pieces(subjects):
                for row in connection.execute(_answers().where(ANSWERS.c.id.in_(some))).all():
                    found[row.answer_id] = _current(connection, row)
        return found


REUSE_KEY = "reuse_key"


def _reuse_key(connection: Connection) -> bytes:
    fresh = secrets.token_bytes(32).hex()
    connection.execute(insert(META).values(key=REUSE_KEY, value=fresh).on_conflict_do_nothing())
    return bytes.fromhex(connection.execute(select(META.c.value).where(META.c.key == REUSE_KEY)).scalar_one())


def _answers() -> Select[tuple[object, ...]]:
    return select(
        ANSWERS.c.id.label("answer_id"),
        ANSWERS.c.body,
        QUESTIONS.c.id,
        QUESTIONS.c.thread_id,
        QUESTIONS.c.text,
        QUESTIONS.c.asked_at,
    ).join(QUESTIONS, QUESTIONS.c.id == ANSWERS.c.question_id)


def _current(connection: Connection, row: Row[tuple[object, ...]]) -> CurrentAnswer:
    latest = connection.execute(
        select(REVISIONS.c.revision, REVISIONS.c.body)
        .where(REVISIONS.c.answer_id == row.answer_id)
        .order_by(REVISIONS.c.revision.desc())
        .limit(1)
    ).first()
    number, body = (latest.revision, latest.body) if latest else (1, row.body)
    return CurrentAnswer(question=question_of(row), answer=msgspec.json.decode(body, type=Answer), revision=number)


def _refuse_unseen(connection: Connection, subjects: Sequence[str], *, seen: int, conflicts: Collection[str]) -> None:
    later = events_of(connection, after=seen, kinds=sorted(conflicts), subjects=subjects)
    if later:
        what = later[-1].kind.replace("_", " ")
        raise ReviewClosed(
            f"{later[-1].subject} has changed since you looked at it ({what}).", hint="Look at it again first."
        )


def _note_row(note: Note) -> dict[str, str]:
    return {
        "id": note.id,
        "thread_id": note.thread_id,
        "answer_id": note.answer_id,
        "kind": note.kind.value,
        "reviewer_id": note.reviewer_id,
        "name": note.name,
        "role": note.role,
        "text": note.text,
        "at": note.at.isoformat(),
    }


def _note(row: Row[tuple[object, ...]]) -> Note:
    return Note(
        id=row.id,
        thread_id=row.thread_id,
        answer_id=row.answer_id,
        kind=NoteKind(row.kind),
        reviewer_id=row.reviewer_id,
        name=row.name,
        role=row.role,
        text=row.text,
        at=datetime.fromisoformat(row.at),
    )
