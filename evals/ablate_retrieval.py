"""What each part of the search is worth: every part off, one at a time, and what each stage costs.

    python evals/ablate_retrieval.py FOLDER evals/gold SET:FIELDS...

The arguments are those of `fit_ranking.py`. A table for each set: the whole, then the difference that each
part makes when it is switched off, with the middle 95 % of 1,000 bootstrap samples over the topics (paired),
then BM25 alone and the plain model alone. At the end the CPU milliseconds of each stage over the gold cases.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from curio_rag.adapters.gold_files import load_gold
from curio_rag.adapters.package_data import load_question_types, load_ranking_weights
from curio_rag.assembly import Assembly
from curio_rag.config import load_config
from curio_rag.domain.evals import Split
from curio_rag.domain.ranking_weights import RankingWeights
from curio_rag.domain.search_plan import SearchPlan
from curio_rag.pipelines.condense import QuestionReader
from curio_rag.pipelines.ranking import rank
from curio_rag.pipelines.retrieve import SENTENCE_HITS
from curio_rag.ports import VectorField, Vocabulary
from ranking_rows import Numbers, RankedSet, benchmark_rows, gold_rows, short_rows

NEVER = 1e9
PARTS: dict[str, dict[str, float]] = {
    "title vector": {"title": 0.0},
    "place vector (title and headings)": {"heading": 0.0},
    "nearest part of the question": {"part": 0.0},
    "keyword (BM25)": {"keyword": 0.0},
    "coverage of terms": {"coverage": 0.0},
    "neighbouring terms": {"phrase": 0.0},
    "fading of words in long questions": {"telling_terms": NEVER},
    "section of the kind asked for": {"section": 0.0},
    "other diseases lose": {"off_subject": 0.0},
    "nearest sentence": {"sentence": 0.0},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainReader(QuestionReader):
    """Takes the question as it stands."""

    def plan(self, question: str, index: Vocabulary) -> SearchPlan:
        """The words of the question without stop words."""
        return SearchPlan(whole=question, parts=(question,), terms=self.types.content_terms(question))


def alone(**weights: float) -> RankingWeights:
    """Weights with nothing but these."""
    nothing = dict.fromkeys(RankingWeights.__slots__, 0.0)
    return RankingWeights(**(nothing | {"telling_terms": NEVER} | weights))


def difference(values: Numbers, whole: Numbers) -> str:
    """The mean difference with its interval."""
    draw = np.random.default_rng(20261123)
    gaps = values - whole
    means = sorted(gaps[draw.integers(0, len(gaps), len(gaps))].mean() for _ in range(1000))
    return f"{gaps.mean():+.4f} ({means[25]:+.4f} to {means[974]:+.4f})"


def table(rows: RankedSet, plain: RankedSet, weights: RankingWeights) -> Iterator[str]:
    """The lines of one set; `plain` has the same topics with the question as it stands."""
    whole = rows.scores(weights)
    yield f"{rows.name}, {rows.measure}, {len(whole)} topics: {whole.mean():.4f}"
    for name, change in PARTS.items():
        yield f"  without {name:36} {difference(rows.scores(replace(weights, **change)), whole)}"
    yield f"  without {'the reading of the question':36} {difference(plain.scores(weights), whole)}"
    yield f"  BM25 alone, question as it stands            {plain.scores(alone(keyword=1.0)).mean():.4f}"
    yield f"  text vector alone, question as it stands     {plain.scores(alone(dense=1.0, text=1.0)).mean():.4f}"


def stages(folder: Path, gold: Path) -> Iterator[str]:
    """The CPU milliseconds of a search over the development gold cases, by stage; the model is warm."""
    assembly = Assembly(load_config(folder))
    retriever = assembly.retriever()
    index = retriever.generations.current()
    spent: dict[str, float] = {}

    def spend(name: str, started: float) -> float:
        now = time.process_time()
        spent[name] = spent.get(name, 0.0) + now - started
        return now

    cases = load_gold(sorted(gold.glob("*.jsonl")))
    questions = [case.question for case in cases if case.split is Split.DEVELOPMENT]
    retriever.search(questions[0], limit=12)
    for question in questions:
        now = time.process_time()
        plan = retriever.reader.plan(question, index)
        now = spend("read the question", now)
        vectors = retriever.embedder.embed(plan.texts)
        now = spend("embed it", now)
        index.nearest(VectorField.TEXT, vectors[0], limit=100)
        now = spend("one dense search", now)
        ranked = rank(index, plan, vectors, retriever.weights)
        now = spend("rank the candidates", now)
        passages = retriever.shelf.passages([each.passage_id for each in ranked[:SENTENCE_HITS]])
        now = spend("read the passages", now)
        retriever.sentences.similarities(passages, vectors[0])
        now = spend("compare sentences", now)
        retriever.search(question, limit=12)
        spend("all of it", now)
    yield f"CPU milliseconds a question, {len(questions)} questions, {index.size} passages:"
    for name, seconds in spent.items():
        yield f"  {name:22} {1000 * seconds / len(questions):6.1f}"
    assembly.close()


def main(folder: str, gold: str, *places: str) -> None:
    """Prints the tables."""
    weights, types = load_ranking_weights(), load_question_types()
    reader = Assembly(load_config(Path(folder))).question_reader()
    plain_reader = PlainReader(types=types, glossary=reader.glossary, words=reader.words)
    cases = gold_rows(Path(folder), Path(gold))
    print("\n".join(table(cases, gold_rows(Path(folder), Path(gold), reader=plain_reader), weights)), flush=True)
    short = Path(gold).parent / "evidence" / "questions.jsonl"
    rows = short_rows(Path(folder), short)
    print("\n".join(table(rows, short_rows(Path(folder), short, reader=plain_reader), weights)), flush=True)
    for place in places:
        rows = benchmark_rows(Path(folder), place)
        print("\n".join(table(rows, benchmark_rows(Path(folder), place, reader=plain_reader), weights)), flush=True)
    print("\n".join(stages(Path(folder), Path(gold))))


if __name__ == "__main__":
    main(*sys.argv[1:])
