"""What the ledger knows of a document beyond its text, and what became of each file of an ingest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from curio_rag.domain.answers import Reason
from curio_rag.domain.digests import Json
from curio_rag.domain.sources import Document, Passage, Vetting


@dataclass(frozen=True, slots=True, kw_only=True)
class VettingEvent:
    """Somebody vouched for a document's exact digest, or withdrew the document (`withdrawn` is the reason).

    Only a vetting that was `signed` by a checked reviewer counts.
    """

    document_id: str
    digest: str
    clinician: str
    credential: str
    vetted_on: date
    review_due: date | None
    withdrawn: str | None = None
    signed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryEntry:
    """One document of the library as it stands.

    `origin` and `source` are the folder that was ingested and the file's path under it; `declared`
    and `proposal` are what the file says of itself; `made_by` names the readers and the splitter that
    its text and passages came from; `event` is the latest that the ledger holds.
    """

    document_id: str
    digest: str
    title: str
    origin: str
    source: str
    file_digest: str
    text_digest: str
    made_by: str
    language: str
    as_of: str | None
    passages: int
    declared: Vetting
    proposal: Vetting | None
    retired: bool
    event: VettingEvent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelvedDocument:
    """All that is put into the ledger for one accepted file."""

    document: Document
    origin: str
    source: str
    file_digest: str
    made_by: str
    passages: tuple[Passage, ...]


class FileOutcome(StrEnum):
    """What became of one listed file."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReceipt:
    """One file, its one outcome, and why."""

    source: str
    outcome: FileOutcome
    reason: Reason | None = None
    document_id: str | None = None
    title: str = ""
    passages: int = 0
    status: str | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Json]:
        """As `curio ingest --json` shows it."""
        return {
            "source": self.source,
            "outcome": self.outcome.value,
            "reason": None if self.reason is None else {"code": self.reason.code, "text": self.reason.text},
            "document_id": self.document_id,
            "title": self.title,
            "passages": self.passages,
            "status": self.status,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """The result of one ingest: a receipt for every listed file, and what the index holds now.

    `missing` are documents whose file has gone; they stay until they are retired on request.
    """

    receipts: tuple[FileReceipt, ...]
    missing: tuple[str, ...]
    retired: tuple[str, ...]
    dry_run: bool
    generation: int | None
    passages: int
    awaiting_vetting: int
    started_at: datetime
    finished_at: datetime

    def count(self, outcome: FileOutcome) -> int:
        """How many files had this outcome."""
        return sum(receipt.outcome is outcome for receipt in self.receipts)

    @property
    def complete(self) -> bool:
        """Whether no file was refused or quarantined."""
        return not (self.count(FileOutcome.REFUSED) or self.count(FileOutcome.QUARANTINED))

    def to_dict(self) -> dict[str, Json]:
        """As `curio ingest --json` shows it."""
        return {
            "files": [receipt.to_dict() for receipt in self.receipts],
            "listed": len(self.receipts),
            "totals": {outcome.value: self.count(outcome) for outcome in FileOutcome},
            "missing": list(self.missing),
            "retired": list(self.retired),
            "dry_run": self.dry_run,
            "generation": self.generation,
            "passages": self.passages,
            "awaiting_vetting": self.awaiting_vetting,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfRecord:
    """One document of the library with its standing today."""

    entry: LibraryEntry
    vetting: Vetting
    admitted: bool
