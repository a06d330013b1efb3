"""Reads Markdown (CommonMark and tables) as what it renders to; raw HTML in it goes the way of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from curio_rag.adapters.blocks import BlockWriter, ListItem, Reading, without_alert_mark
from curio_rag.domain.sources import BlockKind
from curio_rag.errors import UnreadableDocument

_MAX_NESTING = 60
"""The parser drops what is nested deeper without a word, so such a document is quarantined instead."""


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable(["table", "strikethrough"])


def read_markdown(text: str, *, name: str) -> Reading:
    """The visible text and structure. Raises `UnreadableDocument` (`parse_limit`) for absurd nesting."""
    parser = _parser()
    try:
        tokens = parser.parse(text)
    except RecursionError as error:
        raise _too_deep(name) from error
    if any(token.level >= _MAX_NESTING - 1 for token in tokens):
        raise _too_deep(name)
    if _has_html(tokens):
        from curio_rag.adapters.html_reader import read_html  # only here is it needed for Markdown

        return read_html(parser.renderer.render(tokens, parser.options, {}))
    return _Walk().run(tokens)


def _too_deep(name: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"{name} nests lists or quotations deeper than {_MAX_NESTING}.",
        reason="parse_limit",
        hint="Flatten its lists and quotations.",
    )


def _has_html(tokens: Sequence[Token]) -> bool:
    return any(
        token.type == "html_block" or any(child.type == "html_inline" for child in token.children or ())
        for token in tokens
    )


class _Walk:
    """Goes through the block tokens once, in order, and writes a block for each piece of text."""

    def __init__(self) -> None:
        self.writer = BlockWriter()
        self.lists: list[tuple[BlockKind, int]] = []
        self.items: list[ListItem] = []
        self.heading = 0
        self.cells: list[str] | None = None
        self.quotes: list[bool] = []
        self.quote_starts = False
        self.images = 0
        self.struck = 0

    def run(self, tokens: Sequence[Token]) -> Reading:
        for token in tokens:
            self._step(token)
        if self.images:
            self.writer.notes.append(f"{self.images} images left out")
        if self.struck:
            self.writer.notes.append(f"{self.struck} struck-out passages left out")
        return self.writer.finish()

    def _step(self, token: Token) -> None:
        match token.type:
            case "inline":
                self._words(self._visible(token.children or []))
            case "fence" | "code_block":
                self._words(token.content)
            case "heading_open":
                self.heading = int(token.tag[1:])
            case "heading_close":
                self.heading = 0
            case "bullet_list_open" | "ordered_list_open":
                self._open_list(token)
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
            case "list_item_open":
                self._open_item()
            case "list_item_close":
                self._flush_item()
                self.items.pop()
            case "blockquote_open":
                self.quotes.append(False)
                self.quote_starts = True
            case "blockquote_close":
                self._flush_item()
                self.quotes.pop()
                self.quote_starts = False
            case "tr_open":
                self.cells = []
            case "tr_close":
                self.writer.add(BlockKind.ROW, " | ".join(self.cells or ()))
                self.cells = None
            case "table_close":
                self.writer.end_table()

    def _open_list(self, token: Token) -> None:
        self._flush_item()
        ordered = token.type == "ordered_list_open"
        start = int(token.attrGet("start") or 1) if ordered and token.attrGet("start") is not None else 1
        self.lists.append((BlockKind.STEP if ordered else BlockKind.BULLET, start))

    def _open_item(self) -> None:
        kind, number = self.lists[-1]
        self.lists[-1] = (kind, number + 1)
        marker = f"{number}." if kind is BlockKind.STEP else "-"
        self.items.append(ListItem(kind, marker, len(self.lists)))

    def _words(self, text: str) -> None:
        if self.cells is not None:
            self.cells.append(" ".join(text.split()))
            return
        if self.quote_starts:
            text, marked, must_show = without_alert_mark(text)
            self.quotes[-1] = must_show
            self.quote_starts = marked and not text
        if self.heading:
            self._flush_item()
            self.writer.add(BlockKind.HEADING, text, level=self.heading)
        elif self.items:
            self.items[-1].parts.append(text)
            self.items[-1].must_show |= any(self.quotes)
        else:
            self.writer.add(BlockKind.PARAGRAPH, text, must_show=any(self.quotes))

    def _flush_item(self) -> None:
        if self.items:
            self.items[-1].write(self.writer)

    def _visible(self, children: Sequence[Token]) -> str:
        parts: list[str] = []
        struck = 0
        for child in children:
            if child.type == "s_open":
                struck += 1
                self.struck += struck == 1
            elif child.type == "s_close":
                struck -= 1
            elif child.type == "image":
                self.images += 1
            elif struck:
                continue
            elif child.type in ("text", "code_inline", "text_special"):
                parts.append(child.content)
            elif child.type == "softbreak":
                parts.append(" ")
            elif child.type == "hardbreak":
                parts.append("\n")
        return "".join(parts)
