"""The questions under evals/evidence are whole: quotes, splits, counts, and nothing that repeats the gold cases."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from statistics import mean

import pytest

from curio_rag.adapters.folder import FolderSource
from curio_rag.adapters.gold_files import load_gold
from curio_rag.domain.evals import normalise
from curio_rag.domain.sources import Document
from curio_rag.pipelines.gold import shared_run
from tests.conftest import ROOT

SET = ROOT / "evals" / "evidence"
GOLD = ROOT / "evals" / "gold"

SPLITS = ("development", "test")
WORDINGS = {"plain": 47, "lay": 45, "misspelt": 30, "chatty": 28}
MOST_SHARED_WORDS = 0.6
"""Jaccard: two questions that share more of their words than this are the same question to a reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One line of the file; the fields of the other kind are empty."""

    id: str
    split: str
    question: str
    answerable: bool
    wording: str
    document_id: str = ""
    heading: str = ""
    quote: str = ""
    nearness: str = ""
    why: str = ""
    close_to: str = ""
    absent: tuple[str, ...] = ()


@pytest.fixture(scope="module")
def questions() -> tuple[Question, ...]:
    """Every line; a field that is not known or is missing fails."""
    lines = (SET / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return tuple(Question(**{**row, "absent": tuple(row.get("absent", ()))}) for row in rows)


@pytest.fixture(scope="module")
def answerable(questions: tuple[Question, ...]) -> tuple[Question, ...]:
    return tuple(question for question in questions if question.answerable)


@pytest.fixture(scope="module")
def unanswerable(questions: tuple[Question, ...]) -> tuple[Question, ...]:
    return tuple(question for question in questions if not question.answerable)


@pytest.fixture(scope="module")
def documents() -> dict[str, Document]:
    """The bundled documents by their id."""
    source = FolderSource()
    files = [file for file in source.list([ROOT / "knowledge"]) if file.skip is None]
    return {document.id: document for document in (source.read(source.load(file)) for file in files)}


def folded(text: str) -> str:
    """The text with each run of white space as one space."""
    return " ".join(text.split())


def words(text: str) -> frozenset[str]:
    """The different words of a question."""
    return frozenset(normalise(text).split())


def likeness(first: frozenset[str], second: frozenset[str]) -> float:
    """Jaccard: the words that both hold, as a share of the words that either holds."""
    return len(first & second) / len(first | second)


def stands_under(document: Document, heading: str, quote: str) -> bool:
    """Whether a quote stands word for word in a section of that heading."""
    return any(
        quote in folded(section.span.of(document.text))
        for section in document.sections
        if section.heading_path and section.heading_path[-1] == heading
    )


def test_counts(answerable: tuple[Question, ...], unanswerable: tuple[Question, ...]) -> None:
    """150 questions of each kind, half of each to fit on; of the others 110 near, 40 of them on purpose close."""
    for kind in (answerable, unanswerable):
        assert Counter(question.split for question in kind) == dict.fromkeys(SPLITS, 75)
        assert Counter(question.wording for question in kind) == WORDINGS
    for split in SPLITS:
        half = [question for question in unanswerable if question.split == split]
        assert Counter(question.nearness for question in half) == {"near": 55, "far": 20}
        assert sum(bool(question.close_to) for question in half) == 20
    assert all(question.why and not question.quote for question in unanswerable)


def test_ids_are_unique(answerable: tuple[Question, ...], unanswerable: tuple[Question, ...]) -> None:
    """An id names the kind and the place in the file."""
    for name, kind in (("answerable", answerable), ("unanswerable", unanswerable)):
        assert [question.id for question in kind] == [f"{name}-{number:03}" for number in range(1, 151)]


def test_quotes_stand_under_their_headings(answerable: tuple[Question, ...], documents: dict[str, Document]) -> None:
    """Every quote is the exact words of its section, and no question copies what it is to find."""
    for question in answerable:
        document = documents[question.document_id]
        assert stands_under(document, question.heading, question.quote), question
        assert not shared_run(question.question, question.quote), question


def test_a_quote_of_another_section_is_noticed(documents: dict[str, Document]) -> None:
    """The check of quotes asks for the heading too, and for every word."""
    document = documents["car-t-what-it-is.md"]
    quote = "Most people have CAR-T cells only once."
    assert stands_under(document, "How often it is given", quote)
    assert not stands_under(document, "In short", quote)
    assert not stands_under(document, "How often it is given", quote.replace("once", "twice"))


def test_five_questions_for_each_document(answerable: tuple[Question, ...], documents: dict[str, Document]) -> None:
    """Five different sections of every document are asked about, all five questions in one half."""
    for name in documents:
        own = [question for question in answerable if question.document_id == name]
        assert len(own) == 5 and len({question.heading for question in own}) == 5, name
        assert len({question.split for question in own}) == 1, name
    assert {question.document_id for question in answerable} == set(documents)


def test_no_question_twice(questions: tuple[Question, ...]) -> None:
    """No two questions are nearly the same words, so that none of the test half is seen in the other."""
    for place, question in enumerate(questions):
        for other in questions[:place]:
            assert likeness(words(question.question), words(other.question)) < MOST_SHARED_WORDS, (question, other)


def test_no_question_of_the_gold_cases(questions: tuple[Question, ...]) -> None:
    """None repeats a gold case, so that what is fitted here has not seen what the gold cases judge."""
    asked = [words(case.question) for case in load_gold([GOLD])]
    for question in questions:
        assert max(likeness(words(question.question), other) for other in asked) < MOST_SHARED_WORDS, question


def test_missing_words_are_in_no_document(unanswerable: tuple[Question, ...], documents: dict[str, Document]) -> None:
    """The words of an unanswerable question's matter stand nowhere; one that comes in may make it answerable."""
    text = folded(" ".join(document.text for document in documents.values()))
    for question in unanswerable:
        for word in question.absent:
            assert not re.search(rf"\b{re.escape(word)}", text, re.IGNORECASE), (word, question)
        assert not question.close_to or question.close_to in documents, question
    assert sum(bool(question.absent) for question in unanswerable) >= 120


def test_length_tells_nothing(answerable: tuple[Question, ...], unanswerable: tuple[Question, ...]) -> None:
    """Both kinds are equally long in each half and each wording: an answer may not hang on the length."""
    for attribute, values in (("split", SPLITS), ("wording", tuple(WORDINGS))):
        for value in values:
            lengths = [
                mean(len(question.question.split()) for question in kind if getattr(question, attribute) == value)
                for kind in (answerable, unanswerable)
            ]
            assert abs(lengths[0] - lengths[1]) < 0.5, (value, lengths)


def test_the_frozen_file_is_the_one_described() -> None:
    """README.md names the digest of the frozen file: whoever changes it has to say so there."""
    described = (SET / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256((SET / "questions.jsonl").read_bytes()).hexdigest() in described
