"""Chroma as a cache of the matrix."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from curio_rag.adapters.chroma_index import CHROMA_FOLDER, ChromaIndex, keys_of
from curio_rag.adapters.chroma_process import build_in_child, verify_in_child
from curio_rag.adapters.matrix import Matrix, MatrixWriter
from curio_rag.errors import IndexDamaged, IndexProblem
from curio_rag.ports import IndexEntry, Vector, VectorField

DIMENSIONS = 16
CONFIGURATION = "sha256:a"


def unit(seed: int) -> Vector:
    vector = np.random.default_rng(seed).standard_normal(DIMENSIONS).astype("<f4")
    return bytes((vector / np.linalg.norm(vector)).astype("<f4").tobytes())


def generation(
    folder: Path,
    numbers: range,
    *,
    previous: Path | None = None,
    empty_heading: bool = False,
    text_of: Callable[[int], int] = lambda number: number,
) -> Path:
    """A folder with a matrix and the Chroma folder that a child process made of it."""
    folder.mkdir()
    writer = MatrixWriter(folder, [f"p_{number:04d}" for number in numbers], previous=None)
    writer.add(
        [
            IndexEntry(
                passage_id=f"p_{number:04d}",
                document_id="d",
                text="",
                title="",
                synonyms=(),
                heading="",
                text_vector=unit(text_of(number)),
                title_vector=unit(10_000 + number // 5),
                heading_vector=bytes(4 * DIMENSIONS) if empty_heading else unit(20_000 + number % 3),
            )
            for number in numbers
        ]
    )
    writer.finish()
    build_in_child(
        folder, dimensions=DIMENSIONS, configuration=CONFIGURATION, previous=previous, report=lambda done, total: None
    )
    return folder


def problems(folder: Path, configuration: str = CONFIGURATION) -> list[str]:
    return verify_in_child(folder, dimensions=DIMENSIONS, configuration=configuration)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generation(tmp_path_factory.mktemp("chroma") / "1", range(200))


@pytest.fixture
def index(sound: Path) -> Iterator[ChromaIndex]:
    opened = ChromaIndex(sound / CHROMA_FOLDER, configuration=CONFIGURATION)
    yield opened
    opened.close()


def test_what_a_child_built_another_finds_sound(sound: Path) -> None:
    """A folder built from a matrix verifies against it; of another configuration it does not."""
    assert problems(sound) == []
    assert any("another configuration" in problem for problem in problems(sound, "sha256:b"))


def test_candidates_hold_the_nearest(sound: Path, index: ChromaIndex) -> None:
    """On a small set the candidates are those of the exact scan."""
    matrix = Matrix(sound, dimensions=DIMENSIONS)
    exact = [scored.passage_id for scored in matrix.nearest(VectorField.TEXT, unit(5), limit=10)]
    rows = keys_of(matrix, VectorField.TEXT)
    found = [rows[key] for key in index.candidates(VectorField.TEXT, unit(5), limit=10)]
    assert [matrix.ids[row] for (row,) in found] == exact
    assert len(index.candidates(VectorField.HEADING, unit(5), limit=3)) == 3


def test_copy_with_differences_verifies(sound: Path, tmp_path: Path) -> None:
    """A copy with passages taken out and put in verifies, though the original is open elsewhere, and so does that."""
    reader = ChromaIndex(sound / CHROMA_FOLDER, configuration=CONFIGURATION)
    try:
        assert problems(generation(tmp_path / "2", range(50, 260), previous=sound)) == []
    finally:
        reader.close()
    assert problems(sound) == []


def test_many_equal_texts_are_one_entry(tmp_path: Path) -> None:
    """A notice that stands in half of all documents does not crowd itself out: it is kept once, and found."""
    folder = generation(tmp_path / "equal", range(400), text_of=lambda number: min(number, 200))
    assert problems(folder) == []
    rows = keys_of(Matrix(folder, dimensions=DIMENSIONS), VectorField.TEXT)
    assert sorted(map(len, rows.values()), reverse=True)[:2] == [200, 1]


def test_zero_vectors_and_no_vectors_are_sound(tmp_path: Path) -> None:
    """Headings that are all empty, and no passages at all, are valid contents."""
    assert problems(generation(tmp_path / "zero", range(5), empty_heading=True)) == []
    assert problems(generation(tmp_path / "none", range(0))) == []


@pytest.mark.parametrize("damage", ["database", "graph", "lost_rows", "missing"])
def test_damage_is_found_in_the_child(tmp_path: Path, sound: Path, damage: str) -> None:
    """Garbage in a file, vectors that are gone, or a folder that is gone are problems, not a crash of this process."""
    folder = generation(tmp_path / "g", range(40, 140))
    chroma = folder / CHROMA_FOLDER
    if damage == "database":
        (chroma / "chroma.sqlite3").write_bytes(os.urandom(20_000))
    elif damage == "graph":
        for name in ("data_level0.bin", "link_lists.bin", "header.bin", "length.bin"):
            for path in chroma.rglob(name):
                path.write_bytes(os.urandom(max(100, path.stat().st_size)))
    elif damage == "lost_rows":
        with sqlite3.connect(chroma / "chroma.sqlite3") as database:
            database.execute("DELETE FROM embeddings WHERE embedding_id LIKE '%9'")
        database.close()
    else:
        (chroma / "chroma.sqlite3").unlink()
    assert problems(folder) != []


def test_crash_of_the_child_is_damage(sound: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A child that a signal ends, as a segmentation fault would, is reported with the signal's name."""
    crash = tmp_path / "sitecustomize.py"
    crash.write_text(f"import os\nos.kill(os.getpid(), {int(signal.SIGSEGV)})\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert problems(sound) == ["Chroma was ended by SIGSEGV"]


def test_reader_refuses_what_it_cannot_open(tmp_path: Path) -> None:
    """Garbage that is opened without a verification raises the one error that callers know."""
    (tmp_path / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    with pytest.raises(IndexDamaged, match="cannot be used"):
        ChromaIndex(tmp_path, configuration=CONFIGURATION)


def test_stray_settings_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `.env` for other programs in the current folder changes nothing."""
    (tmp_path / ".env").write_text("OPENAI_API_KEY=x\nCHROMA_API_IMPL=chromadb.api.fastapi.FastAPI\n")
    monkeypatch.chdir(tmp_path)
    assert problems(generation(tmp_path / "g", range(3))) == []


def test_fork_is_refused_instead_of_hanging(index: ChromaIndex, sound: Path) -> None:
    """The child of a process that has used Chroma gets an error at once, for Chroma's threads are not there."""
    child = os.fork()
    if child == 0:
        try:
            ChromaIndex(sound / CHROMA_FOLDER, configuration=CONFIGURATION)
        except IndexProblem:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_module_imports_no_chromadb() -> None:
    """Importing the adapter does not load chromadb."""
    code = "import sys, curio_rag.adapters.generations; sys.exit('chromadb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
