"""How well contradictions between sentences are told: precision and recall on one half of the frozen pairs.

    python evals/conflicts_report.py CONFLICTS.jsonl development|test [--each]

`--each` prints the pairs that are judged wrongly (development only).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from curio_rag.adapters.package_data import load_question_types
from curio_rag.adapters.sentences import sentence_spans
from curio_rag.domain.sources import Passage, Span
from curio_rag.pipelines.conflicts import ConflictFinder, Statement


def statement_of(finder: ConflictFinder, side: Mapping[str, object], *, document_id: str) -> Statement | None:
    """One side of a pair, as if it were a passage of its own."""
    text = str(side["text"])
    span = Span(start=0, end=len(text))
    products = side["products"]
    assert isinstance(products, list)
    passage = Passage(
        document_id=document_id,
        document_digest="",
        span=span,
        text=text,
        title=str(side["title"]),
        heading_path=(str(side["heading"]),),
        jurisdiction=str(side["jurisdiction"]) if side["jurisdiction"] else None,
        products=tuple(products),
        population=str(side["population"]) if side["population"] else None,
    )
    return finder.statement(text, passage, at=span)


def main(path: Path, split: str, *, each: bool) -> None:
    """One table of four counts, precision and recall."""
    finder = ConflictFinder(types=load_question_types(), split=sentence_spans)
    counts = {(truth, found): 0 for truth in (True, False) for found in (True, False)}
    for line in path.read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        if pair["split"] != split:
            continue
        first, second = (statement_of(finder, pair[side], document_id=side) for side in ("first", "second"))
        found = first is not None and second is not None and finder.between(first, second) is not None
        counts[pair["conflict"], found] += 1
        if each and found is not pair["conflict"]:
            print(f"{pair['kind']}: {pair['first']['text']} / {pair['second']['text']}")
    right, missed = counts[True, True], counts[True, False]
    wrong, left = counts[False, True], counts[False, False]
    print(f"{split}: {right} found, {missed} missed, {wrong} wrongly, {left} rightly left")
    print(f"precision {right / (right + wrong or 1):.2f}, recall {right / (right + missed or 1):.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], each="--each" in sys.argv and sys.argv[2] == "development")
