"""Retrieval benchmarks: a corpus, topics, and graded judgements of which entries bear on which topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class Fields(StrEnum):
    """What of an entry is indexed; without titles, synonyms are left out too."""

    TEXT = "text"
    TITLE_AND_TEXT = "title+text"


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkEntry:
    """One entry of the corpus, its id as it stands in the file."""

    id: str
    title: str
    text: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One question.

    `answerable` is None where the set does not say, `tier` the kind of question that it names,
    `verbatim` whether the question stands word for word in the corpus, and `answers` the texts of
    exact answers that stand in the judged entries.
    """

    id: str
    text: str
    answerable: bool | None = None
    tier: str = ""
    verbatim: bool = False
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A set: `judgements` gives the grade of each judged entry for each topic; `digest` is that of the corpus file."""

    name: str
    digest: str
    entries: tuple[BenchmarkEntry, ...]
    topics: tuple[Topic, ...]
    judgements: Mapping[str, Mapping[str, int]]

    def first(self, count: int | None) -> Benchmark:
        """The set with its first topics and their judgements only; all of it for None."""
        topics = self.topics[:count]
        return replace(
            self,
            topics=topics,
            judgements={topic.id: self.judgements[topic.id] for topic in topics if topic.id in self.judgements},
        )
