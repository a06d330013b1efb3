"""The threads, questions and answers of the ledger; a question's text is stored here and nowhere else."""

from __future__ import annotations

import secrets
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.sqlite import insert

from curio_rag.adapters.ledger import Ledger
from curio_rag.adapters.ledger_events import append_event, events_of
from curio_rag.adapters.ledger_schema import ANSWERS, CITATIONS, QUESTIONS, THREADS
from curio_rag.domain.answers import Answer
from curio_rag.domain.digests import digest_bytes, keyed_digest
from curio_rag.domain.events import EMERGENCY_KINDS, EventKind
from curio_rag.domain.questions import Question, Turn, Urgency
from curio_rag.errors import ReviewNotFound


class LedgerAnswers:
    """`AnswerShelf` over the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def thread(self, thread_id: str | None, *, at: datetime) -> str:
        """Opens a thread, or finds the one with this id. Raises `ReviewNotFound` for an unknown id."""
        if thread_id is not None:
            with self._ledger.reading() as connection:
                _find_thread(connection, thread_id)
            return thread_id
        opened = f"t_{secrets.token_hex(12)}"
        with self._ledger.writing() as connection:
            connection.execute(insert(THREADS).values(id=opened, key=secrets.token_bytes(32), opened_at=at.isoformat()))
        return opened

    def save(self, question: Question, answer: Answer, *, original: str | None = None) -> None:
        """Keeps the question's text, in this one place, and the answer; appends both to the audit chain.

        `original` is the approved answer that this one repeats.

        The chain names the question by id and by an HMAC under the key of its thread: a plain
        digest of a short question could be guessed.
        """
        body = msgspec.json.encode(answer)
        with self._ledger.writing() as connection:
            key = connection.execute(select(THREADS.c.key).where(THREADS.c.id == question.thread_id)).scalar_one()
            connection.execute(
                insert(QUESTIONS).values(
                    id=question.id,
                    thread_id=question.thread_id,
                    text=question.text,
                    asked_at=question.asked_at.isoformat(),
                )
            )
            connection.execute(
                insert(ANSWERS).values(
                    id=answer.id,
                    question_id=question.id,
                    outcome=answer.outcome.value,
                    urgency=answer.urgency.value,
                    body=body,
                    created_at=answer.provenance.created_at.isoformat(),
                )
            )
            insert_citations(connection, answer)
            append_event(
                connection,
                at=answer.provenance.created_at,
                kind=EventKind.ANSWER_REUSED if original else EventKind.ANSWER_DRAFTED,
                subject=answer.id,
                payload={
                    **({"original": original} if original else {}),
                    "question_id": question.id,
                    "question_digest": keyed_digest(question.text, key=key),
                    "answer_digest": digest_bytes(body),
                    "outcome": answer.outcome.value,
                    "urgency": answer.urgency.value,
                },
            )
            if answer.urgency is Urgency.EMERGENCY:
                append_event(
                    connection,
                    at=answer.provenance.created_at,
                    kind=EventKind.THREAD_FLAGGED,
                    subject=question.thread_id,
                    payload={"answer_id": answer.id},
                )

    def standing_advice(self, thread_id: str) -> str:
        """The advice of a thread's latest emergency; empty when a clinician has cleared it or there was none."""
        with self._ledger.reading() as connection:
            answer_id = _flagging_answer(connection, thread_id)
        return self.answer(answer_id)[1].advice if answer_id else ""

    def turns(self, thread_id: str, *, limit: int) -> tuple[Turn, ...]:
        """The last turns of a thread, oldest first. Raises `ReviewNotFound` for an unknown id."""
        query = (
            select(QUESTIONS.c.text, ANSWERS.c.body)
            .join(ANSWERS, QUESTIONS.c.id == ANSWERS.c.question_id)
            .where(QUESTIONS.c.thread_id == thread_id)
            .order_by(QUESTIONS.c.asked_at.desc(), QUESTIONS.c.id)
            .limit(limit)
        )
        with self._ledger.reading() as connection:
            _find_thread(connection, thread_id)
            rows = connection.execute(query).all()
        answers = [msgspec.json.decode(row.body, type=Answer) for row in rows]
        return tuple(
            Turn(question=row.text or "", titles=tuple(dict.fromkeys(source.title for source in answer.sources)))
            for row, answer in zip(reversed(rows), reversed(answers), strict=True)
        )

    def citing(self, document_id: str) -> tuple[str, ...]:
        """The ids of all answers that rest on a document, in any version, sorted."""
        query = select(CITATIONS.c.answer_id).where(CITATIONS.c.document_id == document_id).distinct()
        with self._ledger.reading() as connection:
            return tuple(sorted(connection.execute(query).scalars()))

    def answer(self, answer_id: str) -> tuple[Question, Answer]:
        """What was saved. Raises `ReviewNotFound`."""
        query = (
            select(ANSWERS.c.body, QUESTIONS)
            .join(QUESTIONS, QUESTIONS.c.id == ANSWERS.c.question_id)
            .where(ANSWERS.c.id == answer_id)
        )
        with self._ledger.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise ReviewNotFound(f"There is no answer {answer_id!r}.")
        return question_of(row), msgspec.json.decode(row.body, type=Answer)


def question_of(row: Row[tuple[object, ...]]) -> Question:
    """The question that a row with the columns of `questions` holds."""
    return Question(id=row.id, thread_id=row.thread_id, text=row.text, asked_at=datetime.fromisoformat(row.asked_at))


def _find_thread(connection: Connection, thread_id: str) -> None:
    if connection.execute(select(THREADS.c.id).where(THREADS.c.id == thread_id)).first() is None:
        raise ReviewNotFound(f"There is no thread {thread_id!r}.", hint="Leave it out to open a new one.")


def _flagging_answer(connection: Connection, thread_id: str) -> str | None:
    """The answer whose flag is the last word on a thread's emergencies."""
    events = events_of(connection, kinds=EMERGENCY_KINDS, subjects=[thread_id])
    return events[-1].text("answer_id") if events and events[-1].kind == EventKind.THREAD_FLAGGED else None


def insert_citations(connection: Connection, answer: Answer) -> None:
    """Notes which versions of which documents an answer rests on; those of an older revision stay."""
    rested_on = {(citation.document_id, citation.document_digest) for citation in answer.citations}
    if rested_on:
        connection.execute(
            insert(CITATIONS).on_conflict_do_nothing(),
            [
                {"answer_id": answer.id, "document_id": document_id, "document_digest": digest}
                for document_id, digest in sorted(rested_on)
            ],
        )
