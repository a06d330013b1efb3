"""The promises of listing and loading a folder."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from curio_rag.adapters.folder import FolderSource
from curio_rag.domain.digests import digest_bytes
from curio_rag.errors import KnowledgeError, UnreadableDocument
from curio_rag.ports import ListedFile


def skips(root: Path) -> dict[str, str | None]:
    return {file.document_id: file.skip for file in FolderSource().list([root])}


def listed(path: Path) -> ListedFile:
    (file,) = FolderSource().list([path])
    return file


@pytest.fixture
def kb(tmp_path: Path) -> Path:
    folder = tmp_path / "kb"
    folder.mkdir()
    return folder


def test_every_entry_once_and_sorted(kb: Path) -> None:
    """Each file is listed exactly once, however often its folder is named, and in order of its id."""
    (kb / "sub").mkdir()
    for name in ("b.md", "a.txt", "sub/c.html"):
        (kb / name).write_text("x", encoding="utf-8")
    files = FolderSource().list([kb, kb / "sub", kb, kb / "a.txt"])
    assert [file.document_id for file in files] == ["a.txt", "b.md", "sub/c.html"]


def test_equal_names_stay_apart(tmp_path: Path) -> None:
    """Two folders may hold a file of the same name; both are listed under ids of their own."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.md").write_text(name, encoding="utf-8")
    files = FolderSource().list([tmp_path / "one", tmp_path / "two"])
    assert [file.document_id for file in files] == ["a.md", "two/a.md"]


def test_links_are_listed_and_never_followed(kb: Path, tmp_path: Path) -> None:
    """A link comes back with the reason why it is not followed, and what lies behind it stays outside."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret", encoding="utf-8")
    (kb / "real.txt").write_text("x", encoding="utf-8")
    for name, target in (
        ("file.txt", "../outside/secret.txt"),
        ("folder", "../outside"),
        ("loop", "."),
        ("self", "self"),
        ("gone.txt", "nowhere"),
        ("inside.txt", "real.txt"),
    ):
        (kb / name).symlink_to(target)
    assert skips(kb) == {
        "file.txt": "symlink_outside",
        "folder": "symlink_outside",
        "loop": "symlink_loop",
        "self": "symlink_loop",
        "gone.txt": "dangling",
        "inside.txt": "symlink",
        "real.txt": None,
    }


def test_reasons_for_names(kb: Path) -> None:
    """Hidden, temporary, side and foreign files are listed with a reason; a hidden folder is one entry."""
    (kb / ".git").mkdir()
    (kb / ".git" / "x.md").write_text("x", encoding="utf-8")
    for name in (".h.txt", "~$a.docx", "a.md", "a.md.meta.yaml", "b.docx", "noext"):
        (kb / name).write_text("x", encoding="utf-8")
    assert skips(kb) == {
        ".git": "hidden",
        ".h.txt": "hidden",
        "~$a.docx": "temp",
        "a.md": None,
        "a.md.meta.yaml": "sidecar",
        "b.docx": "unsupported_type",
        "noext": "unsupported_type",
    }


def test_ignore_file(kb: Path) -> None:
    """`.curioignore` works as `.gitignore` does, and an ignored folder is one entry."""
    (kb / ".curioignore").write_text("drafts/\n*.tmp.md\n!keep.tmp.md\n", encoding="utf-8")
    (kb / "drafts").mkdir()
    for name in ("drafts/a.md", "x.tmp.md", "keep.tmp.md"):
        (kb / name).write_text("x", encoding="utf-8")
    found = skips(kb)
    assert found["drafts"] == found["x.tmp.md"] == "ignored"
    assert found["keep.tmp.md"] is None and "drafts/a.md" not in found


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_never_blocks(kb: Path) -> None:
    """A pipe is listed as no regular file, and one that takes a file's place does not hang the loading."""
    (kb / "a.txt").write_text("x", encoding="utf-8")
    file = listed(kb)
    (kb / "a.txt").unlink()
    os.mkfifo(kb / "a.txt")
    assert skips(kb) == {"a.txt": "not_regular"}
    reasons: list[str] = []

    def load() -> None:
        try:
            FolderSource().load(file)
        except UnreadableDocument as error:
            reasons.append(error.reason)

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    thread.join(5)
    assert reasons == ["unreadable"]


@pytest.mark.parametrize("level", ["file", "folder"])
def test_a_link_put_in_place_after_listing_is_not_followed(kb: Path, tmp_path: Path, level: str) -> None:
    """Between listing and loading a file or its folder may be swapped for a link; it is not followed."""
    (kb / "sub").mkdir()
    (kb / "sub" / "a.txt").write_text("x", encoding="utf-8")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.txt").write_text("secret", encoding="utf-8")
    file = listed(kb)
    (kb / "sub" / "a.txt").unlink()
    if level == "file":
        (kb / "sub" / "a.txt").symlink_to(tmp_path / "outside" / "a.txt")
    else:
        (kb / "sub").rmdir()
        (kb / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(UnreadableDocument) as caught:
        FolderSource().load(file)
    assert caught.value.reason == "unreadable"


def test_odd_names_are_printable_and_distinct(kb: Path) -> None:
    """Odd bytes, control characters and percent signs are escaped, so that different names have different ids."""
    names = [b"bad\xff.txt", b"bad%FF.txt", b"line\nbreak.txt", "rtl\u202e.txt".encode(), b"a%2fb.txt"]
    for name in names:
        Path(os.fsdecode(os.fsencode(kb) + b"/" + name)).write_text("x", encoding="utf-8")
    found = FolderSource().list([kb])
    assert len({file.document_id for file in found}) == len(names)
    for file in found:
        assert file.document_id.isprintable()
        json.dumps(file.document_id).encode("utf-8")
        FolderSource().load(file)
    assert {"bad%FF.txt", "bad%25FF.txt", "line%0Abreak.txt"} <= {file.document_id for file in found}


def test_missing_path_is_an_error(tmp_path: Path) -> None:
    """A path that does not exist raises `KnowledgeError`, naming it."""
    with pytest.raises(KnowledgeError, match="nothing-here"):
        FolderSource().list([tmp_path / "nothing-here"])


def test_too_large(kb: Path) -> None:
    """A file over the limit is not read into memory."""
    (kb / "a.txt").write_bytes(b"x" * 11)
    with pytest.raises(UnreadableDocument) as caught:
        FolderSource(max_bytes=10).load(listed(kb))
    assert caught.value.reason == "too_large"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(kb: Path) -> None:
    """A file without read permission is `unreadable`."""
    (kb / "a.txt").write_text("x", encoding="utf-8")
    (kb / "a.txt").chmod(0)
    with pytest.raises(UnreadableDocument) as caught:
        FolderSource().load(listed(kb))
    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize("sidecar", ["a.txt.meta.yaml", "a.meta.yaml"])
def test_digest_covers_the_sidecar(kb: Path, sidecar: str) -> None:
    """A changed sidecar makes the file a changed one."""
    (kb / "a.txt").write_text("x", encoding="utf-8")
    file = listed(kb)
    digests = {FolderSource().load(file).digest}
    assert digests == {digest_bytes(b"x")}
    for title in ("one", "two"):
        (kb / sidecar).write_text(f"title: {title}", encoding="utf-8")
        digests.add(FolderSource().load(file).digest)
    assert len(digests) == 3
