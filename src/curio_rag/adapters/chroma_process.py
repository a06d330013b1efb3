"""Building and verifying Chroma in a child process, so that damage there cannot take this one down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from curio_rag.adapters.chroma_index import CHROMA_FOLDER, copy_chroma
from curio_rag.errors import IndexDamaged

_VERIFY_SECONDS = 900.0
"""Much longer than a verification takes (2 seconds at 30,000 passages), so that one that hangs counts as damage."""


def build_in_child(
    generation: Path,
    *,
    dimensions: int,
    configuration: str,
    previous: Path | None,
    report: Callable[[int, int], None],
) -> None:
    """Build a generation's Chroma folder from its matrix, on a copy of the previous generation's where given.

    Raises `IndexDamaged` with what the child said when it failed.
    """
    folder = generation / CHROMA_FOLDER
    arguments = ["build", str(folder), str(generation), str(dimensions), configuration]
    for line in _run(arguments + ([str(previous)] if previous is not None else []), seconds=None):
        report(int(line["done"]), int(line["total"]))


def verify_in_child(generation: Path, *, dimensions: int, configuration: str) -> list[str]:
    """What is wrong with a generation's Chroma folder, one phrase each; a crash of the child is one of them."""
    folder = generation / CHROMA_FOLDER
    if not (folder / "chroma.sqlite3").is_file():
        return ["it is missing"]
    try:
        with _writable(folder) as place:
            arguments = ["verify", str(place), str(generation), str(dimensions), configuration]
            return [str(line["problem"]) for line in _run(arguments, seconds=_VERIFY_SECONDS)]
    except (IndexDamaged, OSError) as error:
        return [str(error).rstrip(".")]


@contextmanager
def _writable(folder: Path) -> Iterator[Path]:
    """The folder, or a copy where it is read-only, for Chroma writes on opening."""
    if os.access(folder, os.W_OK) and os.access(folder / "chroma.sqlite3", os.W_OK):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="curio-check-") as place:
        copy_chroma(folder, Path(place) / CHROMA_FOLDER)
        yield Path(place) / CHROMA_FOLDER


def _run(arguments: list[str], *, seconds: float | None) -> Iterator[dict[str, str | int]]:
    """The lines that the child prints; raises `IndexDamaged` when it does not end well."""
    # `-P` and the path of this package: what lies in the current folder is no part of it.
    command = [sys.executable, "-P", "-m", "curio_rag.adapters.chroma_index", *arguments]
    packages = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (packages, os.environ.get("PYTHONPATH"))))}
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment
        ) as child:
            assert child.stdout is not None
            watch = threading.Timer(seconds, child.kill) if seconds else None
            if watch:
                watch.start()
            try:
                for line in child.stdout:
                    yield json.loads(line)
                status = child.wait()
            finally:
                child.kill()
                if watch:
                    watch.cancel()
        if status != 0:
            raise IndexDamaged(f"Chroma {_how_it_ended(status, errors)}.", hint="")


def _how_it_ended(status: int, errors: IO[bytes]) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    errors.seek(0)
    said = errors.read().decode("utf-8", "replace").strip().splitlines()
    return f"failed: {said[-1][:300]}" if said else f"failed with status {status}"
