"""Contradictions: the same thing with the same scope and other figures; an answer shows both sides and says so."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from curio_rag.adapters.package_data import load_question_types
from curio_rag.adapters.sentences import sentence_spans
from curio_rag.domain.figures import Bound, figures_of
from curio_rag.domain.sources import Passage, Span
from curio_rag.knowledge_base import KnowledgeBase
from curio_rag.pipelines.conflicts import ConflictFinder, Statement
from tests.conftest import ROOT, SmallBase, sample


def kinds(text: str) -> list[tuple[str, float, float, str]]:
    return [
        (figure.kind, round(figure.low, 2), round(figure.high, 2), figure.bound.value) for figure in figures_of(text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It lasts 3 to 5 days.", [("days", 3, 5, "exact")]),
        ("Wait for at least two weeks.", [("days", 14, 14, "at least")]),
        ("It takes up to 12 months.", [("days", 365, 365, "at most")]),
        ("In 91 of every 100 people.", [("percent", 91, 91, "exact")]),
        ("One in 20 people has it.", [("percent", 5, 5, "exact")]),
        ("About half of the people had it.", [("percent", 50, 50, "exact")]),
        ("A fever of 38 °C (100.4 °F) or higher.", [("degrees Celsius", 38, 38, "exact")]),
        ("Take 400 mg twice a day.", [("mg", 400, 400, "exact"), ("per day", 2, 2, "exact")]),
        ("It costs $373,000.", [("money $", 373000, 373000, "exact")]),
        ("A full score is 10 points.", [("number of points", 10, 10, "exact")]),
        ("On August 30, 2017 it was approved.", [("year", 2017, 2017, "exact")]),
        ("In a study of 352 adults, 74 of every 100 had it.", [("percent", 74, 74, "exact")]),
        ("Every 4 weeks.", [("every days", 28, 28, "exact")]),
        ("Nothing is counted here.", []),
    ],
)
def test_figures_are_read_in_one_unit(text: str, expected: list[tuple[str, float, float, str]]) -> None:
    """Words and digits, ranges and limits; what repeats a figure in another unit counts once."""
    assert kinds(text) == expected


@pytest.mark.parametrize(
    ("first", "second", "agree"),
    [
        ("14 days", "two weeks", True),
        ("12 months", "1 year", True),
        ("3 to 7 days", "about 5 days", True),
        ("at least twice a day", "3 times a day", True),
        ("at least 2 weeks", "at least 8 weeks", False),
        ("up to 2 months", "6 months", False),
        ("3 to 5 days", "10 to 14 days", False),
    ],
)
def test_figures_agree_where_both_can_be_true(first: str, second: str, agree: bool) -> None:
    """Ranges that touch agree; two limits of one sort are compared as they are."""
    (one,), (other,) = figures_of(first), figures_of(second)
    assert one.agrees(other) is other.agrees(one) is agree


def test_a_span_covers_the_words_of_the_figure() -> None:
    """What is shown of a figure can be read."""
    (figure,) = figures_of("Do not drive for at least 8 weeks after it.")
    assert figure.span.of("Do not drive for at least 8 weeks after it.") == "at least 8 weeks"
    assert figure.bound is Bound.AT_LEAST


@pytest.mark.parametrize("text", ["9" * 20_000, "1 to " * 5000, "1,000," * 3000, "about " * 4000 + "2 days"])
def test_long_runs_cost_no_more_than_their_length(text: str) -> None:
    """A document may hold anything."""
    started = time.process_time()
    figures_of(text)
    assert time.process_time() - started < 2


def finds(
    first: str, second: str, *, scope: dict[str, object] | None = None, other: dict[str, object] | None = None
) -> bool:
    """Whether a finder sees a conflict; `scope` is of the first passage, `other` of the second."""
    finder = ConflictFinder(types=load_question_types(), split=sentence_spans)
    sides: list[Statement] = []
    for text, fields in ((first, scope or {}), (second, other or {})):
        span = Span(start=0, end=len(text))
        passage = Passage(document_id="a.md", document_digest="", span=span, text=text, title="A test", **fields)  # type: ignore[arg-type]  # by name
        sides.extend(finder.statements(passage))
    one, two = sides
    return finder.between(one, two) is not None


def test_other_figures_for_the_same_thing_are_a_conflict() -> None:
    """In other words too, as long as both speak of the same."""
    assert finds("Making the cells takes two to five weeks.", "It takes 8 to 10 weeks to make the cells.")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("In Canada, do not drive for 2 weeks.", "In Britain, do not drive for 8 weeks."),
        ("Do not drive for 2 weeks.", "Do not drive for 8 weeks if you had a seizure."),
        ("Most people stay for 2 weeks.", "Some people stay for 5 weeks."),
        ("CRS starts within 7 days.", "CRS lasts 14 days."),
        ("Until 2025 the limit was 8 weeks.", "Since 2025 the limit is 2 weeks."),
    ],
)
def test_another_scope_is_no_conflict(first: str, second: str) -> None:
    """Where, when, for whom, on what condition, and what is measured."""
    assert not finds(first, second)


@pytest.mark.parametrize(
    ("scope", "other"),
    [
        ({"jurisdiction": "US"}, {"jurisdiction": "GB"}),
        ({"products": ("Breyanzi",)}, {"products": ("Tecartus",)}),
        ({"population": "adults"}, {"population": "children"}),
    ],
)
def test_the_scope_of_the_document_counts(scope: dict[str, object], other: dict[str, object]) -> None:
    """Two documents for different countries, products or people may differ."""
    first, second = "Stay near for at least 2 weeks.", "Stay near for at least 4 weeks."
    assert finds(first, second)
    assert finds(first, second, scope=scope, other=scope)
    assert not finds(first, second, scope=scope, other=other)


def write_disagreement(folder: Path) -> None:
    """Two documents that give different figures for how long an attack of gout lasts."""
    for name, span in (("gout.md", "7 to 10 days"), ("joints.md", "3 to 4 weeks")):
        title = "Gout" if name == "gout.md" else "Painful joints in gout"
        body = (
            f"# {title}\n\n## How long gout lasts\n\nAn attack of gout lasts {span} without treatment of the joint.\n"
        )
        (folder / "knowledge" / name).write_text(sample(title, body), encoding="utf-8")


def test_an_answer_shows_both_sides_with_their_days(folder: Path, open_base: SmallBase) -> None:
    """Neither figure is chosen; the pair is flagged for the reviewer, and kept."""
    write_disagreement(folder)
    base = open_base()
    base.ingest()
    record = base.ask("How long does an attack of gout last without treatment?")
    (conflict,) = record.answer.conflicts
    assert {conflict.first_figure, conflict.second_figure} == {"7 to 10 days", "3 to 4 weeks"}
    text = " ".join(record.text.split())
    assert "These sources disagree: [1] says" in text
    assert "as of 2026-11-23" in text
    shown = record.to_dict()["conflicts"]
    assert isinstance(shown, list)
    assert len(shown) == 1
    assert base.answer(record.answer.id) == record
    words = [sentence.text for section in record.answer.sections for sentence in section.sentences]
    assert len([text for text in words if "attack of gout lasts" in text]) == 2


def test_the_whole_library_is_looked_through(folder: Path, open_base: SmallBase) -> None:
    """`curio check --conflicts` names both places."""
    base = open_base()
    base.ingest()
    assert base.conflicts() == ()
    write_disagreement(folder)
    base.ingest()
    (found,) = base.conflicts()
    assert {found.first.passage.document_id, found.second.passage.document_id} == {"gout.md", "joints.md"}
    assert json.dumps(found.to_dict())


def test_the_bundled_documents_do_not_contradict_each_other(bundled: KnowledgeBase) -> None:
    """As far as the rules see."""
    assert bundled.conflicts() == ()


def test_the_frozen_pairs_are_sound() -> None:
    """At least sixty, each id once, both halves alike."""
    lines = [json.loads(line) for line in (ROOT / "evals" / "conflicts.jsonl").read_text("utf-8").splitlines()]
    assert len({line["id"] for line in lines}) == len(lines) >= 60
    for split in ("development", "test"):
        assert sum(line["split"] == split and line["conflict"] for line in lines) == len(lines) / 4
