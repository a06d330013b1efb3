"""The tables of the ledger and the numbered steps that bring an older one forward."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    BLOB,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

TABLES = MetaData()

META = Table("meta", TABLES, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

DOCUMENTS = Table(
    "documents",
    TABLES,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("text_digest", Text, nullable=False, index=True),
    Column("origin", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("file_digest", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("synonyms", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("as_of", Text),
    Column("made_by", Text, nullable=False),
    Column("passages", Integer, nullable=False),
    Column("declared", Text, nullable=False),
    Column("proposal", Text),
    Column("retired", Boolean, nullable=False, default=False),
    UniqueConstraint("origin", "source"),
)
"""The current version of each document; a retired one stays, and is not searched."""

VERSIONS = Table(
    "document_versions",
    TABLES,
    Column("document_id", Text, ForeignKey("documents.id"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", BLOB, nullable=False),
    Column("filed_at", Text, nullable=False),
    PrimaryKeyConstraint("document_id", "digest"),
)
"""Every version that was ever accepted, whole: an old answer still shows what it rested on."""

PASSAGES = Table(
    "passages",
    TABLES,
    Column("id", Text, primary_key=True),
    Column("document_id", Text, ForeignKey("documents.id"), nullable=False),
    Column("document_digest", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("body", BLOB, nullable=False),
    Column("text_key", BLOB, nullable=False),
    Column("title_key", BLOB, nullable=False),
    Column("heading_key", BLOB, nullable=False),
    Index("passages_of_document", "document_id", "ordinal"),
)
"""The passages of the current versions; the keys are SHA-256 digests of what was embedded."""

VECTORS = Table(
    "vectors",
    TABLES,
    Column("embedder", Text, nullable=False),
    Column("text_key", BLOB, nullable=False),
    Column("vector", BLOB, nullable=False),
    PrimaryKeyConstraint("embedder", "text_key"),
    sqlite_with_rowid=False,
)
"""Every vector ever made, by model and text: nothing is embedded twice."""

JOBS = Table(
    "ingest_jobs",
    TABLES,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text),
    Column("summary", Text),
)

JOB_FILES = Table(
    "ingest_files",
    TABLES,
    Column("job_id", Integer, ForeignKey("ingest_jobs.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("receipt", BLOB),
    PrimaryKeyConstraint("job_id", "source"),
)

EVENTS = Table(
    "events",
    TABLES,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("payload", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
)
"""Append-only; each event's digest covers the one before it."""

THREADS = Table(
    "threads",
    TABLES,
    Column("id", Text, primary_key=True),
    Column("key", BLOB, nullable=False),
    Column("opened_at", Text, nullable=False),
)
"""A conversation, and the random key under which its questions are digested."""

QUESTIONS = Table(
    "questions",
    TABLES,
    Column("id", Text, primary_key=True),
    Column("thread_id", Text, ForeignKey("threads.id"), nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("asked_at", Text, nullable=False),
)
"""The one place where the text of a question is stored."""

CITATIONS = Table(
    "citations",
    TABLES,
    Column("answer_id", Text, ForeignKey("answers.id"), nullable=False),
    Column("document_id", Text, nullable=False, index=True),
    Column("document_digest", Text, nullable=False),
    PrimaryKeyConstraint("answer_id", "document_id", "document_digest"),
)
"""Which answer rests on which version of which document, so that a retraction finds them all."""

ANSWERS = Table(
    "answers",
    TABLES,
    Column("id", Text, primary_key=True),
    Column("question_id", Text, ForeignKey("questions.id"), nullable=False, index=True),
    Column("outcome", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("body", BLOB, nullable=False),
    Column("created_at", Text, nullable=False),
)


REVISIONS = Table(
    "revisions",
    TABLES,
    Column("answer_id", Text, ForeignKey("answers.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", BLOB, nullable=False),
    Column("created_at", Text, nullable=False),
    PrimaryKeyConstraint("answer_id", "revision"),
)
"""What reviewers made of an answer, from revision 2 on; the first stands in `answers`."""

NOTES = Table(
    "notes",
    TABLES,
    Column("id", Text, primary_key=True),
    Column("thread_id", Text, ForeignKey("threads.id"), nullable=False, index=True),
    Column("answer_id", Text, ForeignKey("answers.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("reviewer_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Text, nullable=False),
)
"""Comments and reasons: words about one person's question, so they stand here and not in the audit chain."""

REUSABLE = Table(
    "reusable_answers",
    TABLES,
    Column("question_key", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("answer_id", Text, ForeignKey("answers.id"), nullable=False),
    PrimaryKeyConstraint("question_key", "country", "answer_id"),
)
"""Approved answers to general questions, by a keyed digest of the question's plain words."""

EVENTS_BY_KIND = Index("events_of_kind", EVENTS.c.kind, EVENTS.c.subject)


def _first_tables(connection: Connection) -> None:
    TABLES.create_all(connection)


def _reviews(connection: Connection) -> None:
    TABLES.create_all(connection)
    EVENTS_BY_KIND.create(connection, checkfirst=True)


STEPS: tuple[Callable[[Connection], None], ...] = (_first_tables, _reviews)
"""Step n brings a ledger of version n-1 to version n; steps are only ever added."""

SCHEMA_VERSION = len(STEPS)
