"""What lies in the ledger beside the chain, digested again from its bytes for an audit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import select

from curio_rag.adapters.ledger import Ledger
from curio_rag.adapters.ledger_schema import (
    ANSWERS,
    CITATIONS,
    DOCUMENTS,
    NOTES,
    QUESTIONS,
    REVISIONS,
    THREADS,
    VERSIONS,
)
from curio_rag.domain.answers import Answer
from curio_rag.domain.audit import StoredRevision
from curio_rag.domain.digests import digest_bytes, digest_json, keyed_digest
from curio_rag.domain.sign_offs import answer_content
from curio_rag.domain.sources import Document


class LedgerAudit:
    """`AuditedStore` over the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def revisions(self) -> Iterable[StoredRevision]:
        """Every revision; one whose bytes cannot be read has an empty content digest."""
        with self._ledger.reading() as connection:
            for row in connection.execute(select(ANSWERS.c.id, ANSWERS.c.body, ANSWERS.c.outcome, ANSWERS.c.urgency)):
                yield _stored(row.id, 1, row.body, row.outcome, row.urgency)
            later = select(REVISIONS.c.answer_id, REVISIONS.c.revision, REVISIONS.c.body)
            for answer_id, revision, body in connection.execute(later):
                yield _stored(answer_id, revision, body, "", "")

    def questions(self) -> Mapping[str, str]:
        """The keyed digest of every question, by id."""
        query = select(QUESTIONS.c.id, QUESTIONS.c.text, THREADS.c.key).join(
            THREADS, THREADS.c.id == QUESTIONS.c.thread_id
        )
        with self._ledger.reading() as connection:
            return {row.id: keyed_digest(row.text, key=row.key) for row in connection.execute(query)}

    def notes(self) -> Mapping[str, str]:
        """The keyed digest of every comment and reason, by id."""
        query = select(NOTES.c.id, NOTES.c.text, THREADS.c.key).join(THREADS, THREADS.c.id == NOTES.c.thread_id)
        with self._ledger.reading() as connection:
            return {row.id: keyed_digest(row.text, key=row.key) for row in connection.execute(query)}

    def cited(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        """The rows by which a recall finds answers: answer id to document ids and digests."""
        found: dict[str, set[tuple[str, str]]] = {}
        with self._ledger.reading() as connection:
            for row in connection.execute(select(CITATIONS)):
                found.setdefault(row.answer_id, set()).add((row.document_id, row.document_digest))
        return {answer_id: frozenset(cited) for answer_id, cited in found.items()}

    def versions(self) -> Iterable[tuple[str, str, str]]:
        """Document id, the digest it is filed under, and the digest of what lies there, for every version."""
        with self._ledger.reading() as connection:
            for row in connection.execute(select(VERSIONS.c.document_id, VERSIONS.c.digest, VERSIONS.c.body)):
                try:
                    derived = msgspec.json.decode(row.body, type=Document).digest
                except (msgspec.DecodeError, ValueError, TypeError):
                    derived = ""
                yield row.document_id, row.digest, derived

    def current_documents(self) -> Mapping[str, str]:
        """The digest of the current version of every document, by id."""
        with self._ledger.reading() as connection:
            return {row.id: row.digest for row in connection.execute(select(DOCUMENTS.c.id, DOCUMENTS.c.digest))}


def _stored(answer_id: str, revision: int, body: bytes, outcome: str, urgency: str) -> StoredRevision:
    content, cited = "", frozenset[tuple[str, str]]()
    try:
        answer = msgspec.json.decode(body, type=Answer)
        content = digest_json(answer_content(answer))
        cited = frozenset((each.document_id, each.document_digest) for each in answer.citations)
    except (msgspec.DecodeError, ValueError, TypeError):
        # What cannot be read is not what was filed: its digest says so.
        pass
    raw = body if isinstance(body, bytes) else str(body).encode()
    return StoredRevision(
        answer_id=answer_id,
        revision=revision,
        body_digest=digest_bytes(raw),
        content_digest=content,
        outcome=outcome,
        urgency=urgency,
        citations=cited,
    )
