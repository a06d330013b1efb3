"""What is shown of running text: how many sources, and which runs of sentences of each."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from curio_rag.adapters.package_data import load_question_types
from curio_rag.adapters.passage_choice import (
    FIRST_WORDS,
    MOST_SOURCES,
    SOURCE_SHARE,
    Excerpt,
    answering_runs,
    excerpts,
    is_running_text,
)
from curio_rag.domain.answers import Evidence
from curio_rag.domain.sources import Block, BlockKind, Document, Hit, HitScores, Passage, Span, Vetting, VettingStatus

TYPES = load_question_types()
ABSTRACT = (
    "Knee pain is common in later life.",
    "The aim was to ask whether body weight predicts knee pain.",
    "Women were recruited from one general practice in the north of the country over two years.",
    "Radiographs were read by two observers who did not know the answers to the questionnaires.",
    "Heights and weights were measured in the clinic by one nurse with the same instruments.",
    "A higher body weight predicted knee pain after fourteen years.",
    "This association was independent of the radiographs.",
)
TERMS = ("body", "weight", "predict", "knee", "pain")


def document(name: str, text: str, *, kind: BlockKind = BlockKind.PARAGRAPH, warning: str = "") -> Document:
    start = text.find(warning)
    must_show = (Span(start=start, end=start + len(warning)),) if warning else ()
    blocks = (Block(kind=kind, span=Span(start=0, end=len(text))),)
    return Document(id=name, title="", text=text, source=name, blocks=blocks, must_show=must_show)


def found(name: str, text: str, score: float, *, warning: str = "", at: Span | None = None) -> Evidence:
    source = document(name, text, warning=warning)
    span = at or Span(start=0, end=len(text))
    passage = Passage(
        document_id=name, document_digest=source.digest, span=span, text=span.of(text), title=source.title
    )
    return Evidence(
        document=source,
        vetting=Vetting(status=VettingStatus.SAMPLE),
        hits=(Hit(passage=passage, score=score, parts=HitScores()),),
        passages=(passage,),
    )


def said(excerpt: Excerpt) -> list[str]:
    text = excerpt.evidence.document.text
    return [" ".join(span.of(text) for span in run) for run in excerpt.runs]


def test_a_short_text_is_shown_whole() -> None:
    """Nothing is left out where all of it fits."""
    assert answering_runs(ABSTRACT, TERMS, words=500) == (range(7),)
    assert answering_runs((), TERMS, words=500) == ()


def test_what_was_asked_comes_first_and_then_what_was_found() -> None:
    """The methods between them are passed over, and a sentence that begins with "This" keeps the one before."""
    first, second = answering_runs(ABSTRACT, TERMS, words=34)
    assert [ABSTRACT[place] for place in first] == list(ABSTRACT[:2])
    assert [ABSTRACT[place] for place in second] == list(ABSTRACT[5:])


def test_a_run_never_begins_with_a_word_that_points_back() -> None:
    """What "this association" is must stand before it, even when that makes the run longer."""
    for words in range(8, 60):
        for run in answering_runs(ABSTRACT, ("radiographs", "independent"), words=words):
            assert not ABSTRACT[run.start].startswith("This"), words


def test_a_sentence_that_reports_a_finding_wins_over_one_of_method() -> None:
    """Where both name the same terms."""
    sentences = (
        "Cough is a burden for children with asthma at night.",
        "Cough was measured with a questionnaire at each visit of the year.",
        "Weather, school days and visits were noted by the nurses of the clinic.",
        "Cough was no better with the spray than without it at any visit.",
    )
    *_, last = answering_runs(sentences, ("cough", "spray"), words=22)
    assert last == range(3, 4)
    *_, last = answering_runs(sentences, ("cough",), words=22)
    assert 3 in last


@given(
    st.lists(st.sampled_from([*ABSTRACT, "It hurts.", "No difference was found."]), max_size=12),
    st.lists(st.sampled_from(TERMS), max_size=4),
    st.integers(min_value=1, max_value=120),
)
def test_runs_are_in_order_apart_and_never_empty(sentences: list[str], terms: list[str], words: int) -> None:
    """For any text and any length: one or two runs, none for no text."""
    runs = answering_runs(sentences, terms, words=words)
    assert bool(runs) == bool(sentences)
    assert len(runs) <= 2
    assert all(0 <= run.start < run.stop <= len(sentences) for run in runs)
    assert all(before.stop < after.start for before, after in pairwise(runs))


def test_only_sources_that_fit_nearly_as_well_are_shown() -> None:
    """Best first, a few at most, whatever order they come in."""
    near, far = SOURCE_SHARE + 0.01, SOURCE_SHARE - 0.01
    scores = {"far": far, "best": 1.0, "near": near, "near-too": near, "near-as-well": near}
    evidence = [found(name, f"The {name} source speaks of weight.", score) for name, score in scores.items()]
    names = [each.evidence.document.id for each in excerpts("Does weight matter?", evidence, types=TYPES)]
    assert names == ["best", "near", "near-as-well"]
    assert len(names) == MOST_SOURCES


def test_documents_with_headings_or_lists_are_left_to_the_writer() -> None:
    """Only paragraphs under no heading are running text; a title is no heading."""
    text = "Weight\nPain goes with weight."
    section, title = (Block(kind=BlockKind.HEADING, span=Span(start=0, end=6), level=level) for level in (2, 1))
    body = Block(kind=BlockKind.PARAGRAPH, span=Span(start=7, end=len(text)))
    headed = Document(id="h", title="Knees", text=text, source="h", blocks=(section, body))
    titled = Document(id="t", title="Weight", text=text, source="t", blocks=(title, body))
    assert not is_running_text(headed)
    assert is_running_text(titled)
    assert not is_running_text(document("l", "One thing", kind=BlockKind.BULLET))


def test_scraps_and_repeats_are_left_out() -> None:
    """A stray full stop is no sentence, and what one source has said the next does not say again."""
    evidence = [
        found("one", ". Weight predicts pain in the knee.", 1.0),
        found("two", "Weight predicts pain in the knee. Losing weight helps.", 0.99),
    ]
    one, two = excerpts("Does weight predict knee pain?", evidence, types=TYPES)
    assert said(one) == ["Weight predicts pain in the knee."]
    assert said(two) == ["Losing weight helps."]
    assert len(excerpts("Does weight predict pain?", [evidence[0], evidence[0]], types=TYPES)) == 1


def test_a_warning_is_never_left_out() -> None:
    """A sentence that must be shown travels with any excerpt of its document."""
    warning = "Heights and weights were measured in the clinic by one nurse with the same instruments."
    (shown,) = excerpts(
        "Does body weight predict knee pain?",
        [found("one", " ".join(ABSTRACT), 1.0, warning=warning)],
        types=TYPES,
        first_words=30,
    )
    assert sum(warning in run for run in said(shown)) == 1
    assert not any(ABSTRACT[2] in run for run in said(shown))
    assert list(shown.runs) == sorted(shown.runs)


def test_a_long_text_is_entered_at_the_passage_that_was_found() -> None:
    """Running text of many pages is not read from its beginning."""
    before = " ".join(f"Sentence {number} speaks of weight and knee pain in general." for number in range(60))
    text = f"{before} In the end body weight predicted the pain."
    at = Span(start=text.index("In the end"), end=len(text))
    (shown,) = excerpts("Does weight predict knee pain?", [found("long", text, 1.0, at=at)], types=TYPES)
    assert said(shown) == ["In the end body weight predicted the pain."]


def test_lengths_are_about_what_is_allowed() -> None:
    """Cut at the borders of sentences, so a little more or less."""
    (shown,) = excerpts("Does body weight predict knee pain?", [found("a", " ".join(ABSTRACT * 2), 1.0)], types=TYPES)
    assert len(" ".join(said(shown)).split()) <= 1.4 * FIRST_WORDS
