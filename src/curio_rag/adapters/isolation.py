"""Runs a reader in a child process under limits of time and memory, so that no file can hang or exhaust the ingest."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import cast

from curio_rag.domain.digests import Json
from curio_rag.errors import UnreadableDocument

SECONDS = 60.0
MEMORY_BYTES = 1_500_000_000
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from curio_rag.adapters.isolation import main; main(*sys.argv[2:])"
)


def run_isolated(task: str, content: bytes, *, name: str, seconds: float = SECONDS) -> Mapping[str, Json]:
    """The result of `pdf`, `html` or `markdown` on some bytes; never takes longer than `seconds`.

    Raises `UnreadableDocument`: what the reader raises, and `resource_limit` when it is stopped.
    """
    command = [sys.executable, "-I", "-c", _START, json.dumps(sys.path), task, name, str(int(seconds) + 1)]
    try:
        done = subprocess.run(
            command, input=content, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _stopped(name, f"it was not read within {seconds:g} seconds") from error
    except OSError as error:
        raise UnreadableDocument(
            f"{name} could not be read: no child process can be started ({error.strerror}).",
            reason="unreadable",
            hint="Free memory or process slots and try again.",
            quarantine=False,
        ) from error
    try:
        result = json.loads(done.stdout)
    except ValueError as error:
        raise _stopped(name, "its reader ran out of memory or time") from error
    if "problem" in result:
        problem = result["problem"]
        raise UnreadableDocument(
            problem["message"], reason=problem["reason"], hint=problem["hint"], quarantine=problem["quarantine"]
        )
    return cast("Mapping[str, Json]", result)


def _stopped(name: str, what: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"{name} asks for more than a document may: {what}.",
        reason="resource_limit",
        hint="Split it into smaller files or simplify it.",
    )


def main(task: str, name: str, seconds: str) -> None:
    """The child's side: bytes on standard input, JSON on standard output."""
    _limit_resources(int(seconds))
    content = sys.stdin.buffer.read()
    try:
        result = _perform(task, content, name)
    except UnreadableDocument as error:
        result = {
            "problem": {
                "message": error.message,
                "reason": error.reason,
                "hint": error.hint,
                "quarantine": error.quarantine,
            }
        }
    except (MemoryError, RecursionError):
        stopped = _stopped(name, "its reader ran out of memory")
        result = {
            "problem": {"message": stopped.message, "reason": stopped.reason, "hint": stopped.hint, "quarantine": True}
        }
    sys.stdout.buffer.write(json.dumps(result).encode("ascii"))


def _perform(task: str, content: bytes, name: str) -> dict[str, Json]:
    if task == "pdf":
        from curio_rag.adapters.pdf_text import extract

        return extract(content, name=name)
    text = content.decode("utf-8")
    if task == "html":
        from curio_rag.adapters.html_reader import read_html

        return read_html(text).to_dict()
    from curio_rag.adapters.markdown_reader import read_markdown

    return read_markdown(text, name=name).to_dict()


def _limit_resources(seconds: int) -> None:
    """Memory and processor time of this process; where the system knows no such limits, only the clock holds."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
