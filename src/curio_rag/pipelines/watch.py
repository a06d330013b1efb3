"""Watches one answer being made: what the first search found, and the time that each stage took."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

from curio_rag.domain.answers import AnswerLength, Draft, Evidence
from curio_rag.domain.eval_reports import StageTime
from curio_rag.domain.questions import Triage
from curio_rag.pipelines.answer import AnswerParts
from curio_rag.pipelines.retrieve import Findings, Retriever
from curio_rag.ports import TriageRules, Writer

REST = "claim gate and rest"
TOTAL = "total"


class Watch:
    """What was seen of one answer."""

    def __init__(self) -> None:
        self.findings: Findings | None = None
        self._seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Adds the time of a block to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[stage] += time.perf_counter() - started

    @property
    def times(self) -> tuple[StageTime, ...]:
        """The milliseconds of each stage, then what is left of the total, then the total."""
        stages = {name: seconds for name, seconds in self._seconds.items() if name != TOTAL}
        total = self._seconds[TOTAL]
        every = {**stages, REST: max(0.0, total - sum(stages.values())), TOTAL: total}
        return tuple(StageTime(stage=name, milliseconds=round(1000 * each, 3)) for name, each in every.items())

    def over(self, parts: AnswerParts) -> AnswerParts:
        """The same parts, watched."""
        return replace(
            parts,
            triage=_WatchedTriage(parts.triage, self),
            retriever=lambda: _watched(parts.retriever(), self),
            writer=lambda: _WatchedWriter(parts.writer(), self),
            standby=lambda: _WatchedWriter(parts.standby(), self),
        )


class _WatchedTriage:
    def __init__(self, rules: TriageRules, watch: Watch) -> None:
        self._rules = rules
        self._watch = watch

    def assess(self, text: str) -> Triage:
        with self._watch.timing("triage"):
            return self._rules.assess(text)

    def reminder(self, text: str) -> str:
        with self._watch.timing("triage"):
            return self._rules.reminder(text)


class _WatchedWriter:
    def __init__(self, writer: Writer, watch: Watch) -> None:
        self._writer = writer
        self._watch = watch

    @property
    def name(self) -> str:
        return self._writer.name

    def write(self, question: str, evidence: Sequence[Evidence], *, length: AnswerLength) -> Draft:
        with self._watch.timing("writing"):
            return self._writer.write(question, evidence, length=length)


@dataclass(frozen=True, slots=True, kw_only=True)
class _WatchedRetriever(Retriever):
    watch: Watch

    def search(self, query: str, *, limit: int) -> Findings:
        with self.watch.timing("search"):
            findings = Retriever.search(self, query, limit=limit)
        if self.watch.findings is None:
            self.watch.findings = findings
        return findings


def _watched(retriever: Retriever, watch: Watch) -> Retriever:
    made_of: dict[str, Any] = {each.name: getattr(retriever, each.name) for each in fields(Retriever)}
    return _WatchedRetriever(**made_of, watch=watch)
