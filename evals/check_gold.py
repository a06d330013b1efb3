"""Proves the gold cases against the documents: `python evals/check_gold.py [KNOWLEDGE_DIR] [GOLD_DIR]`.

Prints each problem as `file:line: message` and a table of what the cases cover; exit 1 when there is a
problem. The folders are `knowledge/` and `evals/gold/` of this repository where none are given.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from curio_rag.adapters.emergency_card import load_emergency_card
from curio_rag.adapters.folder import FolderSource
from curio_rag.adapters.gold_files import read_gold
from curio_rag.domain.sources import Document
from curio_rag.errors import CurioError
from curio_rag.pipelines.gold import GoldCoverage, check_gold, gold_coverage

ROOT = Path(__file__).resolve().parent.parent


def read_documents(folder: Path) -> tuple[Document, ...]:
    """The documents of a folder. Raises `UnreadableDocument` for the first that cannot be read."""
    source = FolderSource()
    return tuple(source.read(source.load(file)) for file in source.list([folder]) if file.skip is None)


def fixed_texts() -> tuple[str, ...]:
    """What the emergency card says where no country is set and in each country."""
    card = load_emergency_card()
    countries = (None, *(lines.code for lines in card.countries))
    return tuple(
        text
        for country in countries
        for text in (
            *(card.advice(words.group, country=country) for words in card.groups),
            card.call_team_line(country=country),
            card.minor_line(country=country),
        )
    )


def print_coverage(coverage: GoldCoverage) -> None:
    """The counts, one block for each way of looking at the cases."""
    print(f"{coverage.cases} cases, {coverage.clinician_confirmed} confirmed by a clinician")
    _print_counts("kind", coverage.kinds)
    _print_counts("split", coverage.splits)
    _print_counts("wording", coverage.wordings)
    _print_counts("topic", coverage.topics)
    _print_counts("type", coverage.types)
    _print_counts("feature", coverage.features)
    _print_counts("document, by questions that it is evidence for", coverage.documents)


def _print_counts(title: str, counts: Iterable[tuple[str, int]]) -> None:
    print(f"\n{title}")
    for name, count in counts:
        print(f"  {count:4}  {name}")


def main(arguments: Sequence[str]) -> int:
    """Print problems and coverage; 1 when there is a problem, 2 when something cannot be read."""
    if len(arguments) > 2 or any(argument.startswith("-") for argument in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    knowledge = Path(arguments[0]) if arguments else ROOT / "knowledge"
    gold = Path(arguments[1]) if len(arguments) > 1 else ROOT / "evals" / "gold"
    try:
        documents = read_documents(knowledge)
        reading = read_gold([gold])
    except CurioError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    problems = (*reading.problems, *check_gold(reading.cases, documents, fixed_texts=fixed_texts()))
    for problem in problems:
        print(problem)
    print_coverage(gold_coverage(reading.cases, documents))
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
