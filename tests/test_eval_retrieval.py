"""`curio eval retrieval`: the product's own search on a benchmark, scored as the reference scorer does it."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from curio_rag.adapters.benchmark_files import read_benchmark
from curio_rag.domain.benchmarks import BenchmarkEntry, Fields
from curio_rag.errors import EvalError
from curio_rag.pipelines.benchmark import document_of
from curio_rag.pipelines.metrics import (
    answer_threshold,
    auroc,
    false_answer_rate,
    mean_measure,
    score_run,
    separation,
)
from tests.conftest import ROOT, SmallBase
from tests.fakes import WordEmbedder
from tests.test_cli import run

SCORER = ROOT.parent / "shared" / "benchmarks" / "evaluate.py"
Row = dict[str, object]

CORPUS: list[Row] = [
    {"_id": "d/1", "title": "Aspirin", "text": "Aspirin lowers fever.", "metadata": {"synonyms": ["acetylsalicylate"]}},
    {"_id": "d 2", "title": "Gout", "text": "Gout is a painful swelling of a joint.", "metadata": {}},
    {"_id": "d3", "title": "Asthma", "text": "Asthma makes the airways narrow.\nIt is treated with sprays."},
    {"_id": "d4", "title": "", "text": "The airways carry air. Cold air may hurt."},
]
QUERIES: list[Row] = [
    {"_id": "q1", "text": "What lowers fever?", "metadata": {"answerable": True, "tier": "answerable"}},
    {"_id": "q2", "text": "Which joint is painful in gout?", "metadata": {"answerable": True, "tier": "answerable"}},
    {"_id": "q3", "text": "Why are the airways narrow?", "metadata": {"answerable": True, "tier": "answerable"}},
    {"_id": "q4", "text": "Who won the election?", "metadata": {"answerable": False, "tier": "far"}},
    {"_id": "q5", "text": "Asthma", "metadata": {"answerable": True, "verbatim_in_kb": True}},
]
QRELS = ["q1\td/1\t2", "q2\td 2\t1", "q2\td/1\t0", "q3\td3\t1", "q3\td4\t2", "q5\td3\t1"]


@dataclass
class SetFolder:
    """A benchmark folder that can be written anew."""

    path: Path

    def write(
        self, corpus: list[Row] | str = CORPUS, queries: list[Row] | str = QUERIES, qrels: list[str] = QRELS
    ) -> Path:
        (self.path / "qrels").mkdir(parents=True, exist_ok=True)
        for name, rows in (("corpus", corpus), ("queries", queries)):
            text = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
            (self.path / f"{name}.jsonl").write_text(text, encoding="utf-8")
        lines = ["query-id\tcorpus-id\tscore", *qrels]
        (self.path / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self.path


@pytest.fixture
def folder_of_set(tmp_path: Path) -> SetFolder:
    return SetFolder(tmp_path / "a-set")


def reference(folder: Path, run_file: Path, *options: str) -> dict[str, float]:
    """What the reference scorer prints."""
    if not SCORER.is_file():
        pytest.skip("the reference scorer is not here")
    done = subprocess.run(
        [sys.executable, SCORER, folder, run_file, *options], capture_output=True, text=True, check=True
    )
    found = re.search(r"topics; \{(.*?)\}", done.stdout)
    assert found
    return {name: float(value) for name, value in re.findall(r"'([^']+)': ([\d.]+)", found[1])}


def synthetic() -> tuple[dict[str, list[str]], dict[str, dict[str, int]]]:
    """Rankings and graded judgements drawn at random, with topics that have no result or nothing relevant."""
    draw = random.Random(7)
    entries = [f"d{number}" for number in range(60)]
    judgements = {
        f"q{number}": {entry: draw.choice((0, 0, 1, 2, 3)) for entry in draw.sample(entries, draw.randint(1, 25))}
        for number in range(40)
    }
    judgements["q0"] = {"d1": 0, "d2": 0}
    ranked = {topic: draw.sample(entries, draw.randint(0, 40)) for topic in judgements if topic != "q1"}
    return ranked, judgements


@pytest.mark.parametrize("relevant_from", [1, 2])
def test_the_measures_equal_the_reference_scorer(folder_of_set: SetFolder, relevant_from: int) -> None:
    """On graded judgements, with missing topics and topics without anything relevant."""
    ranked, judgements = synthetic()
    lines = [f"{topic}\t{entry}\t{grade}" for topic, each in judgements.items() for entry, grade in each.items()]
    folder = folder_of_set.write(qrels=lines)
    run_file = folder / "run.tsv"
    rows = [f"{topic}\t{entry}\t{-place}\n" for topic, each in ranked.items() for place, entry in enumerate(each)]
    run_file.write_text("".join(rows), encoding="utf-8")
    expected = reference(folder, run_file, "--rel", str(relevant_from))
    found = {each.name: each.value for each in score_run(ranked, judgements, relevant_from=relevant_from)}
    for name in ("nDCG@10", "MRR@10", "MAP@10", "P@1"):
        assert round(found[name], 4) == expected[name], name
    assert round(found["Recall@10"], 4) == expected["R@10"]


def test_the_measures_are_what_their_definitions_say() -> None:
    """Gain 2^grade - 1, MAP over min(relevant, 10), a topic without results counts as 0."""
    judgements = {"q1": {"a": 3, "b": 1, "c": 0}, "q2": {"a": 1}}
    found = {each.name: each for each in score_run({"q1": ["c", "a", "x", "b"]}, judgements)}
    expected = {
        "nDCG@10": 0.5 * (7 / 1.5849625 + 1 / 2.3219281) / (7 + 1 / 1.5849625),
        "MRR@10": 0.25,
        "MAP@10": 0.25,
        "Recall@10": 0.5,
        "Recall@100": 0.5,
        "P@1": 0.0,
    }
    assert {name: round(each.value, 6) for name, each in found.items()} == {n: round(v, 6) for n, v in expected.items()}
    assert {each.count for each in found.values()} == {2}


def test_intervals_hold_the_mean_and_are_the_same_twice() -> None:
    """Bootstrap over topics with a fixed seed."""
    values = [draw.random() for draw in [random.Random(3)] for _ in range(80)]
    measure = mean_measure("x", values)
    assert measure == mean_measure("x", values)
    assert measure.low < measure.value < measure.high
    assert 0.08 < measure.high - measure.low < 0.18
    assert mean_measure("x", []).count == 0


def test_separation_counts_ties_half_and_lets_95_percent_through() -> None:
    """AUROC as Mann and Whitney define it; the threshold is the strictest that 95 % of the answerable reach."""
    assert auroc([0.9, 0.5], [0.5, 0.1]) == 0.875
    answerable = [number / 100 for number in range(1, 101)]
    assert answer_threshold(answerable) == 0.06
    assert false_answer_rate(answerable, [0.0, 0.05, 0.06, 0.9]) == 0.5
    found = separation("near", [0.9, 0.8, 0.7], [0.1, 0.2])
    assert (found.auroc.value, found.auroc.low, found.false_answers.value) == (1.0, 1.0, 0.0)


def test_a_benchmark_runs_through_the_products_search(open_base: SmallBase, folder_of_set: SetFolder) -> None:
    """Ids come back as they are, every query is ranked, and the report counts what was done."""
    report = open_base().evaluate_retrieval(folder_of_set.write())
    assert (report.entries, report.index.passages, report.queries) == (4, 4, 5)
    best = {each.topic.id: each.ranked[0][0] for each in report.rankings if each.ranked}
    assert (best["q1"], best["q2"]) == ("d/1", "d 2")
    measures = {each.name: each for each in report.measures}
    assert measures["MRR@10"].value == 1.0
    assert measures["nDCG@10"].count == 4
    assert {stage.name for stage in report.stages} == {"embed", "search", "total"}
    assert all(stage.mean > 0 and stage.median > 0 for stage in report.stages)


def test_the_run_scores_the_same_in_the_reference_scorer(open_base: SmallBase, folder_of_set: SetFolder) -> None:
    """What is printed can be checked from the run file."""
    folder = folder_of_set.write()
    report = open_base().evaluate_retrieval(folder)
    run_file = folder / "run.tsv"
    run_file.write_text("".join(report.run_lines()), encoding="utf-8")
    expected = reference(folder, run_file)
    measures = {each.name: round(each.value, 4) for each in report.measures}
    for name in ("nDCG@10", "MRR@10", "MAP@10", "P@1"):
        assert measures[name] == expected[name]
    assert measures["Recall@10"] == expected["R@10"]


def test_a_second_run_embeds_the_questions_alone_and_finds_the_same(
    open_base: SmallBase, folder_of_set: SetFolder
) -> None:
    """The vectors of a corpus are kept, in a folder of their own beside the index."""
    folder = folder_of_set.write()
    first = open_base().evaluate_retrieval(folder)
    embedder = WordEmbedder()
    base = open_base(embedder=embedder)
    second = base.evaluate_retrieval(folder)
    assert first.index.texts_embedded == 12  # four texts, their titles (one empty), and the sentences of two of them
    assert second.index.texts_embedded == 0
    assert set(embedder.embedded) == {row["text"] for row in QUERIES}
    assert [each.ranked for each in second.rankings] == [each.ranked for each in first.rankings]
    assert [each.name[:5] for each in base.config.index_folder.parent.iterdir()] == ["eval-"]


def test_without_titles_nothing_of_a_title_is_indexed(open_base: SmallBase, folder_of_set: SetFolder) -> None:
    """A synonym puts its entry first where titles are indexed; with `--fields text` its twin is as good."""
    twins: list[Row] = [
        {"_id": "with", "title": "Aspirin", "text": "It is old.", "metadata": {"synonyms": ["acetylsalicylate"]}},
        {"_id": "without", "title": "Aspirin", "text": "It is old."},
    ]
    queries: list[Row] = [{"_id": "q", "text": "acetylsalicylate"}]
    folder = folder_of_set.write(corpus=twins, queries=queries, qrels=["q\twith\t1"])
    embedder = WordEmbedder()
    base = open_base(embedder=embedder)
    first, second = base.evaluate_retrieval(folder).rankings[0].ranked
    assert first[0] == "with"
    assert first[1] > second[1]
    embedder.embedded.clear()
    first, second = base.evaluate_retrieval(folder, fields=Fields.TEXT).rankings[0].ranked
    assert first[1] == second[1]
    assert set(embedder.embedded) == {"It is old.", "", "acetylsalicylate"}


def test_an_entry_that_is_a_title_alone_is_found_by_it() -> None:
    """Where titles are indexed; otherwise it has nothing to be found by."""
    entry = BenchmarkEntry(id="d", title="Gout", text=" ")
    assert document_of(entry, Fields.TITLE_AND_TEXT).text == "Gout"
    assert not document_of(entry, Fields.TEXT).blocks


def test_paragraphs_stand_apart_by_blank_lines_or_else_by_lines() -> None:
    """Every block is the words of a paragraph at their place."""
    for text, expected in (
        ("One\ntwo.\n\n\nThree.\n", ["One\ntwo.", "Three."]),
        ("\n One.\nTwo.\n", ["One.", "Two."]),
        ("One.", ["One."]),
        ("", []),
    ):
        document = document_of(BenchmarkEntry(id="d", title="", text=text), Fields.TEXT)
        assert [block.span.of(text) for block in document.blocks] == expected


def test_a_long_entry_counts_once_by_its_best_passage(open_base: SmallBase, folder_of_set: SetFolder) -> None:
    """It is split as documents are; the ranking names it once, and an exact answer counts by passage."""
    filler = "\n\n".join(" ".join(f"word{number}x{each}" for each in range(60)) + "." for number in range(20))
    long = f"{filler}\n\nThe crimson valve opens at\nforty degrees in every device."
    corpus: list[Row] = [
        {"_id": "long", "title": "", "text": long},
        {"_id": "other", "title": "", "text": "A valve is a part."},
    ]
    answers = [{"text": "opens at forty degrees ", "answer_start": 3}]
    queries: list[Row] = [
        {
            "_id": "q1",
            "text": "At what degrees is it that the crimson valve opens at in every device?",
            "metadata": {"answers": answers},
        },
        {"_id": "q2", "text": "What is a part?", "metadata": {"answers": [{"text": "no such words"}]}},
    ]
    folder = folder_of_set.write(corpus=corpus, queries=queries, qrels=["q1\tlong\t1", "q2\tother\t1"])
    report = open_base().evaluate_retrieval(folder, fields=Fields.TEXT)
    assert report.index.passages > 4
    assert [entry_id for entry_id, _ in report.rankings[0].ranked] == ["long", "other"]
    assert (report.rankings[0].contains, report.rankings[0].overlaps) == (1, 1)
    shares = {each.name: each.value for each in report.answers}
    assert shares == {"contains@1": 0.5, "overlaps@1": 0.5, "contains@5": 0.5, "overlaps@5": 0.5}


def test_unanswerable_questions_are_told_apart_by_tier(open_base: SmallBase, folder_of_set: SetFolder) -> None:
    """Word-for-word questions are left out of the abstention figures."""
    report = open_base().evaluate_retrieval(folder_of_set.write())
    assert [(each.tier, each.answerable, each.unanswerable) for each in report.abstention] == [
        ("far", 3, 1),
        ("all", 3, 1),
    ]


def test_fewer_queries_can_be_asked(open_base: SmallBase, folder_of_set: SetFolder) -> None:
    """The first so many, with their judgements, on the same index."""
    base, folder = open_base(), folder_of_set.write()
    base.evaluate_retrieval(folder)
    report = base.evaluate_retrieval(folder, most_queries=2)
    assert (report.queries, report.measures[0].count, report.index.texts_embedded) == (2, 2, 0)


def faulty() -> Iterator[tuple[dict[str, object], str]]:
    """Sets that are wrong in one place, each with what the error says."""
    good = "".join(json.dumps(row) + "\n" for row in CORPUS)
    yield {"corpus": good + "{broken\n"}, "corpus.jsonl:5: "
    yield {"corpus": [*CORPUS, {"_id": "d9", "title": "x"}]}, "corpus.jsonl:5: Object missing required field `text`"
    yield {"corpus": [*CORPUS, {"text": "x"}]}, "corpus.jsonl:5: Object missing required field `_id`"
    yield {"corpus": [*CORPUS, {"_id": 9, "text": "x"}]}, "corpus.jsonl:5: Expected `str`, got `int`"
    yield {"corpus": [*CORPUS, CORPUS[1]]}, "corpus.jsonl:5: the id 'd 2' stands already in line 2"
    yield {"corpus": "\n"}, "corpus.jsonl is empty"
    yield {"queries": []}, "queries.jsonl is empty"
    yield {"queries": [*QUERIES, QUERIES[0]]}, "queries.jsonl:6: the id 'q1' stands already in line 1"
    yield {"queries": [*QUERIES, {"_id": "q9", "text": "x"}]}, "queries.jsonl:6: the query 'q9' has no judgement"
    yield {"queries": [*QUERIES, {"_id": "q9", "text": " "}]}, "queries.jsonl:6: the query 'q9' has no text"
    yield {"qrels": [*QRELS, "q1\tnowhere\t1"]}, "qrels/test.tsv:8: there is no entry 'nowhere'"
    yield {"qrels": [*QRELS, "q77\td3\t1"]}, "qrels/test.tsv:8: there is no query 'q77'"
    yield {"qrels": [*QRELS, "q1\td3\thigh"]}, "qrels/test.tsv:8: the grade 'high' is not a whole number"
    yield {"qrels": [*QRELS, "q1\td3\t5000"]}, "qrels/test.tsv:8: the grade '5000' is not a whole number up to 100"
    yield {"qrels": [*QRELS, "q1 d3 1"]}, "qrels/test.tsv:8: 1 fields"
    yield {"qrels": [*QRELS, "q1\td/1\t1"]}, "qrels/test.tsv:8: 'd/1' has two grades for the query 'q1'"


@pytest.mark.parametrize(("changes", "words"), [*faulty()])
def test_what_is_wrong_with_a_set_is_named_with_file_and_line(
    folder_of_set: SetFolder, changes: dict[str, object], words: str
) -> None:
    """Nothing is indexed of a set that is malformed."""
    folder = folder_of_set.write(**changes)  # type: ignore[arg-type]  # one of the three by name
    with pytest.raises(EvalError) as caught:
        read_benchmark(folder)
    assert words in str(caught.value)


def test_a_missing_header_and_a_missing_file_are_named(folder_of_set: SetFolder, tmp_path: Path) -> None:
    """The first judgement would be lost without a word."""
    folder = folder_of_set.write()
    (folder / "qrels" / "test.tsv").write_text("\n".join(QRELS), encoding="utf-8")
    with pytest.raises(EvalError, match=r"qrels/test\.tsv:1: the first line is a judgement"):
        read_benchmark(folder)
    with pytest.raises(EvalError, match=r"corpus\.jsonl cannot be read"):
        read_benchmark(tmp_path)


def test_many_faults_are_counted(folder_of_set: SetFolder) -> None:
    """The first twenty are shown, and how many more there are."""
    with pytest.raises(EvalError) as caught:
        read_benchmark(folder_of_set.write(corpus="{\n" * 50))
    assert caught.value.message.count("corpus.jsonl:") == 20
    assert "and 30 more" in caught.value.message


def test_the_command_prints_json_and_writes_the_run(tmp_path: Path, folder_of_set: SetFolder) -> None:
    """One JSON value, the run beside it, no progress in a pipe."""
    folder, run_file = folder_of_set.write(), tmp_path / "run.tsv"
    arguments = ("eval", "retrieval", folder, "--run", run_file)
    status, out, err = run(*arguments, "--json", cwd=tmp_path)
    report = json.loads(out)
    assert (status, err) == (0, "")
    assert (report["benchmark"], report["fields"], report["entries"]) == ("a-set", "title+text", 4)
    assert set(report["metrics"]) == {"nDCG@10", "MRR@10", "MAP@10", "Recall@10", "Recall@100", "P@1"}
    assert set(report["milliseconds"]["total"]) == {"mean", "median"}
    assert report["abstention"][0]["tier"] == "far"
    lines = [line.split("\t") for line in run_file.read_text(encoding="utf-8").splitlines()]
    assert ["q1", "d/1"] in [line[:2] for line in lines]
    status, out, err = run(*arguments, cwd=tmp_path)
    assert (status, err) == (0, "")
    assert "0 texts were embedded" in " ".join(out.split())
    assert "nDCG@10" in out


def test_a_wrong_set_and_an_unwritable_run_are_usage_errors(tmp_path: Path, folder_of_set: SetFolder) -> None:
    """One line, before anything is indexed."""
    folder = folder_of_set.write(corpus="")
    assert run("eval", "retrieval", folder, cwd=tmp_path)[0] == 2
    folder_of_set.write()
    status, out, err = run("eval", "retrieval", folder, "--run", tmp_path / "no" / "run.tsv", cwd=tmp_path)
    assert (status, out) == (2, "")
    assert "run.tsv cannot be written" in err
    assert not (tmp_path / "indexes").exists()
