"""Sets the strength of evidence below which no answer is written, on questions that are known to be answerable or not.

    python evals/abstention_threshold.py FOLDER QUERIES.jsonl

FOLDER is a knowledge base that holds the documents of the set (`curio -C FOLDER ingest ...`); each line
of QUERIES.jsonl has `text` and `metadata` with `answerable`, `tier` and `verbatim_in_kb`. Questions that
stand word for word in the documents are left out. Prints AUROC by tier with its bootstrap 95 % interval,
and for several answer rates the threshold and the share of unanswerable questions that would be answered.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from curio_rag.knowledge_base import KnowledgeBase

RATES = (0.99, 0.975, 0.95, 0.9)


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that an answerable question scores above an unanswerable one; ties count half."""
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


def interval(positive: Sequence[float], negative: Sequence[float], *, rounds: int = 1000) -> tuple[float, float]:
    """The 95 % percentile interval of the AUROC over resampled questions."""
    chance = random.Random(7)
    values = sorted(
        auroc(chance.choices(positive, k=len(positive)), chance.choices(negative, k=len(negative)))
        for _ in range(rounds)
    )
    return values[int(0.025 * rounds)], values[int(0.975 * rounds)]


def main(folder: str, queries: str) -> None:
    """Prints the table."""
    strengths: dict[str, list[float]] = {}
    with KnowledgeBase.open(folder) as base:
        for line in Path(queries).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            about = row["metadata"]
            if about.get("verbatim_in_kb"):
                continue
            tier = "answerable" if about["answerable"] else about["tier"]
            strengths.setdefault(tier, []).append(base.evidence_strength(row["text"]))
    answerable = sorted(strengths.pop("answerable"))
    print(f"{len(answerable)} answerable questions")
    for tier, values in sorted(strengths.items()):
        low, high = interval(answerable, values)
        print(f"{tier:20} {len(values):4}  AUROC {auroc(answerable, values):.3f} [{low:.3f}, {high:.3f}]")
    for rate in RATES:
        threshold = answerable[int(round((1 - rate) * len(answerable)))]
        false = {tier: sum(value >= threshold for value in values) / len(values) for tier, values in strengths.items()}
        shown = "  ".join(f"{tier} {share:.3f}" for tier, share in sorted(false.items()))
        print(f"answering {rate:.3f}: threshold {threshold:.3f}; answered anyway: {shown}")


if __name__ == "__main__":
    main(*sys.argv[1:])
