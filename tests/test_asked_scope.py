"""Of a section too long to be shown whole, what is for other countries or products gives way."""

from __future__ import annotations

import pytest

from curio_rag.adapters.asked_scope import AskedScope
from curio_rag.adapters.package_data import load_claim_words
from curio_rag.domain.sources import Document
from tests.fakes import line_spans

WORDS = load_claim_words()
LIMITS = (
    "Stay near the centre at first.",
    "In the United States, the labels of Abecma and Tecartus say 2 weeks.",
    "These labels changed in June 2025.",
    "In England, hospitals say 4 weeks.",
    "In the European Union, the leaflet for Abecma says 4 weeks.",
    "Follow your own centre if it says longer.",
)


def document(*sentences: str, products: tuple[str, ...] = ("Abecma", "Tecartus", "Breyanzi")) -> Document:
    return Document(id="near.md", title="Near", text="\n".join(sentences), source="near.md", products=products)


def left(question: str, *sentences: str) -> list[str]:
    """The sentences that stay for who asks this."""
    source = document(*sentences)
    kept = AskedScope.of(question, [source], WORDS).for_the_asker(source, line_spans(sentences))
    return [span.of(source.text) for span in kept]


@pytest.mark.parametrize(
    ("question", "places"),
    [
        ("How long do we stay near?", [0, 1, 2, 3, 4, 5]),
        ("How long do we stay near, we live in the UK?", [0, 3, 5]),
        ("How long do we stay near, we live in Leeds?", [0, 3, 5]),
        ("How long do they stay near in the US?", [0, 1, 2, 5]),
        ("Tell us how long we stay near in Lyon", [0, 4, 5]),
        ("Is it the same in Ohio as in Scotland?", [0, 1, 2, 5]),
        ("How long do we stay near after Tecartus?", [0, 1, 2, 3]),
    ],
)
def test_sentences_for_others_go_with_what_depends_on_them(question: str, places: list[int]) -> None:
    """Rules of the Union hold in France, those of England are kept for the United Kingdom; "us" is a word."""
    assert left(question, *LIMITS) == [LIMITS[place] for place in places]


def test_what_follows_a_sentence_on_another_product_goes_with_it() -> None:
    """In a list of trials the group without the product belongs to the product before it."""
    trials = (
        "ZUMA-7 gave Abecma to 359 people.",
        "In the older care group of ZUMA-7, 46 of every 100 were alive.",
        "TRANSFORM gave Breyanzi to 184 people.",
        "In the older care group of TRANSFORM, 27 of every 100 had no growth.",
    )
    assert left("Did people live longer with Abecma?", *trials) == list(trials[:2])


def test_nothing_is_left_out_where_nothing_would_be_left() -> None:
    """Rows of a table say in their heads for whom a cell is."""
    assert left("What holds in India?", LIMITS[1], LIMITS[3]) == [LIMITS[1], LIMITS[3]]
    rows = ("Product | Approved", "Abecma | United States, 2021", "Tecartus | United States, 2020")
    assert left("What is approved in India?", *rows) == list(rows)
    assert left("Since when is Tecartus approved?", *rows) == [rows[0], rows[2]]
