"""Words of an answer are explained at first use, from a glossary that is a cited document like any other."""

from __future__ import annotations

import pytest

from curio_rag.domain.answers import AnswerLength, Draft, Evidence, Section, SectionKind
from curio_rag.domain.explained_words import EXPLAINED
from curio_rag.domain.sources import Block, BlockKind, Passage, Span
from curio_rag.knowledge_base import KnowledgeBase
from curio_rag.pipelines.plain_language import with_words_explained
from tests.fakes import cited, document, line_spans

LINES = (
    "Apheresis (also: leukapheresis): apheresis takes cells out of the blood.",
    "Lymphoma: lymphoma is a cancer of the lymph system.",
    "NICE (also: National Institute): NICE advises the NHS in England.",
    "Platelets (also: thrombocytes): platelets help to stop bleeding.",
    "Relapse (also: coming back): relapse means that the cancer is back.",
    "This line has no name and explains nothing.",
)


def glossary() -> Evidence:
    text = "\n".join(LINES)
    made = document(
        text,
        id="words.md",
        title="Words",
        blocks=tuple(Block(kind=BlockKind.BULLET, span=span) for span in line_spans(LINES)),
    )
    passage = Passage(
        document_id=made.id,
        document_digest=made.digest,
        span=Span(start=0, end=len(text)),
        text=text,
        title="Words",
    )
    return Evidence(document=made, vetting=made.vetting, hits=(), passages=(passage,))


def explained(text: str, *, question: str = "", room: int = 300) -> list[str]:
    """The lines that an answer of this text gets."""
    source = document(text)
    draft = Draft(sections=(Section(heading="A", kind=SectionKind.PARAGRAPH, sentences=(cited(source, text),)),))
    made = with_words_explained(draft, glossary(), question=question, room=room)
    return [
        sentence.text for section in made.sections if section.heading == EXPLAINED for sentence in section.sentences
    ]


def test_the_first_words_that_are_used_are_explained_in_order() -> None:
    """At most three, each word for word as the glossary has it."""
    told = explained("A relapse can need apheresis again. Low platelets need care. Lymphoma may stay.")
    assert told == [LINES[4], LINES[0], LINES[3]]


@pytest.mark.parametrize(
    "text",
    [
        "The cells are collected, which is called apheresis.",
        "Apheresis is a way to collect cells.",
        "The cells are collected (apheresis).",
        "A nice room helps.",
        "Nothing here needs a word.",
    ],
)
def test_what_the_answer_explains_or_does_not_use_is_left_out(text: str) -> None:
    """Capitals count where the word has them."""
    assert explained(text) == []


def test_no_more_is_explained_than_there_is_room_for() -> None:
    """A line that does not fit gives its place to a shorter one after it."""
    text = "A relapse can need apheresis again. Low platelets need care. Lymphoma may stay."
    assert explained(text, room=len(text.split())) == []
    assert explained(text, room=len(f"{text} {LINES[4]}".split())) == [LINES[4]]


def test_a_word_of_the_question_is_known() -> None:
    """Who asks about apheresis need not be told what it is, unless the answer is about that."""
    assert explained("Apheresis takes hours.", question="How long does apheresis take?") == []
    assert with_words_explained(Draft(sections=()), None, question="", room=300) == Draft(sections=())


def test_lengths_and_explained_words_of_the_bundled_answer(bundled: KnowledgeBase) -> None:
    """A short answer says the point, a full one more than the standard; words are cited and in the JSON."""
    said = {length: bundled.ask("How is cytokine release syndrome treated?", length=length) for length in AnswerLength}
    words = {
        length: sum(
            len(sentence.text.split())
            for section in record.answer.sections
            if section.heading != EXPLAINED
            for sentence in section.sentences
        )
        for length, record in said.items()
    }
    assert words[AnswerLength.SHORT] <= 170
    assert words[AnswerLength.SHORT] < words[AnswerLength.STANDARD] <= 340
    assert words[AnswerLength.STANDARD] < words[AnswerLength.FULL] <= 800
    assert not said[AnswerLength.SHORT].to_dict()["glossary"]
    standard = said[AnswerLength.STANDARD].to_dict()
    assert isinstance(standard["glossary"], list)
    for line in standard["glossary"]:
        assert isinstance(line, dict)
        assert isinstance(line["citation"], dict)
        sources = {source.marker: source.document_id for source in said[AnswerLength.STANDARD].answer.sources}
        assert sources[int(str(line["citation"]["marker"]))] == "car-t-glossary.md"
