"""Gold cases: what a case file may hold, what proves a case, and that the bundled cases are sound."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from curio_rag.adapters.emergency_card import load_emergency_card
from curio_rag.adapters.folder import FolderSource
from curio_rag.adapters.gold_files import load_gold, read_gold
from curio_rag.domain.answers import Outcome
from curio_rag.domain.evals import EvalCase, GoldEvidence, KeyFact, Split, covers, holds, normalise
from curio_rag.domain.sources import Document
from curio_rag.errors import EvalError
from curio_rag.pipelines.gold import check_gold, gold_coverage, kind_of, shared_run
from tests.conftest import ROOT

GOLD = ROOT / "evals" / "gold"
QUOTE = "In the United States, since June 2025, labels say not to drive for at least 2 weeks."
GOING_HOME = Document(id="home.md", title="Home", source="home.md", text=f"Home\n\n{QUOTE} Follow “your own” centre.")
OTHER = Document(id="other.md", title="Other", source="other.md", text="CRS is common.")

Row = dict[str, object]


def row(**changes: object) -> Row:
    """A sound case as it stands in a file, with other values for some keys."""
    case: Row = {
        "id": "home-01",
        "split": "development",
        "question": "When may I use my car again?",
        "previous": [],
        "expected": {"outcome": "drafted", "codes": [], "urgency": "routine", "group": None},
        "facts": [{"fact": "No driving for two weeks.", "wordings": ["not to drive for at least 2 weeks"]}],
        "evidence": [{"document_id": "home.md", "quote": QUOTE}],
        "must_say": [],
        "must_not_say": [],
        "tags": {"topic": "home", "type": "duration", "wording": "plain", "features": []},
        "clinician_confirmed": False,
    }
    return {**case, **changes}


def expected(**changes: object) -> Row:
    return {"outcome": "drafted", "codes": [], "urgency": "routine", "group": None, **changes}


def tags(**changes: object) -> Row:
    return {"topic": "home", "type": "duration", "wording": "plain", "features": [], **changes}


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes rows (or lines as they are) into a file of gold cases."""

    def write_it(*rows: Row | str, name: str = "a.jsonl") -> Path:
        path = tmp_path / name
        lines = (each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in rows)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write_it


Check = Callable[..., list[str]]


@pytest.fixture
def check(write: Write) -> Check:
    """The printed problems of rows against two small documents."""

    def check_it(*rows: Row) -> list[str]:
        cases = load_gold([write(*rows)])
        return [str(problem) for problem in check_gold(cases, (GOING_HOME, OTHER), fixed_texts=("Call 112 now.",))]

    return check_it


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  Two\n weeks. ", "two weeks"),
        ("38.5 °C (101.3 °F), or more", "38.5°c 101.3°f or more"),
        ("£1,200, $ 30 and 5 % of 2026.", "£1,200 $30 and 5% of 2026"),
        ("CAR-T: “don’t”", "car t don t"),
        ("2–4 weeks", "2 4 weeks"),
        ("°C, % and $", "c and"),
    ],
)
def test_normalising_keeps_only_the_marks_of_numbers(text: str, normal: str) -> None:
    """Case, white space and punctuation do not matter; what belongs to a number does, and doing it twice is once."""
    assert normalise(text) == normal
    assert normalise(normal) == normal


@pytest.mark.parametrize(
    ("wording", "found"),
    [
        ("2 weeks", False),
        ("12 weeks", True),
        ("12", True),
        ("1", False),
        ("38", False),
        ("38.5 °C", True),
        ("infection", True),
        ("fection", False),
        ("", False),
        ("...", False),
    ],
)
def test_a_wording_is_found_from_the_start_of_a_word_and_with_whole_numbers(wording: str, found: bool) -> None:
    """A shorter number within a longer one is another number; the ending of a word is free."""
    assert holds("Infections after 12 weeks, at 38.5°C.", wording) is found


def test_a_fact_is_covered_by_any_of_its_wordings() -> None:
    """One accepted wording is enough, none is not."""
    fact = KeyFact(fact="It is common.", wordings=("often seen", "is common"))
    assert covers("CRS is COMMON.", fact)
    assert not covers("CRS is rare.", fact)


def test_a_sound_case_is_read_and_has_no_problem(write: Write, check: Check) -> None:
    """Every field arrives; file and line are known."""
    (case,) = load_gold([write(row(), name="b.jsonl")])
    assert (case.file, case.line, case.id, case.split) == ("b.jsonl", 1, "home-01", Split.DEVELOPMENT)
    assert case.expected.outcome is Outcome.DRAFTED
    assert case.evidence == (GoldEvidence(document_id="home.md", quote=QUOTE),)
    assert check(row()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"notes": "x"}, "notes: is not a known key; choose from clinician_confirmed, evidence"),
        ({"question": 3}, "question: has to be a text, not a number"),
        ({"question": "  "}, "question: is empty"),
        ({"split": "training"}, "split: 'training' is not known; choose from development, test"),
        ({"previous": ["a", 1]}, "previous[1]: has to be a text that is not empty"),
        ({"must_say": "x"}, "must_say: has to be a list, not a text"),
        ({"clinician_confirmed": "no"}, "clinician_confirmed: has to be true or false, not a text"),
        ({"facts": [{"fact": "x", "wordings": []}]}, "facts[0].wordings: is empty"),
        (
            {"facts": [{"fact": "x", "wordings": ["x"], "wording": "x"}]},
            "facts[0].wording: is not a known key; choose from fact, wordings",
        ),
        ({"facts": ["x"]}, "facts[0]: has to be an object"),
        ({"evidence": [{"quote": "x"}]}, "evidence[0].document_id: is missing"),
        ({"expected": expected(outcome="answered")}, "expected.outcome: 'answered' is not known; choose from drafted"),
        ({"expected": expected(urgency="soon")}, "expected.urgency: 'soon' is not known; choose from emergency"),
        ({"expected": expected(codes=["policy"])}, "expected.codes: 'policy' is no reason"),
        ({"expected": expected(outcome="abstained", codes=["minor"])}, "choose from out_of_scope, no_evidence, policy"),
        ({"expected": expected(outcome="referred")}, "expected.codes: is empty; name what is accepted of emergency"),
        ({"expected": expected(group="fire")}, "expected.group: 'fire' is not on the emergency card"),
        ({"expected": None}, "expected: has to be an object, not null"),
        ({"tags": tags(wording="rude")}, "tags.wording: 'rude' is not known; choose from plain, chatty, misspelt"),
        ({"tags": tags(colour="red")}, "tags.colour: is not a known key"),
        ({"tags": tags(topic="")}, "tags.topic: is empty"),
    ],
)
def test_a_malformed_field_is_named_with_file_line_and_way_out(write: Write, changes: Row, message: str) -> None:
    """The second line is at fault, so the message begins with the file and 2, and only that one is given."""
    path = write(row(), row(id="home-02", **changes))
    with pytest.raises(EvalError) as error:
        load_gold([path])
    (line,) = error.value.message.splitlines()
    assert line.startswith("a.jsonl:2: ")
    assert message in line
    assert error.value.hint


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": ', "the line is not JSON (column 8)"),
        ("[1]", "the line is not a JSON object"),
        ('{"id": "a", "id": "b"}', "id: stands there twice"),
        ("[" * 100_000, "the line is not JSON"),
    ],
)
def test_a_line_that_is_no_case_is_named(write: Write, line: str, message: str) -> None:
    """What cannot be read as an object is reported once, and the other lines are still read."""
    reading = read_gold([write(line, row())])
    assert str(reading.problems[0]).startswith(f"a.jsonl:1: {message}")
    assert [case.id for case in reading.cases] == ["home-01"]


def test_all_faults_of_all_files_are_reported_together(tmp_path: Path, write: Write) -> None:
    """Two faults of one case and one of another file: three lines, none hidden behind the first."""
    write(row(question="", split="x"))
    write(row(id="other", tags=tags(wording="x")), name="b.jsonl")
    messages = [str(problem) for problem in read_gold([tmp_path]).problems]
    assert [message.split(": ")[0:2] for message in messages] == [
        ["a.jsonl:1", "split"],
        ["a.jsonl:1", "question"],
        ["b.jsonl:1", "tags.wording"],
    ]


def test_an_id_belongs_to_one_case_and_a_topic_to_one_split(tmp_path: Path, write: Write) -> None:
    """Over all files; the message says where the first one stands."""
    write(row())
    write(row(), row(id="home-02", split="test"), name="b.jsonl")
    first, second = map(str, read_gold([tmp_path]).problems)
    assert first.startswith("b.jsonl:1: id: 'home-01' stands already at a.jsonl:1")
    assert second.startswith("b.jsonl:2: split: the topic 'home' is in development at a.jsonl:1 and here in test")


def test_what_cannot_be_opened_or_holds_no_case_is_an_error(tmp_path: Path) -> None:
    """A missing file, a file that is not UTF-8 and an empty folder."""
    (tmp_path / "latin.jsonl").write_bytes(b"\xff")
    (tmp_path / "empty").mkdir()
    for name, message in (("none.jsonl", "cannot be read"), ("latin.jsonl", "not UTF-8"), ("empty", "no gold case")):
        with pytest.raises(EvalError, match=message):
            load_gold([tmp_path / name])


@pytest.mark.parametrize(
    ("quote", "message"),
    [
        (QUOTE.replace("since", "since "), "it differs in white space only"),
        ('Follow "your own" centre.', "it differs in quotation marks, dashes or white space only"),
        (QUOTE.replace("United States", "**United States**").upper(), "punctuation, capitals or markup only"),
        ("CRS is common.", "it stands in other.md"),
        ("Drive after 2 days.", "copy the words exactly"),
    ],
)
def test_a_quote_that_is_not_exact_is_named_with_how_it_differs(check: Check, quote: str, message: str) -> None:
    """A quote has to stand in its document letter for letter."""
    evidence = [{"document_id": "home.md", "quote": QUOTE}, {"document_id": "home.md", "quote": quote}]
    (problem,) = check(row(evidence=evidence))
    assert problem.startswith("a.jsonl:1: home-01: evidence: home.md does not hold the quote")
    assert problem.endswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"evidence": [{"document_id": "no.md", "quote": QUOTE}]}, "evidence: there is no document 'no.md'"),
        (
            {"facts": [{"fact": "Eight.", "wordings": ["8 weeks"]}]},
            "facts[0]: no wording of 'Eight.' stands in a quote",
        ),
        ({"facts": []}, "facts: an answerable question needs at least one fact"),
        ({"facts": [], "evidence": []}, "evidence: an answerable question needs at least one quote"),
        (
            {"question": "Labels say NOT to drive?"},
            "question: it shares 'labels say not to drive' with a quote of home.md",
        ),
        ({"must_say": ["Call 999"]}, "must_say: 'Call 999' stands in no document and in no fixed advice"),
        ({"must_not_say": ["at least 2 weeks"]}, "must_not_say: 'at least 2 weeks' stands in a quote"),
        ({"expected": expected(group="stroke")}, "expected.group: only an emergency has one"),
        ({"expected": expected(urgency="emergency")}, "expected.urgency: 'emergency' goes with the code"),
        (
            {"expected": expected(outcome="referred", codes=["emergency"], urgency="emergency")},
            "expected.group: an emergency needs the group",
        ),
    ],
)
def test_a_case_that_cannot_be_right_is_named(check: Check, changes: Row, message: str) -> None:
    """Each kind of fault, at its file and line."""
    problems = check(row(**changes))
    assert any(problem.startswith(f"a.jsonl:1: home-01: {message}") for problem in problems), problems


def test_a_demand_may_rest_on_the_fixed_advice_and_no_two_questions_are_alike(check: Check) -> None:
    """Words of the emergency card may be demanded; the same question again is a fault unless its thread differs."""
    assert check(row(must_say=["call 112"])) == []
    (problem,) = check(row(), row(id="home-02", question="when may i use my car again"))
    assert problem == "a.jsonl:2: home-02: question: home-01 at a.jsonl:1 asks the same"
    assert check(row(), row(id="home-02", previous=["What about Tecartus?"])) == []


def test_five_words_in_a_row_are_a_copy_and_four_are_not() -> None:
    """Capitals, marks and typographic apostrophes do not hide a copy."""
    assert shared_run("one two three four six", "one two three four five") == ()
    assert shared_run("Don’t: ONE two, three four!", "don't one two three four five") == (
        *("don't", "one", "two", "three"),
        "four",
    )


def test_coverage_counts_a_document_once_for_a_case_and_shows_those_without_questions(write: Write) -> None:
    """Two quotes of one document are one question; a document that nothing asks about counts 0."""
    evidence = [{"document_id": "home.md", "quote": QUOTE}, {"document_id": "home.md", "quote": "Home"}]
    coverage = gold_coverage(load_gold([write(row(evidence=evidence))]), (GOING_HOME, OTHER))
    assert coverage.documents == (("home.md", 1), ("other.md", 0))
    assert coverage.kinds == (("answerable", 1),)
    assert (coverage.cases, coverage.clinician_confirmed) == (1, 0)


@pytest.fixture(scope="module")
def bundled_cases() -> tuple[EvalCase, ...]:
    return load_gold([GOLD])


@pytest.fixture(scope="module")
def bundled_documents() -> tuple[Document, ...]:
    source = FolderSource()
    return tuple(source.read(source.load(file)) for file in source.list([ROOT / "knowledge"]) if file.skip is None)


def test_bundled_gold_is_sound(bundled_cases: tuple[EvalCase, ...], bundled_documents: tuple[Document, ...]) -> None:
    """Every quote stands in its document, every fact in a quote, and no question copies what it is to find."""
    card = load_emergency_card()
    countries = (None, *(lines.code for lines in card.countries))
    advice = [card.advice(group.group, country=country) for group in card.groups for country in countries]
    advice += [
        line for each in countries for line in (card.call_team_line(country=each), card.minor_line(country=each))
    ]
    assert [str(problem) for problem in check_gold(bundled_cases, bundled_documents, fixed_texts=advice)] == []


def test_bundled_gold_has_enough_of_each_kind(bundled_cases: tuple[EvalCase, ...]) -> None:
    """Enough of each kind that a metric means something, of every wording, and in both splits."""
    lookalikes = {case.id for case in bundled_cases if "lookalike" in case.tags.features}
    kinds = [kind_of(case) for case in bundled_cases if case.id not in lookalikes]
    assert len(bundled_cases) >= 160
    assert kinds.count("answerable") >= 95
    assert kinds.count("unanswerable") >= 25
    assert kinds.count("decision") >= 20
    assert kinds.count("emergency") + len(lookalikes) >= 20
    assert {case.tags.wording.value for case in bundled_cases} == {"plain", "chatty", "misspelt"}
    assert any(case.previous for case in bundled_cases)
    for split in Split:
        assert {kind_of(case) for case in bundled_cases if case.split is split} == set(kinds)


def test_no_topic_is_tuned_on_and_tested_on(bundled_cases: tuple[EvalCase, ...]) -> None:
    """A topic lies in one split, so that the test split measures what nobody tuned on."""
    topics = {split: {case.tags.topic for case in bundled_cases if case.split is split} for split in Split}
    assert not topics[Split.DEVELOPMENT] & topics[Split.TEST]


def test_no_clinician_has_confirmed_the_bundled_gold(bundled_cases: tuple[EvalCase, ...]) -> None:
    """Nobody clinical has seen it, and no case claims otherwise."""
    assert not any(case.clinician_confirmed for case in bundled_cases)
