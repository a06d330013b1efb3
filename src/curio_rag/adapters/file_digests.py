"""The SHA-256 of large files, remembered by path, size and time so that a model is not read through at every start."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import TypeAlias

Remembered: TypeAlias = dict[str, tuple[int, int, str]]
"""Size, modification time (ns) and digest of each resolved path."""

FILE_NAME = "file_digests.json"


def file_sha256(path: Path, *, cache: Path | None) -> str:
    """The SHA-256 of a file, 64 hexadecimal digits.

    Where the folder `cache` remembers the file with the same size and modification time, the file is not
    read. None reads it always; a cache that cannot be read or written only costs time. Raises `OSError`
    for a file that cannot be read.
    """
    place = path.resolve()
    before = place.stat()
    if cache is not None:
        size, modified, digest = _remembered(cache).get(str(place), (-1, -1, ""))
        if (size, modified) == (before.st_size, before.st_mtime_ns):
            return digest
    with place.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    after = place.stat()
    unchanged = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if cache is not None and unchanged:  # a file written meanwhile is not what its time says
        _remember(cache, str(place), (after.st_size, after.st_mtime_ns, digest))
    return digest


def _remembered(cache: Path) -> Remembered:
    """What the cache holds; nothing when it is missing or malformed."""
    try:
        entries = json.loads((cache / FILE_NAME).read_bytes())
        return {
            str(path): (int(entry["size"]), int(entry["mtime_ns"]), str(entry["sha256"]))
            for path, entry in entries.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _remember(cache: Path, place: str, entry: tuple[int, int, str]) -> None:
    """Add one file; the cache is replaced whole, so another process reads the old or the new one."""
    entries = {**_remembered(cache), place: entry}
    content = {path: {"size": e[0], "mtime_ns": e[1], "sha256": e[2]} for path, e in sorted(entries.items())}
    draft = cache / f".{FILE_NAME}.{os.getpid()}"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
        draft.replace(cache / FILE_NAME)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
