"""What is taken of a section: whole lists, looked-up dictionaries, sections that end soon after the budget."""

from __future__ import annotations

import pytest

from curio_rag.adapters.package_data import load_question_types
from curio_rag.adapters.section_extracts import SLACK, Extract, Unit
from curio_rag.domain.answers import SectionKind
from curio_rag.domain.sources import Document, Span
from tests.fakes import line_spans

TYPES = load_question_types()


def extract(
    *lines: str, kinds: SectionKind = SectionKind.PARAGRAPH, budget: int, terms: tuple[str, ...] = ()
) -> list[str]:
    """What is taken of a unit made of these lines."""
    text = "\n".join(lines)
    spans = line_spans(lines)
    taken = Extract(
        document=Document(id="a.md", title="A", text=text, source="a.md"), budget=budget, seen=set(), terms=terms
    )
    lead = [Unit(kind=SectionKind.PARAGRAPH, spans=(spans[0],))] if kinds is not SectionKind.PARAGRAPH else []
    taken.take_all([*lead, Unit(kind=kinds, spans=spans[len(lead) :])])
    taken.drop_lead()
    return [taken.text_of(span) for unit in taken.units for span in unit.spans]


def test_a_section_that_ends_soon_after_the_budget_is_taken_whole() -> None:
    """Three sentences more are better than a thought that breaks off; ten more are not."""
    sentences = [f"Sentence number {number} has exactly seven words." for number in range(20)]
    assert extract(*sentences[:6], budget=42 - SLACK) == sentences[:6]
    assert len(extract(*sentences, budget=42)) == 6


def test_a_dictionary_is_looked_up_in() -> None:
    """Of many words with their meanings those that are asked for, without the line that announces all of them."""
    words = [f"Word {number} (also: term {number}): word {number} means something." for number in range(12)]
    words[5] = "CRS (also: cytokine release syndrome): CRS is a strong immune reaction."
    lines = ("The words from A to Z are these:", *words)
    asked = ("cytokine", "release", "syndrome")
    assert extract(*lines, kinds=SectionKind.LIST, budget=100, terms=asked) == [words[5]]
    assert extract(*lines, kinds=SectionKind.LIST, budget=100, terms=("fever",)) == []
    assert extract(lines[0], *words[3:8], kinds=SectionKind.LIST, budget=100, terms=asked) == [words[5]]


def test_a_list_is_whole_with_its_lead_in_and_a_long_one_by_its_names() -> None:
    """A name ends at the first colon that is not in parentheses."""
    items = [f"Test {number} (that is: check {number}): {'a procedure that looks inside ' * 5}" for number in range(6)]
    lines = ("These tests are used:", *items)
    assert extract(*lines, kinds=SectionKind.LIST, budget=200) == list(lines)
    shown = extract(*lines, kinds=SectionKind.LIST, budget=20)
    assert shown[0] == lines[0]
    assert shown[1] == "Test 0 (that is: check 0)"


def test_limits_for_driving_or_staying_near_are_never_parted() -> None:
    """Who reads the first alone takes it for the limit of everybody."""
    limits = [
        f"In the United Kingdom, the document for {name} of April 2026 says not to drive for at least {weeks} weeks."
        for name, weeks in (("Breyanzi", 4), ("Tecartus", 8), ("Yescarta", 8))
    ]
    lines = ("Driving is not safe at first.", *limits, "Ask your team about machines, bicycles, ladders and heights.")
    assert extract(*lines, budget=30) == list(lines[:4])


def test_a_list_of_which_half_was_said_before_is_left_out() -> None:
    """Its lead-in goes with it."""
    lines = ("These signs matter:", "Fever can be the first sign.", "Chills can come with fever.")
    spans = [Span(start=0, end=19), Span(start=20, end=48), Span(start=49, end=76)]
    document = Document(id="a.md", title="A", text="\n".join(lines), source="a.md")
    taken = Extract(document=document, budget=100, seen={"fever can be the first sign."})
    taken.take_all(
        [Unit(kind=SectionKind.PARAGRAPH, spans=(spans[0],)), Unit(kind=SectionKind.LIST, spans=tuple(spans[1:]))]
    )
    assert taken.units == []


def test_of_a_long_table_the_rows_that_are_asked_for_are_taken_under_their_head() -> None:
    """Cells are never cut: half a row says something else."""
    rows = [f"{name} | {'approved for many things ' * 4}" for name in ("Abecma", "Breyanzi", "Carvykti", "Kymriah")]
    lines = ("The list:", "Product | Used for", *rows)
    taken = extract(*lines, kinds=SectionKind.LIST, budget=20, terms=("carvykti",))
    assert taken == [lines[0], lines[1], rows[2]]
    assert extract(*lines, kinds=SectionKind.LIST, budget=150, terms=("carvykti",)) == list(lines)


@pytest.mark.parametrize(
    ("kind", "said", "answered"),
    [
        ("duration", "Most people stay for 10 to 14 days.", True),
        ("duration", "Some people stay at home.", False),
        ("causes", "Fever comes because signals reach the whole body.", True),
        ("cost", "In England, the NHS pays for it.", True),
        ("cost", "Fever is common.", False),
        ("outlook", "About 43 of every 100 people were alive.", True),
    ],
)
def test_what_was_asked_for_is_known_by_what_an_answer_says(kind: str, said: str, answered: bool) -> None:
    """A time span answers "how long", whatever the heading; only what is missing is named as not covered."""
    assert TYPES.answers(TYPES.named(kind), said) is answered
