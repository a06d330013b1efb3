"""Puts the claim gate to the test: gold quotes as they are have to pass, and altered ones must not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from curio_rag.domain.answers import Citation, Draft, Section, SectionKind, Sentence
from curio_rag.domain.sources import Document, Span

_NUMBER = re.compile(r"(?<![\w.,])\d+(?![\w,])")
_VERB = re.compile(r"\b(?:is|are|can|may|must|should|will|was|were|does|do|has|have)\b")
_NOT = re.compile(r"\b(?:not|never)\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A sentence for the gate, what was done to it, and whether it may pass."""

    sentence: Sentence
    alteration: str
    may_pass: bool


def probes_of(document: Document, quote: str, other: str) -> Iterator[Probe]:
    """A quote of a document as it is, and altered; `other` is a text that this document does not hold.

    Altered are its first number, its sense, its citation (left out, and moved by one character), and its words.
    """
    start = document.text.index(quote)
    cited = Citation(
        document_id=document.id,
        document_digest=document.digest,
        passage_id="probe",
        quote=quote,
        span=Span(start=start, end=start + len(quote)),
    )
    text = " ".join(quote.split())
    yield Probe(sentence=Sentence(text=text, citations=(cited,)), alteration="as it is", may_pass=True)
    for alteration, altered in _altered_words(text):
        yield Probe(sentence=Sentence(text=altered, citations=(cited,)), alteration=alteration, may_pass=False)
    yield Probe(sentence=Sentence(text=text, citations=()), alteration="no citation", may_pass=False)
    moved = replace(cited, span=Span(start=start + 1, end=start + 1 + len(quote)))
    yield Probe(sentence=Sentence(text=text, citations=(moved,)), alteration="the citation moved", may_pass=False)
    if other:
        yield Probe(sentence=Sentence(text=other, citations=(cited,)), alteration="other words", may_pass=False)


def _altered_words(text: str) -> Iterator[tuple[str, str]]:
    number = _NUMBER.search(text)
    if number:
        changed = str(2 * int(number.group()) + 3)
        yield "another number", f"{text[: number.start()]}{changed}{text[number.end() :]}"
    denied, verb = _NOT.search(text), _VERB.search(text)
    if denied:
        yield "the other sense", f"{text[: denied.start()]}{text[denied.end() :]}"
    elif verb:
        yield "the other sense", f"{text[: verb.end()]} not{text[verb.end() :]}"


def as_draft(sentence: Sentence) -> Draft:
    """The draft of this one sentence."""
    return Draft(sections=(Section(heading="", kind=SectionKind.PARAGRAPH, sentences=(sentence,)),))
