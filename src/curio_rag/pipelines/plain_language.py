"""Words of an answer that a reader may not know, explained by a document made for it and cited like all else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from curio_rag.domain.answers import EXPLAINED, Draft, Evidence, Section, SectionKind
from curio_rag.domain.sources import BlockKind, Span

MOST_EXPLAINED = 3
LONGEST_NAME = 40

_LINE = re.compile(r"(?P<name>[^():]+?)(?: \([^()]*\))?: .+", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedWord:
    """One line of a glossary: the word that it explains, and where the line stands."""

    name: str
    span: Span


def explained_words(glossary: Evidence) -> Iterator[ExplainedWord]:
    """The lines of a document's lists such as "Apheresis (also: leukapheresis): a machine takes ..."."""
    document = glossary.document
    for block in document.blocks:
        found = _LINE.fullmatch(block.span.of(document.text)) if block.kind is BlockKind.BULLET else None
        if found and len(found["name"]) <= LONGEST_NAME:
            yield ExplainedWord(name=found["name"].strip(), span=block.span)


def with_words_explained(draft: Draft, glossary: Evidence | None, *, question: str) -> Draft:
    """The draft with a last section of the first words that the glossary knows and the draft leaves unexplained.

    A word that the question uses, or that the answer itself explains ("which is called leukapheresis", "CRS
    means ..."), is left out, and so is everything when the answer already quotes the glossary.
    """
    sentences = [sentence for section in draft.sections for sentence in section.sentences]
    if glossary is None or any(
        citation.document_id == glossary.document.id for sentence in sentences for citation in sentence.citations
    ):
        return draft
    text = " ".join(sentence.text for sentence in sentences)
    used = [
        (place, word)
        for word in explained_words(glossary)
        if not _form(word.name).search(question) and (place := _unexplained(word.name, text)) is not None
    ]
    chosen = [word for _, word in sorted(used, key=lambda each: each[0])[:MOST_EXPLAINED]]
    if not chosen:
        return draft
    lines = tuple(glossary.verbatim(word.span) for word in chosen)
    return replace(
        draft, sections=(*draft.sections, Section(heading=EXPLAINED, kind=SectionKind.LIST, sentences=lines))
    )


def _unexplained(name: str, text: str) -> int | None:
    """Where an answer first uses a word without saying what it is; None when it does not, or says so."""
    found = _form(name).search(re.sub(r"\([^()]*\)", lambda inside: " " * len(inside.group()), text))
    form = _form(name).pattern
    explained = rf"(?:called|\()\s*{form}|{form}(?:,? (?:is|are|means?)\b|:| \()"
    if found is None or re.search(explained, text, _form(name).flags):
        return None
    return found.start()


def _form(name: str) -> re.Pattern[str]:
    """Finds a word, or more of the thing; capitals such as NICE only as they are."""
    return re.compile(rf"(?<![\w-]){re.escape(name)}s?(?![\w-])", 0 if name.isupper() else re.IGNORECASE)
