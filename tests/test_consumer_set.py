"""The consumers' questions under evals/consumer are whole: pairs, halves, grades, and every entry that is judged."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from curio_rag.adapters.benchmark_files import read_benchmark
from tests.conftest import ROOT

SET = ROOT / "evals" / "consumer"
MEDQUAD = ROOT.parent / "shared" / "corpora" / "medquad"


@pytest.fixture(scope="module")
def queries() -> dict[str, dict[str, str]]:
    """The metadata of each query by its id; an id that stands twice fails."""
    lines = [json.loads(line) for line in (SET / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    found = {line["_id"]: {**line["metadata"], "text": line["text"]} for line in lines}
    assert len(found) == len(lines)
    return found


@pytest.fixture(scope="module")
def judgements() -> dict[str, dict[str, int]]:
    """The grades of entries by query; an entry that stands twice for a query fails."""
    found: dict[str, dict[str, int]] = {}
    for line in (SET / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, entry, grade = line.split("\t")
        assert entry not in found.setdefault(query, {}), line
        found[query][entry] = int(grade)
    return found


def test_pairs_are_complete(queries: dict[str, dict[str, str]]) -> None:
    """Each question stands in the person's own words and as a shorter summary, in the same half."""
    own = [name for name, query in queries.items() if query["kind"] == "own"]
    assert len(own) == 120 and len(queries) == 240
    for name in own:
        question, summary = queries[name], queries[name + "s"]
        assert summary["kind"] == "summary" and question["pair"] == summary["pair"] == name
        assert question["split"] == summary["split"]
        assert len(summary["text"]) < len(question["text"])


def test_halves_are_apart(queries: dict[str, dict[str, str]], judgements: dict[str, dict[str, int]]) -> None:
    """80 pairs to fit on and 40 to test with; no entry answers questions of both."""
    assert Counter(query["split"] for query in queries.values()) == {"development": 160, "test": 80}
    answering = {
        half: {
            entry
            for name, grades in judgements.items()
            for entry, grade in grades.items()
            if grade >= 2 and queries[name]["split"] == half
        }
        for half in ("development", "test")
    }
    assert not answering["development"] & answering["test"]


def test_judgements_are_graded_and_shared_by_a_pair(
    queries: dict[str, dict[str, str]], judgements: dict[str, dict[str, int]]
) -> None:
    """Grades are 1 to 3, each question has a full answer, and both wordings have the same judgements."""
    assert set(judgements) == set(queries)
    for name, grades in judgements.items():
        assert set(grades.values()) <= {1, 2, 3} and 3 in grades.values(), name
        assert grades == judgements[queries[name]["pair"]], name


def test_the_frozen_files_are_the_ones_described() -> None:
    """README.md names the digests of the frozen files: whoever changes them has to say so there."""
    described = (SET / "README.md").read_text(encoding="utf-8")
    for name in ("queries.jsonl", "qrels.tsv", "documents.tsv"):
        assert hashlib.sha256((SET / name).read_bytes()).hexdigest() in described, name


@pytest.mark.skipif(not MEDQUAD.is_dir(), reason="the shared corpora are not here")
@pytest.mark.parametrize(("split", "topics"), [("development", 160), ("test", 80)])
def test_the_set_is_made_from_the_documents(tmp_path: Path, split: str, topics: int) -> None:
    """The script writes a set that `curio eval retrieval` reads: every judged entry exists and has text."""
    script = SET / "make_corpus.py"
    subprocess.run([sys.executable, str(script), str(MEDQUAD), str(tmp_path), "--split", split], check=True)
    made = read_benchmark(tmp_path)
    assert (len(made.entries), len(made.topics)) == (3000, topics)
    assert all(entry.text and entry.title for entry in made.entries)


def test_a_folder_without_the_documents_is_named(tmp_path: Path) -> None:
    """A wrong folder stops the script with the name of what it misses, and nothing is written."""
    command = [sys.executable, str(SET / "make_corpus.py"), str(tmp_path), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "is not there: give the folder that holds cancergov" in done.stderr
    assert not (tmp_path / "out" / "corpus.jsonl").exists()
