"""Reads the documents of a folder with the lines of the files that people edit, for the lint of curators.

The source of a PDF is `sources/NAME.md` beside it, where there is one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from curio_rag.adapters.decoding import decode
from curio_rag.adapters.folder import SIDECAR, FolderSource
from curio_rag.adapters.metadata import Fields, Value, parse_fields, split_front_matter
from curio_rag.adapters.sentences import sentence_spans
from curio_rag.domain.curation import CuratedFile, KnowledgeProblem, PlacedSentence, SourceEntry
from curio_rag.domain.sources import BlockKind, Document, Span
from curio_rag.errors import UnreadableDocument
from curio_rag.ports import ListedFile, LoadedFile

PDF_SOURCES = "sources"
_SHORTEST_RUN = 4
"""Words that have to agree where a whole sentence cannot be found, because markup stands in its middle."""

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)
_TAG = re.compile(r"<!--.*?-->|<[A-Za-z/!][^<>]*>", re.DOTALL)
_LINK_TARGET = re.compile(r"\]\([^()\s]*\)")
_WORD = re.compile(r"[^\W_]+")
_LINE_IN_MESSAGE = re.compile(r", line (\d+): ")


@dataclass(frozen=True, slots=True, kw_only=True)
class CuratedFolder:
    """The documents that can be read, in order of their ids, and why the others cannot."""

    files: tuple[CuratedFile, ...]
    problems: tuple[KnowledgeProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metadata:
    """The metadata of one file with the lines of its keys and of the items of its lists."""

    file: str
    fields: Fields
    item_lines: dict[str, tuple[int, ...]]

    def items(self, key: str) -> Iterator[tuple[int, Value]]:
        """The items of a list, each with its line."""
        value = self.fields.values.get(key)
        values = value if isinstance(value, list) else [] if value is None else [value]
        lines = self.item_lines.get(key) or (self.fields.lines.get(key, 1),) * len(values)
        return zip(lines, values, strict=True)


def read_curated(folder: Path) -> CuratedFolder:
    """Every document of a folder. Raises `KnowledgeError` where the folder does not exist."""
    source = FolderSource()
    files: list[CuratedFile] = []
    problems: list[KnowledgeProblem] = []
    for listed in source.list([folder]):
        if listed.skip is not None:
            continue
        try:
            files.append(_read(folder, source, listed))
        except UnreadableDocument as error:
            problems.append(_refusal(folder, source, listed, error))
    return CuratedFolder(files=tuple(files), problems=tuple(problems))


def _read(folder: Path, source: FolderSource, listed: ListedFile) -> CuratedFile:
    loaded = source.load(listed)
    document = source.read(loaded)
    metadata, body_line = _metadata(loaded)
    text_file, words = _edited_text(folder, loaded, body_line)
    status = metadata.fields.values.get("status")
    return CuratedFile(
        document=document,
        text_file=text_file,
        metadata_file=metadata.file,
        status=status if isinstance(status, str) else "",
        field_lines=metadata.fields.lines,
        entries=tuple(
            SourceEntry(line=line, values={key: text for key, text in entry.items() if isinstance(text, str)})
            for line, entry in metadata.items("sources")
            if isinstance(entry, dict)
        ),
        sentences=tuple(_sentences(document, words)),
    )


def _refusal(folder: Path, source: FolderSource, listed: ListedFile, error: UnreadableDocument) -> KnowledgeProblem:
    """The file and line that a refusal is about; the reader names the line of metadata in its message."""
    name, line, rule = listed.document_id, None, error.reason
    match = _LINE_IN_MESSAGE.search(error.message)
    if match is not None:
        line = int(match[1])
        if error.message.startswith("the sidecar of "):
            name += SIDECAR
    elif "'must_show'" in error.message:
        metadata, _ = _metadata(source.load(listed))
        lines = (
            at
            for at, text in metadata.items("must_show")
            if isinstance(text, str) and repr(text[:200]) in error.message
        )
        name, line, rule = metadata.file, next(lines, None), "must_show"
    return KnowledgeProblem(file=name, line=line, rule=rule, message=str(error))


def _metadata(loaded: LoadedFile) -> tuple[_Metadata, int]:
    """The metadata (the sidecar's, where there is one) and the line of the file on which its text begins."""
    name, path = loaded.file.document_id, loaded.file.path
    body_line, front = 1, ""
    if path.suffix.lower() != ".pdf":
        text = decode(loaded.content, name=name, html=path.suffix.lower() in (".html", ".htm"), markdown=True).text
        match = _FRONT_MATTER.match(text)
        if match is not None and split_front_matter(text, name=name)[0] is not None:
            front, body_line = match[1], text.count("\n", 0, match.end()) + 1
    if loaded.sidecar is None:
        return _placed(name, name, front, 2), body_line
    sidecar = re.sub(r"\A---[ \t]*\n", "\n", decode(loaded.sidecar, name=name).text)
    return _placed(name + SIDECAR, f"the sidecar of {name}", sidecar, 1), body_line


def _placed(file: str, name: str, source: str, first_line: int) -> _Metadata:
    fields = parse_fields(source, name=name, first_line=first_line)
    items: dict[str, tuple[int, ...]] = {}
    node = yaml.compose(source, Loader=yaml.SafeLoader)  # parse_fields has refused what could grow
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(value, yaml.SequenceNode):
            items[key.value] = tuple(first_line + item.start_mark.line for item in value.value)
    return _Metadata(file=file, fields=fields, item_lines=items)


class _SourceWords:
    """The words of an edited file with their lines; a search goes on from where the last one ended."""

    def __init__(self, text: str, *, first_line: int) -> None:
        self._words: list[str] = []
        self._lines: list[int] = []
        self._next = 0
        for number, line in enumerate(text.split("\n"), start=1):
            if number >= first_line:
                found = _words(html.unescape(line))
                self._words.extend(found)
                self._lines.extend([number] * len(found))

    def line_of(self, text: str) -> int | None:
        """The line on which a text begins, or None."""
        wanted = _words(text)
        for length in (len(wanted), _SHORTEST_RUN):
            run = wanted[:length]
            at = self._find(run, self._next) if run else None
            if at is not None:
                self._next = at + len(run)
                return self._lines[at]
        return None

    def _find(self, run: Sequence[str], start: int) -> int | None:
        last = len(self._words) - len(run)
        return next((at for at in range(start, last + 1) if self._words[at : at + len(run)] == run), None)


def _words(text: str) -> list[str]:
    return [match.group().lower() for match in _WORD.finditer(text)]


def _edited_text(folder: Path, loaded: LoadedFile, body_line: int) -> tuple[str, _SourceWords]:
    name, path = loaded.file.document_id, loaded.file.path
    suffix = path.suffix.lower()
    if suffix != ".pdf":
        markup = suffix in (".html", ".htm")
        text = decode(loaded.content, name=name, html=markup, markdown=not markup).text
        if markup:
            text = _TAG.sub(lambda tag: " " + "\n" * tag.group().count("\n"), text)
        else:
            text = _LINK_TARGET.sub("] ", text)
        return name, _SourceWords(text, first_line=body_line)
    source = path.parent / PDF_SOURCES / f"{path.stem}.md"
    if not source.is_file():
        return name, _SourceWords("", first_line=1)
    edited = (Path(name).parent / PDF_SOURCES / source.name).as_posix()
    return edited, _SourceWords(decode(source.read_bytes(), name=edited, markdown=True).text, first_line=1)


def _sentences(document: Document, words: _SourceWords) -> Iterator[PlacedSentence]:
    for block in document.blocks:
        if block.kind is BlockKind.HEADING:
            continue
        for found in sentence_spans(block.span.of(document.text), language=document.language):
            span = Span(start=block.span.start + found.start, end=block.span.start + found.end)
            text = " ".join(span.of(document.text).split())
            line, page = words.line_of(text), document.page_at(span.start)
            yield PlacedSentence(span=span, text=text, kind=block.kind, line=line, page=page)
