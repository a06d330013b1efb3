"""Numbers are read with their units, bounds and kinds."""

from __future__ import annotations

import pytest

from curio_rag.pipelines.claim_numbers import number_faults, numbers_of


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("two weeks", "14 days"),
        ("12 months", "one year"),
        ("24 hours", "1 day"),
        ("43%", "43 of every 100 people"),
        ("1 in 10 infants", "1 of every 10 infants"),
        ("half of the adults", "50 percent of the adults"),
        ("a third of them", "33 percent of them"),
        ("between 5 and 15 years", "5 to 15 years"),
        ("twenty-five people", "25 people"),
        ("more than 12 months", "12 months or longer"),
        ("0.5 g", "500 mg"),
        ("100.4 °F", "38 °C"),
        ("five of them", "five of the seven products"),
        ("twice a day", "2 times every day"),
        ("1.5 million", "1,500,000"),
    ],
)
def test_equal_amounts_agree(said: str, source: str) -> None:
    """The same amount in another unit, in words or as a share is the same."""
    assert number_faults(numbers_of(said), numbers_of(source)) == []


@pytest.mark.parametrize(
    ("said", "source", "code"),
    [
        ("2 days", "8 weeks", "time_span"),
        ("5 mcg", "5 mg", "number"),
        ("38 °F", "38 °C", "unit"),
        ("at least 5", "at most 5", "limit"),
        ("up to 15 years", "at least 15 years", "limit"),
        ("5 to 10", "5 to 15", "number"),
        ("type 1", "type 2", "number"),
        ("1 in 100,010", "1 in 100,000", "number"),
        ("in April 2025", "in May 2025", "number"),
        ("every week", "every day", "time_span"),
        ("for months", "for days", "time_span"),
        ("thousands of people", "millions of people", "number"),
        ("100 of every 45", "45 of every 100", "number"),
    ],
)
def test_different_amounts_are_named(said: str, source: str, code: str) -> None:
    """A changed value, unit, range, bound, month or rhythm gets its code."""
    assert [fault.code for fault in number_faults(numbers_of(said), numbers_of(source))] == [code]


@pytest.mark.parametrize("text", ["", "CD19", "ZUMA-7", "COVID-19", "1,,2..3", "%" * 9, "9" * 400, "1/0", "0 of 0"])
def test_odd_texts_are_read(text: str) -> None:
    """Names with numbers are no quantities, and nothing raises."""
    assert numbers_of(text).text == text.lower()
