"""Generations: built aside, verified, swapped in by one rename."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from curio_rag.adapters.generations import Generations
from curio_rag.errors import IndexDamaged, IndexMissing, IndexProblem
from curio_rag.ports import IndexEntry, Vector, VectorField

DIMENSIONS = 16


def unit(name: str) -> Vector:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    vector = np.random.default_rng(seed).standard_normal(DIMENSIONS).astype("<f4")
    return bytes((vector / np.linalg.norm(vector)).astype("<f4").tobytes())


def names(*numbers: int) -> list[str]:
    return [f"p_{number:04d}" for number in numbers]


class Ledger:
    """Gives the passages that are asked for and remembers which those were."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, passage_ids: Sequence[str]) -> Iterable[IndexEntry]:
        self.asked.extend(passage_ids)
        for name in passage_ids:
            yield IndexEntry(
                passage_id=name,
                document_id=f"d{name[-1]}",
                text=f"the words of {name}",
                title=f"title {name[-1]}",
                synonyms=("another",),
                heading=f"heading {name[-2]}",
                text_vector=unit(name),
                title_vector=unit(f"title {name[-1]}"),
                heading_vector=unit(f"heading {name[-2]}"),
            )


def exact(folder: Path) -> Generations:
    return Generations(folder, search="exact")


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture(scope="module")
def with_chroma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one published generation of 150 passages, Chroma included; copy it before changing it."""
    folder = tmp_path_factory.mktemp("generations") / "index"
    Generations(folder).publish(names(*range(150)), Ledger(), configuration="sha256:a")
    return folder


def test_nothing_published_is_missing(tmp_path: Path) -> None:
    """An index folder that is not there, or empty, is missing, and the error says what to do."""
    with pytest.raises(IndexMissing, match="curio ingest"):
        exact(tmp_path / "none").current()
    assert [problem for problem in exact(tmp_path).problems() if "curio ingest" in problem]


def test_published_passages_are_found(tmp_path: Path) -> None:
    """What is published is there under its number, by vector and by word, and nothing is wrong with it."""
    store = exact(tmp_path)
    progress: list[tuple[str, int, int]] = []
    report = lambda *step: progress.append(step)  # noqa: E731
    assert store.publish(names(3, 1, 2), Ledger(), configuration="sha256:a", report=report) == 1
    index = store.current()
    assert (index.generation, index.size) == (1, 3)
    assert index.nearest(VectorField.TEXT, unit("p_0002"), limit=1)[0].passage_id == "p_0002"
    assert index.keyword(["p_0003"], limit=5)[0].passage_id == "p_0003"
    assert index.document_frequencies(["words"]) == (3,)
    assert index.similarities(VectorField.TEXT, unit("p_0002"), ["p_0002"])[0] == pytest.approx(1)
    assert progress[-1] == ("passages", 3, 3)
    assert list(store.problems()) == []


def test_publishing_again_loads_only_what_is_new(tmp_path: Path) -> None:
    """The second generation takes what it can from the first, which stays as it was, byte for byte."""
    store, ledger = exact(tmp_path), Ledger()
    store.publish(names(*range(50)), ledger, configuration="sha256:a")
    first = tree(tmp_path / "generations" / "1")
    ledger.asked.clear()
    assert store.publish(names(*range(10, 55)), ledger, configuration="sha256:a") == 2
    assert ledger.asked == names(*range(50, 55))
    assert tree(tmp_path / "generations" / "1") == first
    assert store.current().keyword(["p_0005"], limit=1) == ()
    assert list(store.problems()) == []


def test_fingerprint_follows_from_the_content(tmp_path: Path) -> None:
    """The same passages have the same fingerprint however they came together; others and other settings do not."""
    grown, made = exact(tmp_path / "grown"), exact(tmp_path / "made")
    grown.publish(names(1, 2, 3), Ledger(), configuration="sha256:a")
    grown.publish(names(2, 3, 4), Ledger(), configuration="sha256:a")
    made.publish(names(4, 3, 2), Ledger(), configuration="sha256:a")
    fingerprint = made.current().fingerprint
    assert grown.current().fingerprint == fingerprint
    made.publish(names(4, 3), Ledger(), configuration="sha256:a")
    assert made.current().fingerprint != fingerprint
    made.publish(names(4, 3, 2), Ledger(), configuration="sha256:b")
    assert made.current().fingerprint != fingerprint


def test_another_configuration_builds_afresh(tmp_path: Path) -> None:
    """Another embedder or splitter takes nothing from the last generation."""
    store, ledger = exact(tmp_path), Ledger()
    store.publish(names(1, 2), ledger, configuration="sha256:a")
    ledger.asked.clear()
    store.publish(names(1, 2), ledger, configuration="sha256:b")
    assert ledger.asked == names(1, 2)


def test_publishing_the_same_changes_nothing(tmp_path: Path) -> None:
    """The very same passages leave the current generation as it is."""
    store, ledger = exact(tmp_path), Ledger()
    store.publish(names(1, 2), ledger, configuration="sha256:a")
    before = tree(tmp_path)
    assert store.publish(names(2, 1), ledger, configuration="sha256:a") == 1
    assert tree(tmp_path) == before


def test_damaged_generation_is_not_built_upon(tmp_path: Path) -> None:
    """A flipped bit is not copied and blessed with a new digest: publishing the same passages repairs it."""
    store, ledger = exact(tmp_path), Ledger()
    store.publish(names(1, 2), ledger, configuration="sha256:a")
    flip(tmp_path / "generations" / "1" / "text.f32")
    ledger.asked.clear()
    assert store.publish(names(1, 2), ledger, configuration="sha256:a") == 2
    assert ledger.asked == names(1, 2)
    assert list(store.problems()) == []


def test_no_passages_are_a_generation(tmp_path: Path) -> None:
    """An index of no passages is valid, finds nothing, and can be added to."""
    store = exact(tmp_path)
    store.publish([], Ledger(), configuration="sha256:a")
    index = store.current()
    assert (index.size, index.nearest(VectorField.TITLE, unit("x"), limit=3), index.keyword(["a"], limit=3)) == (
        0,
        (),
        (),
    )
    assert list(store.problems()) == []
    store.publish(names(1), Ledger(), configuration="sha256:a")
    assert store.current().size == 1


def test_reader_keeps_its_generation(tmp_path: Path) -> None:
    """An index in hand answers the same while others are published, even after its files are gone."""
    store, writer = exact(tmp_path), exact(tmp_path)
    writer.publish(names(1, 2), Ledger(), configuration="sha256:a")
    pinned = store.current()
    assert store.current() is pinned
    answer = (pinned.nearest(VectorField.TEXT, unit("p_0001"), limit=2), pinned.keyword(["words"], limit=2))
    for number in (3, 4, 5):
        writer.publish(names(number), Ledger(), configuration="sha256:a")
    assert (pinned.nearest(VectorField.TEXT, unit("p_0001"), limit=2), pinned.keyword(["words"], limit=2)) == answer
    assert store.current().generation == 4
    assert sorted(path.name for path in (tmp_path / "generations").iterdir()) == ["3", "4"]


def test_threads_read_while_others_publish(tmp_path: Path) -> None:
    """Threads that ask all the time see one generation or another, never a mixture and never an error."""
    store = exact(tmp_path)
    store.publish(names(0), Ledger(), configuration="sha256:a")
    done = threading.Event()

    def ask() -> set[tuple[int, tuple[str, ...]]]:
        seen = set()
        while not done.is_set():
            index = store.current()
            hits = index.nearest(VectorField.TEXT, unit("x"), limit=99)
            words = index.keyword(["words"], limit=99)
            assert {hit.passage_id for hit in hits} == {hit.passage_id for hit in words}
            seen.add((index.generation, tuple(sorted(hit.passage_id for hit in hits))))
        return seen

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        for number in range(1, 20):
            exact(tmp_path).publish(names(*range(number, number + 5)), Ledger(), configuration="sha256:a")
        done.set()
        seen = set().union(*(future.result() for future in asking))
    assert len(seen) == len({generation for generation, _ in seen}) > 3


def test_fork_reads_on(tmp_path: Path) -> None:
    """A forked child searches the index that its parent opened."""
    store = exact(tmp_path)
    store.publish(names(1, 2), Ledger(), configuration="sha256:a")
    index = store.current()
    child = os.fork()
    if child == 0:
        same = index.keyword(["words"], limit=9) and store.current().nearest(VectorField.TEXT, unit("x"), limit=2)
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("failure", ["loader", "missing", "unwanted"])
def test_failed_publishing_leaves_the_old(tmp_path: Path, failure: str) -> None:
    """When loading fails or gives other passages than asked for, the old generation stays and no rubbish is left."""
    store = exact(tmp_path)
    store.publish(names(1), Ledger(), configuration="sha256:a")
    before = tree(tmp_path)

    def load(passage_ids: Sequence[str]) -> Iterable[IndexEntry]:
        if failure == "loader":
            raise RuntimeError("the ledger is gone")
        return () if failure == "missing" else Ledger()(names(9))

    with pytest.raises(RuntimeError if failure == "loader" else IndexDamaged):
        store.publish(names(1, 2), load, configuration="sha256:a")
    assert tree(tmp_path) == before
    assert sorted(path.name for path in (tmp_path / "generations").iterdir()) == ["1"]


def test_folder_in_the_way_is_named(tmp_path: Path) -> None:
    """A folder that cannot be written gives an error that names it."""
    (tmp_path / "index").write_text("in the way")
    with pytest.raises(IndexProblem, match="index"):
        exact(tmp_path / "index").publish(names(1), Ledger(), configuration="sha256:a")


@pytest.mark.parametrize(
    "name", ["text.f32", "title.f32", "title.rows", "passages.utf8", "keywords.sqlite3", "manifest.json"]
)
def test_flipped_bit_is_found(tmp_path: Path, name: str) -> None:
    """One flipped bit in any file is a problem that names the file."""
    exact(tmp_path).publish(names(*range(9)), Ledger(), configuration="sha256:a")
    flip(tmp_path / "generations" / "1" / name)
    assert any(name in problem and "curio check --repair" in problem for problem in exact(tmp_path).problems())


@pytest.mark.parametrize("name", ["text.f32", "heading.rows", "keywords.sqlite3", "manifest.json"])
@pytest.mark.parametrize("gone", ["short", "missing"])
def test_short_or_missing_file_refuses_to_open(tmp_path: Path, name: str, gone: str) -> None:
    """A generation with a truncated or missing file is not opened; the error and the check both name the file."""
    exact(tmp_path).publish(names(*range(9)), Ledger(), configuration="sha256:a")
    path = tmp_path / "generations" / "1" / name
    path.write_bytes(path.read_bytes()[:-5]) if gone == "short" else path.unlink()
    with pytest.raises(IndexDamaged, match=name) as refusal:
        exact(tmp_path).current()
    assert "curio check --repair" in str(refusal.value)
    assert any(name in problem for problem in exact(tmp_path).problems())


@pytest.mark.parametrize("content", ["7\n", "", "../x", "1\n2"])
def test_pointer_to_nothing_is_damage(tmp_path: Path, content: str) -> None:
    """A pointer that names no generation is damage, said by both, and publishing mends it."""
    store = exact(tmp_path)
    store.publish(names(1), Ledger(), configuration="sha256:a")
    (tmp_path / "CURRENT").write_text(content)
    with pytest.raises(IndexDamaged):
        store.current()
    assert any("CURRENT" in problem for problem in store.problems())
    store.publish(names(1), Ledger(), configuration="sha256:a")
    assert store.current().size == 1
    assert list(store.problems()) == []


def test_parts_that_disagree_are_found(tmp_path: Path) -> None:
    """A keyword index of other passages is a problem even when every digest is right."""
    exact(tmp_path).publish(names(1, 2), Ledger(), configuration="sha256:a")
    exact(tmp_path / "other").publish(names(1, 3), Ledger(), configuration="sha256:a")
    words = tmp_path / "other" / "generations" / "1" / "keywords.sqlite3"
    folder = tmp_path / "generations" / "1"
    shutil.copy(words, folder / words.name)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"][words.name]["digest"] = "sha256:" + hashlib.sha256(words.read_bytes()).hexdigest()
    del manifest["digest"]
    body = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    manifest["digest"] = "sha256:" + hashlib.sha256(body).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert any("not the matrix's" in problem for problem in exact(tmp_path).problems())


def test_chroma_agrees_with_the_scan(with_chroma: Path) -> None:
    """On a small set Chroma's candidates lead to the very answers of the scan, for every field."""
    asked, scanned = Generations(with_chroma, search="chroma").current(), exact(with_chroma).current()
    for field in VectorField:
        for number in range(5):
            query = unit(f"question {number}")
            assert asked.nearest(field, query, limit=7) == scanned.nearest(field, query, limit=7)
    assert "chromadb" in sys.modules


@pytest.mark.parametrize("damage", ["deleted", "garbage", "database"])
def test_scan_serves_without_chroma(with_chroma: Path, tmp_path: Path, damage: str) -> None:
    """With Chroma deleted or damaged the scan gives the same answers, the check says so, and publishing mends it."""
    folder = tmp_path / "index"
    shutil.copytree(with_chroma, folder)
    chroma = folder / "generations" / "1" / "chroma"
    if damage == "deleted":
        shutil.rmtree(chroma)
    else:
        pattern = "*.bin" if damage == "garbage" else "*.sqlite3"
        for path in chroma.rglob(pattern):
            path.write_bytes(os.urandom(max(64, path.stat().st_size)))
    store = Generations(folder, search="chroma")
    query = unit("question")
    expected = exact(with_chroma).current().nearest(VectorField.TEXT, query, limit=7)
    assert store.current().nearest(VectorField.TEXT, query, limit=7) == expected
    assert any("chroma" in problem and "exact scan serves" in problem for problem in store.problems())
    if damage == "garbage":
        assert store.publish(names(*range(150)), Ledger(), configuration="sha256:a") == 2


def test_changed_generation_with_chroma_is_sound(with_chroma: Path, tmp_path: Path) -> None:
    """A generation made from a copy of the last one's Chroma holds exactly the new passages."""
    folder = tmp_path / "index"
    shutil.copytree(with_chroma, folder)
    store = Generations(folder, search="chroma")
    pinned = store.current()
    query = unit("question")
    answer = pinned.nearest(VectorField.TEXT, query, limit=7)
    ledger = Ledger()
    store.publish(names(*range(6, 153)), ledger, configuration="sha256:a")
    assert ledger.asked == names(150, 151, 152)
    assert pinned.nearest(VectorField.TEXT, query, limit=7) == answer
    assert list(store.problems()) == []


SEARCH_ALONE = """
import os, sys
from pathlib import Path
folder, search, drop = sys.argv[1:]
from curio_rag.adapters.generations import Generations
from curio_rag.ports import VectorField
# A first search imports all that it needs, for afterwards the interpreter's own files may be out of reach.
assert Generations(Path(folder), search="exact").current().keyword(["words"], limit=1)
if drop == "drop" and os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
store = Generations(Path(folder), search=search)
index = store.current()
vector = bytes.fromhex(sys.stdin.read())
assert index.nearest(VectorField.TEXT, vector, limit=5)[0].passage_id == "p_0007"
assert index.keyword(["p_0007"], limit=5)
if drop == "drop":
    assert not os.access(folder, os.W_OK)
sys.exit(3 if "chromadb" in sys.modules else 0)
"""


def search_alone(folder: Path, *, search: str, drop: str) -> int:
    return subprocess.run(
        [sys.executable, "-c", SEARCH_ALONE, str(folder), search, drop],
        input=unit("p_0007").hex().encode(),
        check=False,
    ).returncode


def test_a_broken_chroma_stops_no_publishing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Chroma cannot be built, the scan is published without it, check says so, and it is tried again."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "chromadb.py").write_text("raise ImportError('broken')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    folder = tmp_path / "index"
    Generations(folder).publish(names(1, 2, 3), Ledger(), configuration="sha256:a")
    assert len(Generations(folder).current().nearest(VectorField.TEXT, unit("p_0001"), limit=2)) == 2
    assert any("without Chroma" in problem for problem in Generations(folder).problems())
    with pytest.raises(IndexDamaged):
        Generations(tmp_path / "demanded", search="chroma").publish(names(1), Ledger(), configuration="sha256:a")
    monkeypatch.delenv("PYTHONPATH")
    assert Generations(folder).publish(names(1, 2, 3), Ledger(), configuration="sha256:a") == 2
    assert list(Generations(folder).problems()) == []


def test_scan_loads_no_chromadb(with_chroma: Path) -> None:
    """A search below the crossover never imports chromadb."""
    assert search_alone(with_chroma, search="auto", drop="keep") == 0


def test_read_only_folder_still_searches(with_chroma: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A process that may write nothing searches the index, even where Chroma is asked for, and changes nothing."""
    folder = tmp_path_factory.mktemp("read-only") / "index"
    shutil.copytree(with_chroma, folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for parent in (folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    folder.parent.parent.parent.chmod(0o755)
    before = tree(folder)
    assert search_alone(folder, search="chroma", drop="drop") == 0
    assert tree(folder) == before
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)


PUBLISH_FOR_EVER = """
import random, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_generations import Generations, Ledger, names
store = Generations(Path(sys.argv[2]), search=sys.argv[3])
print("ready", flush=True)
while True:
    start = random.randrange(100)
    configuration = random.choice(["sha256:a", "sha256:a", "sha256:b"])
    store.publish(names(*range(start, start + 150)), Ledger(), configuration=configuration)
"""


def kill_publishers(folder: Path, *, times: int, search: str, longest: float) -> list[int]:
    """Kill so many publishing processes at random moments, assert what is current to be whole, give its number."""
    chance, seen = random.Random(0), []
    for _ in range(times):
        publisher = subprocess.Popen(
            [sys.executable, "-c", PUBLISH_FOR_EVER, str(Path(__file__).parent), str(folder), search],
            stdout=subprocess.PIPE,
        )
        assert publisher.stdout is not None
        assert publisher.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0, longest))
        publisher.send_signal(signal.SIGKILL)
        publisher.wait()
        publisher.stdout.close()
        store = exact(folder)
        index = store.current()
        hits = index.nearest(VectorField.TEXT, unit("x"), limit=999)
        assert index.size == len(hits) == len(index.keyword(["words"], limit=999)) == 150
        assert [
            problem for problem in store.problems() if "left by a process" not in problem and "chroma:" not in problem
        ] == []
        seen.append(index.generation)
    return seen


@pytest.mark.parametrize(("search", "times", "longest"), [("exact", 12, 0.3), ("auto", 3, 3.0)])
def test_kill_at_any_moment_leaves_a_whole_generation(tmp_path: Path, search: str, times: int, longest: float) -> None:
    """However often a publishing process is killed, what is current is whole; the next publishing tidies up."""
    Generations(tmp_path, search="exact" if search == "exact" else "auto").publish(
        names(*range(150)), Ledger(), configuration="sha256:a"
    )
    seen = kill_publishers(tmp_path, times=times, search=search, longest=longest)
    assert seen == sorted(seen)
    assert seen[-1] > 1 or search == "auto"
    store = Generations(tmp_path, search="exact" if search == "exact" else "auto")
    store.publish(names(*range(300, 310)), Ledger(), configuration="sha256:a")
    assert list(store.problems()) == []
    assert len(list((tmp_path / "generations").iterdir())) == 2
