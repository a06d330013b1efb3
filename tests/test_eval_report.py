"""The page of an evaluation: whole in itself, every text escaped, every case and plot there."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from curio_rag.adapters.report_files import read_report
from curio_rag.domain.eval_reports import EvalReport, ShownSentence
from curio_rag.domain.evals import GoldEvidence
from curio_rag.faces.eval_html import report_html
from tests.conftest import ROOT

VOID = {"meta", "input", "br", "link", "img"}


class Outline(HTMLParser):
    """Tags that were opened and not closed, ids, texts, and attributes that could reach outside."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "action", "data"):
                self.links.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def outline_of(page: str) -> Outline:
    outline = Outline()
    outline.feed(page)
    outline.close()
    assert outline.open == []
    return outline


@pytest.fixture(scope="module")
def report() -> EvalReport:
    return read_report(ROOT / "evals" / "baseline.json")


def test_the_page_needs_nothing_else(report: EvalReport) -> None:
    """No script, no address, no font; its own policy forbids them; links stay within the page."""
    page = report_html(report)
    outline = outline_of(page)
    assert "default-src 'none'" in page
    assert not outline.tags & {"script", "link", "img", "iframe", "object", "base", "form"}
    assert "http" not in re.sub(r'http-equiv="', "", page)
    assert "url(" not in page
    assert "@import" not in page
    assert outline.links
    assert all(link.startswith("#") and link[1:] in outline.ids for link in outline.links)
    assert len(outline.ids) == len(set(outline.ids))


def test_every_metric_plot_and_case_is_on_the_page(report: EvalReport) -> None:
    """Metrics by stage and tag, the strip of strengths, the reliability, the times, and a place for each case."""
    page = report_html(report)
    outline = outline_of(page)
    (split,) = report.splits
    for result in split.metrics:
        assert result.metric.name in outline.text
    for case in split.cases:
        assert case.id in outline.text
        assert case.question in outline.text
    assert page.count('<svg class="plot"') == 3
    assert page.count("<circle") >= sum(case.strength is not None for case in split.cases)


def test_texts_are_text(report: EvalReport) -> None:
    """Markup in a question, a quote, an id or a writer's name is shown, not obeyed."""
    attack = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"
    (split,) = report.splits
    sentence = ShownSentence(
        heading=attack, text=attack, quotes=(GoldEvidence(document_id=attack, quote=f"{attack} too"),)
    )
    case = replace(
        split.cases[0],
        id=attack,
        question=attack,
        topic=attack,
        type=attack,
        advice=attack,
        previous=(attack,),
        strength=0.5,
        sentences=(sentence,),
    )
    hostile = replace(
        report,
        identity=replace(report.identity, writer=attack, started_at=attack),
        splits=(replace(split, cases=(case, *split.cases[1:])),),
    )
    outline = outline_of(report_html(hostile))
    assert not outline.tags & {"script", "img"}
    assert outline.text.count(attack) >= 8


def test_a_split_without_unanswerable_questions_has_a_page(report: EvalReport, tmp_path: Path) -> None:
    """A service's own gold may have answerable questions only, and no times."""
    (split,) = report.splits
    page = report_html(replace(report, splits=(replace(split, abstention=None, times=()),)))
    assert "To answer or not" not in outline_of(page).text
