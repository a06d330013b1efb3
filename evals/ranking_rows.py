"""What the scripts that fit and ablate the ranking share: every signal of every candidate, and the measures.

A set is a folder in BEIR style with `:text` or `:title+text` after it; it is indexed by the product's own
parts in FOLDER/indexes, where its vectors are kept. Of the gold cases the development half is read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curio_rag.adapters.benchmark_files import read_benchmark
from curio_rag.adapters.gold_files import load_gold
from curio_rag.adapters.package_data import load_follow_up_words, load_question_types
from curio_rag.assembly import Assembly
from curio_rag.config import Config, load_config
from curio_rag.domain.answers import Outcome
from curio_rag.domain.benchmarks import Fields
from curio_rag.domain.evals import EvalCase, Split
from curio_rag.domain.questions import Turn
from curio_rag.domain.ranking_weights import RankingWeights
from curio_rag.domain.sources import Hit, HitScores
from curio_rag.evaluation import benchmark_parts
from curio_rag.pipelines.benchmark import document_of, index_corpus, index_name
from curio_rag.pipelines.condense import QuestionReader
from curio_rag.pipelines.follow_up import FollowUps
from curio_rag.pipelines.ranking import ALIKE, FeatureReranker, field_scores
from curio_rag.pipelines.retrieve import SENTENCE_HITS, Retriever
from curio_rag.ports import Vector

Numbers = npt.NDArray[np.float64]

FLAGS = ("section", "off_subject")
SIGNALS = ("text", "title", "heading", "keyword", "coverage", "phrase")


@dataclass(frozen=True)
class Row:
    """One question: its candidates' signals, entries and worth.

    `whole` and `nearest` hold each cosine by itself, `sentence` that of each candidate's nearest sentence.
    """

    whole: Mapping[str, Numbers]
    nearest: Mapping[str, Numbers]
    sentence: Numbers
    flags: Mapping[str, Numbers]
    terms: int
    entries: tuple[str, ...]
    grades: Mapping[str, int]
    quotes: tuple[frozenset[int], ...] = ()
    """For each gold quote, or for the exact answer, the candidates that hold it."""


@dataclass(frozen=True)
class RankedSet:
    """A set with what is measured on it: `nDCG@10`, `contains@5` or `Recall@5`."""

    name: str
    measure: str
    rows: tuple[Row, ...]

    def scores(self, weights: RankingWeights, chosen: Sequence[int] | None = None) -> Numbers:
        """The measure of each topic, or of those chosen."""
        rows = self.rows if chosen is None else [self.rows[place] for place in chosen]
        return np.array([self._score(row, total(row, weights)) for row in rows])

    def _score(self, row: Row, totals: Numbers) -> float:
        depth = 5 if row.quotes else min(len(totals), 60)
        best = np.argsort(-totals, kind="stable")[:depth].tolist()
        if row.quotes:
            return float(np.mean([bool(holders.intersection(best)) for holders in row.quotes]))
        entries = list(dict.fromkeys(row.entries[place] for place in best))[:10]
        ideal = _gain(sorted(row.grades.values(), reverse=True)[:10])
        return _gain([row.grades.get(entry, 0) for entry in entries]) / ideal if ideal else 0.0


def _gain(grades: Sequence[int]) -> float:
    return sum((2.0**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades))


def total(row: Row, weights: RankingWeights) -> Numbers:
    """The score of each candidate, as the search makes it (`tests/test_ranking_rows.py` holds them to each other)."""
    mixed = {name: (1 - weights.part) * row.whole[name] + weights.part * row.nearest[name] for name in SIGNALS[:3]}
    dense = weights.text * mixed["text"] + weights.title * mixed["title"] + weights.heading * mixed["heading"]
    spread = dense.max() - dense.min()
    keyword = row.whole["keyword"]
    words = (
        weights.keyword * (keyword / keyword.max() if keyword.max() else keyword)
        + weights.coverage * row.whole["coverage"]
        + weights.phrase * row.whole["phrase"]
    )
    alike = sum(
        weight for name, weight in (("title", weights.title), ("heading", weights.heading)) if _flat(mixed[name])
    )
    share = weights.dense * (1 - alike / ((weights.text + weights.title + weights.heading) or 1.0))
    fused = (
        share * ((dense - dense.min()) / spread if spread else np.ones_like(dense))
        + min(1.0, weights.telling_terms / max(1, row.terms)) * words
    )
    best = np.argsort(-fused, kind="stable")[:SENTENCE_HITS]
    near = row.sentence[best]
    fused[best] += weights.sentence * ((near - near.min()) / np.ptp(near) if np.ptp(near) else np.zeros_like(near))
    return fused + weights.section * row.flags["section"] - weights.off_subject * row.flags["off_subject"]


def _flat(values: Numbers) -> bool:
    return float(np.ptp(values)) < ALIKE


def benchmark_rows(folder: Path, place: str, *, reader: QuestionReader | None = None) -> RankedSet:
    """The rows of a set given as `FOLDER:text` or `FOLDER:title+text`."""
    path, _, fields = place.rpartition(":")
    benchmark = read_benchmark(Path(path))
    chosen = Fields(fields)
    trial = Assembly(Config(folder=folder.absolute())).beside(index_name(benchmark, chosen))
    trial.ledger(create=True)
    parts = benchmark_parts(trial)
    index_corpus(parts, benchmark, fields=chosen, report=lambda *_: None)
    texts = {entry.id: " ".join(document_of(entry, chosen).text.split()) for entry in benchmark.entries}
    rows = []
    for topic in benchmark.topics:
        grades = benchmark.judgements.get(topic.id)
        if not grades:
            continue
        answers = [" ".join(answer.split()) for answer in topic.answers]
        answers = [answer for answer in answers if any(answer in texts[entry] for entry in grades)]
        row, hits = _row(_with(parts.retriever, reader), topic.text, dict(grades))
        if topic.answers:
            held = {
                at
                for at, hit in enumerate(hits)
                if hit.passage.document_id in grades
                and any(answer in " ".join(hit.passage.text.split()) for answer in answers)
            }
            row = replace(row, quotes=(frozenset(held),))
        rows.append(row)
    trial.close()
    measure = "contains@5" if any(row.quotes for row in rows) else "nDCG@10"
    return RankedSet(name=Path(path).name, measure=measure, rows=tuple(rows))


def searched(case: EvalCase) -> str:
    """The question of a case as it is searched: a follow-up in the light of its thread."""
    follow_ups = FollowUps(words=load_follow_up_words(), types=load_question_types())
    return follow_ups.resolve(case.question, [Turn(question=text) for text in case.previous]).text


def gold_rows(folder: Path, gold: Path, *, reader: QuestionReader | None = None) -> RankedSet:
    """The answerable development cases over the knowledge base of a folder."""
    assembly = Assembly(load_config(folder))
    rows = []
    for case in load_gold(sorted(gold.glob("*.jsonl"))):
        if case.split is not Split.DEVELOPMENT or case.expected.outcome is not Outcome.DRAFTED:
            continue
        row, hits = _row(_with(assembly.retriever(), reader), searched(case), {})
        quotes = [_holders(hits, each.document_id, each.quote) for each in case.evidence]
        rows.append(replace(row, quotes=tuple(quotes)))
    assembly.close()
    return RankedSet(name="gold", measure="Recall@5", rows=tuple(rows))


def short_rows(folder: Path, questions: Path, *, reader: QuestionReader | None = None) -> RankedSet:
    """The answerable development questions of `evals/evidence` over the knowledge base of a folder."""
    assembly = Assembly(load_config(folder))
    rows = []
    for line in questions.read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        if asked["split"] == Split.DEVELOPMENT and asked["answerable"]:
            row, hits = _row(_with(assembly.retriever(), reader), asked["question"], {})
            rows.append(replace(row, quotes=(_holders(hits, asked["document_id"], asked["quote"]),)))
    assembly.close()
    return RankedSet(name="short", measure="Recall@5", rows=tuple(rows))


def _holders(hits: Sequence[Hit], document_id: str, quote: str) -> frozenset[int]:
    """The places of the hits that hold a quote whole."""
    wanted = " ".join(quote.split())
    return frozenset(
        at
        for at, hit in enumerate(hits)
        if hit.passage.document_id == document_id and wanted in " ".join(hit.passage.text.split())
    )


def _with(retriever: Retriever, reader: QuestionReader | None) -> Retriever:
    return retriever if reader is None else replace(retriever, reader=reader)


def _row(retriever: Retriever, question: str, grades: Mapping[str, int]) -> tuple[Row, list[Hit]]:
    index = retriever.generations.current()
    plan = retriever.reader.plan(question, index)
    vectors = retriever.embedder.embed(plan.texts)
    whole, nearest = (field_scores(index, plan, vectors, part=part) for part in (0.0, 1.0))
    passages = retriever.shelf.passages(list(whole))
    hits = [Hit(passage=passage, score=0.0, parts=whole[passage.id]) for passage in passages]
    flags = {
        name: np.array(FeatureReranker(types=retriever.types, weights=only(retriever.weights, name)).rerank(plan, hits))
        for name in FLAGS
    }
    flags["off_subject"] = -flags["off_subject"]
    ids = [passage.id for passage in passages]
    row = Row(
        whole=_columns([whole[each] for each in ids]),
        nearest=_columns([nearest[each] for each in ids]),
        sentence=_sentences(retriever, hits, vectors[0]),
        flags=flags,
        terms=len(plan.terms),
        entries=tuple(passage.document_id for passage in passages),
        grades=grades,
    )
    return row, hits


def _sentences(retriever: Retriever, hits: Sequence[Hit], query: Vector) -> Numbers:
    found = retriever.sentences.similarities([hit.passage for hit in hits], query)
    return np.array([hit.parts.text if value is None else value for hit, value in zip(hits, found, strict=True)])


def _columns(scores: Sequence[HitScores]) -> dict[str, Numbers]:
    return {name: np.array([getattr(each, name) for each in scores]) for name in SIGNALS}


def only(weights: RankingWeights, flag: str) -> RankingWeights:
    """The weights with one flag counting 1 and the other 0."""
    return replace(weights, section=float(flag == "section"), off_subject=float(flag == "off_subject"))


def sets_of(folder: Path, gold: Path, places: Sequence[str]) -> Iterator[RankedSet]:
    """The gold cases over `folder`, the short questions beside them (`evals/evidence`), then each set."""
    yield gold_rows(folder, gold)
    yield short_rows(folder, gold.parent / "evidence" / "questions.jsonl")
    for place in places:
        yield benchmark_rows(folder, place)
