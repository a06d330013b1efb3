"""The named vectors of a generation in Chroma, a cache of the matrix for collections too large to scan.

Embedded Chroma can take its process down when its files are damaged, and its threads do not
survive a fork, so it is built and verified in a child process (`python -m` this module, started by
`chroma_process`), and a reader opens it only after such a verification. It answers with
candidates; their scores come from the matrix. `chromadb` (about one second of CPU to import) is
imported by the functions that need it.

One collection for each named vector, cosine space, with one entry for each different vector under
its key: where many passages have the same words, equal entries would crowd each other out of the
graph. The metadata of each names the configuration it was built with.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from curio_rag.adapters.matrix import Floats, Matrix, vector_keys
from curio_rag.errors import IndexDamaged, IndexProblem
from curio_rag.ports import Vector, VectorField

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from chromadb.api.models.Collection import Collection

CHROMA_FOLDER = "chroma"

_DATABASE = "chroma.sqlite3"
_BATCH = 5_000
_CANARIES = 64
_SAME = 1e-4
_HNSW: CreateHNSWConfiguration = {
    "space": "cosine",
    # Chroma's default of 100 found 47% of the 50 nearest among 10,000 random vectors, 400 found 86%;
    # the query is still a few milliseconds.
    "ef_search": 400,
    # Chroma writes the graph to its file after this many changes and replays what is left when it
    # is opened, at 0.7 ms for each vector; a generation is opened far more often than written.
    "sync_threshold": 100,
    "batch_size": 100,
}

_T = TypeVar("_T")
_first_process: list[int] = []


class ChromaIndex:
    """The collections of one generation, opened in this process. Verify the folder in a child process first.

    Raises `IndexDamaged` when it cannot be opened (Chroma writes on opening, so a read-only mount
    is among the reasons) and in the child of a process that has used Chroma, where it would hang.
    """

    def __init__(self, folder: Path, *, configuration: str) -> None:
        with _translated(folder):
            self._client = open_client(folder)
            self._collections = {field: _collection(self._client, field) for field in VectorField}
        self._folder = folder
        for field, collection in self._collections.items():
            if (collection.metadata or {}).get("configuration") != configuration:
                raise IndexDamaged(f"{folder}: the {field} vectors are of another configuration.")

    def candidates(self, field: VectorField, vector: Vector, *, limit: int) -> tuple[str, ...]:
        """The keys of about the nearest vectors."""
        collection = self._collections[field]
        with _translated(self._folder):
            found = collection.query(query_embeddings=_floats(vector)[np.newaxis], n_results=limit, include=[])
        return tuple(found["ids"][0])

    def close(self) -> None:
        """Release the files; a second call does nothing."""
        close_client(self._client)


def build_chroma(
    folder: Path,
    matrix: Matrix,
    *,
    configuration: str,
    previous: tuple[Path, Matrix] | None,
    report: Callable[[int, int], None],
) -> None:
    """Make a Chroma folder that holds what the matrix holds, from a copy of the previous one where there is one."""
    if previous is not None:
        copy_chroma(previous[0], folder)
    client = open_client(folder)
    try:
        batch = min(_BATCH, client.get_max_batch_size())
        wanted = {field: keys_of(matrix, field) for field in VectorField}
        held = {field: keys_of(previous[1], field) if previous else {} for field in VectorField}
        added = {field: [key for key in wanted[field] if key not in held[field]] for field in VectorField}
        total, done = sum(map(len, added.values())), 0
        for field in VectorField:
            collection = (
                _collection(client, field)
                if previous is not None
                else client.create_collection(
                    field.value,
                    embedding_function=None,
                    configuration={"hnsw": _HNSW},
                    metadata={"configuration": configuration},
                )
            )
            for keys in _runs([key for key in held[field] if key not in wanted[field]], batch):
                collection.delete(ids=keys)
            for keys in _runs(added[field], batch):
                rows = [wanted[field][key][0] for key in keys]
                collection.add(ids=keys, embeddings=matrix.fields[field].matrix[rows])
                done += len(keys)
                report(done, total)
    finally:
        close_client(client)


def copy_chroma(source: Path, target: Path) -> None:
    """Copy a Chroma folder that readers may have open; a plain copy of its database could be torn."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(f"{_DATABASE}*"))
    with (
        contextlib.closing(sqlite3.connect(f"file:{(source / _DATABASE).absolute()}?mode=ro", uri=True)) as old,
        contextlib.closing(sqlite3.connect(target / _DATABASE)) as new,
    ):
        old.backup(new)


def find_problems(folder: Path, matrix: Matrix, *, configuration: str) -> Iterator[str]:
    """What a Chroma folder holds otherwise than the matrix does: counts, keys, vectors, nearest neighbours."""
    client = open_client(folder)
    try:
        for field in VectorField:
            yield from (f"{field} vectors: {problem}" for problem in _compare(client, field, matrix, configuration))
    finally:
        close_client(client)


def keys_of(matrix: Matrix, field: VectorField) -> dict[str, list[int]]:
    """The key of each different vector of a field, as Chroma knows it, with the rows that hold it."""
    rows: dict[str, list[int]] = {}
    for row, key in enumerate(vector_keys(matrix.fields[field].matrix)):
        rows.setdefault(key, []).append(row)
    return rows


def close_client(client: Client) -> None:
    """Close a client in the process that opened it; in a fork of that process it cannot be."""
    if _first_process == [os.getpid()]:
        client.close()


def _compare(client: Client, field: VectorField, matrix: Matrix, configuration: str) -> Iterator[str]:
    collection = _collection(client, field)
    if (collection.metadata or {}).get("configuration") != configuration:
        yield "they are of another configuration"
    keys, vectors = keys_of(matrix, field), matrix.fields[field].matrix
    if collection.count() != len(keys):
        yield f"{collection.count()} instead of {len(keys)}"
        return
    if _digest(collection.get(include=[])["ids"]) != _digest(keys):
        yield "they are not those of the matrix"
        return
    # A zero vector, which stands for an empty text, is nobody's neighbour.
    names = [key for key in list(keys)[:: max(1, len(keys) // _CANARIES)] if vectors[keys[key][0]].any()]
    if not names:
        return
    canaries = vectors[[keys[name][0] for name in names]]
    stored = collection.get(ids=names, include=["embeddings"])
    by_key = dict(zip(stored["ids"], np.asarray(stored["embeddings"]), strict=True))
    for name, canary in zip(names, canaries, strict=True):
        if not np.allclose(by_key[name], canary, atol=_SAME):
            yield f"{name} differs from the matrix"
    # Vectors may differ in their last bits only, so the distance decides and not the key.
    found = collection.query(query_embeddings=canaries, n_results=1, include=["distances"])
    lost = [
        name for name, near in zip(names, found["distances"] or [], strict=True) if not near or abs(near[0]) > _SAME
    ]
    if lost:
        yield f"{len(lost)} of {len(names)} do not find themselves, the first is {lost[0]}"


def open_client(folder: Path) -> Client:
    if not _first_process:
        _first_process.append(os.getpid())
    elif _first_process != [os.getpid()]:
        raise IndexProblem("Chroma was used before this process was forked and would hang in it.")
    import chromadb
    from chromadb.config import Settings

    # Without `_env_file` Chroma reads a `.env` of the current folder, and one that is not meant for it breaks it.
    settings = Settings(anonymized_telemetry=False, _env_file=None)  # type: ignore[call-arg]
    # The function's annotation names an interface without `close`, what it returns is this class.
    return cast("Client", chromadb.PersistentClient(path=str(folder), settings=settings))


def _collection(client: Client, field: VectorField) -> Collection:
    return client.get_collection(field.value, embedding_function=None)


@contextlib.contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit, MemoryError, IndexProblem):
        raise
    # Chroma raises many classes, its own and those of its parts, and a panic of its Rust side is not even an Exception.
    except BaseException as error:
        raise IndexDamaged(f"{folder} cannot be used: {error!r}.", hint="Run `curio check --repair`.") from error


def _floats(vector: Vector) -> Floats:
    values: Floats = np.frombuffer(vector, dtype="<f4")
    return values


def _runs(items: Sequence[_T], size: int) -> Iterator[list[_T]]:
    return (list(items[start : start + size]) for start in range(0, len(items), size))


def _digest(keys: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(keys)).encode("utf-8")).hexdigest()


def _say(**line: str | int) -> None:
    print(json.dumps(line), flush=True)


def _leave_with_parent() -> None:
    """The parent holds the other end of standard input: when it dies, so does this process."""
    sys.stdin.buffer.read()
    os._exit(1)


def main(arguments: Sequence[str]) -> int:
    """Build or verify, as `chroma_process` asks; findings and progress go to standard output, a JSON object a line."""
    task, folder, generation, dimensions, configuration, *previous = arguments
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    matrix = Matrix(Path(generation), dimensions=int(dimensions))
    if task == "verify":
        for problem in find_problems(Path(folder), matrix, configuration=configuration):
            _say(problem=problem)
        return 0
    old = (
        (Path(previous[0]) / CHROMA_FOLDER, Matrix(Path(previous[0]), dimensions=int(dimensions))) if previous else None
    )
    build_chroma(
        Path(folder),
        matrix,
        configuration=configuration,
        previous=old,
        report=lambda done, total: _say(done=done, total=total),
    )
    return 0


if __name__ == "__main__":
    # Without the interpreter's own shutdown, which could wait for Chroma's threads.
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)
