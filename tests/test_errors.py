"""The error tree is complete: each error has a code, an exit status and an HTTP status of its own making."""

from __future__ import annotations

import inspect

from curio_rag import errors
from curio_rag.errors import CurioError, IndexLocked, UnreadableDocument


def every_error() -> list[type[CurioError]]:
    return [
        value
        for _, value in inspect.getmembers(errors, inspect.isclass)
        if issubclass(value, CurioError) and value.__module__ == errors.__name__
    ]


def test_each_error_has_a_code_of_its_own() -> None:
    """No two errors share a code, so a program can tell them apart."""
    codes = [error.code for error in every_error()]
    assert len(codes) == len(set(codes))
    assert all(code.islower() for code in codes)


def test_each_error_has_statuses() -> None:
    """The command line exits with 1 or 2 for an error, and HTTP answers with a 4xx or 5xx."""
    for error in every_error():
        assert error.exit_status in (1, 2), error
        assert 400 <= error.http_status < 600, error


def test_each_error_stands_in_the_drawing() -> None:
    """The docstring of the module draws the whole tree."""
    drawing = errors.__doc__ or ""
    for error in every_error():
        assert error.__name__ in drawing


def test_an_error_says_what_and_the_way_out() -> None:
    """The text of an error is its message followed by its hint."""
    problem = IndexLocked("Another process is writing.", hint="Try again in a minute.")
    assert str(problem) == "Another process is writing. Try again in a minute."
    assert problem.retryable
    assert UnreadableDocument("x.pdf is encrypted.", reason="encrypted").reason == "encrypted"
