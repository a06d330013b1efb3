"""Where the sources of an answer disagree on a figure, both are shown: the answer does not choose between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from curio_rag.domain.answers import Citation, Conflict, Draft, Evidence, Section, SectionKind
from curio_rag.pipelines.conflicts import ConflictFinder, Disagreement, Statement

MOST_CONFLICTS = 3
HEADING = "Where the sources differ"


@dataclass(frozen=True, slots=True, kw_only=True)
class BothSides:
    """A draft with the other side of every disagreement, and the pairs."""

    draft: Draft
    conflicts: tuple[Conflict, ...] = ()


def with_both_sides(draft: Draft, evidence: Sequence[Evidence], finder: ConflictFinder) -> BothSides:
    """Looks for sentences of the passages found that contradict what is quoted; at most three pairs are taken up.

    The other side is quoted word for word in a section of its own, unless the draft quotes it already.
    """
    documents = {each.document.id: each for each in evidence}
    quoted = [citation for section in draft.sections for each in section.sentences for citation in each.citations]
    said = [statement for citation in quoted for statement in _statements(citation, documents, finder)]
    if not said:
        return BothSides(draft=draft)
    passages = {hit.passage.id: hit.passage for each in evidence for hit in each.hits}
    others = [statement for passage in passages.values() for statement in finder.statements(passage)]
    found = tuple(_each_once(said, others, finder))[:MOST_CONFLICTS]
    further = [each.second for each in found if not _is_quoted(each.second, quoted)]
    sections = draft.sections
    if further:
        sentences = tuple(documents[each.passage.document_id].verbatim(each.span) for each in further)
        sections = (*sections, Section(heading=HEADING, kind=SectionKind.LIST, sentences=sentences))
    conflicts = tuple(
        Conflict(
            first=documents[each.first.passage.document_id].cite(each.first.span),
            second=documents[each.second.passage.document_id].cite(each.second.span),
            first_figure=each.figures[0].span.of(each.first.text),
            second_figure=each.figures[1].span.of(each.second.text),
        )
        for each in found
    )
    return BothSides(draft=replace(draft, sections=sections), conflicts=conflicts)


def shown(conflicts: Sequence[Conflict], sections: Sequence[Section]) -> tuple[Conflict, ...]:
    """The pairs of which both sides are in the sections, as they are after the claim gate."""
    quoted = [citation for section in sections for each in section.sentences for citation in each.citations]

    def stands(side: Citation) -> bool:
        return any(each.document_id == side.document_id and each.span.holds(side.span) for each in quoted)

    return tuple(each for each in conflicts if stands(each.first) and stands(each.second))


def _statements(citation: Citation, documents: dict[str, Evidence], finder: ConflictFinder) -> Iterator[Statement]:
    """The sentences with figures in a quote that stands in one of the documents."""
    source = documents.get(citation.document_id)
    if source is None or not citation.quote or citation.span.of(source.document.text) != citation.quote:
        return
    passage = next((each for each in source.passages if each.span.holds(citation.span)), None)
    if passage is not None:
        quote = replace(passage, span=citation.span, text=citation.quote)
        for statement in finder.statements(quote):
            yield replace(statement, passage=passage)


def _each_once(
    said: Sequence[Statement], others: Sequence[Statement], finder: ConflictFinder
) -> Iterator[Disagreement]:
    """Each pair once, the quoted side first; another place that says the same words is the same side."""
    seen: set[frozenset[str]] = set()
    for first in said:
        for second in others:
            pair = frozenset((first.text, second.text))
            found = None if pair in seen else finder.between(first, second)
            if found is not None:
                seen.add(pair)
                yield found


def _is_quoted(statement: Statement, quoted: Sequence[Citation]) -> bool:
    return any(each.document_id == statement.passage.document_id and each.span.holds(statement.span) for each in quoted)
