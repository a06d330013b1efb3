"""The promises of reading Markdown, HTML, text and CSV: visible text, structure and exact spans."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curio_rag.adapters.folder import FolderSource
from curio_rag.domain.sources import BlockKind, Document, VettingStatus
from curio_rag.errors import UnreadableDocument
from tests.reading import read, refused

MEDQUAD = Path(__file__).resolve().parents[2] / "shared" / "corpora" / "medquad"


def blocks(document: Document) -> list[tuple[str, int, str]]:
    return [(block.kind.value, block.level, block.span.of(document.text)) for block in document.blocks]


def check_spans(document: Document) -> None:
    end = 0
    for block in document.blocks:
        assert end <= block.span.start < block.span.end <= len(document.text)
        words = block.span.of(document.text)
        assert words == words.strip()
        end = block.span.end
    assert end == len(document.text)
    document.text.encode("utf-8")


PIECES = st.sampled_from(
    [
        "# H",
        "- a",
        "* b",
        "1. c",
        "   d",
        "> q",
        "> [!WARNING]",
        "*em* `x`",
        "<b>r</b>",
        "<!--c-->",
        "",
        "text.",
        "![i](http://e)",
        "[l](u)",
        "---",
        "***",
        "&#8203;",
        "    code",
        "```",
        "a  ",
        "µ",
        *list("\u200b\\"),
        "|a|b|\n|-|-|",
        "|c|d|",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=14).map("\n".join))
def test_spans_are_exact_over_random_markdown(source: str) -> None:
    """Blocks are in order, never overlap, never begin or end in white space, and reach to the text's end."""
    try:
        check_spans(read("x\n\n" + source))
    except UnreadableDocument as error:
        assert error.reason == "malformed_metadata"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_characters_are_read_or_refused(source: str) -> None:
    """Whatever the characters, each reader gives exact spans or an `UnreadableDocument`."""
    for name in ("a.md", "a.txt", "a.html", "a.csv"):
        try:
            check_spans(read(source.encode("utf-8", "replace"), name=name))
        except UnreadableDocument as error:
            assert error.reason and error.hint


@pytest.mark.skipif(not MEDQUAD.is_dir(), reason="the corpora are not beside this checkout")
def test_spans_and_structure_of_real_documents() -> None:
    """In 200 real documents spans are exact, no list marker is left in an item, and each is a sample."""
    for path in sorted(MEDQUAD.glob("*/*.md"))[::27][:200]:
        document = FolderSource().read(FolderSource().load(FolderSource().list([path])[0]))
        check_spans(document)
        assert document.vetting.status is VettingStatus.SAMPLE
        assert document.title and document.url
        assert not any(text.startswith("- ") for _, _, text in blocks(document))


def test_markdown_structure() -> None:
    """Headings, lists right after a paragraph, nested steps, tables and links come out as a reader sees them."""
    document = read(
        "# T **b**\n\nKey points\n- a [l](http://x)\n- b\n  1. x\n  2. y\n\n|h|i|\n|-|-|\n|1|2|\n\n![alt](http://e)"
    )
    assert document.text == "T b\n\nKey points\n\n- a l\n- b\n  1. x\n  2. y\n\nh | i\n1 | 2"
    assert blocks(document) == [
        ("heading", 1, "T b"),
        ("paragraph", 0, "Key points"),
        ("bullet", 1, "a l"),
        ("bullet", 1, "b"),
        ("step", 2, "x"),
        ("step", 2, "y"),
        ("row", 0, "h | i"),
        ("row", 0, "1 | 2"),
    ]
    assert document.title == "T b"


def test_alerts_must_be_shown() -> None:
    """Each sentence of a `[!WARNING]` quotation must be shown; the mark itself is not text."""
    document = read("A.\n\n> [!WARNING]\n> Do not drive. Call Dr. Who.\n\n> Just a quotation.")
    assert [span.of(document.text) for span in document.must_show] == ["Do not drive.", "Call Dr. Who."]
    assert "[!" not in document.text


def test_raised_digits_never_change_a_number() -> None:
    """10 to the power of 6 is not read as 106."""
    assert "10⁶ cells" in read("<p>10<sup>6</sup> cells</p>", name="a.html").text
    assert "10⁶ cells" in read("10<sup>6</sup> cells").text


def test_struck_out_words_are_left_out() -> None:
    """What an author struck out is not read as if it still held, and a note says so."""
    document = read("Take ~~5 mg~~ 10 mg.")
    assert document.text == "Take 10 mg." and any("struck" in note for note in document.notes)


@pytest.mark.parametrize(
    "hidden",
    [
        "<p style='display:none'>SECRET</p>",
        "<style>@media screen{.a .b{display:none}}</style><div class=a><p class=b>SECRET</div>",
        "<style>#z{color:#fefefe}</style><p id=z>SECRET",
        "<div hidden><table><tr><td></div>SECRET</table></div>",
        "<p style='font:0/0 a'>SECRET",
        "<p style='text-indent:-9999px'>SECRET",
        "<p style='position:absolute;clip:rect(0,0,0,0)'>SECRET",
        "<p style='color:transparent'>SECRET",
        "<p style='opacity:.0'>SECRET",
        "<div style='height:0;overflow:hidden'>SECRET</div>",
        "<svg><text>SECRET</text></svg>",
        "<textarea>SECRET</textarea><select><option>SECRET</select>",
        "<img alt=SECRET><p aria-hidden=true>SECRET",
        "<!-- SECRET --><template>SECRET</template><noscript>SECRET</noscript>",
        "<dialog>SECRET</dialog><details hidden>SECRET</details>",
    ],
)
@pytest.mark.parametrize("name", ["a.html", "a.md"])
def test_hidden_html_is_not_text(hidden: str, name: str) -> None:
    """What a browser does not show is not in the text, in HTML and in Markdown that holds HTML."""
    document = read(f"<p>Seen.</p>\n{hidden}\n", name=name)
    assert "SECRET" not in document.text and "Seen." in document.text


@pytest.mark.parametrize(
    "shown",
    [
        "<p hidden>x<p>SHOWN",
        "<style>@media print{p{display:none}}</style><p>SHOWN",
        "<style>.n{display:none}</style><p class=m>SHOWN",
        "<div style='background:#000'><p style='color:#fff'>SHOWN</div>",
        "<div style='visibility:hidden'>x<p style='visibility:visible'>SHOWN</div>",
        "<style>p{display:none} p.s{display:block}</style><p class=s>SHOWN",
    ],
)
def test_visible_html_is_text(shown: str) -> None:
    """What a browser shows is kept, even beside something hidden."""
    assert "SHOWN" in read(f"<p>a</p>{shown}", name="a.html").text


def test_html_structure_title_and_language() -> None:
    """Unclosed items, numbered starts and tables survive; title and language come from the page."""
    page = (
        "<html lang=de><head><title>T</title></head><h2>H</h2><ol start=3><li>x<li>y</ol><table><tr><th>a<th>b</table>"
    )
    document = read(page, name="a.html")
    assert (document.title, document.language) == ("T", "de")
    assert document.text == "H\n\n3. x\n4. y\n\na | b"


def test_plain_text_structure() -> None:
    """Paragraphs, items and underlined or stand-alone headings are told apart; wrapped numbers begin no item."""
    source = "Title\n=====\n\nTake no more than\n2. Then rest.\n\nBefore you start\n\n1. Wash.\n2. Dry\n   well.\n"
    source += "\n• a\n• b\n"
    assert blocks(read(source, name="a.txt")) == [
        ("heading", 1, "Title"),
        ("paragraph", 0, "Take no more than 2. Then rest."),
        ("heading", 2, "Before you start"),
        ("step", 1, "Wash."),
        ("step", 1, "Dry well."),
        ("bullet", 1, "a"),
        ("bullet", 1, "b"),
    ]


def test_csv_rows_and_formulas_are_text() -> None:
    """Each record is a row, a formula stays the text that it is, and unclosed quotes are reported."""
    document = read('drug,dose\n=cmd|calc,"5 µg"\n', name="a.csv")
    assert document.text == "drug | dose\n=cmd|calc | 5 µg"
    assert {block.kind for block in document.blocks} == {BlockKind.ROW}
    assert refused('a,"b\n', name="a.csv").reason == "corrupt"


def test_absurd_nesting_is_quarantined_not_dropped() -> None:
    """The Markdown parser drops what is nested too deep; such a file is quarantined instead."""
    assert refused("> " * 200 + "lost").reason == "parse_limit"


def test_deep_html_is_read() -> None:
    """A hundred thousand open elements neither recurse nor lose the text."""
    assert read("<div>" * 100_000 + "deep", name="a.html").text == "deep"
