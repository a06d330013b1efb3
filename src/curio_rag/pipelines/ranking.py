"""The order of the passages: similarity of every field, BM25, and the share of the question's terms that each holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curio_rag.domain.question_types import QuestionTypes
from curio_rag.domain.ranking_weights import RankingWeights
from curio_rag.domain.search_plan import SearchPlan
from curio_rag.domain.sources import Hit, HitScores
from curio_rag.pipelines.evidence_filter import diseases_named, on_subject
from curio_rag.ports import PassageIndex, Vector, VectorField

CANDIDATES = 100
"""How many passages each list contributes: by words, by each vector for the whole question, by text for its parts."""

KEYWORD_DEPTH = 1000
"""Down to this rank of the keyword list a candidate that another list contributes has its BM25 counted."""

ALIKE = 1e-6
"""Cosines that differ by less are those of one and the same text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One candidate: its score, comparable within one search only, and what it is made of."""

    passage_id: str
    score: float
    parts: HitScores


def rank(
    index: PassageIndex, plan: SearchPlan, vectors: Sequence[Vector], weights: RankingWeights
) -> tuple[Ranked, ...]:
    """The candidates for a plan, best first, ties by passage id; `vectors` are those of `plan.texts`, in order."""
    parts = field_scores(index, plan, vectors, part=weights.part)
    fused = fuse(parts, weights, terms=len(plan.terms))
    ranked = (Ranked(passage_id=passage_id, score=fused[passage_id], parts=parts[passage_id]) for passage_id in parts)
    return tuple(sorted(ranked, key=lambda each: (-each.score, each.passage_id)))


def field_scores(
    index: PassageIndex, plan: SearchPlan, vectors: Sequence[Vector], *, part: float
) -> dict[str, HitScores]:
    """The candidates of every text that is searched, the whole question first, with every signal of each."""
    keyword = {scored.passage_id: scored.score for scored in index.keyword(plan.keywords, limit=KEYWORD_DEPTH)}
    candidates = set(list(keyword)[:CANDIDATES])
    lists = [(named, vectors[0]) for named in VectorField] + [(VectorField.TEXT, vector) for vector in vectors[1:]]
    for named, vector in lists:
        candidates.update(scored.passage_id for scored in index.nearest(named, vector, limit=CANDIDATES))
    ids = sorted(candidates)
    dense = [_similarities(index, named, vectors, ids, part=part) for named in VectorField]
    signals = zip(ids, *dense, coverages(index, plan, ids), phrase_shares(index, plan, ids), strict=True)
    return {
        passage_id: HitScores(
            text=text,
            title=title,
            heading=heading,
            keyword=keyword.get(passage_id, 0.0),
            coverage=coverage,
            phrase=phrase,
        )
        for passage_id, text, title, heading, coverage, phrase in signals
    }


def _similarities(
    index: PassageIndex, named: VectorField, vectors: Sequence[Vector], ids: Sequence[str], *, part: float
) -> tuple[float, ...]:
    to_each = [index.similarities(named, vector, ids) for vector in vectors]
    return tuple((1 - part) * similar[0] + part * max(similar) for similar in zip(*to_each, strict=True))


def fuse(parts: Mapping[str, HitScores], weights: RankingWeights, *, terms: int) -> dict[str, float]:
    """One score for each candidate of a question with so many terms.

    Min-max for the similarities, whose lowest value says nothing; the share of the best for BM25. Scores
    fused so were better than reciprocal ranks on consumers' questions and on BioASQ. Where all
    candidates are alike in title or headings, these vectors tell nothing, and the words count for more.
    """
    dense = [
        weights.text * each.text + weights.title * each.title + weights.heading * each.heading
        for each in parts.values()
    ]
    low, high = min(dense, default=0.0), max(dense, default=0.0)
    most = max((each.keyword for each in parts.values()), default=0.0)
    telling = min(1.0, weights.telling_terms / max(1, terms))
    share = weights.dense * _telling_share(parts, weights)
    return {
        passage_id: share * ((similar - low) / (high - low) if high > low else 1.0)
        + telling
        * (
            weights.keyword * (each.keyword / most if most else 0.0)
            + weights.coverage * each.coverage
            + weights.phrase * each.phrase
        )
        for (passage_id, each), similar in zip(parts.items(), dense, strict=True)
    }


def _telling_share(parts: Mapping[str, HitScores], weights: RankingWeights) -> float:
    """How much of the weight of the three vectors lies on those in which the candidates differ; the text always."""
    by_field = {"title": weights.title, "heading": weights.heading}
    alike = sum(
        weight
        for name, weight in by_field.items()
        if max(values := [getattr(each, name) for each in parts.values()], default=0.0) - min(values, default=0.0)
        < ALIKE
    )
    return 1 - alike / (weights.text + weights.title + weights.heading)


def phrase_shares(index: PassageIndex, plan: SearchPlan, passage_ids: Sequence[str]) -> tuple[float, ...]:
    """For each passage the share of the plan's neighbouring terms that are neighbours in it too; 0 where none are."""
    found = index.matching(plan.phrases, passage_ids)
    return tuple(
        sum(passage_id in holders for holders in found) / len(found) if found else 0.0 for passage_id in passage_ids
    )


def coverages(index: PassageIndex, plan: SearchPlan, passage_ids: Sequence[str]) -> tuple[float, ...]:
    """For each passage the share of the plan's terms, weighted by idf, that stand in it, in these or other words.

    A term that stands nowhere in the index weighs as much as the rarest one. In a library on one
    subject the subject's name is in every passage, and the rare word of a question says what it is about.
    """
    concepts = [plan.alternatives(term) for term in plan.terms]
    frequencies = [max(index.document_frequencies(concept)) for concept in concepts]
    weights = [math.log(1 + (index.size + 0.5) / (frequency + 0.5)) for frequency in frequencies]
    total = sum(weights) or 1.0
    spoken = tuple(dict.fromkeys(each for concept in concepts for each in concept))
    holders = dict(zip(spoken, index.matching(spoken, passage_ids), strict=True))
    found = [frozenset[str]().union(*(holders[each] for each in concept)) for concept in concepts]
    return tuple(
        sum(weight for weight, holders in zip(weights, found, strict=True) if passage_id in holders) / total
        for passage_id in passage_ids
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureReranker:
    """The reranker that needs no model.

    Sections of the kind that is asked for gain, those whose names are of another disease lose.
    """

    types: QuestionTypes
    weights: RankingWeights

    def rerank(self, plan: SearchPlan, hits: Sequence[Hit]) -> tuple[float, ...]:
        """Each hit's own score, with `section` added and `off_subject` taken away where they apply."""
        asked = self.types.types_of(plan.whole)
        on = {hit.passage.id for hit in on_subject(diseases_named(plan, self.types), hits, self.types)}
        return tuple(
            hit.score
            + self.weights.section * any(kind.heads(_heading(hit)) for kind in asked)
            - self.weights.off_subject * (hit.passage.id not in on)
            for hit in hits
        )


def _heading(hit: Hit) -> str:
    return hit.passage.heading_path[-1] if hit.passage.heading_path else hit.passage.title
