"""The documents, passages and vetting events of the ledger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from curio_rag.adapters.ledger import Ledger, in_pieces
from curio_rag.adapters.ledger_events import append_event, events_of
from curio_rag.adapters.ledger_schema import DOCUMENTS, PASSAGES, VERSIONS
from curio_rag.domain.digests import digest_text
from curio_rag.domain.events import REVIEWER_KINDS, VETTING_KINDS, EventKind
from curio_rag.domain.library import LibraryEntry, ShelvedDocument, VettingEvent
from curio_rag.domain.reviewers import reviewers_of
from curio_rag.domain.sources import Document, Passage, Vetting
from curio_rag.domain.vetting_acts import latest_vettings
from curio_rag.errors import DocumentNotFound


def text_key(text: str) -> bytes:
    """Under which the vector of a text is kept: SHA-256 of its UTF-8 bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class LedgerDocuments:
    """`DocumentShelf` and `PassageShelf` over the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def entries(self) -> tuple[LibraryEntry, ...]:
        """Every document ever accepted, sorted by id."""
        with self._ledger.reading() as connection:
            rows = connection.execute(select(DOCUMENTS).order_by(DOCUMENTS.c.id)).all()
            events = _latest_events(connection, None)
        return tuple(_entry(row, events.get(row.id)) for row in rows)

    def entries_of(self, document_ids: Sequence[str]) -> tuple[LibraryEntry, ...]:
        """The entries of these documents, unknown ids left out."""
        found: list[LibraryEntry] = []
        with self._ledger.reading() as connection:
            for some in in_pieces(document_ids):
                rows = connection.execute(select(DOCUMENTS).where(DOCUMENTS.c.id.in_(some))).all()
                events = _latest_events(connection, some)
                found.extend(_entry(row, events.get(row.id)) for row in rows)
        order = {document_id: number for number, document_id in enumerate(document_ids)}
        return tuple(sorted(found, key=lambda entry: order[entry.document_id]))

    def put(self, shelved: Sequence[ShelvedDocument], *, at: datetime) -> None:
        """Files each document as its current version, with its passages in place of the older ones."""
        with self._ledger.writing() as connection:
            for each in shelved:
                _put(connection, each, at=at)

    def retire(self, document_ids: Sequence[str], *, at: datetime) -> None:
        """These documents are no longer searched; their versions and passages stay."""
        with self._ledger.writing() as connection:
            for document_id in document_ids:
                connection.execute(update(DOCUMENTS).where(DOCUMENTS.c.id == document_id).values(retired=True))
                append_event(connection, at=at, kind=EventKind.DOCUMENT_RETIRED, subject=document_id, payload={})

    def passages(self, passage_ids: Sequence[str]) -> tuple[Passage, ...]:
        """The passages in the order asked for; ids that are gone are left out."""
        found: dict[str, Passage] = {}
        with self._ledger.reading() as connection:
            for some in in_pieces(passage_ids):
                for row in connection.execute(select(PASSAGES.c.id, PASSAGES.c.body).where(PASSAGES.c.id.in_(some))):
                    found[row.id] = _passage(row.body)
        return tuple(found[passage_id] for passage_id in passage_ids if passage_id in found)

    def passages_of(self, document_id: str) -> tuple[Passage, ...]:
        """All passages of a document's current version, in order of its text."""
        query = select(PASSAGES.c.body).where(PASSAGES.c.document_id == document_id).order_by(PASSAGES.c.ordinal)
        with self._ledger.reading() as connection:
            return tuple(_passage(row.body) for row in connection.execute(query))

    def passage_ids_of(self, document_ids: Sequence[str]) -> tuple[str, ...]:
        """The ids of all passages of these documents, sorted."""
        found: list[str] = []
        with self._ledger.reading() as connection:
            for some in in_pieces(document_ids):
                query = select(PASSAGES.c.id).where(PASSAGES.c.document_id.in_(some))
                found.extend(connection.execute(query).scalars())
        return tuple(sorted(found))

    def document(self, document_id: str, *, digest: str | None = None) -> Document:
        """The current version, or the one with this digest. Raises `DocumentNotFound`."""
        query = select(VERSIONS.c.body).where(VERSIONS.c.document_id == document_id)
        if digest is None:
            query = query.join(
                DOCUMENTS, (DOCUMENTS.c.id == VERSIONS.c.document_id) & (DOCUMENTS.c.digest == VERSIONS.c.digest)
            )
        else:
            query = query.where(VERSIONS.c.digest == digest)
        with self._ledger.reading() as connection:
            body = connection.execute(query).scalar_one_or_none()
        if body is None:
            version = f" in version {digest}" if digest else ""
            raise DocumentNotFound(
                f"There is no document {document_id!r}{version}.", hint="`curio library list` names them all."
            )
        return msgspec.json.decode(body, type=Document)


def _put(connection: Connection, each: ShelvedDocument, *, at: datetime) -> None:
    document = each.document
    row = {
        "id": document.id,
        "digest": document.digest,
        "text_digest": digest_text(document.text),
        "origin": each.origin,
        "source": each.source,
        "file_digest": each.file_digest,
        "made_by": each.made_by,
        "title": document.title,
        "synonyms": json.dumps(list(document.synonyms)),
        "language": document.language,
        "as_of": document.as_of,
        "passages": len(each.passages),
        "declared": _json(document.vetting),
        "proposal": _json(document.proposal) if document.proposal else None,
        "retired": False,
    }
    connection.execute(
        # A file whose document took another id leaves the old one behind, retired and out of the way.
        update(DOCUMENTS)
        .where(DOCUMENTS.c.origin == each.origin, DOCUMENTS.c.source == each.source, DOCUMENTS.c.id != document.id)
        .values(retired=True, source=DOCUMENTS.c.source + "#" + DOCUMENTS.c.id)
    )
    changes = {name: value for name, value in row.items() if name != "id"}
    connection.execute(insert(DOCUMENTS).values(**row).on_conflict_do_update(index_elements=["id"], set_=changes))
    connection.execute(
        insert(VERSIONS)
        .values(
            document_id=document.id,
            digest=document.digest,
            body=msgspec.json.encode(document),
            filed_at=at.isoformat(),
        )
        .on_conflict_do_nothing()
    )
    connection.execute(delete(PASSAGES).where(PASSAGES.c.document_id == document.id))
    if each.passages:
        connection.execute(insert(PASSAGES), [_passage_row(n, passage) for n, passage in enumerate(each.passages)])
    append_event(
        connection,
        at=at,
        kind=EventKind.DOCUMENT_FILED,
        subject=document.id,
        payload={"digest": document.digest, "file_digest": each.file_digest, "passages": len(each.passages)},
    )


def _passage_row(ordinal: int, passage: Passage) -> Mapping[str, object]:
    return {
        "id": passage.id,
        "document_id": passage.document_id,
        "document_digest": passage.document_digest,
        "ordinal": ordinal,
        "body": msgspec.json.encode(passage),
        "text_key": text_key(passage.in_context),
        "title_key": text_key(passage.title),
        "heading_key": text_key(passage.place),
    }


def _passage(body: bytes) -> Passage:
    return msgspec.json.decode(body, type=Passage)


def _json(vetting: Vetting) -> str:
    return msgspec.json.encode(vetting).decode()


def _vetting(text: str | None) -> Vetting | None:
    return None if text is None else msgspec.json.decode(text, type=Vetting)


def _entry(row: Row[tuple[object, ...]], event: VettingEvent | None) -> LibraryEntry:
    declared = _vetting(row.declared)
    assert declared is not None  # the column is not null
    return LibraryEntry(
        document_id=row.id,
        digest=row.digest,
        title=row.title,
        origin=row.origin,
        source=row.source,
        file_digest=row.file_digest,
        text_digest=row.text_digest,
        made_by=row.made_by,
        language=row.language,
        as_of=row.as_of,
        passages=row.passages,
        declared=declared,
        proposal=_vetting(row.proposal),
        retired=bool(row.retired),
        event=event,
    )


def _latest_events(connection: Connection, document_ids: Sequence[str] | None) -> dict[str, VettingEvent]:
    events = events_of(connection, kinds=VETTING_KINDS, subjects=document_ids)
    if not events:
        return {}
    return latest_vettings(events, reviewers_of(events_of(connection, kinds=REVIEWER_KINDS)))
