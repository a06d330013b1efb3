"""From a file's bytes to a `Document`: decode, read by type, add what the file says of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from curio_rag.adapters.blocks import Reading
from curio_rag.adapters.cleaning import suspicious_words
from curio_rag.adapters.decoding import Decoded, decode
from curio_rag.adapters.isolation import run_isolated
from curio_rag.adapters.metadata import Fields, Metadata, merge, parse_fields, split_front_matter, to_metadata
from curio_rag.domain.digests import Json
from curio_rag.domain.sources import Block, BlockKind, Document, Span
from curio_rag.errors import UnreadableDocument
from curio_rag.ports import LoadedFile

_TAME_CHARACTERS = 300_000
_TAME_UNCLOSED = 50
_TAME_BRACKETS = 2_000
_MARKUP_SECONDS = 30.0


def read_document(loaded: LoadedFile, *, pdf_seconds: float) -> Document:
    """The document. Raises `UnreadableDocument` and nothing else."""
    name, suffix = loaded.file.document_id, loaded.file.path.suffix.lower()
    if not loaded.content.strip():
        raise _empty(name)
    sidecar = _sidecar(loaded)
    if suffix == ".pdf":
        inner, reading = None, _read_pdf(loaded.content, name, pdf_seconds)
        source_notes = suspicious_words(reading.text)
    else:
        inner, reading, source_notes = _read_textual(loaded.content, name, suffix)
    if not reading.text.strip():
        raise _empty(name)
    fields, merge_notes = merge(inner, sidecar)
    metadata = to_metadata(fields)
    notes = (*source_notes, *reading.notes, *merge_notes, *metadata.notes)
    return _document(name, loaded.file.path, reading, metadata, notes)


def _read_pdf(content: bytes, name: str, seconds: float) -> Reading:
    if b"%PDF-" not in content[:1024]:
        raise UnreadableDocument(
            f"{name} is not a PDF by its content.",
            reason="type_mismatch",
            hint="Give it the extension of what it is.",
        )
    from curio_rag.adapters.pdf_reader import read_pdf  # pypdf is loaded only where there is a PDF

    return read_pdf(content, name=name, seconds=seconds)


def _read_textual(content: bytes, name: str, suffix: str) -> tuple[Fields | None, Reading, tuple[str, ...]]:
    html, markdown = suffix in (".html", ".htm"), suffix in (".md", ".markdown")
    decoded = decode(content, name=name, html=html, markdown=markdown)
    if html:
        return None, _read_markup("html", decoded.text, name), decoded.notes
    from curio_rag.adapters.text_reader import read_csv, read_text

    if suffix == ".csv":
        return None, read_csv(decoded.text, name=name), decoded.notes
    inner, body = split_front_matter(decoded.text, name=name)
    reading = _read_markup("markdown", body, name) if markdown else read_text(body)
    return inner, reading, decoded.notes


def _read_markup(kind: str, text: str, name: str) -> Reading:
    if not _is_tame(text):
        return _from_dict(run_isolated(kind, text.encode("utf-8"), name=name, seconds=_MARKUP_SECONDS))
    try:
        if kind == "html":
            from curio_rag.adapters.html_reader import read_html

            return read_html(text)
        from curio_rag.adapters.markdown_reader import read_markdown

        return read_markdown(text, name=name)
    except (AssertionError, ValueError, RecursionError) as error:  # what html.parser raises on a malformed declaration
        raise UnreadableDocument(
            f"{name} is not well-formed: {error}.", reason="corrupt", hint="Save it again from an editor."
        ) from error


def _is_tame(text: str) -> bool:
    """Whether markup is surely read in a moment; any other is read in a child process with limits.

    Both parsers take quadratic time over many unclosed tags or brackets: 100 kB of "<a " takes minutes.
    """
    return (
        len(text) <= _TAME_CHARACTERS
        and text.count("<") - text.count(">") <= _TAME_UNCLOSED
        and text.count("[") <= _TAME_BRACKETS
        and text.count("{") <= _TAME_BRACKETS
    )


def _sidecar(loaded: LoadedFile) -> Fields | None:
    if loaded.sidecar is None:
        return None
    name = f"the sidecar of {loaded.file.document_id}"
    decoded: Decoded = decode(loaded.sidecar, name=name)
    return parse_fields(re.sub(r"\A---[ \t]*\n", "\n", decoded.text), name=name)


def _document(name: str, path: Path, reading: Reading, metadata: Metadata, notes: Sequence[str]) -> Document:
    title = metadata.title or reading.title or reading.first_heading or _title_from(name)
    return Document(
        id=metadata.id or name,
        title=title[:300],
        text=reading.text,
        source=name,
        synonyms=metadata.synonyms,
        publisher=metadata.publisher,
        url=metadata.url,
        licence=metadata.licence,
        edition=metadata.edition,
        language=metadata.language or reading.language or "en",
        jurisdiction=metadata.jurisdiction,
        products=metadata.products,
        population=metadata.population,
        as_of=metadata.as_of,
        references=metadata.references,
        page_starts=reading.page_starts,
        page_labels=reading.page_labels,
        blocks=reading.blocks,
        must_show=_must_show(reading, metadata.must_show, name),
        notes=tuple(dict.fromkeys(notes)),
        vetting=metadata.vetting,
        proposal=metadata.proposal,
    )


def _must_show(reading: Reading, sentences: Sequence[str], name: str) -> tuple[Span, ...]:
    """The spans of the sentences that have to be shown, each within one block, wherever they stand."""
    spans = set(reading.must_show)
    for sentence in sentences:
        words = sentence.split()
        pattern = re.compile(r"\s+".join(re.escape(word) for word in words))
        found = [Span(start=match.start(), end=match.end()) for match in pattern.finditer(reading.text)]
        held = [span for span in found if any(block.span.holds(span) for block in reading.blocks)]
        if not held:
            raise UnreadableDocument(
                f"{name}: the text does not hold the sentence of 'must_show': {sentence[:200]!r}.",
                reason="malformed_metadata",
                hint="Copy the sentence from the text exactly, or take it off the list.",
                quarantine=False,
            )
        spans.update(held)
    return tuple(sorted(spans))


def _title_from(name: str) -> str:
    stem = Path(name.rsplit("/", 1)[-1]).stem
    return " ".join(re.sub(r"[_-]+", " ", stem).split()) or name


def _empty(name: str) -> UnreadableDocument:
    return UnreadableDocument(f"{name} holds no text.", reason="empty", hint="Remove it, or give it content.")


def _from_dict(result: Mapping[str, Json]) -> Reading:
    def spans(key: str) -> tuple[Span, ...]:
        return tuple(Span(start=start, end=end) for start, end in cast("list[tuple[int, int]]", result[key]))

    blocks = cast("list[tuple[str, int, int, int]]", result["blocks"])
    return Reading(
        text=str(result["text"]),
        blocks=tuple(
            Block(kind=BlockKind(kind), span=Span(start=start, end=end), level=level)
            for kind, start, end, level in blocks
        ),
        must_show=spans("must_show"),
        title=cast("str | None", result["title"]),
        language=cast("str | None", result["language"]),
        notes=tuple(str(note) for note in cast("list[str]", result["notes"])),
    )
