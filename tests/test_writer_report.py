"""The script that compares the writer with experts' answers cuts fairly and needs no network."""

from __future__ import annotations

import importlib.util
import socket
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("rouge_score", reason="the extra `eval` is not installed")
SCRIPT = Path(__file__).parent.parent / "evals" / "writer_report.py"


@pytest.fixture(scope="module")
def report() -> ModuleType:
    spec = importlib.util.spec_from_file_location("writer_report", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_answers_are_cut_at_the_nearest_border(report: ModuleType) -> None:
    """Never within a sentence, never to nothing."""
    sentences = ("one two three.", "four five.", "six seven eight nine.")
    assert report.cut(sentences, 5) == sentences[:2]
    assert report.cut(sentences, 4) == sentences[:2]
    assert report.cut(sentences, 3) == sentences[:1]
    assert report.cut(sentences, 0) == sentences[:1]
    assert report.cut(sentences, 100) == sentences
    assert report.cut((), 5) == ()


def test_sources_take_turns(report: ModuleType) -> None:
    """First sentences of all before any second one, and then source by source."""
    sources = (("a one.", "a two."), ("b one.",), ("c one.", "c two."))
    assert report.in_turn(sources, 6) == ("a one.", "b one.", "c one.")
    assert report.in_turn(sources, 8) == ("a one.", "a two.", "b one.", "c one.")
    assert report.in_turn((), 8) == ()


def test_rouge_needs_no_network(report: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its stemmer is a table of rules; a corpus that it would download is never asked for."""

    def blocked(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", blocked)
    monkeypatch.setattr(socket, "getaddrinfo", blocked)
    scorer = report.RougeScorer(["rouge1", "rouge2"], use_stemmer=True)
    scores = scorer.score("the knees were painful", "the knee was painful")
    assert scores["rouge1"].fmeasure == pytest.approx(3 / 4)
    assert scores["rouge2"].fmeasure == pytest.approx(1 / 3)
