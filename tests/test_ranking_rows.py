"""The script that fits the ranking makes the scores that the search makes, or its fit would be of something else."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from curio_rag.adapters.package_data import load_ranking_weights
from curio_rag.assembly import Assembly
from curio_rag.knowledge_base import KnowledgeBase

EVALS = Path(__file__).parent.parent / "evals"


@pytest.mark.parametrize(
    "question",
    [
        "What is CAR-T therapy?",
        "how long must i stay near the hospital after tecartus in the uk",
        "My sister has leukemia. Which infections can happen after CAR-T, and when do vaccines start again?",
    ],
)
def test_the_totals_are_those_of_the_search(
    bundled: KnowledgeBase, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Score by score, for all that the search returns of one question."""
    pytest.importorskip("ir_measures", reason="the extra `eval` is not installed")
    monkeypatch.syspath_prepend(str(EVALS))
    import ranking_rows

    assembly = Assembly(bundled.config)
    try:
        retriever = assembly.retriever()
        row, hits = ranking_rows._row(retriever, question, {})
        totals = ranking_rows.total(row, load_ranking_weights())
        by_passage = {hit.passage.id: total for hit, total in zip(hits, totals.tolist(), strict=True)}
        found = retriever.search(question, limit=30).hits
    finally:
        assembly.close()
        sys.modules.pop("ranking_rows", None)
    assert len(found) == 30
    np.testing.assert_allclose([by_passage[hit.passage.id] for hit in found], [hit.score for hit in found], atol=1e-6)
