"""Words of an answer that a reader may not know, explained by a document made for it and cited like all else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from curio_rag.domain.answers import Draft, Evidence, Section, SectionKind, Sentence
from curio_rag.domain.explained_words import EXPLAINED, explanation_of
from curio_rag.domain.sources import BlockKind, Document, Span

MOST_EXPLAINED = 3
LONGEST_NAME = 40

ABBREVIATION = re.compile(r"[A-Z][A-Z0-9-]{2,}")


def explained_words(document: Document) -> Iterator[tuple[str, Span]]:
    """The words that the items of a document's lists explain, and where each item stands."""
    for block in document.blocks:
        found = explanation_of(block.span.of(document.text)) if block.kind is BlockKind.BULLET else None
        if found and len(found.name) <= LONGEST_NAME:
            yield found.name, block.span


def with_words_explained(draft: Draft, glossary: Evidence | None, *, question: str, room: int) -> Draft:
    """The draft with a last section of the first words that the glossary knows and the draft leaves unexplained.

    A word that the question uses, or that the answer itself explains ("which is called leukapheresis", "CRS
    means ..."), is left out, and so is everything when the answer already quotes the glossary. No more are
    explained than leave the whole at `room` words, and of two with the same abbreviation only the first.
    """
    sentences = [sentence for section in draft.sections for sentence in section.sentences]
    if glossary is None or any(
        citation.document_id == glossary.document.id for sentence in sentences for citation in sentence.citations
    ):
        return draft
    text = " ".join(sentence.text for sentence in sentences)
    used = [
        (place, name, span)
        for name, span in explained_words(glossary.document)
        if not _is_known(name, question) and (place := _unexplained(name, text)) is not None
    ]
    words = len(text.split())
    lines: list[Sentence] = []
    named: set[str] = set()
    for _, name, span in sorted(used, key=lambda each: each[0]):
        line = glossary.verbatim(span)
        count = len(line.text.split())
        short = _abbreviation(name)
        if len(lines) < MOST_EXPLAINED and words + count <= room and short not in named:
            lines.append(line)
            words += count
            named |= {short} if short else set()
    if not lines:
        return draft
    return replace(
        draft, sections=(*draft.sections, Section(heading=EXPLAINED, kind=SectionKind.LIST, sentences=tuple(lines)))
    )


def _is_known(name: str, text: str) -> bool:
    """Whether a text uses a word or the abbreviation in it: who writes CAR-T needs no "CAR-T cells" explained."""
    return any(_form(each).search(text) for each in (name, _abbreviation(name)) if each)


def _abbreviation(name: str) -> str | None:
    return next((word for word in name.split() if ABBREVIATION.fullmatch(word)), None)


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
