"""The named vectors of a generation as memory-mapped files, and the exact scan over them.

    passages.utf8      the passage ids, sorted, one a line; a passage's row is its place here
    passages.offsets   int64, where each line starts and the last one ends
    text.f32           float32, one row for each passage
    title.f32          float32, one row for each different title vector
    title.rows         int32, the row of `title.f32` for each passage
    heading.f32, heading.rows

All little-endian and without headers. The bytes follow from the passages alone, not from the
order in which they came, so equal content gives equal digests. Nothing is read on opening.
"""

from __future__ import annotations

import bisect
import hashlib
import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias, TypeVar, overload

import numpy as np
import numpy.typing as npt

from curio_rag.errors import IndexDamaged, IndexOutOfDate
from curio_rag.ports import IndexEntry, Scored, Vector, VectorField

Floats: TypeAlias = npt.NDArray[np.float32]
Doubles: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.intp]
RowMap: TypeAlias = npt.NDArray[np.int32]

IDS_FILE = "passages.utf8"
OFFSETS_FILE = "passages.offsets"
SHARED_FIELDS = (VectorField.TITLE, VectorField.HEADING)
"""Many passages share a title or a heading path, so each different vector of these is kept once."""
MATRIX_FILES = (
    IDS_FILE,
    OFFSETS_FILE,
    *(f"{field}.f32" for field in VectorField),
    *(f"{field}.rows" for field in SHARED_FIELDS),
)

_T = TypeVar("_T", bound=np.generic)
_CHUNK = 4096
_NORM_TOLERANCE = 1e-3


class PassageIds(Sequence[str]):
    """The sorted passage ids of a generation, decoded one by one from the mapped file."""

    def __init__(self, folder: Path) -> None:
        self._offsets: npt.NDArray[np.int64] = _map(folder / OFFSETS_FILE, np.dtype("<i8"))
        self._lines: npt.NDArray[np.uint8] = _map(folder / IDS_FILE, np.dtype("u1"))
        self._rows: dict[str, int] = {}

    def __len__(self) -> int:
        return max(0, len(self._offsets) - 1)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[str]: ...
    def __getitem__(self, row: int | slice) -> str | Sequence[str]:
        if isinstance(row, slice):
            return [self[place] for place in range(*row.indices(len(self)))]
        if not 0 <= row < len(self):
            raise IndexError(row)
        passage_id = self._lines[self._offsets[row] : self._offsets[row + 1] - 1].tobytes().decode("utf-8")
        self._rows[passage_id] = row
        return passage_id

    def row_of(self, passage_id: str) -> int | None:
        """The row of a passage id, or None when it is not here; one that was met before is remembered."""
        known = self._rows.get(passage_id)
        if known is not None:
            return known
        row = bisect.bisect_left(self, passage_id)
        return row if row < len(self) and self[row] == passage_id else None

    def all(self) -> list[str]:
        """Every id at once, which is quicker than one by one."""
        return self._lines.tobytes().decode("utf-8").split("\n")[:-1]


class FieldVectors:
    """One named vector of every passage; `row_map` leads from a passage's row to the one in `matrix`."""

    def __init__(self, matrix: Floats, row_map: RowMap | None) -> None:
        self.matrix = matrix
        self.row_map = row_map

    @property
    def size(self) -> int:
        """The number of passages."""
        return len(self.matrix) if self.row_map is None else len(self.row_map)

    def nearest(self, query: Floats, *, limit: int) -> tuple[Rows, Doubles]:
        """The rows of the most similar passages and their cosines, best first, ties by row."""
        if limit <= 0 or self.size == 0:
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.float64)
        if limit >= self.size:
            return self.ranked(query, np.arange(self.size), limit=limit)
        rough: Floats = self.matrix @ query
        if self.row_map is not None:
            rough = rough[self.row_map]
        # The last bits of a float32 product depend on where a row lies, so equal vectors would not
        # tie. What comes within its error bound (twice n * 2^-24 for unit vectors, Higham 2002,
        # section 3.1) is weighed again exactly.
        worst = np.partition(rough, self.size - limit)[self.size - limit] - len(query) * 2.0**-23
        return self.ranked(query, np.flatnonzero(rough >= worst), limit=limit)

    def ranked(self, query: Floats, rows: Rows, *, limit: int) -> tuple[Rows, Doubles]:
        """These passages by cosine, best first, ties by row."""
        cosines = self.similarities(query, rows)
        order = np.lexsort((rows, -cosines))[:limit]
        return rows[order], cosines[order]

    def similarities(self, query: Floats, rows: Rows) -> Doubles:
        """The cosine for each passage's row in double precision, the same wherever a vector lies."""
        if self.row_map is None:
            return _dot(self.matrix, rows, query)
        unique, back = np.unique(self.row_map[rows], return_inverse=True)
        return _dot(self.matrix, unique.astype(np.intp), query)[back]

    def passages_of(self, matrix_rows: Rows) -> Rows:
        """The passages whose vector lies in one of these rows of the matrix, in order."""
        if self.row_map is None:
            return np.sort(matrix_rows)
        wanted = np.zeros(len(self.matrix), dtype=np.bool_)
        wanted[matrix_rows] = True
        return np.flatnonzero(wanted[self.row_map])


class Matrix:
    """The vectors of one generation, mapped for reading and safe to share between threads and after a fork."""

    def __init__(self, folder: Path, *, dimensions: int) -> None:
        self.dimensions = dimensions
        self.ids = PassageIds(folder)
        self.fields = {field: _map_field(folder, field, dimensions) for field in VectorField}

    def nearest(self, field: VectorField, vector: Vector, *, limit: int) -> tuple[Scored, ...]:
        """The most similar passages by an exact scan, best first, ties by passage id."""
        return self._scored(*self.fields[field].nearest(self._query(vector), limit=limit))

    def ranked(
        self, field: VectorField, vector: Vector, matrix_rows: Sequence[int], *, limit: int
    ) -> tuple[Scored, ...]:
        """The passages whose vector lies in one of these rows, by exact cosine, best first, ties by passage id."""
        vectors = self.fields[field]
        passages = vectors.passages_of(np.asarray(matrix_rows, dtype=np.intp))
        return self._scored(*vectors.ranked(self._query(vector), passages, limit=limit))

    def similarities(self, field: VectorField, vector: Vector, passage_ids: Sequence[str]) -> tuple[float, ...]:
        """The cosine for each passage id. Raises `IndexDamaged` for an unknown id."""
        rows = [self.ids.row_of(passage_id) for passage_id in passage_ids]
        if None in rows:
            missing = passage_ids[rows.index(None)]
            raise IndexDamaged(f"the index holds no passage {missing}.", hint="Run `curio check --repair`.")
        cosines = self.fields[field].similarities(self._query(vector), np.asarray(rows, dtype=np.intp))
        return tuple(cosines.tolist())

    def _query(self, vector: Vector) -> Floats:
        query: Floats = np.frombuffer(vector, dtype="<f4")
        if self.ids and len(query) != self.dimensions:
            raise IndexOutOfDate(
                f"the question's vector has {len(query)} dimensions, the index {self.dimensions}.",
                hint="The index was built with another model; run `curio ingest` to build it anew.",
            )
        return query

    def _scored(self, rows: Rows, cosines: Doubles) -> tuple[Scored, ...]:
        return tuple(
            Scored(passage_id=self.ids[row], score=score)
            for row, score in zip(rows.tolist(), cosines.tolist(), strict=True)
        )


class MatrixWriter:
    """Writes the matrix of a generation into an empty folder, taking from the previous one what it holds already.

    `passage_ids` are sorted and different. Every id that `previous` lacks must come through `add`
    before `finish`. Memory does not grow with the vectors: they go to the files as they come.
    """

    def __init__(self, folder: Path, passage_ids: Sequence[str], *, previous: Matrix | None) -> None:
        self._folder = folder
        self._rows = {passage_id: row for row, passage_id in enumerate(passage_ids)}
        self._filled = np.zeros(len(passage_ids), dtype=np.bool_)
        self._shared = {field: _SharedVectors(folder, field, len(passage_ids), previous) for field in SHARED_FIELDS}
        self._text: Floats | None = None
        self.dimensions = previous.dimensions if previous is not None and len(previous.ids) else 0
        _write_ids(folder, passage_ids)
        if previous is not None:
            self._keep(previous)

    @property
    def missing(self) -> list[str]:
        """The ids whose vectors have not come yet, in order."""
        return [passage_id for passage_id, row in self._rows.items() if not self._filled[row]]

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Take the vectors of new passages. Raises `IndexDamaged` for an unwanted passage or a malformed vector."""
        for entry in entries:
            row = self._rows.get(entry.passage_id)
            if row is None or self._filled[row]:
                raise IndexDamaged(f"passage {entry.passage_id} was not asked for.", hint="Run `curio check --repair`.")
            vectors = {
                VectorField.TEXT: entry.text_vector,
                VectorField.TITLE: entry.title_vector,
                VectorField.HEADING: entry.heading_vector,
            }
            for field, vector in vectors.items():
                self._check(vector, f"the {field} vector of passage {entry.passage_id}")
            self._text_rows()[row] = np.frombuffer(entry.text_vector, dtype="<f4")
            for field, shared in self._shared.items():
                shared.add(row, vectors[field])
            self._filled[row] = True

    def finish(self) -> Matrix:
        """Complete the files and open them. Raises `IndexDamaged` when a passage never came."""
        missing = self.missing
        if missing:
            raise IndexDamaged(
                f"{len(missing)} passages have no vectors, the first is {missing[0]}.",
                hint="Run `curio check --repair`.",
            )
        rows = self._text_rows()
        if isinstance(rows, np.memmap):
            rows.flush()
        self._text = None
        for shared in self._shared.values():
            shared.finish(self.dimensions)
        return Matrix(self._folder, dimensions=self.dimensions)

    def close(self) -> None:
        """Let go of the files, finished or not."""
        for shared in self._shared.values():
            shared.close()

    def _keep(self, previous: Matrix) -> None:
        """Copy the rows of the passages that stay."""
        old_rows, new_rows = [], []
        for old_row, passage_id in enumerate(previous.ids.all()):
            new_row = self._rows.get(passage_id)
            if new_row is not None:
                old_rows.append(old_row)
                new_rows.append(new_row)
        if not old_rows:
            self.dimensions = 0
            return
        text, old_text = self._text_rows(), previous.fields[VectorField.TEXT].matrix
        for start in range(0, len(old_rows), _CHUNK):
            part = slice(start, start + _CHUNK)
            text[new_rows[part]] = old_text[old_rows[part]]
        for shared in self._shared.values():
            shared.keep(np.asarray(old_rows), np.asarray(new_rows))
        self._filled[new_rows] = True

    def _text_rows(self) -> Floats:
        if self._text is None:
            self._text = _create(self._folder / "text.f32", len(self._rows), self.dimensions)
        return self._text

    def _check(self, vector: Vector, name: str) -> None:
        values = np.frombuffer(vector, dtype="<f4") if len(vector) % 4 == 0 else np.empty(0, dtype="<f4")
        if not self.dimensions:
            self.dimensions = len(values)
        if len(values) != self.dimensions or not len(values):
            raise IndexDamaged(f"{name} has {len(vector)} bytes instead of {4 * self.dimensions}.")
        # A comparison with NaN is false, so this refuses those too; a zero vector stands for an empty text.
        norm = float(np.sqrt(np.dot(values, values)))
        if not (norm == 0 or abs(norm - 1) < _NORM_TOLERANCE):
            raise IndexDamaged(f"{name} has length {norm:.4f} instead of 1.", hint="The embedder must normalise.")


class _SharedVectors:
    """The different vectors of one field while a matrix is written: numbered as they come, renumbered at the end."""

    def __init__(self, folder: Path, field: VectorField, size: int, previous: Matrix | None) -> None:
        self._folder, self._field = folder, field
        self._old = previous.fields[field] if previous is not None else None
        self._old_count = 0 if self._old is None else len(self._old.matrix)
        self._numbers = {key: number for number, key in enumerate(vector_keys(self._old.matrix))} if self._old else {}
        self._map = np.zeros(size, dtype=np.int32)
        self._spool_path = folder / f"{field}.spool"
        self._spool: BinaryIO = self._spool_path.open("wb")

    def keep(self, old_rows: npt.NDArray[np.int64], new_rows: npt.NDArray[np.int64]) -> None:
        if self._old is not None and self._old.row_map is not None:
            self._map[new_rows] = self._old.row_map[old_rows]

    def add(self, row: int, vector: Vector) -> None:
        key = vector_key(vector)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._numbers)
            self._spool.write(vector)
        self._map[row] = number

    def close(self) -> None:
        self._spool.close()

    def finish(self, dimensions: int) -> None:
        """Number the vectors by their first passage, so that the files do not depend on the order of coming."""
        self._spool.close()
        numbers, first, back = np.unique(self._map, return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty(len(order), dtype=np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        spooled = _map(self._spool_path, np.dtype("<f4")).reshape(-1, dimensions or 1)
        with (self._folder / f"{self._field}.f32").open("wb") as file:
            for number in numbers[order].tolist():
                old = self._old is not None and number < self._old_count
                file.write(
                    (self._old.matrix[number] if self._old and old else spooled[number - self._old_count]).tobytes()
                )
        (self._folder / f"{self._field}.rows").write_bytes(place[back].astype("<i4").tobytes())
        self._spool_path.unlink()


def vector_key(vector: Vector) -> str:
    """A short name for a vector's exact bytes."""
    return hashlib.blake2b(vector, digest_size=16).hexdigest()


def vector_keys(matrix: Floats) -> Iterator[str]:
    """The name of each row."""
    return (vector_key(row.tobytes()) for row in matrix)


def _dot(matrix: Floats, rows: Rows, query: Floats) -> Doubles:
    """Row by row in double precision: a product of two float32 is exact there, and each sum runs in one order."""
    cosines = np.empty(len(rows), dtype=np.float64)
    wide = query.astype(np.float64)
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        cosines[part] = (matrix[rows[part]] * wide).sum(axis=1)
    return cosines


def _map_field(folder: Path, field: VectorField, dimensions: int) -> FieldVectors:
    matrix = _map(folder / f"{field}.f32", np.dtype("<f4")).reshape(-1, dimensions or 1)
    row_map: RowMap | None = _map(folder / f"{field}.rows", np.dtype("<i4")) if field in SHARED_FIELDS else None
    return FieldVectors(matrix, row_map)


def _map(path: Path, dtype: np.dtype[_T]) -> npt.NDArray[_T]:
    """A file's values without reading them; an empty file cannot be mapped."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return np.empty(0, dtype=dtype)
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), dtype=dtype)


def _create(path: Path, rows: int, dimensions: int) -> Floats:
    if rows * dimensions == 0:
        path.write_bytes(b"")
        return np.empty((rows, dimensions), dtype="<f4")
    return np.memmap(path, dtype="<f4", mode="w+", shape=(rows, dimensions))


def _write_ids(folder: Path, passage_ids: Sequence[str]) -> None:
    lines = [passage_id.encode("utf-8") + b"\n" for passage_id in passage_ids]
    offsets = np.zeros(len(lines) + 1, dtype="<i8")
    np.cumsum([len(line) for line in lines], out=offsets[1:])
    (folder / IDS_FILE).write_bytes(b"".join(lines))
    (folder / OFFSETS_FILE).write_bytes(offsets.tobytes())
