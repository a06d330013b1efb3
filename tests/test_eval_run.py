"""`curio eval run`: standard measures as everybody computes them, and clear errors before anything runs."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from curio_rag.adapters.ranking_measures import IrMeasures
from curio_rag.domain.answers import Citation, Sentence
from curio_rag.domain.eval_reports import FactStatus
from curio_rag.domain.evals import split_facts
from curio_rag.domain.sources import Span
from curio_rag.errors import EvalError
from curio_rag.pipelines.claim_probes import probes_of
from curio_rag.pipelines.fact_check import judge_fact, supports
from curio_rag.pipelines.metrics import score_run
from tests.conftest import ROOT
from tests.fakes import document
from tests.test_cli import run
from tests.test_startup import loaded_by

SCORER = ROOT.parent / "shared" / "benchmarks" / "evaluate.py"
NAMES = {"nDCG@10": "nDCG@10", "MRR@10": "MRR@10", "Recall@10": "R@10", "P@1": "P@1"}


def random_set(seed: int) -> tuple[dict[str, list[str]], dict[str, dict[str, int]]]:
    """A run and judgements with grades to 3, judged topics without results, and entries that nobody judged."""
    draw = random.Random(seed)
    entries = [f"d{number:02}" for number in range(30)]
    topics = [f"q{number}" for number in range(9)]
    judgements = {topic: {entry: draw.choice((0, 1, 2, 3)) for entry in draw.sample(entries, 6)} for topic in topics}
    for grades in judgements.values():
        grades["d00"] = 3
    run = {topic: draw.sample(entries, draw.randint(1, 20)) for topic in topics[:-2]}
    return run, judgements


def means(run: dict[str, list[str]], judgements: dict[str, dict[str, int]], *, relevant_from: int) -> dict[str, float]:
    found = IrMeasures().by_topic(run, judgements, names=tuple(NAMES), relevant_from=relevant_from)
    return {name: sum(scores[name] for scores in found.values()) / len(found) for name in NAMES}


@pytest.mark.parametrize("relevant_from", [1, 2])
def test_the_library_scores_as_the_reference_does(relevant_from: int, tmp_path: Path) -> None:
    """Gain 2^grade - 1, ties in the order of the run, a topic without results counts 0, as there."""
    if not SCORER.is_file():
        pytest.skip("the reference scorer is not here")
    (tmp_path / "qrels").mkdir()
    for seed in range(5):
        run_of, judgements = random_set(seed)
        rows = [f"{topic}\t{entry}\t{grade}" for topic, grades in judgements.items() for entry, grade in grades.items()]
        (tmp_path / "qrels" / "test.tsv").write_text("\n".join(["q\td\ts", *rows]) + "\n")
        # one score for all: only the order of the file tells the ranks
        lines = [f"{topic}\t{entry}\t1.0" for topic, ranked in run_of.items() for entry in ranked]
        (tmp_path / "run.tsv").write_text("\n".join(lines) + "\n")
        printed = subprocess.run(
            [sys.executable, SCORER, tmp_path, tmp_path / "run.tsv", "--rel", str(relevant_from)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        means_printed, _, _ = printed.partition("}")
        expected = dict(re.findall(r"'([\w@]+)': ([\d.]+)", means_printed))
        ours = means(run_of, judgements, relevant_from=relevant_from)
        assert {name: f"{value:.4f}" for name, value in ours.items()} == {
            name: f"{float(expected[theirs]):.4f}" for name, theirs in NAMES.items()
        }


def test_the_library_scores_as_our_benchmarks_do() -> None:
    """`curio eval run` and `curio eval retrieval` mean the same by a name."""
    for seed in range(5):
        run_of, judgements = random_set(seed)
        ours = {measure.name: measure.value for measure in score_run(run_of, judgements)}
        for name, value in means(run_of, judgements, relevant_from=1).items():
            assert value == pytest.approx(ours[name], abs=1e-9)


def test_an_unknown_measure_is_named() -> None:
    """The error says which are known."""
    with pytest.raises(EvalError, match="MAD@10"):
        IrMeasures().by_topic({}, {"q": {"d": 1}}, names=("MAD@10",))


def test_a_missing_library_of_measures_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra, so a service may not have it."""
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(EvalError, match="ir-measures") as caught:
        IrMeasures().by_topic({}, {"q": {"d": 1}}, names=("Recall@5",))
    assert "curio_rag[eval]" in caught.value.hint


def test_the_library_of_measures_is_loaded_by_a_run_alone() -> None:
    """Neither the command line nor the package imports it."""
    assert "ir_measures" not in loaded_by("import curio_rag.faces.cli, curio_rag.knowledge_base")


TEXT = "Leukapheresis takes 3 to 6 hours. You must not drive for 8 weeks. Fever is common in the first week."
SENTENCES = tuple(split_facts(TEXT))


@pytest.mark.parametrize(
    ("fact", "status"),
    [
        ("Collecting cells by leukapheresis takes 3 to 6 hours.", FactStatus.COVERED),
        ("Leukapheresis takes 2 to 4 days.", FactStatus.CONTRADICTED),
        ("You must drive for 8 weeks.", FactStatus.CONTRADICTED),
        ("You must not drive for 8 weeks.", FactStatus.COVERED),
        ("You must not drive for 2 weeks.", FactStatus.CONTRADICTED),
        ("Fever in the first week is common.", FactStatus.COVERED),
        ("Hair falls out after some months.", FactStatus.MISSING),
        ("The cost is 373,000 dollars.", FactStatus.MISSING),
    ],
)
def test_a_plain_fact_is_covered_contradicted_or_missing(fact: str, status: FactStatus) -> None:
    """By words, figures and negation alone, the same for ever."""
    assert judge_fact(fact, SENTENCES) is status


def test_a_plain_answer_is_split_into_its_facts() -> None:
    """Sentences and list items; "3.5" and "38.5 °C" end no sentence, and what leads in to a list is no fact."""
    assert split_facts("It takes 3.5 hours. You rest:\n- drink water\n- sleep\n\n2. Call us at 38.5 °C.") == (
        "It takes 3.5 hours.",
        "drink water",
        "sleep",
        "Call us at 38.5 °C.",
    )


def test_a_sentence_is_supported_by_its_own_words_or_their_sense() -> None:
    """And not by a quote with another number or the other sense."""
    quote = "You must not drive for 8 weeks."
    assert supports([quote], "You must  not drive for 8 weeks.")
    assert not supports([quote], "You must not drive for 2 weeks.")
    assert not supports([quote], "You must drive for 8 weeks.")
    assert not supports([], "You must not drive.")


def test_every_probe_but_the_first_is_unfaithful() -> None:
    """The quote as it is may pass; each altered one differs from it in words or citation."""
    source = document("Aspirin is not for children. Take 2 tablets at most. It can hurt the stomach.")
    quote = "Take 2 tablets at most."
    exact, *altered = probes_of(source, quote, "Gout is a swelling.")
    assert exact.may_pass
    start = source.text.index(quote)
    cited = Citation(
        document_id=source.id,
        document_digest=source.digest,
        passage_id="probe",
        quote=quote,
        span=Span(start=start, end=start + len(quote)),
    )
    assert exact.sentence == Sentence(text=quote, citations=(cited,))
    assert [probe.alteration for probe in altered] == [
        "another number",
        "no citation",
        "the citation moved",
        "other words",
    ]
    assert not any(probe.may_pass for probe in altered)
    assert all((probe.sentence.text, probe.sentence.citations) != (quote, (cited,)) for probe in altered)
    denied = [probe.sentence.text for probe in probes_of(source, "Aspirin is not for children.", "")]
    assert "Aspirin is for children." in denied


CASE = {
    "id": "one",
    "split": "development",
    "question": "What is CAR-T therapy?",
    "previous": [],
    "expected": {"outcome": "drafted", "codes": [], "urgency": "routine", "group": None},
    "facts": [{"fact": "It is made from a person's own T cells.", "wordings": ["a person's own T cells"]}],
    "evidence": [{"document_id": "car-t-what-it-is.md", "quote": "made from a person's own T cells"}],
    "must_say": [],
    "must_not_say": [],
    "tags": {"topic": "overview", "type": "definition", "wording": "plain", "features": []},
    "clinician_confirmed": False,
}


def gold_file(folder: Path, *cases: object) -> Path:
    path = folder / "my_gold.jsonl"
    path.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
    return path


def test_a_run_prints_every_stage_and_is_a_record(bundled_index: Path, tmp_path: Path) -> None:
    """The table for people, the JSON with versions and digests for the gate."""
    gold = gold_file(tmp_path, CASE)
    status, out, err = run("eval", "run", gold, index=bundled_index)
    assert (status, err) == (0, "")
    for word in ("splitter", "triage", "keyword index", "retrieval", "writer", "claim gate", "0 confirmed", "sha256:"):
        assert word in out
    status, out, _ = run("eval", "run", gold, "--json", "--answers", index=bundled_index)
    record = json.loads(out)
    (case,) = record["splits"][0]["cases"]
    assert case["scores"]["Key-fact recall"] == 1.0
    assert case["sentences"]
    assert set(record["identity"]) >= {"version", "config_digest", "corpus_digest", "index_fingerprint", "writer"}
    assert len(out) > len(run("eval", "run", gold, "--json", index=bundled_index)[1])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"evidence": [{"document_id": "car-t-what-it-is.md", "quote": "made of cheese"}]}, "does not hold the quote"),
        ({"evidence": [{"document_id": "nowhere.md", "quote": "anything"}]}, "there is no document 'nowhere.md'"),
        ({"expected": {"outcome": "maybe"}}, "expected.outcome: 'maybe' is not known"),
        ({"wording": "plain"}, "wording: is not a known key"),
    ],
)
def test_a_faulty_case_stops_the_run_before_it_begins(
    change: dict[str, object], said: str, bundled_index: Path, tmp_path: Path
) -> None:
    """The file, the line and the field are named, with the way out."""
    gold = gold_file(tmp_path, CASE, {**CASE, "id": "two", "question": "And how?", **change})
    status, out, err = run("eval", "run", gold, index=bundled_index)
    assert (status, out) == (2, "")
    assert "my_gold.jsonl:2:" in err
    assert said in err
    assert "no case was run" in err


def test_other_bad_input_is_a_clear_error(bundled_index: Path, tmp_path: Path) -> None:
    """An unknown metric, an empty set, a split without cases, a record that is none."""
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n")
    for arguments, said in (
        (["run", "--metric", "BLEU"], "There is no metric 'BLEU'"),
        (["run", empty], "there is no gold case"),
        (["run", gold_file(tmp_path, CASE), "--split", "test"], "no gold case of the split test"),
        (["run", tmp_path / "missing.jsonl"], "cannot be read"),
        (["gate", empty], "is not the record of an evaluation"),
        (["compare", empty, tmp_path / "missing.json"], "is not the record of an evaluation"),
    ):
        status, _, err = run("eval", *arguments, index=bundled_index)
        assert status == 2, arguments
        assert said in err
