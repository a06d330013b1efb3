"""Retrieval: read the question, rank the passages, keep those that are evidence, and say how strong they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from curio_rag.domain.question_types import QuestionTypes
from curio_rag.domain.ranking_weights import RankingWeights
from curio_rag.domain.search_plan import SearchPlan
from curio_rag.domain.sources import Hit, Passage, Vetting
from curio_rag.errors import IndexOutOfDate
from curio_rag.pipelines.condense import QuestionReader
from curio_rag.pipelines.evidence_filter import (
    diseases_asked_for,
    for_the_asker,
    on_subject,
    on_the_product,
    with_drugs,
    without_repeats,
)
from curio_rag.pipelines.ranking import Ranked, rank
from curio_rag.pipelines.vetting import admitted
from curio_rag.ports import Embedder, GenerationStore, PassageIndex, PassageShelf, Reranker, Vector

RERANKED = 60
"""How many of the best passages are put into their last order."""

SENTENCE_HITS = 20
"""Of how many of the best passages the sentences are compared with the question."""

SHORT_QUESTION = 4
"""Up to this many content terms every one of them counts; in a longer question more and more are by the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSignals:
    """What tells a question that the documents answer from another.

    The best cosine of a sentence to the question; the largest share of the content terms
    of the condensed question, weighted by idf, that stands in one passage; and how short it is: 1 up to
    four content terms, then 4 divided by their number. BM25 scores tell them apart poorly (AUROC .761, on cancer.gov).
    """

    similarity: float = 0.0
    coverage: float = 0.0
    brevity: float = 0.0

    @property
    def strength(self) -> float:
        """The probability, from 0 to 1, that the question is answerable, where half of all questions are.

        A logistic model, fitted by `evals/fit_evidence.py` on the development halves of the gold
        cases and of the short questions of `evals/evidence`, and on a cancer.gov set; 0 when nothing was found.
        """
        if not self.brevity:
            return 0.0
        logit = -2.65 + 8.25 * self.similarity + 3.53 * self.coverage * self.brevity - 4.32 * self.brevity
        return 1 / (1 + math.exp(-logit))


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one search found in the documents that are admitted today, best first, and how strong it is.

    `evidence` are those of the hits that an answer may rest on: they are on the disease, the drug and the
    age group that is asked about, and none repeats another.
    """

    plan: SearchPlan
    hits: tuple[Hit, ...]
    evidence: tuple[Hit, ...]
    standings: dict[str, Vetting]
    signals: EvidenceSignals
    passages_searched: int
    index_fingerprint: str


class SentenceMatch(Protocol):
    """Compares a question with single sentences: a short question is nearer to the one that answers it."""

    def similarities(self, passages: Sequence[Passage], query: Vector) -> tuple[float | None, ...]:
        """The highest cosine of a sentence of each passage, in order; None where there is nothing to compare."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Retriever:
    """Searches the current generation; only documents that are admitted today are returned."""

    generations: GenerationStore
    shelf: PassageShelf
    embedder: Embedder
    types: QuestionTypes
    reader: QuestionReader
    weights: RankingWeights
    sentences: SentenceMatch
    reranker: Reranker
    admit: Collection[str]
    configuration: str
    today: Callable[[], date]

    def search(self, query: str, *, limit: int) -> Findings:
        """The best passages for a query. Raises `IndexMissing`, `IndexOutOfDate` or `IndexDamaged`."""
        index = self.generations.current()
        if index.configuration != self.configuration:
            raise IndexOutOfDate(
                f"The index was built with {index.configuration}, the settings ask for {self.configuration}.",
                hint="Run `curio ingest` to build it with these settings, or set `model` back.",
            )
        plan = self.reader.plan(query, index)
        vectors = self.embedder.embed(plan.texts)
        ranked = rank(index, plan, vectors, self.weights)
        hits, standings = self._admitted_hits(ranked, limit=max(limit, RERANKED))
        hits = by_sentence(hits, vectors[0], self.sentences, weight=self.weights.sentence)
        hits = self._reranked(plan, hits)[:limit]
        evidence = self._evidence(index, plan, hits)
        return Findings(
            plan=plan,
            hits=hits,
            evidence=evidence,
            standings=standings,
            signals=evidence_signals(plan, evidence),
            passages_searched=index.size,
            index_fingerprint=index.fingerprint,
        )

    def _evidence(self, index: PassageIndex, plan: SearchPlan, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """The hits that an answer may rest on."""
        asked = diseases_asked_for(plan, self.types)
        hits = on_subject(asked, for_the_asker(plan, hits), self.types)
        return without_repeats(on_the_product(plan, with_drugs(index, plan, hits)))

    def _reranked(self, plan: SearchPlan, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """The first hits by the reranker's scores, best first, before all the others in the order they had."""
        head, tail = hits[:RERANKED], hits[RERANKED:]
        scores = self.reranker.rerank(plan, head)
        ordered = _in_order(replace(hit, score=score) for hit, score in zip(head, scores, strict=True))
        lowest = min((hit.score for hit in ordered), default=0.0)
        return (*ordered, *(replace(hit, score=min(hit.score, lowest)) for hit in tail))

    def _admitted_hits(self, ranked: Sequence[Ranked], *, limit: int) -> tuple[tuple[Hit, ...], dict[str, Vetting]]:
        """The first hits whose documents still stand today; an overdue one may be in the index, not in an answer."""
        hits: list[Hit] = []
        standings: dict[str, Vetting] = {}
        known: set[str] = set()
        by_id = {each.passage_id: each for each in ranked}
        for start in range(0, len(ranked), limit):
            passages = self.shelf.passages([each.passage_id for each in ranked[start : start + limit]])
            new = sorted({passage.document_id for passage in passages} - known)
            known.update(new)
            standings |= admitted(self.shelf.entries_of(new), admit=self.admit, today=self.today())
            hits.extend(
                Hit(passage=passage, score=by_id[passage.id].score, parts=by_id[passage.id].parts)
                for passage in passages
                if passage.document_id in standings
            )
            if len(hits) >= limit:
                break
        return tuple(hits[:limit]), standings


def by_sentence(hits: Sequence[Hit], query: Vector, sentences: SentenceMatch, *, weight: float) -> tuple[Hit, ...]:
    """The hits with the nearest sentence of the first `SENTENCE_HITS` counted, which stay before the others.

    A passage of one sentence is as near as its own text.
    """
    head, tail = hits[:SENTENCE_HITS], hits[SENTENCE_HITS:]
    found = sentences.similarities([hit.passage for hit in head], query)
    near = [hit.parts.text if value is None else value for hit, value in zip(head, found, strict=True)]
    low, high = min(near, default=0.0), max(near, default=0.0)
    ordered = _in_order(
        replace(
            hit,
            score=hit.score + weight * ((value - low) / (high - low) if high > low else 0.0),
            parts=replace(hit.parts, sentence=value),
        )
        for hit, value in zip(head, near, strict=True)
    )
    return (*ordered, *tail)


def _in_order(hits: Iterable[Hit]) -> list[Hit]:
    """Best first, ties by passage id."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.passage.id))


def evidence_signals(plan: SearchPlan, hits: Sequence[Hit]) -> EvidenceSignals:
    """What the best five hits say of how well the documents bear on a question."""
    best = hits[:5]
    if not best or not plan.terms:
        return EvidenceSignals()
    return EvidenceSignals(
        similarity=max(hit.parts.sentence for hit in best),
        coverage=max(hit.parts.coverage for hit in best),
        brevity=min(1.0, SHORT_QUESTION / len(plan.terms)),
    )
