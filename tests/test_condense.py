"""From a patient's message to what is searched: what tells is kept, the rest goes, typing errors are mended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curio_rag.adapters.keyword_index import KeywordIndex, KeywordWriter
from curio_rag.adapters.package_data import load_glossary, load_question_types
from curio_rag.adapters.word_list import EnglishWords
from curio_rag.domain.search_plan import SearchPlan
from curio_rag.errors import QuestionError
from curio_rag.pipelines.condense import QuestionReader, typing_errors
from curio_rag.ports import IndexEntry
from tests.conftest import SmallBase
from tests.test_cli import run

WORDS = {
    "therapy": 40, "side": 30, "effects": 30, "cytokine": 9, "release": 9, "syndrome": 20, "pack": 2, "vaccine": 8,
    "tocilizumab": 6, "siltuximab": 2, "leukemia": 10, "hospital": 20, "seizure": 3, "seizures": 3, "children": 9,
}  # fmt: skip


class Words:
    """A vocabulary of a hundred passages; unlike an index it does not stem."""

    size = 100

    def document_frequencies(self, terms: Sequence[str]) -> tuple[int, ...]:
        return tuple(WORDS.get(term.lower(), 0) for term in terms)

    def words(self, beginning: str) -> tuple[tuple[str, int], ...]:
        return tuple(sorted((word, count) for word, count in WORDS.items() if word.startswith(beginning)))


READER = QuestionReader(types=load_question_types(), glossary=load_glossary(), words=EnglishWords())


def plan(question: str) -> SearchPlan:
    return READER.plan(question, Words())


@pytest.mark.parametrize(
    "fact",
    [
        "He is 71 years old.", "She was not given steroids.", "I can't swallow tablets.", "I am pregnant.",
        "She takes lenalidomide.", "They gave him tocilizumab.", "My dose is 5 mg.", "It was 38.5 yesterday.",
        "We live in Canada.", "He has lymphoma.", "Our son is nine.", "She never had a transplant.", "We live in Ohio.",
    ],
)  # fmt: skip
def test_what_tells_is_never_dropped(fact: str) -> None:
    """Ages, negation, pregnancy, drugs, numbers, diseases and countries stay, whatever is dropped around them."""
    told = plan(f"Hello all. We have a lovely garden. {fact} The neighbours are kind. What should we do? Thank you!")
    assert fact in told.whole
    assert "garden" not in told.whole


@pytest.mark.parametrize(
    "greeting", ["Hi,", "Hello there.", "Dear team,", "Good morning,", "Greetings from Wellington."]
)
@pytest.mark.parametrize("thanks", ["Thanks!", "Many thanks and best wishes.", "We are all a bit lost here, thank you"])
def test_greetings_and_thanks_go(greeting: str, thanks: str) -> None:
    """They say nothing about the question."""
    assert plan(f"{greeting} How is CAR-T given? {thanks}").whole == "How is CAR-T given?"


def test_a_country_in_a_greeting_stays() -> None:
    """What is allowed differs between countries."""
    assert "Scotland" in plan("Hello from Scotland! Who pays for the therapy?").whole


def test_a_chatty_message_yields_what_it_asks() -> None:
    """Of a message about a holiday the question is left."""
    told = plan("Hi, I'm Joan. We had a week by the sea and a cake. My brother sings. What is CAR-T therapy? Cheers")
    assert told.whole == "What is CAR-T therapy?"
    assert told.parts == ("What is CAR-T therapy?",)


def test_several_questions_are_several_parts() -> None:
    """Questions in one sentence or in several are searched apart, three at most, and none is lost."""
    assert plan("What does the syndrome feel like, and which hospital treats it?").parts == (
        "What does the syndrome feel like",
        "which hospital treats it?",
    )
    many = plan("What is leukemia therapy? Is vaccine therapy safe? Why seizure therapy? Who pays hospital therapy?")
    assert len(many.parts) == 3
    assert "Who pays hospital therapy?" in many.parts[-1]


def test_a_part_that_says_too_little_is_searched_with_what_was_said() -> None:
    """ "What is it?" alone finds nothing."""
    (part,) = plan("The doctor spoke of cytokine release. What is it?").parts
    assert part == "The doctor spoke of cytokine release. What is it?"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("car t thearpy side efects", "CAR-T therapy side effects"),
        ("cytokine relese syndrom", "cytokine release syndrome"),
        ("wot shud i pack", "what should i pack"),
        ("dose medicare pay for cart cells", "does medicare pay for CAR-T cells"),
    ],
)
def test_typing_errors_are_mended(written: str, meant: str) -> None:
    """Medical words by the knowledge base's own words, common words by a table; what was mended is shown."""
    told = plan(written)
    assert told.whole == meant
    assert all(each.written in written and each.mended in meant for each in told.corrections)
    shown = " ".join(told.searched(100))
    assert all(f"{each.written} to {each.mended}" in shown for each in told.corrections)


@pytest.mark.parametrize(
    "word", ["tocilizumob", "tocilizumaab", "siltoximab", "Kymrea", "5mgg", "tyres", "visa", "seizur", "xyzzyq"]
)
def test_what_may_be_meant_is_left_alone(word: str) -> None:
    """No drug becomes another drug; names, numbers, English words and words with two equally near ones stay."""
    if word == "seizur":
        WORDS["seizurs"] = WORDS["seizure"]
    try:
        assert word in plan(f"what about {word} then").whole.split()
    finally:
        WORDS.pop("seizurs", None)


@pytest.mark.parametrize(
    ("written", "meant", "errors"),
    [("thearpy", "therapy", 1), ("same", "same", 0), ("efect", "effects", 2), ("abcd", "wxyz", 3), ("", "ab", 2)],
)
def test_typing_errors_are_counted(written: str, meant: str, errors: int) -> None:
    """Letters left out, put in, mistaken or swapped; more than asked for is just more."""
    assert typing_errors(written, meant, most=2) == errors


def test_all_is_a_leukemia_only_in_capitals() -> None:
    """ "ALL" is expanded; "all", and everything in a shouted message, is not."""
    assert [each.meaning for each in plan("Is CAR-T used for ALL?").expansions] == ["acute lymphoblastic leukemia"]
    assert "acute lymphoblastic leukemia" in plan("Is CAR-T used for ALL?").terms
    assert plan("Is CAR-T used for all?").expansions == ()
    assert plan("IS CAR-T USED FOR ALL?").expansions == ()


def test_what_is_spelt_out_is_also_searched_by_its_abbreviation() -> None:
    """Documents write CRS after they have explained it once; an abbreviation that is also a word is left alone."""
    spelt = plan("How is Cytokine release syndrome treated?")
    assert [(each.written, each.meaning) for each in spelt.expansions] == [("Cytokine release syndrome", "CRS")]
    assert spelt.alternatives("syndrome") == ("syndrome", "crs")
    assert "Cytokine release syndrome (CRS)" in spelt.texts[0]
    assert plan("How is CRS (cytokine release syndrome) treated?").expansions == ()
    told = plan("How is acute lymphoblastic leukemia treated?").expansions
    assert [each.meaning for each in told] == ["leukaemia"]


def test_meanings_are_searched_beside_the_words() -> None:
    """The word stays, its meaning joins the keywords and what is embedded; another spelling joins the keywords only."""
    told = plan("Does leukaemia need chemo?")
    assert {"leukaemia", "leukemia", "chemo", "chemotherapy"} <= set(told.keywords)
    assert told.texts == ("Does leukaemia need chemo (chemotherapy)?",)
    assert told.respelt(told.whole) == "Does leukemia need chemo?"
    assert told.alternatives("chemo") == ("chemo", "chemotherapy")


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    """No text raises, the same text gives the same plan, there are one to three parts, and no empty one for words."""
    told = plan(text)
    assert told == plan(text)
    assert 1 <= len(told.parts) <= 3
    assert all(told.parts) or not text


@given(
    st.lists(st.sampled_from(["Hi!", "Thanks.", "I sing.", "not now", "She is 9.", "What?", "ALL", "a\n"]), max_size=8)
)
def test_no_question_and_no_number_is_lost(pieces: list[str]) -> None:
    """In whatever order a message is put together."""
    whole = plan(" ".join(pieces)).whole
    for word in ("not", "9"):
        assert (word in whole) == any(word in piece for piece in pieces)
    assert whole.count("What?") == pieces.count("What?")


def test_no_sentence_of_the_question_is_in_what_is_shown() -> None:
    """The record of an answer holds terms, and the question's text stands in one place only."""
    question = "My aunt Maud lives in Ghana and has leukemia. Is the thearpy given there?"
    shown = " ".join(plan(question).searched(7))
    assert "Is the therapy" not in shown
    assert "Is the thearpy" not in shown


def test_a_message_that_is_refused_is_not_repeated(open_base: SmallBase) -> None:
    """Errors say what is wrong with a question, never what it says."""
    base = open_base()
    base.ingest()
    with pytest.raises(QuestionError) as caught:
        base.ask("zanzibar " * 20_000)
    assert "zanzibar" not in str(caught.value)


def test_a_misspelt_question_gets_its_answer(bundled_index: Path) -> None:
    """The evidence is that of the question as it was meant, and what was mended is shown."""
    status, out, _ = run("ask", "cytokine relese syndrom treetment", "--explain", index=bundled_index)
    assert status == 0
    assert "relese to release" in out


def _entry(passage_id: str, text: str) -> IndexEntry:
    return IndexEntry(
        passage_id=passage_id, document_id="d", text=text, title="Title", synonyms=("other",), heading="",
        text_vector=b"", title_vector=b"", heading_vector=b"",
    )  # fmt: skip


def test_the_words_of_an_index_follow_its_passages(tmp_path: Path) -> None:
    """They are counted by passages, and those of passages that are taken out are gone."""
    writer = KeywordWriter(tmp_path / "1", previous=None)
    writer.add([_entry("a", "Leukemia leukemia cells"), _entry("b", "lymphoma cells x2")])
    writer.finish()
    assert KeywordIndex(tmp_path / "1").words("l") == (("leukemia", 1), ("lymphoma", 1))
    assert KeywordIndex(tmp_path / "1").words("c") == (("cells", 2),)
    writer = KeywordWriter(tmp_path / "2", previous=tmp_path / "1")
    writer.remove(["a"])
    writer.add([_entry("c", "lymphoma")])
    writer.finish()
    assert KeywordIndex(tmp_path / "2").words("l") == (("lymphoma", 2),)
    assert dict(KeywordIndex(tmp_path / "2").words(""))["title"] == 2
