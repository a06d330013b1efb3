"""Which passages may be evidence: on the disease, the drug and the age group that is asked about, and none twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from curio_rag.adapters.package_data import load_question_types
from curio_rag.domain.search_plan import Expansion, SearchPlan
from curio_rag.domain.sources import Hit, HitScores, Passage, Span
from curio_rag.pipelines.evidence_filter import (
    AgeGroup,
    age_group,
    diseases_asked_for,
    diseases_named,
    for_the_asker,
    on_subject,
    on_the_product,
    passage_group,
    without_repeats,
)

TYPES = load_question_types()


def hit(
    text: str = "It is treated.",
    *,
    title: str = "",
    heading: str = "",
    population: str | None = None,
    products: tuple[str, ...] = (),
) -> Hit:
    passage = Passage(
        document_id=title or "a.md",
        document_digest="sha256:0",
        span=Span(start=0, end=len(text)),
        text=text,
        title=title,
        heading_path=(heading,) if heading else (),
        population=population,
        products=products,
    )
    return Hit(passage=passage, score=1.0, parts=HitScores())


def plan(*parts: str, whole: str = "", expansions: tuple[Expansion, ...] = ()) -> SearchPlan:
    whole = whole or " ".join(parts)
    return SearchPlan(whole=whole, parts=parts, terms=TYPES.content_terms(whole), expansions=expansions)


def titles(hits: Sequence[Hit]) -> list[str]:
    return [each.passage.title for each in hits]


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("My 6-year-old has leukemia", AgeGroup.CHILDREN),
        ("our daughter, aged 9, starts soon", AgeGroup.CHILDREN),
        ("a 3 month old baby", AgeGroup.CHILDREN),
        ("Childhood Acute Lymphoblastic Leukemia", AgeGroup.CHILDREN),
        ("I am a 54 year old man", AgeGroup.ADULTS),
        ("Adult Acute Lymphoblastic Leukemia", AgeGroup.ADULTS),
        ("adults and children", None),
        ("My son has leukemia", None),
        ("I am 34 and my baby is 2 months old", None),
        ("after 5 years", None),
    ],
)
def test_for_whom_a_text_is(text: str, group: AgeGroup | None) -> None:
    """A child, an adult, or not said; a son may be forty."""
    assert age_group(text) is group


def test_what_is_for_children_is_no_evidence_for_an_adult() -> None:
    """The title decides before what the document says of itself; what is for both, or says nothing, stays."""
    hits = [
        hit(title="Adult ALL"),
        hit(title="Childhood ALL"),
        hit(title="ALL", population="children and young adults"),
        hit(title="Side effects", population="adults"),
        hit(title="Leukemia"),
    ]
    assert passage_group(hits[2].passage) is None
    assert titles(for_the_asker(plan("Does my 6-year-old need it?"), hits)) == ["Childhood ALL", "ALL", "Leukemia"]
    assert "Childhood ALL" not in titles(for_the_asker(plan("How are adults treated?"), hits))
    assert for_the_asker(plan("How is it treated?"), hits) == tuple(hits)


def test_another_disease_is_no_evidence() -> None:
    """Its name has to have every word that says which; names of no disease are left to other signals."""
    hits = [hit(title="Anal Cancer"), hit(title="Cervical Cancer"), hit(title="Chemotherapy")]
    asked = diseases_asked_for(plan("How is cervical cancer treated?"), TYPES)
    assert titles(on_subject(asked, hits, TYPES)) == ["Cervical Cancer", "Chemotherapy"]
    assert on_subject((), hits, TYPES) == tuple(hits)


def test_a_disease_by_the_way_is_named_but_not_asked_for() -> None:
    """Only where every part of the question names one is the answer about it."""
    told = plan("Why do my gums bleed?", whole="I have rheumatoid arthritis. Why do my gums bleed?")
    assert diseases_named(told, TYPES) == (("rheumatoid", "arthritis"),)
    assert diseases_asked_for(told, TYPES) == ()
    both = plan("What causes breast cancer?", "Is lung cancer inherited?")
    assert diseases_asked_for(both, TYPES) == (("breast", "cancer"), ("lung", "cancer"))


def test_a_disease_is_known_in_its_other_spelling() -> None:
    """British and American names are one disease."""
    spelt = Expansion(written="leukaemia", meaning="leukemia", keyword_only=True)
    asked = diseases_asked_for(plan("How is hairy cell leukaemia treated?", expansions=(spelt,)), TYPES)
    hits = [hit(title="Hairy Cell Leukemia"), hit(title="Chronic Myelogenous Leukemia")]
    assert titles(on_subject(asked, hits, TYPES)) == ["Hairy Cell Leukemia"]


def test_what_says_the_same_comes_once_and_what_differs_in_a_number_stays() -> None:
    """Two sources that disagree on a figure are both evidence."""
    said = "Do not drive for 8 weeks after the cells are given, and ask your team before you start again."
    first, again = hit(said, title="A"), hit(said.replace("given,", "given"), title="B")
    other = hit(said.replace("8", "2"), title="C")
    assert titles(without_repeats([first, again, other])) == ["A", "C"]
    assert without_repeats([]) == ()


@pytest.mark.parametrize(
    ("question", "left_out"),
    [
        ("Since when is Aucatzyl allowed?", {"Abecma", "What trials found with Abecma"}),
        ("Which products are there?", {"Abecma", "Aucatzyl"}),
        ("Is abecma better than AUCATZYL?", set()),
    ],
)
def test_what_stands_under_the_name_of_another_product_is_no_evidence(question: str, left_out: set[str]) -> None:
    """Products are those that the documents declare; a word that is part of a longer one is no name."""
    headings = ("Abecma", "Aucatzyl", "What trials found with Abecma", "What trials found", "In short")
    hits = [hit(heading=heading, products=("Abecma", "Aucatzyl", "Tria")) for heading in headings]
    kept = [each.passage.heading_path[-1] for each in on_the_product(plan(question), hits)]
    assert kept == [heading for heading in headings if heading not in left_out]
