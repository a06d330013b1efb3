"""The order of the passages, and the same order in the scripts that fit and ablate it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from curio_rag.adapters.package_data import load_question_types, load_ranking_weights
from curio_rag.domain.ranking_weights import RankingWeights
from curio_rag.domain.search_plan import SearchPlan
from curio_rag.domain.sources import HitScores
from curio_rag.knowledge_base import KnowledgeBase
from curio_rag.pipelines.ranking import FeatureReranker, fuse
from tests.test_evidence_filter import hit, plan

TYPES = load_question_types()
WEIGHTS = load_ranking_weights()


def scores(**parts: HitScores) -> dict[str, float]:
    return fuse(parts, WEIGHTS, terms=4)


def test_every_signal_counts() -> None:
    """A passage that is better in one signal and equal in the others comes first."""
    same = HitScores(text=0.5, title=0.4, heading=0.3, keyword=3.0, coverage=0.5, phrase=0.5)
    worst = HitScores()
    for name in ("text", "title", "heading", "keyword", "coverage", "phrase"):
        if name == "title" and not WEIGHTS.title:
            continue
        better = replace(same, **{name: getattr(same, name) + 0.1})
        found = scores(same=same, better=better, worst=worst)
        assert found["better"] > found["same"] > found["worst"], name


def test_words_fade_in_a_long_question() -> None:
    """In a message of forty telling words, holding some of them says little; the similarity stays."""
    parts = {"words": HitScores(text=0.4, coverage=1.0), "alike": HitScores(text=0.5)}
    short, long = (fuse(parts, WEIGHTS, terms=terms) for terms in (4, 400))
    assert short["words"] - short["alike"] > long["words"] - long["alike"]
    assert long["alike"] > long["words"]


def test_nothing_in_common_is_no_division_by_zero() -> None:
    """Equal similarities and no words at all, or no candidate."""
    text_alone = WEIGHTS.dense * WEIGHTS.text / (WEIGHTS.text + WEIGHTS.title + WEIGHTS.heading)
    assert scores(one=HitScores(), two=HitScores()) == pytest.approx({"one": text_alone, "two": text_alone})
    assert scores() == {}


def test_sections_of_the_kind_asked_for_gain_and_other_diseases_lose() -> None:
    """By exactly their weights, so that a clearly better passage keeps its place."""
    weights = replace(WEIGHTS, section=0.1, off_subject=0.2)
    asked = plan("What are the side effects of treatment for lung cancer?")
    hits = [
        hit(title="Lung Cancer", heading="Side effects"),
        hit(title="Lung Cancer", heading="Tests"),
        hit(title="Anal Cancer", heading="Tests"),
    ]
    assert FeatureReranker(types=TYPES, weights=weights).rerank(asked, hits) == pytest.approx((1.1, 1.0, 0.8))


def test_phrases_are_neighbouring_terms_of_the_question() -> None:
    """A word between them, or one that carries no meaning, parts them."""
    told = SearchPlan(
        whole="Does cytokine release syndrome cause fever at night?",
        parts=("",),
        terms=("cytokine", "release", "syndrome", "fever", "night"),
    )
    assert told.phrases == ("cytokine release", "release syndrome")


def test_a_heading_tells_what_a_passage_is_about(bundled: KnowledgeBase) -> None:
    """Its own words need not name the subject: it is embedded under its title and headings."""
    (best, *_) = bundled.search("what should I bring to the hospital on the infusion day", limit=5)
    assert best.passage.heading_path[-1] == "What to bring"


def test_the_shipped_weights_are_whole() -> None:
    """None is negative, and what the script may not move is there."""
    assert isinstance(WEIGHTS, RankingWeights)
    assert min(np.array([getattr(WEIGHTS, name) for name in RankingWeights.__slots__])) >= 0
    assert WEIGHTS.text > 0
    assert WEIGHTS.dense > 0
