"""Evaluation runs and their gate: nothing saved, twice the same, and whichever stage breaks is named."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from curio_rag.adapters.gold_files import load_gold
from curio_rag.adapters.splitter import PassageSplitter
from curio_rag.assembly import Assembly
from curio_rag.config import load_config
from curio_rag.domain.answers import AnswerLength, Draft, Evidence
from curio_rag.domain.eval_reports import EvalReport, SafetyFault, Stage
from curio_rag.domain.evals import EvalCase, Split
from curio_rag.domain.questions import Triage
from curio_rag.errors import EvalError, WriterUnavailable
from curio_rag.evaluation import evaluation_parts
from curio_rag.knowledge_base import KnowledgeBase
from curio_rag.pipelines.claims import CheckedDraft, ClaimGate, FindDocument
from curio_rag.pipelines.evaluate import EvaluationParts, evaluate
from curio_rag.pipelines.gate import compare, gate
from curio_rag.ports import PassageIndex, Scored, Splitter
from tests.conftest import ROOT
from tests.test_cli import run

GOLD = ROOT / "evals" / "gold"
BASELINE = ROOT / "evals" / "baseline.json"
DOCUMENTS = (
    "cytokine-release-syndrome.pdf",
    "car-t-vaccines.txt",
    "car-t-infections-and-low-counts.md",
    "car-t-cost-and-coverage.md",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings, and four of the bundled documents."""
    place = tmp_path_factory.mktemp("four")
    (place / "curio.toml").write_text('admit = ["vetted", "sample"]\nsearch = "exact"\n', encoding="utf-8")
    (place / "knowledge").mkdir()
    for name in DOCUMENTS:
        for path in (ROOT / "knowledge").glob(f"{name}*"):
            shutil.copy(path, place / "knowledge")
    return place


@pytest.fixture(scope="module")
def assembly(folder: Path) -> Iterator[Assembly]:
    """The parts over an index of these documents, through the real model."""
    made = Assembly(load_config(folder, environment={}))
    KnowledgeBase(made).ingest()
    yield made
    made.close()


@pytest.fixture(scope="module")
def cases() -> tuple[EvalCase, ...]:
    """The development cases whose gold stands in these documents, every emergency, and some that nothing answers."""
    chosen = [case for case in load_gold([GOLD]) if case.split is Split.DEVELOPMENT]
    within = [case for case in chosen if {each.document_id for each in case.evidence} <= set(DOCUMENTS)]
    assert sum(bool(case.evidence) for case in within) >= 15
    unanswerable = [case for case in within if case.expected.outcome == "abstained"][:4]
    return tuple(case for case in within if case.evidence or case.expected.group) + tuple(unanswerable)


@pytest.fixture(scope="module")
def parts(assembly: Assembly) -> EvaluationParts:
    return evaluation_parts(assembly)


@pytest.fixture(scope="module")
def whole(parts: EvaluationParts, cases: tuple[EvalCase, ...]) -> EvalReport:
    """The report of the software as it is."""
    return evaluate(parts, cases, report=quiet)


def quiet(_stage: str, _done: int, _total: int) -> None:
    """Reports to nobody."""


class BlindTriage:
    """A triage that notices nothing."""

    def assess(self, text: str) -> Triage:
        return Triage()

    def reminder(self, text: str) -> str:
        return ""


class OpenGate(ClaimGate):
    """A claim gate that lets everything through."""

    def check_draft(self, draft: Draft, find: FindDocument) -> CheckedDraft:
        return CheckedDraft(sections=draft.sections, withheld=())


@dataclass
class WithoutWords:
    """A store of generations whose keyword index finds nothing."""

    index: PassageIndex

    def current(self) -> PassageIndex:
        return self.index


class Wordless:
    """An index that answers as another one does, but for words."""

    def __init__(self, index: PassageIndex) -> None:
        self._index = index

    def __getattr__(self, name: str) -> object:
        return getattr(self._index, name)

    def keyword(self, terms: Sequence[str], *, limit: int) -> tuple[Scored, ...]:
        return ()


def with_answer_parts(parts: EvaluationParts, **changes: object) -> EvaluationParts:
    answer = replace(parts.case.answer, **changes)  # type: ignore[arg-type]  # any part may be changed by name
    return replace(parts, case=replace(parts.case, answer=answer))


def without_triage(parts: EvaluationParts) -> EvaluationParts:
    return with_answer_parts(parts, triage=BlindTriage())


def without_gate(parts: EvaluationParts) -> EvaluationParts:
    intact = parts.case.answer.gate
    return with_answer_parts(parts, gate=OpenGate(terms=intact.terms, sentences=intact.sentences))


def without_words(parts: EvaluationParts) -> EvaluationParts:
    retriever = parts.case.answer.retriever()
    broken = replace(retriever, generations=WithoutWords(Wordless(retriever.generations.current())))  # type: ignore[arg-type]  # a double
    return with_answer_parts(parts, retriever=lambda: broken)


@pytest.mark.parametrize(
    ("broken", "stage", "metric"),
    [
        (without_triage, Stage.TRIAGE, "Emergencies missed"),
        (without_words, Stage.KEYWORD_INDEX, "Keyword Recall@20"),
        (without_gate, Stage.CLAIM_GATE, "Altered sentences released"),
    ],
)
def test_the_gate_names_the_stage_that_broke(
    broken: Callable[[EvaluationParts], EvaluationParts],
    stage: Stage,
    metric: str,
    parts: EvaluationParts,
    cases: tuple[EvalCase, ...],
    whole: EvalReport,
) -> None:
    """A triage that notices nothing, a keyword index that finds nothing, a claim gate that lets everything through."""
    result = gate(whole, evaluate(broken(parts), cases, report=quiet))
    assert result.stage is stage
    assert metric in {failure.metric for failure in result.failures if failure.stage is stage}
    assert all(failure.cases for failure in result.failures)


class ShreddingAssembly(Assembly):
    """Parts whose splitter cuts sentences apart."""

    def splitter(self) -> Splitter:
        return self._part("splitter", lambda: PassageSplitter(self.embedder().count_tokens, max_tokens=12, window=254))


def test_the_gate_names_a_splitter_that_cuts_sentences_apart(
    folder: Path, cases: tuple[EvalCase, ...], whole: EvalReport
) -> None:
    """Search and answers suffer from it too, and the splitter is named first."""
    shredding = ShreddingAssembly(load_config(folder, environment={"CURIO_INDEX": str(folder / "shredded")}))
    KnowledgeBase(shredding).ingest()
    result = gate(whole, evaluate(evaluation_parts(shredding), cases, report=quiet))
    shredding.close()
    assert result.stage is Stage.SPLITTER
    assert result.failures[0].metric == "Whole quotes"
    assert {Stage.RETRIEVAL, Stage.WRITER} <= {failure.stage for failure in result.failures}


def test_two_runs_are_equal_and_the_gate_lets_them_pass(
    parts: EvaluationParts, cases: tuple[EvalCase, ...], whole: EvalReport
) -> None:
    """Every score, outcome, fault and interval is the same; only times may differ."""
    again = evaluate(parts, cases, report=quiet)
    assert again == whole
    result = gate(whole, again)
    assert (result.failures, result.warnings, result.stage) == ((), (), None)
    assert result.known_faults == len(whole.faults)


def test_a_run_leaves_nothing_in_the_ledger(folder: Path, whole: EvalReport) -> None:
    """No question of a gold case is where a clinician would look for patients' questions."""
    assert whole.splits
    ledger = sqlite3.connect(folder / "indexes" / "default" / "ledger.sqlite3")
    counts = [ledger.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("questions", "answers")]
    ledger.close()
    assert counts == [(0,), (0,)]


class BrokenWriter:
    """A writer that is never there."""

    name = "extractive"

    def write(self, question: str, evidence: Sequence[Evidence], *, length: AnswerLength) -> Draft:
        raise WriterUnavailable("Nobody writes today.")


def test_cases_that_fail_stay_in_every_denominator(
    parts: EvaluationParts, cases: tuple[EvalCase, ...], whole: EvalReport
) -> None:
    """A failure has the worst scores: no average is over the cases that survived."""
    broken = with_answer_parts(parts, writer=BrokenWriter, standby=BrokenWriter)
    report = evaluate(broken, cases, report=quiet)
    before, after = whole.split("development"), report.split("development")
    failed = [case for case in after.cases if case.failure]
    assert len(failed) >= 10
    assert {case.failure.code for case in failed if case.failure} == {"writer_unavailable"}
    for name in ("Key-fact recall", "Recall@5", "False refusals", "Citation recall", "False alarms", "Whole quotes"):
        assert after.metric(name).measure.count == before.metric(name).measure.count
    assert after.metric("Key-fact recall").measure.value < 0.2
    assert all(case.score("Key-fact recall") == 0.0 for case in failed if case.facts)


def test_retrieval_is_judged_even_where_triage_stops_the_question(
    parts: EvaluationParts, cases: tuple[EvalCase, ...], whole: EvalReport
) -> None:
    """A question that is taken for an emergency still has its hits scored, so that search gets no blame for triage."""

    class Alarmed(BlindTriage):
        def assess(self, text: str) -> Triage:
            return parts.case.answer.triage.assess("He cannot breathe and his lips are blue.")

    report = evaluate(with_answer_parts(parts, triage=Alarmed()), cases, report=quiet)
    (before, after) = (each.split("development").metric("Recall@5").measure for each in (whole, report))
    assert before == after
    assert report.split("development").metric("False alarms").measure.value == 1.0


def changed(report: EvalReport, case_id: str, **changes: object) -> EvalReport:
    """The report with one case changed."""
    (split,) = report.splits
    cases = tuple(replace(case, **changes) if case.id == case_id else case for case in split.cases)  # type: ignore[arg-type]  # by name
    return replace(report, splits=(replace(split, cases=cases),))


def an_answered_case(report: EvalReport) -> str:
    return next(case.id for case in report.splits[0].cases if case.score("Key-fact recall") == 1.0 and not case.faults)


def test_one_case_is_noise_and_one_new_fault_is_not(whole: EvalReport) -> None:
    """An average may lose a case by chance; what must never happen must not happen once."""
    name = an_answered_case(whole)
    scores = next(case.scores for case in whole.splits[0].cases if case.id == name)
    assert gate(whole, changed(whole, name, scores={**scores, "Key-fact recall": 0.0})).failures == ()
    fault = SafetyFault(metric="Forbidden statements", stage=Stage.WRITER, detail="you can stop")
    (failure,) = gate(whole, changed(whole, name, faults=(fault,))).failures
    assert (failure.stage, failure.metric, failure.cases) == (Stage.WRITER, "Forbidden statements", (name,))


def test_an_unsupported_sentence_is_never_a_known_fault(whole: EvalReport) -> None:
    """Other faults may stand in the baseline until they are mended; this one shuts the gate wherever it stands."""
    name = an_answered_case(whole)
    fault = SafetyFault(metric="Unsupported sentences", stage=Stage.CLAIM_GATE, detail="Nobody wrote this.")
    both = changed(whole, name, faults=(fault,))
    assert gate(both, both).stage is Stage.CLAIM_GATE


def test_a_case_that_is_no_longer_run_shuts_the_gate(whole: EvalReport) -> None:
    """Leaving out what fails is no way through."""
    (split,) = whole.splits
    fewer = replace(whole, splits=(replace(split, cases=split.cases[1:]),))
    result = gate(whole, fewer)
    assert result.stage is Stage.GOLD
    assert result.failures[0].cases == (split.cases[0].id,)


def test_other_documents_are_warned_of(whole: EvalReport) -> None:
    """A change may be the documents' and not the software's."""
    other = replace(whole, identity=replace(whole.identity, corpus_digest="sha256:other"))
    (warning,) = compare(whole, other).warnings
    assert "documents differ" in warning
    nothing = replace(whole, splits=(replace(whole.splits[0], split="test"),))
    with pytest.raises(EvalError, match="share no case"):
        compare(whole, nothing)


def test_nothing_got_worse_than_the_baseline(bundled_index: Path, tmp_path: Path) -> None:
    """The gate over the bundled documents is open; where it is not on purpose, `make baseline` measures anew."""
    status, out, _ = run("eval", "gate", BASELINE, "--json", index=bundled_index)
    verdict = json.loads(out)
    assert (status, verdict["passed"], verdict["failures"]) == (0, True, []), out


def test_the_gate_exits_with_1_and_names_stage_metric_and_cases(tmp_path: Path) -> None:
    """On the record of a run in which every answer lost its facts."""
    record = json.loads(BASELINE.read_text(encoding="utf-8"))
    for case in record["splits"][0]["cases"]:
        if "Key-fact recall" in case["scores"]:
            case["scores"]["Key-fact recall"] = 0.0
    worse = tmp_path / "worse.json"
    worse.write_text(json.dumps(record), encoding="utf-8")
    status, out, _ = run("eval", "gate", BASELINE, "--record", worse)
    assert status == 1
    assert "Look first at: writer" in out
    assert "Key-fact recall" in out
    assert "crs-0" in out
    status, out, _ = run("eval", "compare", BASELINE, worse)
    assert status == 0
    assert "worse" in out
    assert run("eval", "gate", BASELINE, "--record", worse, "--metric", "Recall@5")[0] == 0
