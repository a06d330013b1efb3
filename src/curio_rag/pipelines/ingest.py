"""Ingest: list, load, read, split, embed, file in the ledger, then publish a generation.

Each file gets exactly one receipt. A file that cannot be read never stops the others; a run that
is interrupted leaves what it committed, and the next one repeats none of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from curio_rag.domain.answers import Reason
from curio_rag.domain.digests import digest_text
from curio_rag.domain.library import FileOutcome, FileReceipt, LibraryEntry, ShelvedDocument
from curio_rag.domain.sources import Document, Passage
from curio_rag.errors import UnreadableDocument
from curio_rag.ports import DocumentShelf, DocumentSource, Embedder, IngestLog, ListedFile, Splitter, VectorShelf

Report = Callable[[str, int, int], None]
"""Called with a stage, how many are done, and how many there are."""

SKIPPED = {
    "hidden": "a hidden file or folder",
    "temp": "a temporary file of another program",
    "ignored": "named in .curioignore",
    "sidecar": "the fields of the document beside it",
    "unsupported_type": "not a PDF, Markdown, HTML, text or CSV file",
    "symlink": "a link to a file that is listed anyway",
    "symlink_outside": "a link that leaves the folder",
    "symlink_loop": "a link that leads back to itself",
    "dangling": "a link to nothing",
    "not_regular": "not a regular file",
}

BATCH_DOCUMENTS = 48
BATCH_TEXTS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestParts:
    """What an ingest works with."""

    source: DocumentSource
    splitter: Splitter
    embedder: Embedder
    documents: DocumentShelf
    vectors: VectorShelf
    log: IngestLog
    clock: Callable[[], datetime]
    folder: Path
    status_of: Callable[[Document], str]

    @property
    def made_by(self) -> str:
        """The readers and the splitter; a document that came from others is read and cut again."""
        return f"{self.source.version}; {self.splitter.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedFile:
    """A listed file with the folder that it belongs to, and its path under that folder."""

    listed: ListedFile
    origin: str
    source: str

    @property
    def name(self) -> str:
        """The whole path, as receipts and the log show it."""
        return self.name_of(self.origin, self.source)

    @staticmethod
    def name_of(origin: str, source: str) -> str:
        """The path of a source under its origin."""
        return source if origin == "." else f"{origin}/{source}"


@dataclass(slots=True, kw_only=True)
class _Run:
    """What one run has gathered so far."""

    entries: dict[tuple[str, str], LibraryEntry]
    owners: dict[str, tuple[str, str]]
    """Where the file of each document lies: its origin and source."""
    texts: dict[str, str]
    """The document that has each text, by the text's digest."""
    receipts: dict[str, FileReceipt] = field(default_factory=dict)
    pending: list[ShelvedDocument] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestedFiles:
    """The receipts in order of listing, and the documents whose file has gone."""

    receipts: tuple[FileReceipt, ...]
    missing: tuple[str, ...]


def ingest_files(parts: IngestParts, paths: Sequence[Path], *, dry_run: bool, report: Report) -> IngestedFiles:
    """Reads and files every document under the paths; nothing is written on a dry run.

    Raises `KnowledgeError` for a path that does not exist.
    """
    entries = parts.documents.entries()
    placed = place_files(parts.source, paths, folder=parts.folder, origins=[entry.origin for entry in entries])
    run = _Run(
        entries={(entry.origin, entry.source): entry for entry in entries},
        owners={entry.document_id: (entry.origin, entry.source) for entry in entries if not entry.retired},
        texts={entry.text_digest: entry.document_id for entry in entries if not entry.retired},
    )
    job = None if dry_run else parts.log.start([each.name for each in placed], at=parts.clock())
    for number, each in enumerate(placed, start=1):
        _take_in(parts, run, each)
        report("read", number, len(placed))
        if len(run.pending) >= BATCH_DOCUMENTS or number == len(placed):
            if job is not None:
                _commit(parts, job, run.pending)
            run.pending = []
    receipts = tuple(run.receipts[each.name] for each in placed)
    if job is not None:
        parts.log.finish(job, receipts, at=parts.clock())
    return IngestedFiles(receipts=receipts, missing=_missing(parts, entries, placed, paths))


def place_files(
    source: DocumentSource, paths: Sequence[Path], *, folder: Path, origins: Iterable[str]
) -> tuple[PlacedFile, ...]:
    """Lists the paths and gives each file its one place: the folder it was first ingested from, and its path there.

    So a document keeps its identity whether its folder, a folder above or the file alone is named.
    """
    known = [(origin, _absolute(folder, origin)) for origin in dict.fromkeys(origins)]
    placed: dict[tuple[str, str], PlacedFile] = {}
    for path in paths:
        root = path if path.is_dir() else path.parent
        for listed in source.list([path]):
            origin, name = _place(listed.document_id, Path(os.path.abspath(root)), known, folder=folder)  # noqa: PTH100
            each = PlacedFile(listed=listed, origin=origin, source=name)
            placed.setdefault((origin, name), each)
    return tuple(placed.values())


def _place(name: str, root: Path, known: Sequence[tuple[str, Path]], *, folder: Path) -> tuple[str, str]:
    path = root / name
    for origin, place in known:
        if path.is_relative_to(place):
            return origin, path.relative_to(place).as_posix()
    return _origin_name(root, folder), name


def _origin_name(root: Path, folder: Path) -> str:
    return root.relative_to(folder).as_posix() if root.is_relative_to(folder) else root.as_posix()


def _absolute(folder: Path, origin: str) -> Path:
    return folder / origin


def _take_in(parts: IngestParts, run: _Run, each: PlacedFile) -> None:
    try:
        receipt = _receipt(parts, run, each)
    except UnreadableDocument as problem:
        outcome = FileOutcome.QUARANTINED if problem.quarantine else FileOutcome.REFUSED
        receipt = FileReceipt(source=each.name, outcome=outcome, reason=Reason(code=problem.reason, text=str(problem)))
    run.receipts[each.name] = receipt


def _receipt(parts: IngestParts, run: _Run, each: PlacedFile) -> FileReceipt:
    if each.listed.skip is not None:
        reason = Reason(code=each.listed.skip, text=SKIPPED.get(each.listed.skip, each.listed.skip))
        return FileReceipt(source=each.name, outcome=FileOutcome.SKIPPED, reason=reason)
    loaded = parts.source.load(each.listed)
    entry = run.entries.get((each.origin, each.source))
    if entry is not None and not entry.retired and (entry.file_digest, entry.made_by) == (loaded.digest, parts.made_by):
        return FileReceipt(
            source=each.name,
            outcome=FileOutcome.UNCHANGED,
            document_id=entry.document_id,
            title=entry.title,
            passages=entry.passages,
        )
    return _accept(parts, run, each, parts.source.read(loaded), loaded.digest)


def _accept(parts: IngestParts, run: _Run, each: PlacedFile, document: Document, file_digest: str) -> FileReceipt:
    place = (each.origin, each.source)
    if run.owners.get(document.id, place) != place:
        owner = "/".join(run.owners[document.id])
        raise UnreadableDocument(
            f"{each.name}: the id {document.id!r} belongs to {owner}.",
            reason="id_taken",
            hint="Give one of them another `id:` in its front matter.",
            quarantine=False,
        )
    text_digest = digest_text(document.text)
    twin = run.texts.get(text_digest, document.id)
    if twin != document.id and _still_there(parts, run.owners[twin]):
        reason = Reason(code="duplicate", text=f"the same text as {twin}")
        return FileReceipt(source=each.name, outcome=FileOutcome.SKIPPED, reason=reason, title=document.title)
    passages = parts.splitter.split(document)
    run.owners[document.id] = place
    run.texts[text_digest] = document.id
    run.pending.append(
        ShelvedDocument(
            document=document,
            origin=each.origin,
            source=each.source,
            file_digest=file_digest,
            made_by=parts.made_by,
            passages=passages,
        )
    )
    return FileReceipt(
        source=each.name,
        outcome=FileOutcome.ACCEPTED,
        document_id=document.id,
        title=document.title,
        passages=len(passages),
        status=parts.status_of(document),
        notes=document.notes,
    )


def _still_there(parts: IngestParts, place: tuple[str, str]) -> bool:
    """Whether a document's file exists; where it does not, a file with its text was renamed rather than copied."""
    origin, source = place
    return os.path.lexists(_absolute(parts.folder, origin) / source)


def _commit(parts: IngestParts, job: int, pending: Sequence[ShelvedDocument]) -> None:
    if not pending:
        return
    names = [PlacedFile.name_of(each.origin, each.source) for each in pending]
    parts.log.advance(job, names, "split")
    passages = [passage for each in pending for passage in each.passages]
    embed_missing(parts.embedder, parts.vectors, list(texts_of(passages, parts.splitter)))
    parts.log.advance(job, names, "embedded")
    parts.documents.put(pending, at=parts.clock())
    parts.log.advance(job, names, "committed")


def embed_missing(embedder: Embedder, vectors: VectorShelf, texts: Sequence[str]) -> None:
    """Embeds those texts that have no vector yet, in batches that are kept as they are done."""
    model = model_key(embedder)
    missing = vectors.missing(model, texts)
    for start in range(0, len(missing), BATCH_TEXTS):
        some = missing[start : start + BATCH_TEXTS]
        vectors.add(model, some, embedder.embed(some))


def texts_of(passages: Iterable[Passage], splitter: Splitter) -> Iterator[str]:
    """What is embedded of each passage: its text in its context, its title, its place, and its sentences."""
    for passage in passages:
        yield from (passage.in_context, passage.title, passage.place, *splitter.sentences(passage))


def model_key(embedder: Embedder) -> str:
    """Under which an embedder's vectors are kept: equal exactly when they are comparable."""
    fingerprint = embedder.fingerprint
    return f"{fingerprint.model}@{fingerprint.revision}/{fingerprint.dimensions}/{fingerprint.max_tokens}"


def _missing(
    parts: IngestParts, entries: Sequence[LibraryEntry], placed: Sequence[PlacedFile], paths: Sequence[Path]
) -> tuple[str, ...]:
    seen = {(each.origin, each.source) for each in placed}
    roots = [Path(os.path.abspath(path)) for path in paths if path.is_dir()]  # noqa: PTH100
    gone = []
    for entry in entries:
        if entry.retired or (entry.origin, entry.source) in seen:
            continue
        place = _absolute(parts.folder, entry.origin) / entry.source
        if any(place.is_relative_to(root) for root in roots):
            gone.append(entry.document_id)
    return tuple(gone)
