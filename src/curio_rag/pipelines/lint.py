"""What is wrong with documents before a clinician reads them: missing sources, rules without scope, hard sentences.

Each rule has a name, which stands in the problem: `sources`, `dates`, `status`, `scope`, `own_centre`, `opening`,
`must_show`, `grade`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from curio_rag.domain.curation import CuratedFile, KnowledgeProblem, PlacedSentence
from curio_rag.domain.sources import BlockKind
from curio_rag.domain.time_limits import Limit, known_products, limit_of, missing_scope
from curio_rag.ports import Readability

HIGHEST_GRADE = 9.0
"""Flesch-Kincaid; half a grade above what the curators aim at, so that a change of one word does not fail a check."""

SOURCE_FIELDS = ("title", "publisher", "url", "date")
_PROSE = (BlockKind.PARAGRAPH, BlockKind.BULLET, BlockKind.STEP)
_OPENING = re.compile(r"(?:It|This|These|That|They|However|Also)\b(?!-)")
_LABEL = re.compile(r"[^.!?:]{1,160}:\s+")
_END = re.compile(r"[.!?:][\"”’)]*$")
_OWN_CENTRE = re.compile(r"\bfollow\s+your\s+own\s+(?:\w+\s+){0,2}(?:centre|center|hospital|team)\b", re.IGNORECASE)
_SHOWN = 100
"""Characters of a sentence that are shown with its fault."""


def lint(files: Sequence[CuratedFile], readability: Readability) -> tuple[KnowledgeProblem, ...]:
    """Every fault, by file and then by rule."""
    products = known_products(file.document for file in files)
    return tuple(
        problem
        for file in files
        for problem in (
            *_metadata_faults(file),
            *_scope_faults(file, products),
            *_own_centre_faults(file),
            *_opening_faults(file),
            *_must_show_faults(file),
            *_grade_faults(file, readability),
        )
    )


def _metadata_faults(file: CuratedFile) -> Iterator[KnowledgeProblem]:
    def fault(rule: str, message: str, *, field: str = "", line: int | None = None) -> KnowledgeProblem:
        at = line if line is not None else file.field_lines.get(field, 1)
        return KnowledgeProblem(file=file.metadata_file, line=at, rule=rule, message=message)

    if not file.entries:
        yield fault("sources", "there are no sources; list what the text was written from", field="sources")
    for entry in file.entries:
        missing = [key for key in SOURCE_FIELDS if not entry.values.get(key, "").strip()]
        if missing:
            way_out = "; write 'undated' where the page has no date" if "date" in missing else ""
            yield fault("sources", f"a source has no {', no '.join(missing)}{way_out}", line=entry.line)
    if not file.document.as_of:
        yield fault("dates", "as_of is missing: the day on which the facts were checked", field="as_of")
    if file.document.vetting.review_due is None:
        yield fault("dates", "review_due is missing: the day by which they are checked again", field="review_due")
    if file.status.lower() != "sample":
        said = f"is {file.status!r}" if file.status else "is missing"
        yield fault("status", f"status {said}; a file can only call itself 'sample'", field="status")


def _at(file: CuratedFile, sentence: PlacedSentence, rule: str, message: str) -> KnowledgeProblem:
    text = sentence.text if len(sentence.text) <= _SHOWN else f"{sentence.text[:_SHOWN]}…"
    name = file.text_file if sentence.line is not None else file.document.source
    return KnowledgeProblem(
        file=name, line=sentence.line, page=sentence.page, rule=rule, message=f"{message}: “{text}”"
    )


def _scope_faults(file: CuratedFile, products: frozenset[str]) -> Iterator[KnowledgeProblem]:
    for sentence in file.sentences:
        limit = limit_of(sentence.text)
        missing = () if limit is None else missing_scope(sentence.text, limit, products)
        if limit is not None and missing:
            about = "a time limit" if limit is Limit.OTHER else f"a time limit for {limit}"
            yield _at(file, sentence, "scope", f"{about} names no {', no '.join(missing)}")


def _own_centre_faults(file: CuratedFile) -> Iterator[KnowledgeProblem]:
    """Sections with a limit for driving or staying near that do not tell people to follow their own centre."""
    for section in file.document.sections:
        if _OWN_CENTRE.search(section.span.of(file.document.text)):
            continue
        limits = (
            sentence
            for sentence in file.sentences
            if section.span.holds(sentence.span) and limit_of(sentence.text) in (Limit.DRIVING, Limit.NEARNESS)
        )
        first = next(limits, None)
        if first is not None:
            yield _at(file, first, "own_centre", "the section does not say 'Follow your own centre' beside its limit")


def _opening_faults(file: CuratedFile) -> Iterator[KnowledgeProblem]:
    for sentence in file.sentences:
        opening = _OPENING.match(sentence.text)
        if opening is not None:
            message = f"it opens with '{opening.group()}' and cannot be quoted alone; name the subject"
            yield _at(file, sentence, "opening", message)


def _must_show_faults(file: CuratedFile) -> Iterator[KnowledgeProblem]:
    """Marked warnings that are not whole sentences; the reader refuses those that are not in the text at all."""
    text = file.document.text
    for span in file.document.must_show:
        block = next(each.span for each in file.document.blocks if each.span.holds(span))
        before = text[block.start : span.start].rstrip()
        if (before and not _END.search(before)) or not _END.search(span.of(text)):
            holder = next(each for each in file.sentences if each.span.start <= span.start < each.span.end)
            yield _at(file, holder, "must_show", f"'{span.of(text)}' is marked and is not a whole sentence")


def _grade_faults(file: CuratedFile, readability: Readability) -> Iterator[KnowledgeProblem]:
    """A document that is too hard as a whole; headings, tables and the labels before a colon are no prose."""
    grade = readability.grade("\n".join(_prose(file)))
    if grade > HIGHEST_GRADE:
        message = f"the reading grade is {grade:.1f}, at most {HIGHEST_GRADE} is allowed"
        hardest = max(
            (each for each in file.sentences if each.kind in _PROSE), key=lambda each: readability.grade(each.text)
        )
        yield _at(file, hardest, "grade", f"{message}; the hardest sentence")


def _prose(file: CuratedFile) -> Iterator[str]:
    """Each paragraph and item on one line; of an item with a label ("CRS: ..."), what the label introduces."""
    document = file.document
    for block in document.blocks:
        if block.kind in _PROSE:
            text = " ".join(block.span.of(document.text).split())
            label = _LABEL.match(text) if block.kind is not BlockKind.PARAGRAPH else None
            yield text[label.end() :] if label else text
