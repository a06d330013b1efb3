"""A time limit is never shown without "follow your own centre"."""

from __future__ import annotations

from curio_rag.domain.answers import Draft, Evidence
from curio_rag.domain.sources import Document, Passage, Span
from curio_rag.pipelines.own_centre import with_own_centre
from tests.fakes import cited, paragraph
from tests.fakes import document as made

DRIVING = "In the United States, since June 2025, the label of Abecma says not to drive for at least 2 weeks."
NO_LIMIT = "Lymphoma is a cancer of white blood cells."
ON_DRIVING = "Follow your own centre if it says longer than a driving limit written here."
ON_ANY = "Follow your own centre if it says longer than any time limit written here."
ON_NEARNESS = "Follow your own centre if it says to stay near for longer."


def evidence(document_id: str, *sentences: str, must_show: tuple[str, ...] = ()) -> Evidence:
    text = " ".join(sentences)
    spans = tuple(Span(start=text.index(each), end=text.index(each) + len(each)) for each in must_show)
    source: Document = made(text, id=document_id, must_show=spans)
    passage = Passage(
        document_id=source.id,
        document_digest=source.digest,
        span=Span(start=0, end=len(text)),
        text=text,
        title=source.title,
    )
    return Evidence(document=source, vetting=source.vetting, hits=(), passages=(passage,))


def said(draft: Draft) -> list[str]:
    return [sentence.text for section in draft.sections for sentence in section.sentences]


def draft(source: Evidence, *quotes: str) -> Draft:
    return Draft(sections=tuple(paragraph(cited(source.document, quote)) for quote in quotes))


def test_the_sentence_on_the_same_matter_stands_after_the_limit() -> None:
    """That on driving after a limit for driving, not the one on staying near, and before what follows."""
    source = evidence(
        "a.md", DRIVING, NO_LIMIT, ON_NEARNESS, ON_ANY, ON_DRIVING, must_show=(ON_NEARNESS, ON_ANY, ON_DRIVING)
    )
    made = with_own_centre(draft(source, DRIVING, NO_LIMIT), [source])
    assert said(made) == [DRIVING, ON_DRIVING, NO_LIMIT]
    assert made.sections[1].sentences[0].citations[0].quote == ON_DRIVING


def test_another_document_that_was_found_lends_its_own() -> None:
    """On the same matter or on any limit; one on another matter fits nothing."""
    source = evidence("a.md", DRIVING)
    near = evidence("b.md", ON_NEARNESS, must_show=(ON_NEARNESS,))
    anything = evidence("c.md", ON_ANY, must_show=(ON_ANY,))
    assert said(with_own_centre(draft(source, DRIVING), [source, near, anything])) == [DRIVING, ON_ANY]
    assert said(with_own_centre(draft(source, DRIVING), [source, near])) == [DRIVING]


def test_nothing_is_added_without_a_limit_or_where_it_stands_already() -> None:
    """A duration that only describes is no limit."""
    source = evidence("a.md", DRIVING, NO_LIMIT, ON_ANY, ON_DRIVING, must_show=(ON_ANY, ON_DRIVING))
    assert said(with_own_centre(draft(source, NO_LIMIT), [source])) == [NO_LIMIT]
    assert said(with_own_centre(draft(source, ON_ANY, DRIVING), [source])) == [ON_ANY, DRIVING]
