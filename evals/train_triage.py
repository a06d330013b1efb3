"""Trains the classifier of triage: `python evals/train_triage.py SAFETY_DIR`.

Reads the development halves of the safety sets in SAFETY_DIR, our own development texts, the older paraphrases
and the development questions of the gold cases, and writes `data/triage_model.npz` and `.json`. The same data
give the same bytes. `evals/triage_report.py` judges it by cross-validation with the same functions.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse  # type: ignore[import-untyped]  # it has no stubs
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # it has no stubs

from curio_rag.adapters.danger_classifier import BUCKETS, DESCRIPTION, WEIGHTS, DangerModel, letter_buckets
from curio_rag.adapters.minilm import FINGERPRINT, MiniLmEmbedder
from curio_rag.domain.danger import Thresholds
from curio_rag.pipelines.triage_text import plain
from curio_rag.pipelines.triage_windows import windows
from curio_rag.ports import Embedder
from triage_texts import HERE, LONG, SAFETY_SETS, UNKNOWN, Row, development_rows

Floats = npt.NDArray[np.float32]

INVERSE_PENALTY = 10.0
"""Inverse strength of the L2 penalty; 30 found as many and raised more alarms on long gold questions."""

GROUP_INVERSE_PENALTY = 10.0

THRESHOLDS = Thresholds(emergency=0.0, part=1.5, suicide=0.7, sure=1.5, doubt=-3.0)
"""Chosen on the cross-validated scores of the development texts."""


def trainable(row: Row) -> bool:
    """Neither long messages, most of whose words are harmless, nor languages that the embedder does not know."""
    return row.variant not in LONG and row.language == "en"


def vectors_of(rows: Sequence[Row], embedder: Embedder) -> Floats:
    """One sentence vector for each text as the classifier will see it."""
    raw = b"".join(embedder.embed([shown(row.text) for row in rows]))
    return np.frombuffer(raw, dtype="<f4").reshape(len(rows), -1)


def shown(text: str) -> str:
    """A text as a window: plain, with single spaces."""
    return " ".join(plain(text).split())


def letters_of(rows: Sequence[Row]) -> sparse.csr_matrix:
    """The letter features: each bucket once, divided by the root of their number."""
    starts, indices, values = [0], list[int](), list[float]()
    for row in rows:
        buckets = letter_buckets(shown(row.text))
        indices.extend(buckets)
        values.extend([len(buckets) ** -0.5] * len(buckets))
        starts.append(len(indices))
    return sparse.csr_matrix((values, indices, starts), shape=(len(rows), BUCKETS))


def with_windows(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows, each harmless one followed by its windows: where nothing is wrong, no part of the text is an alarm."""
    return tuple(
        each
        for row in rows
        for each in (
            row,
            *(
                replace(row, text=window)
                for window in windows(plain(row.text))
                if not row.emergency and window != shown(row.text)
            ),
        )
    )


def train(rows: Sequence[Row], vectors: Floats, letters: sparse.csr_matrix) -> DangerModel:
    """The model learnt from these rows; `vectors` and `letters` are theirs, in order."""
    emergency = np.array([row.emergency for row in rows])
    features = sparse.hstack([sparse.csr_matrix(vectors), letters]).tocsr()
    fit = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000).fit(features, emergency)
    weights = fit.coef_[0].astype(np.float16).astype(np.float32)
    groups = np.array([row.group for row in rows])
    by_group = LogisticRegression(C=GROUP_INVERSE_PENALTY, max_iter=1000, class_weight="balanced")
    grouped = emergency & (groups != UNKNOWN)
    by_group.fit(vectors[grouped], groups[grouped])
    return DangerModel(
        vector=weights[: vectors.shape[1]],
        letters=weights[vectors.shape[1] :],
        bias=float(fit.intercept_[0]),
        group_vector=by_group.coef_.T.astype(np.float16).astype(np.float32),
        group_bias=by_group.intercept_.astype(np.float32),
        groups=tuple(str(group) for group in by_group.classes_),
        thresholds=THRESHOLDS,
    )


def write(model: DangerModel, rows: Sequence[Row], safety: Path) -> None:
    """The two files of the package, with the digests of everything that was read."""
    buffer = io.BytesIO()
    np.savez(
        buffer,
        vector=model.vector.astype(np.float16),
        letters=model.letters.astype(np.float16),
        bias=np.float64(model.bias),
        group_vector=model.group_vector.astype(np.float16),
        group_bias=model.group_bias,
    )
    data = HERE.parent / "src" / "curio_rag" / "data"
    (data / WEIGHTS).write_bytes(buffer.getvalue())
    sources = [
        *(safety / f"{name}.dev.jsonl" for name in SAFETY_SETS),
        *sorted((HERE / "triage").glob("own.development*.jsonl")),
        *sorted((HERE / "triage").glob("paraphrases*.jsonl")),
        *sorted((HERE / "gold").glob("*.jsonl")),
    ]
    description = {
        "what": "Log odds that a text tells of an emergency, and the group of the emergency card that it resembles.",
        "made_by": "evals/train_triage.py",
        "embedder": FINGERPRINT.model,
        "embedder_revision": FINGERPRINT.revision,
        "weights_sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "groups": list(model.groups),
        "thresholds": asdict(model.thresholds),
        "rows": len(rows),
        "emergencies": sum(row.emergency for row in rows),
        "learnt_from": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sources},
        "of_gold": "the questions of the development split only",
        "licences": {
            "own texts, paraphrases, gold, redflag_authored, policy_authored": "this project's",
            "redflag_healthbench": "MIT (HealthBench)",
            "triage_semigran": "MIT (repository); vignettes of BMJ 2015;351:h3480",
            "falsealarm_medquad": "CC BY 4.0 (MedQuAD)",
        },
        "status": "no label was confirmed by a clinician except where the source says so",
    }
    (data / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Trains on everything and writes the model; 2 when the folder is not given."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    safety = Path(arguments[0])
    rows = with_windows(row for row in development_rows(safety) if trainable(row))
    model = train(rows, vectors_of(rows, MiniLmEmbedder(cache=None)), letters_of(rows))
    write(model, rows, safety)
    print(f"learnt from {len(rows)} texts, {sum(row.emergency for row in rows)} of them emergencies")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
