"""What a generation consists of, written when it is built and compared when it is opened or checked."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from curio_rag.adapters.keyword_index import KEYWORD_FILE
from curio_rag.adapters.matrix import IDS_FILE, MATRIX_FILES
from curio_rag.domain.digests import TAG, Json, canonical_json, digest_bytes, digest_json
from curio_rag.errors import IndexDamaged, IndexOutOfDate

MANIFEST_FILE = "manifest.json"
FORMAT = 2
REPAIR = "Run `curio check --repair`."


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """A file's size and tagged digest."""

    size: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The description of one generation.

    `files` covers the matrix and the keyword index. Chroma changes its files when they are merely
    opened and is verified by its content: `chroma` says whether it was built, and `churn` how many
    passages were taken out since it was last built afresh, for it only marks them as gone.
    """

    generation: int
    passages: int
    dimensions: int
    configuration: str
    files: Mapping[str, FileRecord]
    chroma: bool
    churn: int
    created_at: str

    @property
    def passages_digest(self) -> str:
        """The digest over the sorted passage ids, a line for each."""
        return self.files[IDS_FILE].digest

    @property
    def fingerprint(self) -> str:
        """What search depends on: passages, vectors, embedder and splitter; not when or in which steps it was built."""
        return digest_json(
            {
                "format": FORMAT,
                "configuration": self.configuration,
                "matrix": {name: self.files[name].digest for name in MATRIX_FILES},
            }
        )

    def to_dict(self) -> dict[str, Json]:
        """As it is written; `digest` covers the rest."""
        body: dict[str, Json] = {
            "format": FORMAT,
            "generation": self.generation,
            "passages": self.passages,
            "passages_digest": self.passages_digest,
            "dimensions": self.dimensions,
            "configuration": self.configuration,
            "files": {name: {"size": file.size, "digest": file.digest} for name, file in self.files.items()},
            "chroma": self.chroma,
            "churn": self.churn,
            "created_at": self.created_at,
        }
        return {**body, "digest": digest_json(body)}


def read_manifest(folder: Path) -> Manifest:
    """A generation's manifest. Raises `FileNotFoundError`, `IndexOutOfDate` for another format, and `IndexDamaged`."""
    path = folder / MANIFEST_FILE
    try:
        body = json.loads(path.read_bytes())
        if body["format"] != FORMAT:
            raise IndexOutOfDate(f"{path} has format {body['format']} instead of {FORMAT}.", hint="Run `curio ingest`.")
        if body.pop("digest") != digest_bytes(canonical_json(body)):
            raise IndexDamaged(f"{path} has been altered.", hint=REPAIR)
        return Manifest(
            generation=body["generation"],
            passages=body["passages"],
            dimensions=body["dimensions"],
            configuration=body["configuration"],
            files={name: FileRecord(**record) for name, record in body["files"].items()},
            chroma=body["chroma"],
            churn=body["churn"],
            created_at=body["created_at"],
        )
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexDamaged(f"{path} cannot be read: {error}.", hint=REPAIR) from error


def record_files(folder: Path) -> dict[str, FileRecord]:
    """The size and digest of each file that a manifest covers."""
    return {
        name: FileRecord(size=(folder / name).stat().st_size, digest=digest_file(folder / name))
        for name in (*MATRIX_FILES, KEYWORD_FILE)
    }


def size_problems(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Which files are missing or have another size; cheap enough for every opening."""
    for name, record in manifest.files.items():
        try:
            size = (folder / name).stat().st_size
        except OSError:
            yield f"{folder / name} is missing"
            continue
        if size != record.size:
            yield f"{folder / name} has {size} bytes instead of {record.size}"


def digest_problems(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Which files are missing or do not have the bytes that were written; reads them all."""
    wrong = list(size_problems(folder, manifest))
    yield from wrong
    for name, record in manifest.files.items():
        if not any(f"{folder / name} " in problem for problem in wrong) and digest_file(folder / name) != record.digest:
            yield f"{folder / name} is not as it was written (its digest differs)"


def digest_file(path: Path) -> str:
    """The tagged SHA-256 of a file, read piece by piece."""
    with path.open("rb") as file:
        return TAG + hashlib.file_digest(file, "sha256").hexdigest()


def write_durably(path: Path, content: bytes) -> None:
    """Replace a small file in one step: after a crash it holds the old content or the new, and no less."""
    aside = path.with_name(f".{path.name}.next")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(path.parent)


def sync_tree(folder: Path) -> None:
    """Bring every file and folder below to the disk."""
    for place, _, names in os.walk(folder):
        for name in names:
            sync_folder(Path(place) / name)
        sync_folder(Path(place))


def sync_folder(path: Path) -> None:
    """Bring a folder's entries, or a file's content, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
