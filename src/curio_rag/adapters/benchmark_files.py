"""Reads a benchmark in BEIR style, strictly: every fault is named with its file and line.

DIR/corpus.jsonl      _id, text, and where there are any title and metadata (synonyms)
DIR/queries.jsonl     _id, text, and where there is any metadata (answerable, tier, verbatim_in_kb, answers)
DIR/qrels/test.tsv    a header, then query id, entry id and grade, apart by tabs
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from curio_rag.domain.benchmarks import Benchmark, BenchmarkEntry, Topic
from curio_rag.domain.digests import digest_bytes
from curio_rag.errors import EvalError

CORPUS, QUERIES, JUDGEMENTS = "corpus.jsonl", "queries.jsonl", "qrels/test.tsv"
MOST_FAULTS = 20
HIGHEST_GRADE = 100
"""The gain of a grade grows as a power of two."""

_HINT = "Correct these lines; nothing was indexed."


class _Line(msgspec.Struct, frozen=True):
    """What a line of the corpus and of the queries have in common."""

    id: str = msgspec.field(name="_id")
    text: str
    title: str | None = None
    metadata: dict[str, object] | None = None


Item = TypeVar("Item", BenchmarkEntry, Topic)


class _Faults:
    """Gathers what is wrong, so that one run names it all."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def add(self, file: str, line: int, what: str) -> None:
        self._found.append(f"{file}:{line}: {what}")

    def raise_if_any(self) -> None:
        if self._found:
            more = len(self._found) - MOST_FAULTS
            shown = [*self._found[:MOST_FAULTS], *([f"... and {more} more"] if more > 0 else [])]
            raise EvalError("\n".join(shown) + ".", hint=_HINT)


def read_benchmark(folder: Path) -> Benchmark:
    """The set in a folder. Raises `EvalError` that names file and line of what is wrong with it.

    Faults are: a file that is missing, empty or not UTF-8; a line that is not JSON or lacks a key; an id
    that stands twice; a judgement of a query or an entry that does not exist, or that contradicts
    another; and a query without a judgement whose metadata does not call it unanswerable.
    """
    corpus = _content(folder, CORPUS)
    faults = _Faults()
    entries = {entry.id: entry for _, entry in _unique(CORPUS, _entries(corpus, faults), faults)}
    asked = list(_unique(QUERIES, _topics(_content(folder, QUERIES), faults), faults))
    topics = {topic.id: topic for _, topic in asked}
    faults.raise_if_any()
    if not entries:
        raise EvalError(f"{folder / CORPUS} is empty.", hint="A corpus has one JSON object on each line.")
    if not topics:
        raise EvalError(f"{folder / QUERIES} is empty.", hint="A set has one JSON object on each line for each query.")
    judgements = _judgements(_content(folder, JUDGEMENTS), topics, entries, faults)
    for number, topic in asked:
        if topic.id not in judgements and topic.answerable is not False:
            what = f"the query {topic.id!r} has no judgement in {JUDGEMENTS}, and is not marked as unanswerable"
            faults.add(QUERIES, number, what)
    faults.raise_if_any()
    return Benchmark(
        name=folder.absolute().name,
        digest=digest_bytes(corpus),
        entries=tuple(entries.values()),
        topics=tuple(topics.values()),
        judgements=judgements,
    )


def _content(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise EvalError(
            f"{folder / name} cannot be read: {error.strerror or error}.",
            hint=f"A set has {CORPUS}, {QUERIES} and {JUDGEMENTS}.",
        ) from error


def _lines(file: str, content: bytes, faults: _Faults) -> Iterator[tuple[int, _Line]]:
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            value = msgspec.json.decode(line, type=_Line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            faults.add(file, number, f"{str(error) or type(error).__name__}; write one object on one line")
            continue
        if not value.id or any(sign in value.id for sign in "\t\r\n"):
            faults.add(file, number, f"the id {value.id!r} is empty or holds a tab or a line break")
            continue
        yield number, value


def _entries(content: bytes, faults: _Faults) -> Iterator[tuple[int, BenchmarkEntry]]:
    for number, line in _lines(CORPUS, content, faults):
        named = (line.metadata or {}).get("synonyms")
        synonyms = (named,) if isinstance(named, str) else named if isinstance(named, list | tuple) else ()
        if not all(isinstance(each, str) for each in synonyms):
            faults.add(CORPUS, number, "metadata.synonyms is not a list of texts")
            continue
        yield (
            number,
            BenchmarkEntry(
                id=line.id,
                title=" ".join((line.title or "").split()),
                text=line.text,
                synonyms=tuple(each for each in synonyms if isinstance(each, str) and each.strip()),
            ),
        )


def _topics(content: bytes, faults: _Faults) -> Iterator[tuple[int, Topic]]:
    for number, line in _lines(QUERIES, content, faults):
        if not line.text.strip():
            faults.add(QUERIES, number, f"the query {line.id!r} has no text")
            continue
        metadata = line.metadata or {}
        answerable, tier = metadata.get("answerable"), metadata.get("tier")
        yield (
            number,
            Topic(
                id=line.id,
                text=line.text,
                answerable=answerable if isinstance(answerable, bool) else None,
                tier=tier if isinstance(tier, str) else "",
                verbatim=metadata.get("verbatim_in_kb") is True,
                answers=tuple(_answers(metadata.get("answers"))),
            ),
        )


def _answers(value: object) -> Iterator[str]:
    """The texts of exact answers; other sets use the key for other things, which are left alone."""
    for each in value if isinstance(value, list | tuple) else ():
        text = each.get("text") if isinstance(each, dict) else None
        if isinstance(text, str) and text.strip():
            yield text


def _unique(file: str, items: Iterator[tuple[int, Item]], faults: _Faults) -> Iterator[tuple[int, Item]]:
    seen: dict[str, int] = {}
    for number, item in items:
        first = seen.setdefault(item.id, number)
        if first != number:
            faults.add(file, number, f"the id {item.id!r} stands already in line {first}")
        else:
            yield number, item


def _judgements(
    content: bytes, topics: Mapping[str, Topic], entries: Mapping[str, BenchmarkEntry], faults: _Faults
) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        fields = line.decode("utf-8", "replace").rstrip("\r").split("\t")
        if len(fields) != 3:
            faults.add(JUDGEMENTS, number, f"{len(fields)} fields instead of query id, entry id and grade")
            continue
        topic_id, entry_id, text = fields
        grade = _grade(text)
        if number == 1:
            if grade is not None:
                faults.add(JUDGEMENTS, number, "the first line is a judgement; put a header before it")
            continue
        if grade is None:
            faults.add(JUDGEMENTS, number, f"the grade {text[:20]!r} is not a whole number up to {HIGHEST_GRADE}")
        elif topic_id not in topics:
            faults.add(JUDGEMENTS, number, f"there is no query {topic_id!r} in {QUERIES}")
        elif entry_id not in entries:
            faults.add(JUDGEMENTS, number, f"there is no entry {entry_id!r} in {CORPUS}")
        elif found.setdefault(topic_id, {}).setdefault(entry_id, grade) != grade:
            faults.add(JUDGEMENTS, number, f"{entry_id!r} has two grades for the query {topic_id!r}")
    return found


def _grade(text: str) -> int | None:
    try:
        grade = int(text)
    except ValueError:
        return None
    return grade if abs(grade) <= HIGHEST_GRADE else None
