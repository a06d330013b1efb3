"""Lists, loads and reads the documents of a folder; it never leaves the folder and never blocks."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pathspec

from curio_rag.adapters.read_document import read_document
from curio_rag.domain.digests import digest_bytes, digest_json
from curio_rag.domain.sources import Document
from curio_rag.errors import KnowledgeError, UnreadableDocument
from curio_rag.ports import ListedFile, LoadedFile

EXTENSIONS = frozenset({".md", ".markdown", ".html", ".htm", ".txt", ".text", ".csv", ".pdf"})
SIDECAR = ".meta.yaml"
IGNORE_FILE = ".curioignore"
DEFAULT_MAX_BYTES = 20_000_000
_MAX_SIDECAR = 64_000
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NO_BLOCK = getattr(os, "O_NONBLOCK", 0)
_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
_SEARCH_ONLY = getattr(os, "O_PATH", os.O_RDONLY)


READERS = "readers-2"


class FolderSource:
    """A `DocumentSource` over files and folders.

    `max_bytes` is the largest file that is read; `pdf_seconds` the longest that one PDF may take.
    """

    def __init__(self, *, max_bytes: int = DEFAULT_MAX_BYTES, pdf_seconds: float = 60.0) -> None:
        self._max_bytes = max_bytes
        self._pdf_seconds = pdf_seconds

    @property
    def version(self) -> str:
        """To be raised whenever the same file would be read differently."""
        return READERS

    def list(self, paths: Sequence[Path]) -> tuple[ListedFile, ...]:
        """Every entry under the paths, once, sorted by document id. Raises `KnowledgeError` for a missing path."""
        found: dict[str, ListedFile] = {}
        seen: set[str] = set()
        for path in paths:
            root = os.path.realpath(path)
            for entry in _entries(path, root):
                if str(entry.path) in seen:
                    continue
                seen.add(str(entry.path))
                unique = _unique(entry, root, found)
                found[unique.document_id] = unique
        return tuple(found[key] for key in sorted(found))

    def load(self, file: ListedFile) -> LoadedFile:
        """The bytes of a file and of its sidecar. Raises `UnreadableDocument` (`unreadable`, `too_large`)."""
        content = _read_bytes(file.path, name=file.document_id, limit=self._max_bytes)
        sidecar = self._load_sidecar(file)
        digest = digest_bytes(content)
        if sidecar is not None:
            digest = digest_json([digest, digest_bytes(sidecar)])
        return LoadedFile(file=file, content=content, sidecar=sidecar, digest=digest)

    def read(self, loaded: LoadedFile) -> Document:
        """The document. Raises `UnreadableDocument` and nothing else."""
        return read_document(loaded, pdf_seconds=self._pdf_seconds)

    def _load_sidecar(self, file: ListedFile) -> bytes | None:
        for path in (Path(f"{file.path}{SIDECAR}"), file.path.with_suffix(SIDECAR)):
            if os.path.lexists(path):
                return _read_bytes(path, name=printable(path.name), limit=_MAX_SIDECAR)
        return None


def printable(name: str) -> str:
    """A path that can be printed anywhere: odd bytes, control and unseen characters, and "%" become percent escapes.

    Different names stay different, and what is escaped can be told apart from what was there.
    """
    return "".join(
        character
        if character == " " or (character.isprintable() and character != "%")
        else "".join(f"%{byte:02X}" for byte in os.fsencode(character))
        for character in name
    )


def _entries(path: Path, root: str) -> Iterator[ListedFile]:
    if not os.path.lexists(path):
        raise KnowledgeError(f"{printable(str(path))} does not exist.", hint="Check the path.")
    try:
        mode = Path(root).stat().st_mode
    except OSError as error:
        raise KnowledgeError(
            f"{printable(str(path))} cannot be opened ({error.strerror}).", hint="Check the path."
        ) from error
    if stat.S_ISDIR(mode):
        yield from _walk(root)
    else:
        name = path.name or Path(root).name
        skip = _reason_for_file(name) if stat.S_ISREG(mode) else "not_regular"
        yield ListedFile(document_id=printable(name), path=Path(root), skip=skip)


def _walk(root: str) -> Iterator[ListedFile]:
    ignored = _ignore_rules(root)
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(Path(root, folder)) as entries:
                found = list(entries)
        except OSError:
            yield ListedFile(document_id=printable(folder) or ".", path=Path(root, folder), skip="unreadable")
            continue
        for entry in found:
            relative = f"{folder}{os.sep}{entry.name}" if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            skip = _reason(entry, root, relative, ignored, is_folder=is_folder)
            if is_folder and skip is None:
                waiting.append(relative)
            else:
                identifier = printable(relative.replace(os.sep, "/"))
                yield ListedFile(document_id=identifier, path=Path(root, relative), skip=skip)


def _reason(
    entry: os.DirEntry[str], root: str, relative: str, ignored: pathspec.GitIgnoreSpec, *, is_folder: bool
) -> str | None:
    """Why an entry is not read, or None. Links come first: nothing else is asked of what they point to."""
    if entry.is_symlink():
        return _reason_for_link(entry.path, root)
    if not is_folder and not entry.is_file(follow_symlinks=False):
        return "not_regular"
    name_reason = _reason_for_name(entry.name)
    if name_reason is not None:
        return name_reason
    if ignored.match_file(relative.replace(os.sep, "/") + ("/" if is_folder else "")):
        return "ignored"
    return None if is_folder else _reason_for_file(entry.name)


def _reason_for_name(name: str) -> str | None:
    if name.startswith("~$"):
        return "temp"
    return "hidden" if name.startswith(".") else None


def _reason_for_file(name: str) -> str | None:
    if name.lower().endswith(SIDECAR):
        return "sidecar"
    return None if Path(name).suffix.lower() in EXTENSIONS else "unsupported_type"


def _reason_for_link(path: str, root: str) -> str:
    try:
        target = os.path.realpath(path, strict=True)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "symlink_loop"
        return "dangling" if error.errno in (errno.ENOENT, errno.ENOTDIR) else "symlink_outside"
    if target != root and not target.startswith(root.rstrip(os.sep) + os.sep):
        return "symlink_outside"
    folder = os.path.realpath(Path(path).parent)
    return "symlink_loop" if (folder + os.sep).startswith(target.rstrip(os.sep) + os.sep) else "symlink"


def _ignore_rules(root: str) -> pathspec.GitIgnoreSpec:
    path = Path(root, IGNORE_FILE)
    if not os.path.lexists(path):
        return pathspec.GitIgnoreSpec.from_lines(())
    try:
        content = _read_bytes(path, name=IGNORE_FILE, limit=_MAX_SIDECAR)
        return pathspec.GitIgnoreSpec.from_lines(os.fsdecode(content.removeprefix(b"\xef\xbb\xbf")).splitlines())
    except (UnreadableDocument, ValueError) as error:
        raise KnowledgeError(f"{printable(str(path))} cannot be used: {error}", hint="Correct or remove it.") from error


def _unique(entry: ListedFile, root: str, found: dict[str, ListedFile]) -> ListedFile:
    """Two folders may hold files of one name; the later one is told apart by its folder's name."""
    if entry.document_id not in found:
        return entry
    folder = printable(Path(root).name) or "root"
    number, identifier = 1, f"{folder}/{entry.document_id}"
    while identifier in found:
        number += 1
        identifier = f"{folder}~{number}/{entry.document_id}"
    return ListedFile(document_id=identifier, path=entry.path, skip=entry.skip)


def _read_bytes(path: Path, *, name: str, limit: int) -> bytes:
    try:
        descriptor = _open_without_links(path)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise _unreadable(name, "is not a regular file")
            content = file.read(limit + 1) if status.st_size <= limit else None
    except OSError as error:
        raise _unreadable(name, f"cannot be opened ({error.strerror or type(error).__name__})") from error
    if content is None or len(content) > limit:
        raise UnreadableDocument(
            f"{name} is larger than {limit} bytes.", reason="too_large", hint="Split it or raise the limit."
        )
    return content


def _open_without_links(path: Path) -> int:
    """Opens a path through folders that are no links, even if one took their place after the listing."""
    if os.open not in os.supports_dir_fd:
        if path.is_symlink():
            raise OSError(errno.ELOOP, "it is a link")
        return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    folder = os.open(path.anchor, _SEARCH_ONLY | _DIRECTORY)
    try:
        for part in path.parts[1:-1]:
            inner = os.open(part, _SEARCH_ONLY | _DIRECTORY | _NO_FOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(path.parts[-1], os.O_RDONLY | _NO_FOLLOW | _NO_BLOCK, dir_fd=folder)
    finally:
        with suppress(OSError):
            os.close(folder)


def _unreadable(name: str, what: str) -> UnreadableDocument:
    return UnreadableDocument(f"{name} {what}.", reason="unreadable", hint="Check that it is a file you may read.")
