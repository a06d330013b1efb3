"""How far each file of an ingest has come: seen, parsed, split, embedded, committed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import insert, update

from curio_rag.adapters.ledger import Ledger, in_pieces
from curio_rag.adapters.ledger_schema import JOB_FILES, JOBS
from curio_rag.domain.library import FileReceipt


class LedgerIngestLog:
    """`IngestLog` over the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def start(self, sources: Sequence[str], *, at: datetime) -> int:
        """Opens a job with every listed file at the stage `seen`; its number."""
        with self._ledger.writing() as connection:
            job = connection.execute(insert(JOBS).values(started_at=at.isoformat())).inserted_primary_key
            assert job is not None  # an insert of one row has a key
            rows = [{"job_id": job[0], "source": source, "stage": "seen"} for source in dict.fromkeys(sources)]
            if rows:
                connection.execute(insert(JOB_FILES), rows)
        return int(job[0])

    def advance(self, job: int, sources: Sequence[str], stage: str) -> None:
        """These files reached a stage."""
        with self._ledger.writing() as connection:
            for some in in_pieces(sources):
                connection.execute(
                    update(JOB_FILES).where(JOB_FILES.c.job_id == job, JOB_FILES.c.source.in_(some)).values(stage=stage)
                )

    def finish(self, job: int, receipts: Sequence[FileReceipt], *, at: datetime) -> None:
        """Closes the job with the receipt of each file."""
        totals: dict[str, int] = {}
        with self._ledger.writing() as connection:
            for receipt in receipts:
                totals[receipt.outcome.value] = totals.get(receipt.outcome.value, 0) + 1
                connection.execute(
                    update(JOB_FILES)
                    .where(JOB_FILES.c.job_id == job, JOB_FILES.c.source == receipt.source)
                    .values(receipt=msgspec.json.encode(receipt), stage=receipt.outcome.value)
                )
            connection.execute(
                update(JOBS).where(JOBS.c.id == job).values(finished_at=at.isoformat(), summary=json.dumps(totals))
            )
