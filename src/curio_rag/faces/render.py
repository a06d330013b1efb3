"""Results as text for people at a terminal, and as JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from curio_rag.domain.digests import Json
from curio_rag.domain.library import ShelfRecord
from curio_rag.domain.sources import BlockKind, Document, Hit
from curio_rag.pipelines.conflicts import Disagreement


def print_json(value: Json) -> None:
    """One JSON value on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def safe(text: str) -> str:
    """Text from a file or a document, with nothing in it that could steer the terminal."""
    return "".join(character if character.isprintable() or character == "\n" else "�" for character in text)


def print_hits(hits: Sequence[Hit]) -> None:
    """The passages with where they stand and why they were found."""
    for number, hit in enumerate(hits, start=1):
        passage = hit.passage
        place = [passage.title, *passage.heading_path] + ([f"p. {passage.page}"] if passage.page else [])
        print(f"{number}. {safe(' > '.join(place))}  ({passage.document_id}, score {hit.score:.3f})")
        for line in safe(passage.text).splitlines():
            print(f"     {line}")
        print()
    if not hits:
        print("Nothing was found.")


def print_conflicts(disagreements: Sequence[Disagreement]) -> None:
    """Both statements of each pair with where they stand, for whom they are, and of which day."""
    for number, found in enumerate(disagreements, start=1):
        print(f"{number}. different figures for the same thing")
        for each, figure in zip((found.first, found.second), found.figures, strict=True):
            passage = each.passage
            scope = filter(None, (passage.jurisdiction, *passage.products, passage.population))
            about = [" > ".join((passage.document_id, *passage.heading_path)), *scope]
            about.append(f"as of {passage.as_of}" if passage.as_of else "no date")
            print(f"     {safe(figure.span.of(each.text))}: {safe(' '.join(each.text.split()))}")
            print(f"       ({safe('; '.join(about))})")


def print_document(document: Document, record: ShelfRecord) -> None:
    """A document as people review it: its fields, the text with pages, headings and marks, its sources."""
    vetting, entry = record.vetting, record.entry
    print(f"{safe(document.title)}\n{document.id}, {entry.digest}\nStatus: {vetting.status.value}", end="")
    print(f", vetted by {vetting.clinician}, {vetting.credential}, {vetting.vetted_on}" if vetting.clinician else "")
    if document.proposal is not None:
        claim = document.proposal
        print(f"The file claims: vetted by {safe(str(claim.clinician))} on {claim.vetted_on}. Nobody has confirmed it.")
    for name in ("publisher", "url", "licence", "edition", "language", "jurisdiction", "population", "as_of"):
        if getattr(document, name):
            print(f"{name.replace('_', ' ')}: {safe(str(getattr(document, name)))}")
    print(f"review due: {vetting.review_due}" if vetting.review_due else "review due: no day is set")
    if document.products:
        print(f"products: {safe(', '.join(document.products))}")
    for note in document.notes:
        print(f"note: {safe(note)}")
    print()
    _print_text(document)
    if document.references:
        print("\nSources")
        for number, each in enumerate(document.references, start=1):
            print(f"  {number}. {safe(each.title)}. {safe(each.publisher)}, {each.date}. {safe(each.url)}")


def _print_text(document: Document) -> None:
    page: int | None = None
    step = 0
    for block in document.blocks:
        here = document.page_at(block.span.start)
        if here != page:
            page = here
            print(f"--- page {page} (printed: {document.page_label(page)}) ---")
        step = step + 1 if block.kind is BlockKind.STEP else 0
        lead = {
            BlockKind.HEADING: "\n" + "#" * max(1, block.level) + " ",
            BlockKind.BULLET: "  - ",
            BlockKind.STEP: f"  {step}. ",
        }.get(block.kind, "")
        print(f"{lead}{safe(block.span.of(document.text))}")
        for span in document.must_show:
            if block.span.holds(span):
                print(f"    [must show] {safe(span.of(document.text))}")


def document_json(document: Document, record: ShelfRecord) -> dict[str, Json]:
    """A document with its structure, marks and sources, as `curio library show --json` prints it."""
    return {
        "id": document.id,
        "digest": document.digest,
        "title": document.title,
        "synonyms": list(document.synonyms),
        "publisher": document.publisher,
        "url": document.url,
        "licence": document.licence,
        "edition": document.edition,
        "language": document.language,
        "jurisdiction": document.jurisdiction,
        "products": list(document.products),
        "population": document.population,
        "as_of": document.as_of,
        "vetting": record.vetting.to_dict(),
        "proposal": document.proposal.to_dict() if document.proposal else None,
        "admitted": record.admitted,
        "notes": list(document.notes),
        "text": document.text,
        "page_starts": list(document.page_starts),
        "page_labels": list(document.page_labels),
        "blocks": [
            {"kind": block.kind.value, "start": block.span.start, "end": block.span.end, "level": block.level}
            for block in document.blocks
        ],
        "must_show": [span.of(document.text) for span in document.must_show],
        "sources": [
            {"title": r.title, "publisher": r.publisher, "url": r.url, "date": r.date, "accessed": r.accessed}
            for r in document.references
        ],
    }
