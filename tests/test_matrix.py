"""The memory-mapped vectors and the exact scan."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

from curio_rag.adapters.matrix import MATRIX_FILES, Matrix, MatrixWriter
from curio_rag.errors import IndexDamaged, IndexOutOfDate
from curio_rag.ports import IndexEntry, Vector, VectorField

DIMENSIONS = 24


def unit(seed: int) -> Vector:
    vector = np.random.default_rng(seed).standard_normal(DIMENSIONS).astype("<f4")
    return bytes((vector / np.linalg.norm(vector)).astype("<f4").tobytes())


def entry(number: int, *, text: Vector | None = None) -> IndexEntry:
    return IndexEntry(
        passage_id=f"p_{number:05d}",
        document_id="d",
        text="",
        title="",
        synonyms=(),
        heading="",
        text_vector=unit(number) if text is None else text,
        title_vector=unit(1_000_000 + number // 7),
        heading_vector=unit(2_000_000 + number % 5),
    )


def write(folder: Path, entries: list[IndexEntry], *, previous: Matrix | None = None) -> Matrix:
    folder.mkdir()
    writer = MatrixWriter(folder, sorted(entry.passage_id for entry in entries), previous=previous)
    missing = set(writer.missing)
    writer.add([entry for entry in entries if entry.passage_id in missing])
    return writer.finish()


@pytest.mark.parametrize("field", list(VectorField))
@pytest.mark.parametrize("limit", [0, 1, 10, 500, 9999])
def test_nearest_is_the_whole_sorted_list(tmp_path: Path, field: VectorField, limit: int) -> None:
    """The scan gives what sorting every cosine gives, best first, for each field and limit."""
    entries = [entry(number) for number in range(500)]
    matrix = write(tmp_path / "m", entries)
    query = np.frombuffer(unit(-1 % 2**32), dtype="<f4").astype(np.float64)
    cosines = {
        one.passage_id: float(np.frombuffer(getattr(one, f"{field}_vector"), dtype="<f4").astype(np.float64) @ query)
        for one in entries
    }
    expected = sorted(cosines, key=lambda name: (-round(cosines[name], 12), name))[:limit]
    found = matrix.nearest(field, unit(-1 % 2**32), limit=limit)
    assert [scored.passage_id for scored in found] == expected
    assert [scored.score for scored in found] == pytest.approx([cosines[name] for name in expected], abs=1e-12)
    ids = [scored.passage_id for scored in found]
    assert matrix.similarities(field, unit(-1 % 2**32), ids) == tuple(scored.score for scored in found)


def test_equal_vectors_tie_by_passage_id(tmp_path: Path) -> None:
    """Passages with the very same vector score the very same and come in the order of their ids, wherever they lie."""
    same = unit(77_777)
    matrix = write(tmp_path / "m", [entry(number, text=same if number % 3 == 0 else None) for number in range(301)])
    found = matrix.nearest(VectorField.TEXT, unit(8), limit=301)
    tied = [scored for scored in found if int(scored.passage_id[2:]) % 3 == 0]
    assert len({scored.score for scored in tied}) == 1
    assert [scored.passage_id for scored in tied] == sorted(scored.passage_id for scored in tied)
    best = matrix.nearest(VectorField.TEXT, same, limit=5)
    assert [scored.passage_id for scored in best] == [f"p_{number:05d}" for number in (0, 3, 6, 9, 12)]


def test_shared_vectors_are_kept_once(tmp_path: Path) -> None:
    """Passages of one title share its row."""
    matrix = write(tmp_path / "m", [entry(number) for number in range(70)])
    assert {field: len(vectors.matrix) for field, vectors in matrix.fields.items()} == {
        VectorField.TEXT: 70,
        VectorField.TITLE: 10,
        VectorField.HEADING: 5,
    }


def test_files_follow_from_the_passages_alone(tmp_path: Path) -> None:
    """Whether built in one go, in another order, or from an older matrix: the same passages give the same bytes."""
    older = write(tmp_path / "older", [entry(number) for number in range(0, 400, 2)])
    write(tmp_path / "changed", [entry(number) for number in range(150, 350)], previous=older)
    write(tmp_path / "afresh", [entry(number) for number in reversed(range(150, 350))])
    for name in MATRIX_FILES:
        assert (tmp_path / "changed" / name).read_bytes() == (tmp_path / "afresh" / name).read_bytes(), name
    assert sorted(path.name for path in (tmp_path / "changed").iterdir()) == sorted(MATRIX_FILES)


def test_no_passages_are_a_matrix_too(tmp_path: Path) -> None:
    """An empty matrix finds nothing, and one can be built upon it."""
    empty = write(tmp_path / "empty", [])
    assert empty.nearest(VectorField.TITLE, unit(1), limit=5) == ()
    assert write(tmp_path / "next", [entry(1)], previous=empty).similarities(VectorField.TEXT, unit(1), ["p_00001"])
    assert len(write(tmp_path / "last", [], previous=empty).ids) == 0


def test_ids_are_found_by_halving(tmp_path: Path) -> None:
    """Each id leads to its row and back; what is not there leads nowhere, and an unknown one is refused by name."""
    matrix = write(tmp_path / "m", [entry(number) for number in range(1, 20)])
    assert [matrix.ids[row] for row in range(len(matrix.ids))] == matrix.ids.all()
    assert [matrix.ids.row_of(name) for name in ("p_00001", "p_00019", "p_00000", "p_00020", "p_000055")] == [
        0,
        18,
        None,
        None,
        None,
    ]
    with pytest.raises(IndexDamaged, match="p_00000"):
        matrix.similarities(VectorField.TEXT, unit(1), ["p_00001", "p_00000"])


def test_query_of_another_model_is_refused(tmp_path: Path) -> None:
    """A vector of another number of dimensions is refused with the way out."""
    matrix = write(tmp_path / "m", [entry(1)])
    with pytest.raises(IndexOutOfDate, match="12 dimensions"):
        matrix.nearest(VectorField.TEXT, unit(1)[:48], limit=1)


@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"abc", id="bytes"),
        pytest.param(unit(1)[:-4], id="short"),
        pytest.param(np.full(DIMENSIONS, np.nan, "<f4").tobytes(), id="nan"),
        pytest.param(np.ones(DIMENSIONS, "<f4").tobytes(), id="long"),
    ],
)
def test_malformed_vectors_are_refused(tmp_path: Path, vector: Vector) -> None:
    """A vector that is short, not a number or not of unit length is refused with its passage's name."""
    (tmp_path / "m").mkdir()
    writer = MatrixWriter(tmp_path / "m", ["p_00001", "p_00002"], previous=None)
    with contextlib.closing(writer):
        writer.add([entry(1)])
        with pytest.raises(IndexDamaged, match="p_00002"):
            writer.add([entry(2, text=vector)])
        with pytest.raises(IndexDamaged, match="p_00002"):
            writer.finish()
