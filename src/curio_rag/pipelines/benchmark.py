"""Measures retrieval on a benchmark: index its corpus, search each topic as `curio search` would, score the ranking.

The corpus goes through the product's own splitter, embedder, ledger and index. A long entry is cut
into passages and ranked by its best one.
"""

from __future__ import annotations

import hashlib
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from curio_rag.domain.benchmarks import Benchmark, BenchmarkEntry, Fields, Topic
from curio_rag.domain.digests import Json
from curio_rag.domain.library import ShelvedDocument
from curio_rag.domain.measures import Measure
from curio_rag.domain.sources import Block, BlockKind, Document, Hit, Span
from curio_rag.errors import EvalError
from curio_rag.pipelines.ingest import Report, embed_missing, model_key, texts_of
from curio_rag.pipelines.metrics import Separation, mean_measure, score_run, separation
from curio_rag.pipelines.retrieve import Retriever
from curio_rag.ports import (
    DocumentShelf,
    Embedder,
    EmbedderFingerprint,
    GenerationStore,
    PassageShelf,
    Splitter,
    Vector,
    VectorShelf,
)

PASSAGES_ASKED = 200
"""From so many passages a topic's ranking of entries is made; a long entry may take several of them."""

DEPTH = 100
"""How many entries of a topic are kept."""

BATCH_ENTRIES = 256
BATCH_PASSAGES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkParts:
    """What a benchmark is indexed and searched with."""

    splitter: Splitter
    embedder: Embedder
    documents: DocumentShelf
    passages: PassageShelf
    vectors: VectorShelf
    generations: GenerationStore
    retriever: Retriever
    configuration: str
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedCorpus:
    """What the index of a corpus holds, and what making it cost this time."""

    passages: int
    texts_embedded: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTime:
    """Milliseconds of one stage of a search."""

    name: str
    mean: float
    median: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRanking:
    """One topic's entries with their scores, best first, at most 100, and how the search went.

    `contains` and `overlaps` are the ranks, from 1, of the first passage that holds an exact answer
    whole or in part; None when none of the first five does, or there is no exact answer.
    """

    topic: Topic
    ranked: tuple[tuple[str, float], ...]
    strength: float
    embed_ms: float
    total_ms: float
    contains: int | None = None
    overlaps: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalReport:
    """What was measured on one set."""

    benchmark: str
    fields: Fields
    relevant_from: int
    entries: int
    queries: int
    index: IndexedCorpus
    configuration: str
    measures: tuple[Measure, ...]
    answers: tuple[Measure, ...]
    abstention: tuple[Separation, ...]
    stages: tuple[StageTime, ...]
    rankings: tuple[TopicRanking, ...]

    def run_lines(self) -> Iterator[str]:
        """The run: query id, entry id and score, apart by tabs, best first."""
        for each in self.rankings:
            for entry_id, score in each.ranked:
                yield f"{each.topic.id}\t{entry_id}\t{score!r}\n"

    def to_dict(self) -> dict[str, Json]:
        """As `curio eval retrieval --json` prints it."""
        return {
            "benchmark": self.benchmark,
            "fields": self.fields.value,
            "relevant_from": self.relevant_from,
            "entries": self.entries,
            "passages": self.index.passages,
            "queries": self.queries,
            "configuration": self.configuration,
            "texts_embedded": self.index.texts_embedded,
            "index_seconds": self.index.seconds,
            "metrics": {measure.name: measure.to_dict() for measure in self.measures},
            "answers": {measure.name: measure.to_dict() for measure in self.answers},
            "abstention": [each.to_dict() for each in self.abstention],
            "milliseconds": {stage.name: {"mean": stage.mean, "median": stage.median} for stage in self.stages},
        }


class TimedEmbedder:
    """An `Embedder` that counts what another one embeds, and the seconds that it takes."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.seconds = 0.0
        self.texts = 0

    @property
    def fingerprint(self) -> EmbedderFingerprint:
        """That of the other one."""
        return self._embedder.fingerprint

    def embed(self, texts: Sequence[str]) -> tuple[Vector, ...]:
        """What the other one gives."""
        started = time.perf_counter()
        vectors = self._embedder.embed(texts)
        self.seconds += time.perf_counter() - started
        self.texts += len(texts)
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> tuple[int, ...]:
        """What the other one gives."""
        return self._embedder.count_tokens(texts)


def index_name(benchmark: Benchmark, fields: Fields) -> str:
    """The folder in which a corpus is indexed: the same for the same corpus and fields, so that vectors are reused."""
    digest = hashlib.sha256(f"{benchmark.digest} {fields.value}".encode()).hexdigest()
    return f"eval-{digest[:12]}"


def index_corpus(parts: BenchmarkParts, benchmark: Benchmark, *, fields: Fields, report: Report) -> IndexedCorpus:
    """Files, embeds and publishes the corpus; what an earlier run has done is not done again.

    Raises `EvalError` when no entry has any text.
    """
    started = time.perf_counter()
    embedder = TimedEmbedder(parts.embedder)
    filed = {(entry.document_id, entry.digest, entry.made_by) for entry in parts.documents.entries()}
    for start in range(0, len(benchmark.entries), BATCH_ENTRIES):
        documents = [document_of(entry, fields) for entry in benchmark.entries[start : start + BATCH_ENTRIES]]
        new = [each for each in documents if (each.id, each.digest, parts.splitter.version) not in filed]
        parts.documents.put([_shelved(parts.splitter, each) for each in new], at=parts.clock())
        report("splitting", start + len(documents), len(benchmark.entries))
    ids = parts.passages.passage_ids_of([entry.id for entry in benchmark.entries])
    if not ids:
        raise EvalError(f"{benchmark.name}: no entry of the corpus has any text.")
    for start in range(0, len(ids), BATCH_PASSAGES):
        passages = parts.passages.passages(ids[start : start + BATCH_PASSAGES])
        embed_missing(embedder, parts.vectors, list(texts_of(passages, parts.splitter)))
        report("embed", start + len(passages), len(ids))
    model = model_key(parts.embedder)
    parts.generations.publish(
        ids,
        lambda some: parts.vectors.index_entries(model, some),
        configuration=parts.configuration,
        report=report,
    )
    return IndexedCorpus(passages=len(ids), texts_embedded=embedder.texts, seconds=time.perf_counter() - started)


def _shelved(splitter: Splitter, document: Document) -> ShelvedDocument:
    return ShelvedDocument(
        document=document,
        origin=".",
        source=document.id,
        file_digest=document.digest,
        made_by=splitter.version,
        passages=splitter.split(document),
    )


def document_of(entry: BenchmarkEntry, fields: Fields) -> Document:
    """The entry as a document of paragraphs. Without titles the title is empty, for all alike.

    An entry that is a title alone is found by it where titles are indexed.
    """
    titled = fields is Fields.TITLE_AND_TEXT
    text = entry.title if titled and not entry.text.strip() else entry.text
    return Document(
        id=entry.id,
        title=entry.title if titled else "",
        synonyms=entry.synonyms if titled else (),
        text=text,
        source=entry.id,
        blocks=tuple(_paragraphs(text)),
    )


def _paragraphs(text: str) -> Iterator[Block]:
    """Apart by blank lines; in a text that has none, each line is a paragraph."""
    body = text.strip()
    apart = r"\n[^\S\n]*\n\s*" if re.search(r"\n[^\S\n]*\n", body) else r"\n"
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    for gap in [*re.finditer(apart, text[:end]), None]:
        stop = gap.start() if gap else end
        if text[start:stop].strip():
            yield Block(kind=BlockKind.PARAGRAPH, span=Span(start=start, end=stop))
        start = max(start, gap.end()) if gap else end


def measure_retrieval(
    parts: BenchmarkParts,
    benchmark: Benchmark,
    index: IndexedCorpus,
    *,
    fields: Fields,
    relevant_from: int = 1,
    report: Report,
) -> RetrievalReport:
    """Searches every topic of a set whose corpus is indexed, and scores what came back."""
    embedder = TimedEmbedder(parts.embedder)
    retriever = replace(parts.retriever, embedder=embedder)
    texts = {entry.id: document_of(entry, fields).text for entry in benchmark.entries}
    # The first search of a process loads the model and the index, which is no part of a search's time.
    retriever.search(benchmark.topics[0].text, limit=PASSAGES_ASKED)
    rankings = []
    for number, topic in enumerate(benchmark.topics, start=1):
        places = {
            entry_id: tuple(_places(topic.answers, texts[entry_id]))
            for entry_id in benchmark.judgements.get(topic.id, {})
            if topic.answers
        }
        rankings.append(_ranking(retriever, embedder, topic, places))
        report("searching", number, len(benchmark.topics))
    run = {each.topic.id: [entry_id for entry_id, _ in each.ranked] for each in rankings}
    return RetrievalReport(
        benchmark=benchmark.name,
        fields=fields,
        relevant_from=relevant_from,
        entries=len(benchmark.entries),
        queries=len(benchmark.topics),
        index=index,
        configuration=parts.configuration,
        measures=score_run(run, benchmark.judgements, relevant_from=relevant_from),
        answers=tuple(_answer_measures(rankings)),
        abstention=tuple(_separations(rankings)),
        stages=_stages(rankings),
        rankings=tuple(rankings),
    )


def _ranking(
    retriever: Retriever, embedder: TimedEmbedder, topic: Topic, places: dict[str, tuple[Span, ...]]
) -> TopicRanking:
    before, started = embedder.seconds, time.perf_counter()
    findings = retriever.search(topic.text, limit=PASSAGES_ASKED)
    total = time.perf_counter() - started
    best: dict[str, float] = {}
    for hit in findings.hits:
        best[hit.passage.document_id] = max(hit.score, best.get(hit.passage.document_id, hit.score))
    first = findings.hits[:5]
    return TopicRanking(
        topic=topic,
        ranked=tuple(sorted(best.items(), key=lambda each: -each[1])[:DEPTH]),
        strength=findings.signals.strength,
        embed_ms=1000 * (embedder.seconds - before),
        total_ms=1000 * total,
        contains=_rank(first, places, lambda passage, answer: passage.holds(answer)),
        overlaps=_rank(first, places, lambda passage, answer: passage.touches(answer)),
    )


def _rank(hits: Sequence[Hit], places: dict[str, tuple[Span, ...]], test: Callable[[Span, Span], bool]) -> int | None:
    for rank, hit in enumerate(hits, start=1):
        if any(test(hit.passage.span, answer) for answer in places.get(hit.passage.document_id, ())):
            return rank
    return None


def _places(answers: Sequence[str], text: str) -> Iterator[Span]:
    """Wherever an answer's words stand in a text, whatever white space parts them."""
    for answer in answers:
        for match in re.finditer(r"\s+".join(map(re.escape, answer.split())), text):
            yield Span(start=match.start(), end=match.end())


def _answer_measures(rankings: Sequence[TopicRanking]) -> Iterator[Measure]:
    """The shares of questions with an exact answer for which one of the first passages holds it."""
    asked = [each for each in rankings if each.topic.answers]
    if not asked:
        return
    for depth in (1, 5):
        yield mean_measure(f"contains@{depth}", [float(0 < (each.contains or 0) <= depth) for each in asked])
        yield mean_measure(f"overlaps@{depth}", [float(0 < (each.overlaps or 0) <= depth) for each in asked])


def _separations(rankings: Sequence[TopicRanking]) -> Iterator[Separation]:
    """The strength of the evidence for answerable questions against each tier of the others, then against all.

    Questions that stand word for word in the corpus are left out: they are too easy.
    """
    asked = [each for each in rankings if not each.topic.verbatim]
    answerable = [each.strength for each in asked if each.topic.answerable is True]
    others = [each for each in asked if each.topic.answerable is False]
    if not answerable or not others:
        return
    for tier in sorted({each.topic.tier for each in others} - {""}):
        yield separation(tier, answerable, [each.strength for each in others if each.topic.tier == tier])
    yield separation("all", answerable, [each.strength for each in others])


def _stages(rankings: Sequence[TopicRanking]) -> tuple[StageTime, ...]:
    times = {
        "embed": [each.embed_ms for each in rankings],
        "search": [each.total_ms - each.embed_ms for each in rankings],
        "total": [each.total_ms for each in rankings],
    }
    return tuple(
        StageTime(name=name, mean=statistics.fmean(values), median=statistics.median(values))
        for name, values in times.items()
    )
