"""The claim gate: a sentence that its quote does not carry is withheld, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from curio_rag.domain.answers import Citation, Draft, Reason, Section, SectionKind, Sentence, Support, Verdict, Withheld
from curio_rag.domain.sources import Document

FindDocument = Callable[[str], Document | None]
"""A document that answers may rest on today, by id; None for any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDraft:
    """The sections with what may be shown, and what was kept back; `incomplete` when a step or a warning was."""

    sections: tuple[Section, ...]
    withheld: tuple[Withheld, ...]

    @property
    def incomplete(self) -> bool:
        """Whether a step or a warning is among what was withheld."""
        return any(each.essential for each in self.withheld)


def check_draft(draft: Draft, find: FindDocument) -> CheckedDraft:
    """Looks at every sentence; a section that loses all of its sentences goes too."""
    withheld: list[Withheld] = []
    sections: list[Section] = []
    for section in draft.sections:
        kept: list[Sentence] = []
        for sentence in section.sentences:
            reason = fault_of(sentence, find)
            if reason is None:
                kept.append(replace(sentence, verdict=Verdict(support=Support.SUPPORTED)))
            else:
                essential = section.kind is SectionKind.STEPS or _is_warning(sentence, find)
                withheld.append(Withheld(text=sentence.text, reason=reason, essential=essential))
        if kept:
            sections.append(section.keeping(tuple(kept)))
    return CheckedDraft(sections=tuple(sections), withheld=tuple(withheld))


def fault_of(sentence: Sentence, find: FindDocument) -> Reason | None:
    """Why a sentence must be withheld, or None when its quotes carry it word for word.

    Every quote has to stand byte for byte at its span in the cited version of an admitted document,
    and the sentence has to be the quotes' own words: differences in white space alone are allowed.
    """
    if not sentence.text.strip():
        return Reason(code="empty", text="The sentence is empty.")
    if not sentence.citations:
        return Reason(code="no_citation", text="The sentence cites nothing.")
    for citation in sentence.citations:
        fault = _citation_fault(citation, find)
        if fault is not None:
            return fault
    quoted = " ".join(citation.quote for citation in sentence.citations)
    if _words(sentence.text) != _words(quoted):
        return Reason(code="not_verbatim", text=f"The source says: “{' '.join(_words(quoted))}”")
    return None


def _citation_fault(citation: Citation, find: FindDocument) -> Reason | None:
    document = find(citation.document_id)
    if document is None:
        return Reason(code="document", text=f"{citation.document_id} is not a document that answers may rest on.")
    if document.digest != citation.document_digest:
        return Reason(code="document_changed", text=f"{citation.document_id} has changed since it was cited.")
    there = citation.span.of(document.text)
    if not citation.quote or there != citation.quote:
        return Reason(code="quote", text=f"{citation.document_id} does not have the quoted words at that place.")
    return None


def _is_warning(sentence: Sentence, find: FindDocument) -> bool:
    for citation in sentence.citations:
        document = find(citation.document_id)
        if document is not None and any(
            span.start < citation.span.end and citation.span.start < span.end for span in document.must_show
        ):
            return True
    return False


def _words(text: str) -> Sequence[str]:
    return text.split()
