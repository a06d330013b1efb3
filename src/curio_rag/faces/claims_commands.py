"""`curio claims`: the claim gate alone, over sentences with citations or evidence."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from curio_rag.domain.claims import SHAPE, CheckedClaim, ClaimRow
from curio_rag.errors import EvalError
from curio_rag.faces.render import safe


def claims(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="One row of JSON on each line; - reads stdin.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each row.")] = False,
) -> None:
    """Check sentences against what they cite, as answers are checked, and say why one would be withheld.

    A row is {"id", "text", "citations": [{"document_id", "quote"}]}, checked against the knowledge base,
    or {"id", "text", "evidence": [{"title", "text"}]}, checked against the given text.

    Example: curio claims drafts.jsonl --json
    """
    from curio_rag.knowledge_base import KnowledgeBase

    shown = withheld = 0
    with KnowledgeBase.open(context.find_root().params["folder"]) as base:
        for checked in base.check_claims(read_rows(file)):
            shown += 1
            withheld += not checked.judgement.supported
            if as_json:
                sys.stdout.write(json.dumps(checked.to_dict(), ensure_ascii=False) + "\n")
            else:
                print_claim(checked)
    if not as_json:
        print(f"\n{shown} sentences, {withheld} withheld.")


def read_rows(file: Path) -> Iterator[ClaimRow]:
    """The rows of a file, or of stdin for `-`. Raises `EvalError` naming the file and the line."""
    if str(file) == "-":
        yield from _rows(sys.stdin.buffer, "stdin")
        return
    try:
        with file.open("rb") as lines:
            yield from _rows(lines, str(file))
    except OSError as problem:
        raise EvalError(f"{file} cannot be read: {problem.strerror}.", hint="Name a file of JSON lines.") from problem


def _rows(lines: BinaryIO, name: str) -> Iterator[ClaimRow]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            row = json.loads(line.decode("utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as problem:
            raise EvalError(f"{where} is not JSON in UTF-8.", hint=SHAPE) from problem
        if not isinstance(row, dict):
            raise EvalError(f"{where} is not an object.", hint=SHAPE)
        yield ClaimRow.from_dict(row, where=where)


def print_claim(checked: CheckedClaim) -> None:
    """The verdict of one sentence, its reasons, and what stands nearest in the source."""
    found = checked.judgement
    print(f"{safe(checked.id)}: {'supported' if found.supported else 'WITHHELD'}")
    for reason in found.reasons:
        print(f"    {reason.code}: {safe(reason.text)}")
    if found.reasons and found.aligned.strip():
        print(f"    nearest in the source: {safe(found.aligned)}")
