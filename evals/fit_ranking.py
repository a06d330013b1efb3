"""Fits how much each signal of a search counts, on development sets only, and writes `ranking.json`.

    python evals/fit_ranking.py FOLDER evals/gold OUT.json SET:FIELDS...

FOLDER holds the knowledge base of the gold cases, and `indexes/` for the sets (see `ranking_rows.py`). What
ships was fitted on the development gold cases, the development questions of `evals/evidence`,
bioasq-dev:text, covidqa:text, abstain-cancergov-dev:title+text, and the development half of
`evals/consumer`:title+text. The weights are found by coordinate ascent (Metzler and Croft, Information
Retrieval 10, 2007) on the mean of the sets' measures, each set counting the same; at most 400 topics of a set
are used. Stability: the fit is repeated with one set left out, which is then measured, and on bootstrap
samples of the topics.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from curio_rag.adapters.package_data import load_ranking_weights
from curio_rag.domain.ranking_weights import RankingWeights
from ranking_rows import RankedSet, sets_of

MOST_TOPICS = 400
ROUNDS = 3
SAMPLES = 10
GAIN = 2e-4
"""A change that gains less is not made, so that noise moves nothing."""

GRID: Mapping[str, Sequence[float]] = {
    "title": (0.0, 0.05, 0.1, 0.2, 0.3),
    "heading": (0.0, 0.1, 0.2, 0.25, 0.3),
    "part": (0.0, 0.15, 0.3, 0.5),
    "keyword": (0.0, 0.05, 0.1, 0.15, 0.2, 0.3),
    "coverage": (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4),
    "phrase": (0.0, 0.05, 0.1, 0.15),
    "telling_terms": (6.0, 8.0, 10.0, 12.0, 1000.0),
    "section": (0.0, 0.02, 0.04, 0.06),
    "off_subject": (0.0, 0.02, 0.04, 0.08),
    "sentence": (0.0, 0.05, 0.1, 0.15, 0.2, 0.3),
}
START = RankingWeights(
    text=0.7,
    title=0.1,
    heading=0.2,
    part=0.15,
    dense=0.6,
    keyword=0.1,
    coverage=0.2,
    phrase=0.05,
    telling_terms=10.0,
    section=0.02,
    off_subject=0.02,
    sentence=0.2,
)

Chosen = Mapping[str, Sequence[int]]


def value(sets: Sequence[RankedSet], weights: RankingWeights, chosen: Chosen) -> float:
    """The mean of the sets' measures."""
    return float(np.mean([each.scores(weights, chosen[each.name]).mean() for each in sets]))


def fit(sets: Sequence[RankedSet], chosen: Chosen) -> RankingWeights:
    """One coordinate after the other, until nothing gains; `text` and `dense` stay, for only ratios matter."""
    weights, best = START, value(sets, START, chosen)
    for _ in range(ROUNDS):
        before = weights
        for name, steps in GRID.items():
            for step in steps:
                changed = replace(weights, **{name: step})
                reached = value(sets, changed, chosen)
                if reached > best + GAIN:
                    weights, best = changed, reached
        if weights == before:
            break
    return weights


def measured(sets: Sequence[RankedSet], weights: RankingWeights) -> str:
    """One figure for each set, over all of its topics."""
    return ", ".join(f"{each.name} {each.measure} {each.scores(weights).mean():.4f}" for each in sets)


def main(folder: str, gold: str, out: str, *places: str) -> None:
    """Fits, prints the tables, and writes the file."""
    sets = list(sets_of(Path(folder), Path(gold), places))
    draw = np.random.default_rng(20261123)
    chosen = {each.name: draw.permutation(len(each.rows))[:MOST_TOPICS].tolist() for each in sets}
    print("shipped until now:", measured(sets, load_ranking_weights()), flush=True)
    weights = fit(sets, chosen)
    print("fitted:", asdict(weights), "\n ", measured(sets, weights), flush=True)
    for left_out in sets:
        others = [each for each in sets if each is not left_out]
        print(f"without {left_out.name}:", measured([left_out], fit(others, chosen)), flush=True)
    fits = []
    for _ in range(SAMPLES):
        fits.append(fit(sets, {name: draw.choice(rows, len(rows)).tolist() for name, rows in chosen.items()}))
    spread = {name: sorted(getattr(each, name) for each in fits) for name in GRID}
    for name, values in spread.items():
        print(f"{name}: {getattr(weights, name)}, on bootstrap samples {values[0]} to {values[-1]}, median {values[5]}")
    for each in sets:
        reached = [each.scores(one).mean() for one in fits]
        print(f"{each.name} with the weights of the samples: {min(reached):.4f} to {max(reached):.4f}")
    provenance = {
        "script": "evals/fit_ranking.py",
        "sets": {each.name: {"measure": each.measure, "topics": len(chosen[each.name])} for each in sets},
        "bootstrap": {name: [values[0], values[-1]] for name, values in spread.items()},
    }
    Path(out).write_text(json.dumps({"provenance": provenance, "weights": asdict(weights)}, indent=2) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
