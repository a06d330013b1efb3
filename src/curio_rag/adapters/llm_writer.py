"""The writer that asks a language model; what the model says is a proposal that the claim gate judges.

Passages and question travel as one JSON object, so nothing in them can end the data and begin an
instruction. A passage is named by a key out of its digest: one that was never shown is not hit by guessing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from curio_rag.adapters.llm_providers import ChatModel, Message
from curio_rag.adapters.llm_reply import CitedPassage, read_reply
from curio_rag.domain.answers import AnswerLength, Citation, Draft, Evidence, Section, SectionKind, Sentence
from curio_rag.domain.digests import digest_bytes
from curio_rag.domain.question_types import QuestionTypes
from curio_rag.domain.sources import Document, Passage, Span
from curio_rag.errors import MalformedDraft

MOST_PASSAGES = 24
"""Shown to a model: at most 240 WordPieces each, some 6,000 tokens in all."""

PASSAGES_WITHOUT_HIT = 3
"""Of a document that was found for what a full answer should also say, its first passages are shown."""

SHOWN_AGAIN = 4000
"""Characters of a malformed reply that the model is shown when it is asked again."""

KEY_LENGTH = 8
TRIES = 2

WORDS = {AnswerLength.SHORT: "40 to 90", AnswerLength.STANDARD: "80 to 250", AnswerLength.FULL: "200 to 600"}
"""How many words a model is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """The texts that steer a model, read from the package's `prompts` folder."""

    answer: str
    again: str

    @property
    def digest(self) -> str:
        """Tagged, of all of them: another wording is another writer."""
        return digest_bytes(f"{self.answer}\0{self.again}".encode())


def load_prompts() -> Prompts:
    """The prompts that this version was published with."""
    folder = resources.files("curio_rag").joinpath("prompts")
    return Prompts(
        answer=folder.joinpath("answer.md").read_text(encoding="utf-8"),
        again=folder.joinpath("answer-again.md").read_text(encoding="utf-8"),
    )


class LanguageModelWriter:
    """Composes drafts with a language model, within one limit of time for all that is asked of it."""

    def __init__(self, model: ChatModel, *, types: QuestionTypes, seconds: float) -> None:
        self._model = model
        self._types = types
        self._seconds = seconds
        self._prompts = load_prompts()

    @property
    def name(self) -> str:
        """Provider, model and the digest of the prompts, for the provenance of the answer."""
        return f"{self._model.name} prompt {self._prompts.digest[:19]}"

    def write(self, question: str, evidence: Sequence[Evidence], *, length: AnswerLength) -> Draft:
        """What the model makes of the evidence; a malformed reply is sent back once with what is wrong with it.

        Warnings that belong to a cited section are added word for word where the model left them out. Raises
        `WriterUnavailable`, and `MalformedDraft` when the second reply is no draft either.
        """
        shown = passages_shown(evidence, general=self._types.general_headings)
        sections = with_warnings(self._sections(question, shown, WORDS[length]), evidence)
        cited = {citation.document_id for section in sections for citation in _citations(section)}
        titles = [each.document.title for each in evidence if each.document.id in cited]
        return Draft(sections=sections, questions_to_ask=self._types.asking(titles) if titles else ())

    def _sections(self, question: str, shown: Mapping[str, CitedPassage], words: str) -> tuple[Section, ...]:
        deadline = time.monotonic() + self._seconds
        messages = [
            Message(role="system", text=self._prompts.answer),
            Message(role="user", text=_request(question, shown, words)),
        ]
        for number in range(1, TRIES + 1):
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._model.too_slow(self._seconds)
            reply = self._model.reply(messages, seconds=left)
            try:
                return read_reply(reply, shown)
            except MalformedDraft as problem:
                if number == TRIES:
                    raise
                messages.extend(self._asking_again(reply, problem))
        raise AssertionError("the last try returns or raises")

    def _asking_again(self, reply: str, problem: MalformedDraft) -> Iterator[Message]:
        if reply.strip():
            yield Message(role="assistant", text=reply[:SHOWN_AGAIN])
        yield Message(role="user", text=self._prompts.again.replace("{fault}", problem.message))


def passages_shown(evidence: Sequence[Evidence], *, general: Collection[str]) -> dict[str, CitedPassage]:
    """The passages that a model is shown, by key: the hits of every document with what stands in the same section.

    `general` are headings, such as "in short", that say less than the title does.
    """
    chosen = [
        CitedPassage(document=each.document, passage=passage, headings=_headings(passage, general))
        for each in evidence
        for passage in _chosen(each)
    ]
    shown: dict[str, CitedPassage] = {}
    for cited in chosen[:MOST_PASSAGES]:
        name = cited.passage.id.removeprefix("p_")
        length = KEY_LENGTH
        while name[:length] in shown:
            length += 1
        shown[name[:length]] = cited
    return shown


def _headings(passage: Passage, general: Collection[str]) -> tuple[str, ...]:
    telling = [name for name in reversed(passage.heading_path) if name.lower().strip(" :") not in general]
    return (*telling, passage.title)


def _chosen(evidence: Evidence) -> tuple[Passage, ...]:
    """In the order of the document's text, so that a section can be read through."""
    if not evidence.hits:
        return evidence.passages[:PASSAGES_WITHOUT_HIT]
    found = {hit.passage.id for hit in evidence.hits}
    sections = {evidence.document.section_at(hit.passage.span.start).span for hit in evidence.hits[:2]}
    return tuple(
        passage
        for passage in evidence.passages
        if passage.id in found or any(section.holds(passage.span) for section in sections)
    )


def _request(question: str, shown: Mapping[str, CitedPassage], words: str) -> str:
    passages = [
        {
            "key": key,
            "headings": list(cited.headings),
            "for": cited.passage.population or "",
            "country": cited.passage.jurisdiction or "",
            "products": list(cited.passage.products),
            "as_of": cited.passage.as_of or "",
            "text": " ".join(cited.passage.text.split()),
        }
        for key, cited in shown.items()
    ]
    return json.dumps({"question": question, "words": words, "passages": passages}, ensure_ascii=False, indent=1)


def with_warnings(sections: Sequence[Section], evidence: Sequence[Evidence]) -> tuple[Section, ...]:
    """The sections, each followed by the sentences that its sources mark to be shown always and nobody has quoted."""
    sources = {each.document.id: each for each in evidence}
    said = [(citation.document_id, citation.span) for section in sections for citation in _citations(section)]
    whole: list[Section] = []
    for section in sections:
        whole.append(section)
        missing: list[Sentence] = []
        for citation in _citations(section):
            source = sources.get(citation.document_id)
            for span in _warnings_near(citation, source.document) if source else ():
                if source and not any(name == source.document.id and other.holds(span) for name, other in said):
                    said.append((source.document.id, span))
                    missing.append(source.verbatim(span))
        if missing:
            whole.append(Section(heading="", kind=SectionKind.PARAGRAPH, sentences=tuple(missing)))
    return tuple(whole)


def _citations(section: Section) -> Iterator[Citation]:
    """Those that were found in a document."""
    return (citation for sentence in section.sentences for citation in sentence.citations if citation.quote)


def _warnings_near(citation: Citation, document: Document) -> tuple[Span, ...]:
    place = document.section_at(citation.span.start).span
    return tuple(span for span in document.must_show if place.holds(span))
