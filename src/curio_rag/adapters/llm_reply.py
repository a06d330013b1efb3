"""From a model's reply to a draft: the JSON is read strictly, every quote is looked up in the cited document.

What cannot be found is not dropped: it becomes a citation that the claim gate refuses, so that the
reviewer sees what the model wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from curio_rag.domain.answers import Citation, Section, SectionKind, Sentence
from curio_rag.domain.quotes import find_words
from curio_rag.domain.sources import Document, Passage, Span
from curio_rag.errors import MalformedDraft

MOST_SECTIONS, MOST_SENTENCES, MOST_CHARACTERS = 8, 40, 600
MOST_QUOTED = 2000
"""Characters of one quote; a passage has at most 240 WordPieces, some 1,500 characters."""


class _Citation(msgspec.Struct, frozen=True):
    key: str
    quote: str


class _Sentence(msgspec.Struct, frozen=True):
    text: str
    citations: tuple[_Citation, ...]


class _Section(msgspec.Struct, frozen=True):
    heading: str
    kind: Literal["paragraph", "steps", "list"]
    sentences: tuple[_Sentence, ...]


class _Reply(msgspec.Struct, frozen=True):
    sections: tuple[_Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedPassage:
    """A passage that the model was shown, its document, and what a section that cites it may be headed with.

    The headings are the innermost first and the title last; never none.
    """

    document: Document
    passage: Passage
    headings: tuple[str, ...]


def read_reply(reply: str, shown: Mapping[str, CitedPassage]) -> tuple[Section, ...]:
    """The sections of a reply; `shown` are the passages by their keys. None when the model found that nothing fits.

    Raises `MalformedDraft` that says what is wrong in words for the model, and repeats none of its own.
    """
    if not reply.strip():
        raise MalformedDraft("The reply was empty.")
    try:
        read = msgspec.json.decode(_without_fence(reply).encode(), type=_Reply)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as problem:
        what = str(problem) if isinstance(problem, msgspec.DecodeError) else type(problem).__name__
        raise MalformedDraft(f"The reply is not JSON of the form that was asked for: {what}.") from None
    _check_size(read)
    return tuple(_section(section, shown) for section in read.sections if section.sentences)


def _without_fence(reply: str) -> str:
    """The reply without a code fence around all of it."""
    lines = reply.strip().split("\n")
    if len(lines) > 2 and lines[0].startswith("```") and lines[-1] == "```":
        lines = lines[1:-1]
    return "\n".join(lines)


def _check_size(reply: _Reply) -> None:
    sentences = [sentence for section in reply.sections for sentence in section.sentences]
    if len(reply.sections) > MOST_SECTIONS or len(sentences) > MOST_SENTENCES:
        raise MalformedDraft(f"At most {MOST_SECTIONS} sections and {MOST_SENTENCES} sentences are allowed.")
    for number, sentence in enumerate(sentences, start=1):
        if not sentence.text.strip():
            raise MalformedDraft(f"Sentence {number} is empty.")
        if not sentence.citations:
            raise MalformedDraft(f"Sentence {number} has no citation.")
        if len(sentence.text) > MOST_CHARACTERS:
            raise MalformedDraft(f"Sentence {number} has more than {MOST_CHARACTERS} characters.")
        if any(len(citation.quote) > MOST_QUOTED for citation in sentence.citations):
            raise MalformedDraft(f"A quote of sentence {number} has more than {MOST_QUOTED} characters.")
        if not all(character.isprintable() for character in " ".join(sentence.text.split())):
            raise MalformedDraft(f"Sentence {number} holds control characters.")


def _section(section: _Section, shown: Mapping[str, CitedPassage]) -> Section:
    sentences = tuple(_sentence(sentence, shown) for sentence in section.sentences)
    return Section(heading=_heading(section, shown), kind=SectionKind(section.kind), sentences=sentences)


def _heading(section: _Section, shown: Mapping[str, CitedPassage]) -> str:
    """The model's heading where a cited passage has it too, else that of the first: headings pass no claim gate."""
    cited = [
        shown[citation.key].headings
        for sentence in section.sentences
        for citation in sentence.citations
        if citation.key in shown
    ]
    wanted = " ".join(section.heading.split()).lower()
    for headings in cited:
        for heading in headings:
            if heading.lower() == wanted:
                return heading
    return cited[0][0] if cited else ""


def _sentence(sentence: _Sentence, shown: Mapping[str, CitedPassage]) -> Sentence:
    return Sentence(
        text=" ".join(sentence.text.split()),
        citations=tuple(_citation(citation, shown.get(citation.key)) for citation in sentence.citations),
    )


def _citation(citation: _Citation, cited: CitedPassage | None) -> Citation:
    """With the document's own words at their place; one that the claim gate refuses where there is no such place."""
    if cited is None:
        return Citation(
            document_id="a passage that was not shown",
            document_digest="",
            passage_id="",
            quote="",
            span=Span(start=0, end=0),
        )
    span = find_words(citation.quote, cited.document.text, within=cited.passage.span)
    if span is None:
        return replace(Citation.of(cited.document, cited.passage, cited.passage.span), quote="")
    return Citation.of(cited.document, cited.passage, span)
