"""A quote has one place in its document, or a reason that says precisely why not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curio_rag.domain.answers import Reason
from curio_rag.domain.quotes import find_quote, find_words
from curio_rag.domain.sources import Span

TEXT = "Fever of 38 °C needs a call.\nThe ﬁrst sign is fever. Rest – and drink. Fever of 38 °C needs a call."


def test_a_quote_that_stands_once_has_its_span() -> None:
    """The span covers exactly the quoted words."""
    found = find_quote(TEXT, "Rest – and drink.")
    assert isinstance(found, Span)
    assert found.of(TEXT) == "Rest – and drink."


def test_of_several_places_the_nearest_is_taken() -> None:
    """Beside the passage that it was taken from; without one the quote has no place."""
    last = Span(start=len(TEXT) - 40, end=len(TEXT))
    found = find_quote(TEXT, "Fever of 38 °C", near=last)
    assert isinstance(found, Span)
    assert found.start > 28
    nowhere = find_quote(TEXT, "Fever of 38 °C")
    assert isinstance(nowhere, Reason)
    assert (nowhere.code, "2 times" in nowhere.text) == ("quote_ambiguous", True)


@pytest.mark.parametrize(
    ("quote", "code", "said"),
    [
        ("", "quote_empty", "empty"),
        (" \n", "quote_empty", "empty"),
        ("needs a call. The ﬁrst sign", "quote_space", "has a line break, the quote has a space"),
        ("needs  a call", "quote_space", "the quote has a space"),
        ("The first sign", "quote_ligature", "“ﬁ” (latin small ligature fi), the quote has “f”"),
        ("Rest - and drink.", "quote_punctuation", "“–” (en dash), the quote has “-”"),
        ("rest – and drink.", "quote_case", "“R”, the quote has “r”"),
        ("Rest – and drink tea.", "quote", "does not have these words"),
    ],
)
def test_what_differs_is_said_precisely(quote: str, code: str, said: str) -> None:
    """A space, a ligature, a dash or a capital letter is named with its place."""
    found = find_quote(TEXT, quote)
    assert isinstance(found, Reason)
    assert found.code == code
    assert said in found.text


@given(st.text(max_size=60), st.text(max_size=20))
def test_whatever_the_texts_there_is_an_answer(text: str, quote: str) -> None:
    """A span that holds the quote, or a reason; never an exception."""
    found = find_quote(text, quote, near=Span(start=0, end=len(text)))
    if isinstance(found, Span):
        assert found.of(text) == quote
    else:
        assert found.code.startswith("quote")


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("don't  stop", "don’t stop"),
        ("2-4 weeks", "2–4 weeks"),
        ("4 weeks", "4 weeks"),
        ("weeks of", None),
        ("week", None),
        ("Weeks", None),
        ("", None),
    ],
)
def test_a_quote_is_found_by_whole_words(quote: str, found: str | None) -> None:
    """Apostrophes, dashes and white space may differ; letters may not."""
    text = "You don’t stop for 2–4 weeks."
    span = find_words(quote, text, within=Span(start=0, end=len(text)))
    assert (span and span.of(text)) == found
