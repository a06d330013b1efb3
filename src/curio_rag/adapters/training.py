"""Training drafts from a JSON Lines file, and a log of what was decided on them; neither touches the ledger."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path

import msgspec

from curio_rag.domain.training import TrainingDraft, TrainingResult
from curio_rag.errors import EvalError

BUNDLED = "training_drafts.jsonl"
LOG_NAME = "training.jsonl"


def read_drafts(path: Path | None) -> tuple[TrainingDraft, ...]:
    """The drafts of a file, or the bundled ones. Raises `EvalError` naming file and line."""
    name = path.name if path else BUNDLED
    try:
        text = (path or Path(str(resources.files("curio_rag.data") / BUNDLED))).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise EvalError(f"{name} cannot be read.", hint="Name a JSON Lines file of drafts.") from problem
    drafts: list[TrainingDraft] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            drafts.append(_draft(line))
        except (msgspec.DecodeError, ValueError, KeyError, TypeError) as problem:
            raise EvalError(
                f"{name}:{number} is not a training draft: {problem}.",
                hint="It has id, question, text, quote, source, bad and, when bad, fault.",
            ) from problem
    if len({draft.id for draft in drafts}) != len(drafts) or not drafts:
        raise EvalError(f"{name} holds no drafts, or two with the same id.", hint="Give each line an id of its own.")
    return tuple(drafts)


def _draft(line: str) -> TrainingDraft:
    """A training draft, or a row of the claim gate's tamper set: its class is the fault, its evidence the quote."""
    row = json.loads(line)
    if not isinstance(row, dict) or "label" not in row:
        return msgspec.json.decode(line, type=TrainingDraft)
    bad = row["label"] == "withheld"
    return msgspec.convert(
        {
            "id": row["id"],
            "question": "",
            "text": row["text"],
            "quote": "\n".join(each["text"] for each in row["evidence"]),
            "source": row.get("document_id") or "",
            "bad": bad,
            "fault": row["class"] if bad else "",
        },
        type=TrainingDraft,
    )


@dataclass(frozen=True, slots=True)
class TrainingLog:
    """`training.jsonl` in the index folder: one line for each decision."""

    folder: Path

    def add(self, result: TrainingResult) -> None:
        """Appends one line, in one write."""
        self.folder.mkdir(parents=True, exist_ok=True)
        row = {
            "reviewer_id": result.reviewer_id,
            "draft_id": result.draft_id,
            "bad": result.bad,
            "fault": result.fault,
            "approved": result.approved,
            "seconds": round(result.seconds, 2),
            "at": result.at.isoformat(),
        }
        descriptor = os.open(self.folder / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(row).encode() + b"\n")

    def results(self) -> tuple[TrainingResult, ...]:
        """Everything that was decided so far, in order. Raises `EvalError` for a line that was damaged."""
        try:
            lines = (self.folder / LOG_NAME).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return ()
        try:
            return tuple(_result(json.loads(line)) for line in lines if line.strip())
        except (ValueError, KeyError, TypeError) as problem:
            raise EvalError(f"{LOG_NAME} was damaged.", hint="Remove the line that is not JSON.") from problem


def _result(row: dict[str, object]) -> TrainingResult:
    return TrainingResult(
        reviewer_id=str(row["reviewer_id"]),
        draft_id=str(row["draft_id"]),
        bad=bool(row["bad"]),
        fault=str(row["fault"]),
        approved=bool(row["approved"]),
        seconds=float(str(row["seconds"])),
        at=datetime.fromisoformat(str(row["at"])),
    )
