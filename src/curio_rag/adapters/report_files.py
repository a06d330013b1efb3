"""Evaluation reports as JSON, written as they are defined and read back strictly."""

from __future__ import annotations

from pathlib import Path

import msgspec

from curio_rag.domain.eval_reports import EvalReport
from curio_rag.errors import EvalError

SCHEMA_VERSION = 1


def report_json(report: EvalReport) -> str:
    """The report as indented JSON with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1).decode() + "\n"


def read_report(path: Path) -> EvalReport:
    """A report that `curio eval run --json` wrote. Raises `EvalError` naming the file and the field."""
    again = "Write it again with `curio eval run --json`."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EvalError(f"{path} cannot be read: {error.strerror or error}.", hint="Check the path.") from error
    try:
        report = msgspec.json.decode(content, type=EvalReport)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EvalError(f"{path} is not the record of an evaluation: {error}.", hint=again) from error
    if report.schema_version != SCHEMA_VERSION:
        raise EvalError(f"{path} has the schema version {report.schema_version}, not {SCHEMA_VERSION}.", hint=again)
    if not report.splits or any(not split.cases for split in report.splits):
        raise EvalError(f"{path} holds no case.", hint=again)
    return report
