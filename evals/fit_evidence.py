"""Fits the model that tells answerable questions from others, on development questions only.

    python evals/fit_evidence.py FOLDER GOLD_FOLDER EVIDENCE.jsonl FOLDER2 QUERIES.jsonl

FOLDER is the knowledge base of the bundled documents, GOLD_FOLDER holds the gold cases and EVIDENCE.jsonl the
short questions of `evals/evidence`, of which the development halves are read; FOLDER2 is a knowledge base of the
documents of a set whose QUERIES.jsonl has `text` and `metadata` with `answerable` and `verbatim_in_kb`
(word-for-word questions are left out). The three sets, and in each both kinds of question, weigh the same.
Prints the weights for `EvidenceSignals.strength`, and by ten-fold cross-validation (ten times) AUROC and, for
several thresholds, the share of each kind answered.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # it has no stubs
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]
from sklearn.model_selection import StratifiedKFold  # type: ignore[import-untyped]

from curio_rag.adapters.gold_files import load_gold
from curio_rag.assembly import Assembly
from curio_rag.config import load_config
from curio_rag.domain.answers import Outcome
from curio_rag.domain.evals import Split
from curio_rag.pipelines.answer import EVIDENCE_HITS
from curio_rag.pipelines.retrieve import EvidenceSignals
from ranking_rows import searched

Numbers = npt.NDArray[np.float64]

NAMES = ("gold", "short", "set")


@dataclass(frozen=True)
class Row:
    """One question: its set, whether it is answerable, and its signals."""

    name: str
    answerable: bool
    signals: EvidenceSignals


def gold_questions(folder: Path) -> Iterator[tuple[str, bool]]:
    """Development cases that triage should let through, as they are searched, each with whether it is answerable."""
    for case in load_gold(sorted(folder.glob("*.jsonl"))):
        if case.split is Split.DEVELOPMENT and case.expected.outcome is not Outcome.REFERRED:
            yield searched(case), case.expected.outcome is Outcome.DRAFTED


def short_questions(path: Path, split: Split = Split.DEVELOPMENT) -> Iterator[tuple[str, bool]]:
    """The questions of one half of `evals/evidence`."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["split"] == split:
            yield row["question"], bool(row["answerable"])


def set_questions(path: Path) -> Iterator[tuple[str, bool]]:
    """The questions of a benchmark without those that stand word for word in its documents."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if not row["metadata"].get("verbatim_in_kb"):
            yield row["text"], bool(row["metadata"]["answerable"])


def rows_of(name: str, folder: str, questions: Iterator[tuple[str, bool]]) -> list[Row]:
    """The signals of each question in a knowledge base; questions with no hit at all need no model."""
    assembly = Assembly(load_config(Path(folder)))
    found = [
        Row(name, answerable, assembly.retriever().search(text, limit=EVIDENCE_HITS).signals)
        for text, answerable in questions
    ]
    assembly.close()
    without = [row for row in found if not row.signals.brevity]
    print(f"{name}: {len(found)} questions; no hit for {len(without)}, {sum(r.answerable for r in without)} answerable")
    return [row for row in found if row.signals.brevity]


def features(rows: list[Row]) -> Numbers:
    """Similarity, coverage times brevity, brevity: one row a question."""
    signals = [row.signals for row in rows]
    return np.array([[each.similarity, each.coverage * each.brevity, each.brevity] for each in signals])


def main(folder: str, gold: str, evidence: str, second: str, queries: str) -> None:
    """Prints the weights and the tables."""
    rows = rows_of("gold", folder, gold_questions(Path(gold)))
    rows += rows_of("short", folder, short_questions(Path(evidence)))
    rows += rows_of("set", second, set_questions(Path(queries)))
    kinds = np.array([2 * NAMES.index(row.name) + row.answerable for row in rows])
    answerable = np.array([row.answerable for row in rows])
    matrix = features(rows)
    scale = matrix.std(axis=0)
    weights = np.array([1 / (kinds == kind).sum() for kind in kinds]) * len(rows) / (2 * len(NAMES))
    probabilities = np.zeros(len(rows))
    for repeat in range(10):
        for fit, check in StratifiedKFold(10, shuffle=True, random_state=repeat).split(matrix, kinds):
            model = LogisticRegression().fit(matrix[fit] / scale, answerable[fit], sample_weight=weights[fit])
            probabilities[check] += model.predict_proba(matrix[check] / scale)[:, 1] / 10
    for place, name in enumerate(NAMES):
        number = 2 * place
        inside = kinds // 2 == place
        print(f"{name}: AUROC {roc_auc_score(answerable[inside], probabilities[inside]):.3f}")
        for threshold in (0.3, 0.4, 0.45, 0.5, 0.55, 0.6):
            answered, false = ((probabilities[kinds == number + kind] >= threshold).mean() for kind in (1, 0))
            print(f"  at {threshold}: {answered:.2f} of the answerable, {false:.2f} of the others")
    model = LogisticRegression().fit(matrix / scale, answerable, sample_weight=weights)
    print(
        "similarity, coverage x brevity, brevity:", np.round(model.coef_[0] / scale, 2), np.round(model.intercept_, 2)
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
