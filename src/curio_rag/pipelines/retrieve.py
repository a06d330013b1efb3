"""Retrieval: dense and keyword candidates, exact scores of every field, one fused ranking, and how strong it is."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date

from curio_rag.domain.question_types import QuestionTypes, mentions
from curio_rag.domain.search_plan import SearchPlan
from curio_rag.domain.sources import Hit, HitScores, Passage, Vetting
from curio_rag.errors import IndexOutOfDate
from curio_rag.pipelines.condense import QuestionReader
from curio_rag.pipelines.vetting import admitted
from curio_rag.ports import Embedder, GenerationStore, PassageIndex, PassageShelf, Vector, VectorField

CANDIDATES = 100
"""How many passages each of the four lists contributes."""

DENSE_WEIGHTS = {VectorField.TEXT: 0.5, VectorField.TITLE: 0.3, VectorField.HEADING: 0.2}
"""A start: on graded answers to consumers' questions a title vector beside the passage's gained .10 nDCG@10."""

DENSE_SHARE = 0.7
"""Min-max scores fused at 0.7 dense were better than reciprocal ranks on consumers' questions and on BioASQ."""

RERANKED = 60
COVERAGE_SHARE = 0.25
"""How much the share of the question's terms that a passage holds counts beside the fused score. In a library
on one subject the subject's name is in every passage, and the rare word of a question says what it is about."""


SHORT_QUESTION = 4
"""Up to this many content terms every one of them counts; in a longer question more and more are by the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSignals:
    """What tells a question that the documents answer from another.

    The best cosine of a passage to the question or a part of it; the largest share of the content terms
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
        cases and of a cancer.gov set; 0 when nothing was found.
        """
        if not self.brevity:
            return 0.0
        logit = -4.26 + 11.73 * self.similarity + 3.87 * self.coverage * self.brevity - 4.59 * self.brevity
        return 1 / (1 + math.exp(-logit))


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one search found: hits best first, the standing of their documents, and the strength of the evidence.

    The hits are those of documents that are admitted today and speak of the disease that is asked about.
    """

    plan: SearchPlan
    hits: tuple[Hit, ...]
    standings: dict[str, Vetting]
    signals: EvidenceSignals
    passages_searched: int
    index_fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retriever:
    """Searches the current generation; only documents that are admitted today are returned."""

    generations: GenerationStore
    shelf: PassageShelf
    embedder: Embedder
    types: QuestionTypes
    reader: QuestionReader
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
        scores = _scores(index, vectors, plan.keywords)
        ranked = _with_coverage(index, plan, sorted(_fused(scores).items(), key=_best_first))
        hits, standings = self._admitted_hits(ranked, scores, limit=limit)
        hits = with_drugs(index, plan, on_subject(plan, hits, self.types))
        return Findings(
            plan=plan,
            hits=hits,
            standings=standings,
            signals=evidence_signals(index, plan, vectors, hits),
            passages_searched=index.size,
            index_fingerprint=index.fingerprint,
        )

    def _admitted_hits(
        self, ranked: Sequence[tuple[str, float]], scores: dict[str, HitScores], *, limit: int
    ) -> tuple[tuple[Hit, ...], dict[str, Vetting]]:
        """The first hits whose documents still stand today; an overdue one may be in the index, not in an answer."""
        hits: list[Hit] = []
        standings: dict[str, Vetting] = {}
        known: set[str] = set()
        fused = dict(ranked)
        step = max(limit, 20)
        for start in range(0, len(ranked), step):
            passages = self.shelf.passages([passage_id for passage_id, _ in ranked[start : start + step]])
            new = sorted({passage.document_id for passage in passages} - known)
            known.update(new)
            standings |= admitted(self.shelf.entries_of(new), admit=self.admit, today=self.today())
            hits.extend(
                Hit(passage=passage, score=fused[passage.id], parts=scores[passage.id])
                for passage in passages
                if passage.document_id in standings
            )
            if len(hits) >= limit:
                break
        return tuple(hits[:limit]), standings


def on_subject(plan: SearchPlan, hits: Sequence[Hit], types: QuestionTypes) -> tuple[Hit, ...]:
    """The hits without those of documents on another disease than the question names.

    A passage on anal cancer may well speak of cervical cancer, and still answers no question about
    it. A document whose title or headings name a disease must name the one that is asked for, with
    every word that says which; one whose names speak of no disease is left to the other signals.
    """
    asked = tuple(dict.fromkeys((*types.diseases_in(plan.whole), *types.diseases_in(plan.respelt))))
    return tuple(hit for hit in hits if not asked or _speaks_of(asked, hit.passage, types))


def _speaks_of(asked: Sequence[tuple[str, ...]], passage: Passage, types: QuestionTypes) -> bool:
    names = " ".join((passage.title, *passage.heading_path))
    if not types.diseases_in(names):
        return True
    for disease in asked:
        *which, kind = disease
        if not which and mentions(passage.text, kind):
            return True
        needed = which if which and kind in types.loose_diseases else disease
        negated = "non" in re.findall(r"[a-z]+", names.lower()) and "non" not in " ".join(disease)
        if not negated and all(mentions(names, word) for word in needed):
            return True
    return False


def with_drugs(index: PassageIndex, plan: SearchPlan, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Where the question names a drug, the hits that name it too: what is true of another drug answers nothing."""
    if not plan.drugs:
        return tuple(hits)
    ids = [hit.passage.id for hit in hits]
    named = frozenset[str]().union(*(index.matching(drug, ids) for drug in plan.drugs))
    return tuple(hit for hit in hits if hit.passage.id in named)


def _scores(index: PassageIndex, vectors: Sequence[Vector], terms: Sequence[str]) -> dict[str, HitScores]:
    """The candidates of every text that is searched, the whole question first.

    A passage's similarity is half that to the whole question and half that to the text nearest to it: by the
    nearest alone passages win that fit one half-sentence (gold quotes in the top 5: .745 against .773).
    """
    keyword = {scored.passage_id: scored.score for scored in index.keyword(terms, limit=CANDIDATES)}
    candidates = set(keyword)
    for named in VectorField:
        for vector in vectors:
            candidates.update(scored.passage_id for scored in index.nearest(named, vector, limit=CANDIDATES))
    ids = sorted(candidates)
    dense = [_similarities(index, named, vectors, ids) for named in VectorField]
    return {
        passage_id: HitScores(text=text, title=title, heading=heading, keyword=keyword.get(passage_id, 0.0))
        for passage_id, text, title, heading in zip(ids, *dense, strict=True)
    }


def _similarities(
    index: PassageIndex, named: VectorField, vectors: Sequence[Vector], ids: Sequence[str]
) -> tuple[float, ...]:
    to_each = [index.similarities(named, vector, ids) for vector in vectors]
    return tuple((similar[0] + max(similar)) / 2 for similar in zip(*to_each, strict=True))


def _fused(scores: dict[str, HitScores]) -> dict[str, float]:
    """One score from 0 to 1 for each candidate: min-max dense and min-max keyword, weighted."""
    if not scores:
        return {}
    dense = {passage_id: _dense(parts) for passage_id, parts in scores.items()}
    low, high = min(dense.values()), max(dense.values())
    most = max(parts.keyword for parts in scores.values())
    return {
        passage_id: DENSE_SHARE * ((value - low) / (high - low) if high > low else 1.0)
        + (1 - DENSE_SHARE) * (scores[passage_id].keyword / most if most else 0.0)
        for passage_id, value in dense.items()
    }


def _best_first(ranked: tuple[str, float]) -> tuple[float, str]:
    """Higher scores first, ties by passage id."""
    return -ranked[1], ranked[0]


def _with_coverage(
    index: PassageIndex, plan: SearchPlan, ranked: Sequence[tuple[str, float]]
) -> list[tuple[str, float]]:
    """The first candidates in a new order that also counts how many of the question's telling words they hold."""
    head, tail = ranked[:RERANKED], ranked[RERANKED:]
    covered = coverages(index, plan, [passage_id for passage_id, _ in head])
    mixed = [
        (passage_id, (1 - COVERAGE_SHARE) * score + COVERAGE_SHARE * share)
        for (passage_id, score), share in zip(head, covered, strict=True)
    ]
    return [
        *sorted(mixed, key=_best_first),
        *((passage_id, (1 - COVERAGE_SHARE) * score) for passage_id, score in tail),
    ]


def _dense(parts: HitScores) -> float:
    return (
        DENSE_WEIGHTS[VectorField.TEXT] * parts.text
        + DENSE_WEIGHTS[VectorField.TITLE] * parts.title
        + DENSE_WEIGHTS[VectorField.HEADING] * parts.heading
    )


def evidence_signals(
    index: PassageIndex, plan: SearchPlan, vectors: Sequence[Vector], hits: Sequence[Hit]
) -> EvidenceSignals:
    """What the best five hits say of how well the documents bear on a question."""
    best = hits[:5]
    if not best or not plan.terms:
        return EvidenceSignals()
    ids = [hit.passage.id for hit in best]
    return EvidenceSignals(
        similarity=max(max(index.similarities(VectorField.TEXT, vector, ids)) for vector in vectors),
        coverage=max(coverages(index, plan, ids)),
        brevity=min(1.0, SHORT_QUESTION / len(plan.terms)),
    )


def coverages(index: PassageIndex, plan: SearchPlan, passage_ids: Sequence[str]) -> tuple[float, ...]:
    """For each passage the share of the plan's terms, weighted by idf, that stand in it, in these or other words.

    A term that stands nowhere in the index weighs as much as the rarest one.
    """
    concepts = [plan.alternatives(term) for term in plan.terms]
    frequencies = [max(index.document_frequencies(concept)) for concept in concepts]
    weights = [math.log(1 + (index.size + 0.5) / (frequency + 0.5)) for frequency in frequencies]
    total = sum(weights) or 1.0
    found = [frozenset[str]().union(*(index.matching(each, passage_ids) for each in concept)) for concept in concepts]
    return tuple(
        sum(weight for weight, holders in zip(weights, found, strict=True) if passage_id in holders) / total
        for passage_id in passage_ids
    )
