"""Where an answer shows a time limit, "follow your own centre" stands with it, whoever wrote the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from curio_rag.domain.answers import Draft, Evidence, Section, SectionKind, Sentence
from curio_rag.domain.sources import Span
from curio_rag.domain.time_limits import Limit, limit_of, matter_of

OWN_CENTRE = re.compile(
    r"\b(?:follow|until) your own (?:\w+ )?(?:centre|center|team|hospital|doctor|card)\b|"
    r"\b(?:centre|center|team|hospital) (?:says|asks for) longer\b",
    re.IGNORECASE,
)
"""A sentence that puts the reader's own centre first."""


def with_own_centre(draft: Draft, evidence: Sequence[Evidence]) -> Draft:
    """The draft with such a sentence after the first time limit, where none stands in it already.

    It is one that a document marks as to be shown: of the document that gives the limit, or else of another
    one that was found; on the same matter (driving, staying near) or on any limit.
    """
    sentences = [sentence for section in draft.sections for sentence in section.sentences]
    if any(OWN_CENTRE.search(sentence.text) for sentence in sentences):
        return draft
    for number, section in enumerate(draft.sections):
        limits = [(sentence, limit) for sentence in section.sentences if (limit := limit_of(sentence.text)) is not None]
        for sentence, limit in limits:
            said = _said_of(limit, sentence, evidence)
            if said is not None:
                beside = Section(heading="", kind=SectionKind.PARAGRAPH, sentences=(said,))
                sections = (*draft.sections[: number + 1], beside, *draft.sections[number + 1 :])
                return replace(draft, sections=sections)
    return draft


def _said_of(limit: Limit, sentence: Sentence, evidence: Sequence[Evidence]) -> Sentence | None:
    """The best document's sentence on one's own centre that fits this limit."""
    source = sentence.citations[0].document_id if sentence.citations else None
    ordered = sorted(evidence, key=lambda each: each.document.id != source)
    fitting = [(each, span) for each in ordered for span in _on(limit, each)]
    return fitting[0][0].verbatim(fitting[0][1]) if fitting else None


def _on(limit: Limit, evidence: Evidence) -> Iterator[Span]:
    """A document's sentences on one's own centre: those on this matter, then those on none that is named."""
    text = evidence.document.text
    told = [span for span in evidence.document.must_show if OWN_CENTRE.search(span.of(text))]
    for matter in dict.fromkeys((limit, Limit.OTHER)):
        yield from (span for span in told if matter_of(span.of(text)) is matter)
