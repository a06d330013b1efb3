"""Reads plain text and CSV: paragraphs apart by blank lines, items by their markers, each record a row."""

from __future__ import annotations

import csv
import io
import re

from curio_rag.adapters.blocks import BlockWriter, Reading
from curio_rag.domain.sources import BlockKind
from curio_rag.errors import UnreadableDocument

BULLET = re.compile(r"(\s*)([-*•‣◦▪●○■·–—])\s+(?=\S)")
STEP = re.compile(r"(\s*)(\d{1,3})[.)]\s+(?=\S)")
_UNDERLINE = re.compile(r"\s*(?:={3,}|-{3,})\s*")
_RULE = re.compile(r"\s*(?:[-=*_~#]\s*){3,}")
_HEADING_CHARACTERS = 60
_HEADING_WORDS = 9
_BODY_CHARACTERS = 40
_MAX_LINES = 400_000
_MAX_CELL = 131_072


def read_text(text: str) -> Reading:
    """The structure that plain text shows by blank lines, markers and underlines."""
    writer = BlockWriter()
    groups = [group.split("\n") for group in re.split(r"\n[ \t]*(?:\n[ \t]*)+", text.strip("\n")) if group.strip()]
    for index, lines in enumerate(groups):
        following = groups[index + 1] if index + 1 < len(groups) else None
        lines, level = _take_heading(writer, lines, first=index == 0)
        if not lines:
            continue
        if level == 0 and _is_stand_alone_heading(lines, following):
            writer.add(BlockKind.HEADING, lines[0], level=1 if index == 0 else 2)
        else:
            _add_items(writer, lines)
    return writer.finish()


def _take_heading(writer: BlockWriter, lines: list[str], *, first: bool) -> tuple[list[str], int]:
    """Writes a heading underlined with = or - and gives the lines after it; rules drawn with signs are left out."""
    if len(lines) >= 2 and _UNDERLINE.fullmatch(lines[1]) and len(lines[0].strip()) <= 2 * _HEADING_CHARACTERS:
        level = 1 if first or "=" in lines[1] else 2
        writer.add(BlockKind.HEADING, lines[0], level=level)
        return lines[2:], level
    return [line for line in lines if not _RULE.fullmatch(line)], 0


def _is_stand_alone_heading(lines: list[str], following: list[str] | None) -> bool:
    """A short line of its own, without a full stop, before text that is clearly more than a line of an address."""
    if len(lines) != 1 or following is None:
        return False
    line = lines[0].strip()
    if len(line) > _HEADING_CHARACTERS or len(line.split()) > _HEADING_WORDS or line[-1] in ".!;:,…":
        return False
    if not line[0].isalpha() or line[0].islower() or BULLET.match(line) or STEP.match(line):
        return False
    body = following[0]
    return bool(BULLET.match(body) or STEP.match(body)) or len(" ".join(following)) >= _BODY_CHARACTERS


def _add_items(writer: BlockWriter, lines: list[str]) -> None:
    """A group of lines as paragraphs and list items; a line without a marker goes on with what stands before it."""
    kind, marker, level, held = BlockKind.PARAGRAPH, "", 0, ""
    margin = 0
    for line in lines:
        item = _item(line, held, kind)
        if item is None:
            if kind is not BlockKind.PARAGRAPH and _starts_anew(line, held):
                writer.add(kind, held, level=level, marker=marker)
                kind, marker, level, held = BlockKind.PARAGRAPH, "", 0, ""
            held = f"{held} {line.strip()}".strip()
            continue
        writer.add(kind, held, level=level, marker=marker)
        indent, new_kind, marker, held = item
        margin = indent if kind is BlockKind.PARAGRAPH else min(margin, indent)
        kind, level = new_kind, 2 if indent >= margin + 2 else 1
    writer.add(kind, held, level=level, marker=marker)


def _item(line: str, held: str, kind: BlockKind) -> tuple[int, BlockKind, str, str] | None:
    """Indent, kind, marker and content of a list item, or None.

    A number or dash that merely begins a wrapped line ("no more than / 2. ", "10 / – 20 mg") starts none.
    """
    ends = held.rstrip()[-1:]
    if match := BULLET.match(line):
        if ends.isdigit() and kind is BlockKind.PARAGRAPH:
            return None
        return len(match[1]), BlockKind.BULLET, "-", line[match.end() :].strip()
    if match := STEP.match(line):
        starts = not held or kind is BlockKind.STEP or match[2] == "1" or ends in ".:;!?"
        if starts:
            return len(match[1]), BlockKind.STEP, f"{match[2]}.", line[match.end() :].strip()
    return None


def _starts_anew(line: str, held: str) -> bool:
    return not line[:1].isspace() and held[-1:] in ".!?:" and line[:1].isupper()


def read_csv(text: str, *, name: str) -> Reading:
    """Each record as a row, its cells joined by " | "; a formula is the text that it is.

    Raises `UnreadableDocument` (`corrupt`) for quotes that do not close and (`resource_limit`) for a huge cell.
    """
    writer = BlockWriter()
    delimiter = _delimiter(text)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            cells = [" ".join(cell.split()) for cell in row]
            if any(cells):
                writer.add(BlockKind.ROW, " | ".join(cells))
    except csv.Error as error:
        reason = "resource_limit" if "field limit" in str(error) else "corrupt"
        raise UnreadableDocument(
            f"{name} is not well-formed CSV: {error}.",
            reason=reason,
            hint="Check its quotes; a quote within a quoted cell is doubled.",
        ) from error
    return writer.finish()


def _delimiter(text: str) -> str:
    """The separator that the first line uses most; a comma when in doubt."""
    first = text.lstrip("\n").split("\n", 1)[0]
    return max(",;\t", key=lambda sign: (first.count(sign), sign == ","))
