"""How near the answers of the extractive writer come to experts' answers, beside five simple ways of quoting.

    python evals/writer_report.py FOLDER SET... [--half development|test|both] [--questions N] [--beside choice]

FOLDER is any folder; the sets are indexed by the product's own parts in FOLDER/indexes, where their vectors are
kept. A set is a folder in BEIR style whose queries have experts' answers in `metadata`, under `ideal_answer` (one
or several; the best match counts) or `long_answer`. Of each set N questions (260) are drawn by a hash of their ids;
the even ones are the development half, by which `adapters/passage_choice.py` was made, the odd ones the test half.

All ways quote what one search of the product found; nothing is abstained from. (What the product searches further
for a definition is left out: without headings it is never shown.) Answers are cut at the border of sentences that
lies nearest to the length: first to that of the yardstick's own answer to the question, then to 50 and 100 words.
The yardstick is the writer's answer, or with `--beside choice` what `adapters/passage_choice.py` would show.

ROUGE is that of rouge-score (extra `eval`) with stemming, F of each kind and for ROUGE-2 also recall; similarity is
the cosine of the default embedder. Then the difference to the yardstick in ROUGE-2 F with the middle 95 % of 1,000
bootstrap samples over the questions (paired), and the same where the yardstick is cut to the length of this way's
answer: a way that had less to show is shorter than it was allowed to be, and F favours what is as short as the
experts' answers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rouge_score.rouge_scorer import RougeScorer

from curio_rag.adapters.benchmark_files import read_benchmark
from curio_rag.adapters.passage_choice import FIRST_WORDS, excerpts
from curio_rag.adapters.sentences import sentence_spans
from curio_rag.assembly import Assembly
from curio_rag.config import Config
from curio_rag.domain.answers import AnswerLength, Evidence
from curio_rag.domain.benchmarks import Fields, Topic
from curio_rag.evaluation import benchmark_parts
from curio_rag.pipelines.answer import EVIDENCE_HITS, MOST_DOCUMENTS
from curio_rag.pipelines.benchmark import index_corpus, index_name
from curio_rag.ports import Embedder

Numbers = npt.NDArray[np.float64]
Sentences = tuple[str, ...]

WRITER = "extractive writer"
CHOICE = "passage choice"
COLUMNS = ("words", "rouge1", "rouge2", "rouge2 recall", "rougeL", "similarity")
LENGTHS = (50, 100)
UNLIMITED = 1_000_000
ROUNDS = 1_000
LEAD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question, experts' answers to it, and what each way would quote, in the order of importance."""

    topic: Topic
    references: tuple[str, ...]
    quotes: Mapping[str, Callable[[int], Sentences]]
    """For each way, its sentences where so many words are allowed; they may be more."""


def references_of(folder: Path) -> dict[str, tuple[str, ...]]:
    """Experts' answers by the id of the question."""
    found = {}
    for line in (folder / "queries.jsonl").read_text(encoding="utf-8").split("\n"):
        if line.strip():
            query = json.loads(line)
            metadata = query.get("metadata", {})
            given = metadata.get("ideal_answer") or metadata.get("long_answer") or ()
            texts = (given,) if isinstance(given, str) else tuple(given)
            found[query["_id"]] = tuple(text for text in texts if text.strip())
    return found


def cut(sentences: Sequence[str], words: int) -> Sentences:
    """The first sentences up to the border that lies nearest to so many words; at least one where there is one."""
    kept: list[str] = []
    total = 0
    for sentence in sentences:
        count = len(sentence.split())
        if kept and total + count / 2 > words:
            break
        kept.append(sentence)
        total += count
    return tuple(kept)


def length(sentences: Sequence[str]) -> int:
    """In words."""
    return sum(len(sentence.split()) for sentence in sentences)


def split(text: str) -> Sentences:
    """The sentences of a text."""
    return tuple(span.of(text) for span in sentence_spans(text))


def in_turn(sources: Sequence[Sentences], words: int) -> Sentences:
    """The first sentence of every source, then the second of every one, until they are enough; source by source."""
    turns = [(turn, number) for turn in range(max(map(len, sources), default=0)) for number in range(len(sources))]
    places = [(number, turn) for turn, number in turns if turn < len(sources[number])]
    kept = places[: len(cut([sources[number][turn] for number, turn in places], words))]
    return tuple(sources[number][turn] for number, turn in sorted(kept))


def by_cosine(embedder: Embedder, question: str, sentences: Sequence[str]) -> Sentences:
    """The sentences by their similarity to the question, each once."""
    once = list(dict.fromkeys(sentences))
    vectors = as_rows(embedder.embed([question, *once]))
    order = np.argsort(-(vectors[1:] @ vectors[0]), kind="stable")
    return tuple(once[place] for place in order.tolist())


def as_rows(vectors: Sequence[bytes]) -> npt.NDArray[np.float32]:
    """One row for each vector."""
    return np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(vectors), -1)


def asked(assembly: Assembly, topic: Topic, references: tuple[str, ...]) -> Asked:
    """Searches, writes, and makes what each way would quote."""
    findings = assembly.retriever().search(topic.text, limit=EVIDENCE_HITS)
    shelf = assembly.documents()
    evidence = []
    for document_id in list(dict.fromkeys(hit.passage.document_id for hit in findings.evidence))[:MOST_DOCUMENTS]:
        evidence.append(
            Evidence(
                document=shelf.document(document_id),
                vetting=findings.standings[document_id],
                hits=tuple(hit for hit in findings.evidence if hit.passage.document_id == document_id),
                passages=shelf.passages_of(document_id),
            )
        )
    draft = assembly.standby().write(findings.plan.whole, evidence, length=AnswerLength.STANDARD)
    written = tuple(sentence.text for section in draft.sections for sentence in section.sentences)

    def chosen(words: int) -> Sentences:
        most = min(words, FIRST_WORDS)
        found = excerpts(findings.plan.whole, evidence, types=assembly.question_types(), first_words=most)
        return tuple(span.of(each.evidence.document.text) for each in found for run in each.runs for span in run)

    passages = [split(hit.passage.text) for hit in findings.evidence]
    top = passages[0] if passages else ()
    every = tuple(dict.fromkeys(sentence for passage in passages for sentence in passage))
    sources = [split(each.document.text) for each in evidence]
    near = [sentence for passage in passages[:MOST_DOCUMENTS] for sentence in passage]
    nearest = by_cosine(assembly.embedder(), topic.text, near)
    return Asked(
        topic=topic,
        references=references,
        quotes={
            WRITER: lambda words: written,
            CHOICE: chosen,
            "lead of the top passage": lambda words: top[:LEAD],
            "whole top passage": lambda words: top,
            "whole passages in turn": lambda words: every,
            "lead of every source": lambda words: in_turn(sources, words),
            "greedy by cosine": lambda words: nearest,
        },
    )


class Judge:
    """Scores answers against experts'; what was measured once is not measured again."""

    def __init__(self, embedder: Embedder) -> None:
        self._scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
        self._embedder = embedder
        self._known: dict[tuple[str, str], dict[str, float]] = {}

    def rouge(self, question: Asked, sentences: Sentences) -> dict[str, float]:
        """F of each kind, and ROUGE-2 recall, each against the reference that it matches best."""
        text = " ".join(sentences)
        key = (question.topic.id, text)
        if key not in self._known:
            scores = [self._scorer.score(reference, text) for reference in question.references]
            best = {name: max(each[name].fmeasure for each in scores) for name in scores[0]}
            best["rouge2 recall"] = max(each["rouge2"].recall for each in scores)
            self._known[key] = best
        return self._known[key]

    def similarities(self, questions: Sequence[Asked], answers: Sequence[Sentences]) -> list[float]:
        """The cosine of each answer to the reference that it is nearest to; 0 for no answer."""
        texts = [" ".join(sentences) for sentences in answers]
        references = [text for question in questions for text in question.references]
        rows = as_rows(self._embedder.embed([*texts, *references]))
        found, start = [], len(texts)
        for number, question in enumerate(questions):
            stop = start + len(question.references)
            found.append(float((rows[start:stop] @ rows[number]).max()) if texts[number] else 0.0)
            start = stop
        return found


def interval(gaps: Numbers) -> str:
    """The mean of paired differences with the middle 95 % of bootstrap samples."""
    draw = np.random.default_rng(20261123)
    means = sorted(gaps[draw.integers(0, len(gaps), len(gaps))].mean() for _ in range(ROUNDS))
    return f"{gaps.mean():+.3f} ({means[25]:+.3f} to {means[974]:+.3f})"


def table(questions: Sequence[Asked], judge: Judge, *, words: int | None, yardstick: str) -> Iterator[str]:
    """A line for each way, at a length in words or, for None, at that of the yardstick's answer to each question."""
    yield f"{'':24}" + "".join(f"{name:>14}" for name in COLUMNS) + f"{'rouge2, difference':>28}{'as short':>28}"
    allowed = [words or length(each.quotes[yardstick](UNLIMITED)) for each in questions]
    own = answers_of(questions, yardstick, allowed)
    base = second_of(judge, questions, own)
    for way in questions[0].quotes:
        answers = answers_of(questions, way, allowed)
        scores = [judge.rouge(each, answer) for each, answer in zip(questions, answers, strict=True)]
        row = {name: float(np.mean([each[name] for each in scores])) for name in scores[0]}
        figures = [f"{np.mean([length(answer) for answer in answers]):14.0f}"]
        figures += [f"{row[name]:14.3f}" for name in COLUMNS[1:-1]]
        figures.append(f"{np.mean(judge.similarities(questions, answers)):14.3f}" if words is None else f"{'':14}")
        as_short = [cut(each, length(answer)) for each, answer in zip(own, answers, strict=True)]
        values = second_of(judge, questions, answers)
        gaps = (interval(values - base), interval(values - second_of(judge, questions, as_short)))
        yield f"{way:24}" + "".join(figures) + "".join(f"{gap if way != yardstick else '':>28}" for gap in gaps)


def answers_of(questions: Sequence[Asked], way: str, allowed: Sequence[int]) -> list[Sentences]:
    """What one way quotes for each question, cut to what is allowed."""
    return [cut(each.quotes[way](most), most) for each, most in zip(questions, allowed, strict=True)]


def second_of(judge: Judge, questions: Sequence[Asked], answers: Sequence[Sentences]) -> Numbers:
    """ROUGE-2 F of each answer."""
    return np.array([judge.rouge(each, answer)["rouge2"] for each, answer in zip(questions, answers, strict=True)])


def report(folder: Path, place: Path, *, half: str, count: int, yardstick: str) -> Iterator[str]:
    """The tables of one set."""
    started = time.process_time()
    benchmark, references = read_benchmark(place), references_of(place)
    assembly = Assembly(Config(folder=folder.absolute())).beside(index_name(benchmark, Fields.TEXT))
    assembly.ledger(create=True)
    index_corpus(benchmark_parts(assembly), benchmark, fields=Fields.TEXT, report=lambda *_: None)
    drawn = sorted(
        (topic for topic in benchmark.topics if references[topic.id]),
        key=lambda topic: hashlib.sha256(topic.id.encode()).hexdigest(),
    )[:count]
    judge = Judge(assembly.embedder())
    for name, first in (("development", 0), ("test", 1)):
        if half not in (name, "both"):
            continue
        questions = [asked(assembly, topic, references[topic.id]) for topic in drawn[first::2]]
        for words in (None, *LENGTHS):
            yield f"\n{place.name}, {name} half, {len(questions)} questions, {words or 'as many'} words" + (
                "" if words else f" as the {yardstick} gives"
            )
            yield from table(questions, judge, words=words, yardstick=yardstick)
    assembly.close()
    yield f"{place.name}: {time.process_time() - started:.0f} CPU seconds"


def main() -> None:
    """Prints the tables of every set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--half", choices=("development", "test", "both"), default="development")
    parser.add_argument("--questions", type=int, default=260)
    parser.add_argument("--beside", choices=("writer", "choice"), default="writer")
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        parser.error(f"there is no folder {arguments.folder}")
    if arguments.questions < 2:
        parser.error("--questions takes at least 2: one for each half")
    yardstick = CHOICE if arguments.beside == "choice" else WRITER
    for place in arguments.sets:
        lines = report(arguments.folder, place, half=arguments.half, count=arguments.questions, yardstick=yardstick)
        for line in lines:
            print(line, flush=True)


if __name__ == "__main__":
    main()
