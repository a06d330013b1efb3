"""A document together with the file that people edit, so that a fault can be named by its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from curio_rag.domain.sources import BlockKind, Document, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry:
    """One entry of `sources` as it is written; unlike a `Reference` it tells undated from without a date."""

    line: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedSentence:
    """A sentence of a document (headings left out) and where an editor finds it.

    `line` counts from 1 in `CuratedFile.text_file` and is None where the words cannot be found there;
    `page` is set for documents with pages.
    """

    span: Span
    text: str
    kind: BlockKind
    line: int | None = None
    page: int | None = None


@dataclass(frozen=True, kw_only=True)
class CuratedFile:
    """A document, the file that its text is edited in, and the file that its metadata stands in.

    All of them are paths under the folder. For a PDF made from a source, `text_file` is that source.
    """

    document: Document
    text_file: str
    metadata_file: str
    status: str = ""
    field_lines: Mapping[str, int] = field(default_factory=dict)
    entries: tuple[SourceEntry, ...] = ()
    sentences: tuple[PlacedSentence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeProblem:
    """A fault of one document: the file, the line (or the page, where no line is known), the rule and a sentence."""

    file: str
    rule: str
    message: str
    line: int | None = None
    page: int | None = None

    def __str__(self) -> str:
        if self.line is not None:
            return f"{self.file}:{self.line}: {self.message} [{self.rule}]"
        place = f"{self.file}, page {self.page}" if self.page is not None else self.file
        return f"{place}: {self.message} [{self.rule}]"
