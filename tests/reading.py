"""Reads one file that exists in memory only, as ingest would."""

from __future__ import annotations

from pathlib import Path

import pytest

from curio_rag.adapters.folder import FolderSource
from curio_rag.domain.digests import digest_bytes
from curio_rag.domain.sources import Document
from curio_rag.errors import UnreadableDocument
from curio_rag.ports import ListedFile, LoadedFile


def read(content: str | bytes, *, name: str = "a.md", sidecar: str | None = None) -> Document:
    """The document that a file of these bytes becomes."""
    data = content.encode() if isinstance(content, str) else content
    file = ListedFile(document_id=name, path=Path("/kb") / name)
    extra = None if sidecar is None else sidecar.encode()
    return FolderSource().read(LoadedFile(file=file, content=data, sidecar=extra, digest=digest_bytes(data)))


def refused(content: str | bytes, *, name: str = "a.md", sidecar: str | None = None) -> UnreadableDocument:
    """Why a file of these bytes becomes none."""
    with pytest.raises(UnreadableDocument) as caught:
        read(content, name=name, sidecar=sidecar)
    return caught.value
