"""Make the PDF documents of `knowledge/` from their Markdown sources beside this script.

    pip install fpdf2==2.8.9
    python knowledge/sources/make_pdfs.py [--check]

Each `sources/NAME.md` becomes `knowledge/NAME.pdf`. The same source and the same
fpdf2 give the same bytes: the creation date is fixed and only the PDF's own base
fonts are used, so nothing of the machine goes in. `--check` writes nothing and
exits 1 if a PDF on disk differs from what its source makes.

The Markdown understood here: `#` and `##` headings, paragraphs, `- ` and `1. `
lists, and `<!-- page -->` for a new page. A block that does not fit on the page
moves to the next one whole, and a heading moves with the block after it.
"""

import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fpdf import FPDF, Align

SOURCES = Path(__file__).resolve().parent
CREATED = datetime(2026, 11, 23, tzinfo=UTC)
PUBLISHER = "curio_rag sample documents"
NEW_PAGE = "<!-- page -->"

MARGIN_MM = 22
LINE_MM = 6.4
GAP_MM = 3.2
INDENT_MM = 8
FONT = "helvetica"
BODY_PT = 12
HEADING_PT = {1: 20, 2: 15}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A heading, a paragraph, a list item or a page break, with its text on one line."""

    kind: str
    """`h1`, `h2`, `paragraph`, `item` or `page`."""
    text: str = ""
    marker: str = ""
    """`•` or `1.` for an item."""


def blocks_of(markdown: str) -> list[Block]:
    """The blocks of the source, in order."""
    blocks: list[Block] = []
    for line in (line.strip() for line in markdown.splitlines()):
        if not line:
            continue
        if line == NEW_PAGE:
            blocks.append(Block(kind="page"))
        elif heading := re.match(r"(#{1,2}) (.+)", line):
            blocks.append(Block(kind=f"h{len(heading[1])}", text=heading[2]))
        elif item := re.match(r"(-|\d+\.) (.+)", line):
            marker = "•" if item[1] == "-" else item[1]
            blocks.append(Block(kind="item", text=item[2], marker=marker))
        else:
            blocks.append(Block(kind="paragraph", text=line))
    return blocks


def new_document(title: str) -> FPDF:
    """An empty A4 document with fixed metadata; `cp1252` gives the base fonts the bullet."""
    pdf = FPDF(format="A4")
    pdf.core_fonts_encoding = "cp1252"
    pdf.set_margins(MARGIN_MM, MARGIN_MM, MARGIN_MM)
    pdf.set_auto_page_break(False)
    pdf.set_creation_date(CREATED)
    pdf.set_title(title)
    pdf.set_author(PUBLISHER)
    pdf.set_lang("en")
    return pdf


def start_page(pdf: FPDF) -> None:
    """A new page labelled with its number."""
    pdf.add_page(label_style="D", label_start=pdf.pages_count + 1)


def set_style(pdf: FPDF, block: Block) -> float:
    """Choose the font of a block and return its line height in millimetres."""
    if block.kind in ("h1", "h2"):
        size = HEADING_PT[int(block.kind[1])]
        pdf.set_font(FONT, "B", size)
        return LINE_MM * size / BODY_PT
    pdf.set_font(FONT, "", BODY_PT)
    return LINE_MM


def height_of(pdf: FPDF, block: Block) -> float:
    """The height of a block in millimetres, with the gap after it."""
    line = set_style(pdf, block)
    width = pdf.epw - (INDENT_MM if block.kind == "item" else 0)
    lines = pdf.multi_cell(width, line, block.text, align=Align.L, dry_run=True, output="LINES")
    return len(lines) * line + GAP_MM


def write(pdf: FPDF, block: Block) -> None:
    """Write one block at the current height."""
    line = set_style(pdf, block)
    if block.kind in ("h1", "h2"):
        pdf.start_section(block.text, level=int(block.kind[1]) - 1)
    width = pdf.epw
    if block.kind == "item":
        pdf.cell(INDENT_MM, line, block.marker)
        width -= INDENT_MM
    pdf.multi_cell(width, line, block.text, align=Align.L, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(GAP_MM)


def render(markdown: str) -> bytes:
    """The PDF of a Markdown source."""
    blocks = blocks_of(markdown)
    pdf = new_document(blocks[0].text)
    start_page(pdf)
    for position, block in enumerate(blocks):
        if block.kind == "page":
            start_page(pdf)
            continue
        needed = height_of(pdf, block)
        if block.kind in ("h1", "h2") and position + 1 < len(blocks):
            needed += height_of(pdf, blocks[position + 1])
        if pdf.get_y() + needed > pdf.h - MARGIN_MM:
            start_page(pdf)
        write(pdf, block)
    return bytes(pdf.output())


def main(arguments: list[str]) -> int:
    """Write each PDF, or compare it with the disk under `--check`; 1 when one differs."""
    differing = 0
    for source in sorted(SOURCES.glob("*.md")):
        target = SOURCES.parent / f"{source.stem}.pdf"
        made = render(source.read_text(encoding="utf-8"))
        if "--check" not in arguments:
            target.write_bytes(made)
            print(f"{target.name}: {len(made)} bytes")
        elif not target.exists() or target.read_bytes() != made:
            print(f"{target.name} differs from {source.name}", file=sys.stderr)
            differing = 1
    return differing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
