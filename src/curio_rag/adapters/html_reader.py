"""Reads the visible text of an HTML page in one pass, so that depth costs nothing and nothing recurses.

Left out: what browsers do not show (scripts, styles, templates, comments, `hidden`, and whatever
`visibility` recognises), texts that stand for pictures, navigation, form fields, and struck-out passages.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser

from curio_rag.adapters.blocks import BlockWriter, ListItem, Reading, lowered, raised, without_alert_mark
from curio_rag.adapters.metadata import language_code
from curio_rag.adapters.style_sheet import Element, StyleSheet, names
from curio_rag.adapters.visibility import Appearance, appearance
from curio_rag.domain.sources import BlockKind

_VOID = names("area base br col embed hr img input link meta param source track wbr keygen frame")
_UNSHOWN = frozenset(
    [
        "script",
        "style",
        "template",
        "noscript",
        "title",
        "svg",
        "iframe",
        "object",
        "embed",
        "audio",
        "video",
        "canvas",
        "map",
        "noembed",
        "noframes",
        "select",
        "datalist",
        "textarea",
        "option",
        "nav",
        "dialog",
        "rp",
        "annotation",
        "annotation-xml",
    ]
)
_IN_HEAD = names("base basefont bgsound link meta title style script noscript template head html")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "details",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hgroup",
        "html",
        "legend",
        "li",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
        "caption",
        "menu",
    ]
) | frozenset(_HEADINGS)
_CLOSES_P = _BLOCKS - {"body", "html"} | {"hr"}
_CLOSES = {
    "li": ({"li"}, {"ul", "ol", "menu"}),
    "dt": ({"dt", "dd"}, {"dl"}),
    "dd": ({"dt", "dd"}, {"dl"}),
    "td": ({"td", "th"}, {"table", "tr"}),
    "th": ({"td", "th"}, {"table", "tr"}),
    "tr": ({"tr", "td", "th"}, {"table"}),
    "tbody": ({"tr", "td", "th", "thead", "tbody"}, {"table"}),
    "tfoot": ({"tr", "td", "th", "thead", "tbody"}, {"table"}),
    "body": ({"head"}, set()),
}
"""For an opening tag: the open elements that it ends without an end tag, and those beyond which it does not look."""

_P_SCOPE = frozenset(["table", "td", "th", "caption", "button", "object"])
_STYLE = re.compile(r"<style\b[^>]*>(.*?)(?:</style|\Z)", re.DOTALL | re.IGNORECASE)
_TABLE_PARTS = frozenset(["table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption"])
_FORMATTING = names("a b big code em font i nobr s small strike strong tt u")
_LOOK_BACK = 512
"""How many open elements are searched for the one that an end tag names; pages nest some dozens deep."""

_STRUCK = frozenset({"del", "s", "strike"})


@dataclass(slots=True)
class _Open:
    """An element whose end has not been seen."""

    element: Element
    look: Appearance
    unshown: bool


def read_html(text: str) -> Reading:
    """The visible text and structure, the `<title>` and the language."""
    walk = _Walk(StyleSheet(_STYLE.findall(text)))
    walk.feed(text)
    walk.close()
    return walk.finish()


class _Walk(HTMLParser):
    def __init__(self, sheet: StyleSheet) -> None:
        super().__init__(convert_charrefs=True)
        self._sheet = sheet
        self._writer = BlockWriter()
        self._open: list[_Open] = []
        self._path: list[Element] = []
        self._open_tags: Counter[str] = Counter()
        self._words: list[str] = []
        self._heading = 0
        self._lists: list[tuple[BlockKind, int]] = []
        self._items: list[ListItem] = []
        self._row: list[str] | None = None
        self._cell: list[str] | None = None
        self._quotes: list[bool] = []
        self._quote_starts = False
        self._title: list[str] = []
        self._language: str | None = None
        self._left_out: Counter[str] = Counter()

    # What the parser calls

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in _IN_HEAD and self._path and self._path[-1].tag == "head":
            self._pop_to("head")
        self._end_implied(tag)
        element = Element(tag=tag, attributes={name: value or "" for name, value in attributes})
        if tag == "html":
            self._language = language_code(element.attributes.get("lang", "")) or self._language
        if tag == "br":
            self._words.append("\n")
        if tag == "img":
            self._left_out["images"] += 1
        if tag == "link" and "stylesheet" in element.attributes.get("rel", ""):
            self._left_out["style sheets outside the file"] += 1
        if tag in _BLOCKS or tag == "hr":
            self._flush()
        if tag in _VOID:
            return
        self._push(element)
        self._enter(element)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        # "<div/>" opens a div in HTML; only inside pictures does the slash close
        if tag not in _VOID and (self._open_tags["svg"] or self._open_tags["math"]):
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            if tag == "br":
                self._words.append("\n")
            return
        if tag in _BLOCKS:
            self._flush()
        if self._may_end(tag):
            self._pop_to(tag)

    def _may_end(self, tag: str) -> bool:
        """Whether an end tag reaches its element: none leaves a table cell, an inline one no block."""
        if not self._open_tags[tag]:
            return False
        barriers = frozenset({"table"}) if tag in _TABLE_PARTS else _P_SCOPE if tag in _BLOCKS else _BLOCKS
        for element in reversed(self._path[-_LOOK_BACK:]):
            if element.tag == tag:
                return True
            if element.tag in barriers and tag not in _FORMATTING:
                return False
        return False

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1].unshown:
            if self._path[-1].tag == "title" and not any(element.tag == "svg" for element in self._path):
                self._title.append(data)
            return
        if self._open and not self._open[-1].look.seen:
            if data.strip():
                self._left_out["hidden pieces of text"] += 1
            return
        inner = self._path[-1].tag if self._path else ""
        if inner == "pre" or any(element.tag == "pre" for element in self._path[-8:]):
            self._words.append(data)
            return
        data = re.sub(r"[ \t\n\f\r]+", " ", data)
        if any(element.tag == "sup" for element in self._path[-4:]):
            data = raised(data)
        elif any(element.tag == "sub" for element in self._path[-4:]) and self._last_character().isdigit():
            data = lowered(data)
        self._words.append(data)

    # Elements

    def _push(self, element: Element) -> None:
        parent = self._open[-1] if self._open else None
        self._path.append(element)
        self._open_tags[element.tag] += 1
        look = appearance(parent.look if parent else Appearance(), element, self._sheet.style(self._path))
        unshown = (parent is not None and parent.unshown) or element.tag in _UNSHOWN
        if element.tag == "dialog" and "open" in element.attributes:
            unshown = parent is not None and parent.unshown
        if element.tag in _STRUCK:
            unshown = True
            self._left_out["struck-out passages"] += 1
        if element.tag == "nav":
            self._left_out["navigation lists"] += 1
        self._open.append(_Open(element, look, unshown))

    def _enter(self, element: Element) -> None:
        tag = element.tag
        if tag in _HEADINGS:
            self._spill()
            self._heading = _HEADINGS[tag]
        elif tag == "table":
            self._spill()
        elif tag in ("ul", "ol", "menu"):
            self._spill()
            start = element.attributes.get("start", "1")
            number = int(start) if re.fullmatch(r"\d{1,6}", start) else 1
            self._lists.append((BlockKind.STEP if tag == "ol" else BlockKind.BULLET, number))
        elif tag == "li":
            self._start_item(element)
        elif tag in ("td", "th"):
            self._row, self._cell = self._row or [], []
        elif tag == "blockquote":
            self._quotes.append(False)
            self._quote_starts = True

    def _start_item(self, element: Element) -> None:
        kind, number = self._lists[-1] if self._lists else (BlockKind.BULLET, 1)
        value = element.attributes.get("value", "")
        if kind is BlockKind.STEP and re.fullmatch(r"\d{1,6}", value):
            number = int(value)
        if self._lists:
            self._lists[-1] = (kind, number + 1)
        marker = f"{number}." if kind is BlockKind.STEP else "-"
        self._items.append(ListItem(kind, marker, max(1, len(self._lists))))

    def _leave(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._heading = 0
        elif tag in ("ul", "ol", "menu") and self._lists:
            self._lists.pop()
        elif tag == "li" and self._items:
            self._items.pop().write(self._writer)
        elif tag in ("td", "th"):
            self._end_cell()
        elif tag == "tr":
            self._end_row()
        elif tag == "table":
            self._end_row()
            self._writer.end_table()
        elif tag == "blockquote" and self._quotes:
            self._quotes.pop()
            self._quote_starts = False

    def _pop_to(self, tag: str) -> None:
        """Ends elements up to and including the nearest one of that tag."""
        while self._path:
            element = self._path[-1]
            if element.tag in _BLOCKS:
                self._flush()
            self._path.pop()
            self._open.pop()
            self._open_tags[element.tag] -= 1
            self._leave(element.tag)
            if element.tag == tag:
                return

    def _end_implied(self, tag: str) -> None:
        if tag in _CLOSES_P and self._open_tags["p"]:
            self._end_nearest({"p"}, _P_SCOPE)
        if tag in _CLOSES:
            closed, scope = _CLOSES[tag]
            while self._end_nearest(closed, scope):
                pass

    def _end_nearest(self, closed: set[str], scope: frozenset[str] | set[str]) -> bool:
        for element in reversed(self._path[-64:]):
            if element.tag in closed:
                self._pop_to(element.tag)
                return True
            if element.tag in scope:
                return False
        return False

    # Text

    def _flush(self) -> None:
        """Writes the words gathered since the last block boundary; two line breaks in a row part paragraphs."""
        if not self._words:
            return
        text = "".join(self._words)
        self._words = []
        if not text.strip():
            return
        if self._cell is not None:
            self._cell.append(text)
            return
        if self._quote_starts:
            text, marked, must_show = without_alert_mark(text)
            self._quotes[-1] = must_show
            self._quote_starts = marked and not text.strip()
        must_show = any(self._quotes)
        for part in re.split(r"\n[ \t]*\n\s*", text) if self._path and self._path[-1].tag != "pre" else [text]:
            self._write(part, must_show=must_show)

    def _write(self, text: str, *, must_show: bool) -> None:
        if self._heading:
            self._writer.add(BlockKind.HEADING, text.replace("\n", " "), level=self._heading, must_show=must_show)
        elif self._items:
            self._items[-1].parts.append(text)
            self._items[-1].must_show |= must_show
        else:
            self._writer.add(BlockKind.PARAGRAPH, text, must_show=must_show)

    def _end_cell(self) -> None:
        if self._row is not None and self._cell is not None:
            self._row.append(" ".join(" ".join(self._cell).split()))
        self._cell = None

    def _end_row(self) -> None:
        self._end_cell()
        if self._row and any(self._row):
            self._writer.add(BlockKind.ROW, " | ".join(self._row))
        self._row = None

    def _spill(self) -> None:
        """A heading, list or table begins: what is held back is written, and a table cell that holds such is layout."""
        if self._row is not None:
            self._end_row()
        if self._items:
            self._items[-1].write(self._writer)

    def _last_character(self) -> str:
        return self._words[-1][-1:] if self._words else ""

    def finish(self) -> Reading:
        """Ends what is still open and gives the whole."""
        self._flush()
        while self._path:
            self._pop_to(self._path[-1].tag)
        self._writer.notes.extend(f"{count} {what} left out" for what, count in sorted(self._left_out.items()))
        return self._writer.finish(title="".join(self._title), language=self._language)
