"""How well follow-up questions are resolved: the expected document among the first five hits, with and without.

    python evals/follow_up_report.py FOLDER FOLLOW_UPS.jsonl development|test [--each] [GOLD_FOLDER]

FOLDER holds curio.toml and the index. For each kind of follow-up: the share of questions of which an expected
document is among the first five hits, and the mean reciprocal rank (MRR@5) of the first one, when the question is
searched as it stands and when it is resolved from the thread. `--each` prints each question with what was carried into
it (development only). With GOLD_FOLDER the gold cases of the half that have a thread are counted too, by whether a
gold quote stands whole in one of the first five passages.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curio_rag.adapters.gold_files import load_gold
from curio_rag.assembly import Assembly
from curio_rag.config import load_config
from curio_rag.domain.questions import Turn
from curio_rag.domain.sources import Hit

BEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpCase:
    """One question in a thread, and the documents of which one should be found."""

    id: str
    kind: str
    previous: tuple[str, ...]
    question: str
    documents: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The rank of the first expected hit (None beyond five) without and with the resolution."""

    kind: str
    plain: int | None
    resolved: int | None


def read_cases(path: Path, split: str) -> list[FollowUpCase]:
    """The cases of one half."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        FollowUpCase(
            id=line["id"],
            kind=line["kind"],
            previous=tuple(line["previous"]),
            question=line["question"],
            documents=frozenset(line["documents"]),
        )
        for line in lines
        if line["split"] == split
    ]


def rank(hits: Sequence[Hit], documents: frozenset[str]) -> int | None:
    """The rank, from 1, of the first hit in one of the documents."""
    ranks = (number for number, hit in enumerate(hits, start=1) if hit.passage.document_id in documents)
    return next(ranks, None)


def measure(assembly: Assembly, cases: Sequence[FollowUpCase], *, each: bool) -> list[Found]:
    """Searches every question as it stands and resolved."""
    found: list[Found] = []
    for case in cases:
        resolution = assembly.follow_ups().resolve(case.question, [Turn(question=text) for text in case.previous])
        ranks = [
            rank(assembly.retriever().search(text, limit=BEST).hits, case.documents)
            for text in (case.question, resolution.text)
        ]
        found.append(Found(kind=case.kind, plain=ranks[0], resolved=ranks[1]))
        if each:
            print(f"{ranks[0] or '-'} -> {ranks[1] or '-'}  {case.previous[-1]} / {case.question} => {resolution.text}")
    return found


def print_table(found: Sequence[Found]) -> None:
    """A line for each kind, and one for all."""
    print("kind        questions  found as it stands (MRR@5)  found resolved (MRR@5)")
    for kind in (*dict.fromkeys(each.kind for each in found), "all"):
        chosen = [each for each in found if kind in (each.kind, "all")]
        columns = []
        for ranks in ([each.plain for each in chosen], [each.resolved for each in chosen]):
            share = sum(each is not None for each in ranks) / len(ranks)
            mean = sum(1 / each for each in ranks if each) / len(ranks)
            columns.append(f"{share:.2f} ({mean:.2f})")
        print(f"{kind:10}  {len(chosen):9}  {columns[0]:>26}  {columns[1]:>22}")


def report_gold(assembly: Assembly, gold: Path, split: str, *, each: bool) -> None:
    """One line: in how many of the gold cases with a thread a gold quote is among the first five passages."""
    cases = [case for case in load_gold(sorted(gold.glob("*.jsonl"))) if case.previous and case.split.value == split]
    counts = [0, 0]
    for case in cases:
        resolution = assembly.follow_ups().resolve(case.question, [Turn(question=text) for text in case.previous])
        for place, text in enumerate((case.question, resolution.text)):
            hits = assembly.retriever().search(text, limit=BEST).hits
            texts = [(hit.passage.document_id, " ".join(hit.passage.text.split())) for hit in hits]
            counts[place] += any(
                name == wanted.document_id and " ".join(wanted.quote.split()) in passage
                for wanted in case.evidence
                for name, passage in texts
            )
        if each:
            print(f"{case.id}: {case.question} => {resolution.text}")
    print(f"gold threads: {len(cases)}; a gold quote in the first five: {counts[0]} as it stands, {counts[1]} resolved")


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--each"]
    folder, path, half = Path(arguments[0]), Path(arguments[1]), arguments[2]
    show = "--each" in sys.argv and half == "development"
    parts = Assembly(load_config(folder))
    print_table(measure(parts, read_cases(path, half), each=show))
    if len(arguments) > 3:
        report_gold(parts, Path(arguments[3]), half, each=show)
    parts.close()
