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
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse  # type: ignore[import-untyped]  # it has no stubs
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # it has no stubs
from sklearn.svm import SVC  # type: ignore[import-untyped]  # it has no stubs

from curio_rag.adapters.danger_classifier import (
    DESCRIPTION,
    LETTER_BUCKETS,
    PHRASE_BUCKETS,
    QUANTUM,
    WEIGHTS,
    DangerModel,
    WordWeights,
    letter_buckets,
    phrase_buckets,
)
from curio_rag.adapters.minilm import FINGERPRINT, MiniLmEmbedder
from curio_rag.domain.danger import Thresholds
from curio_rag.pipelines.triage_text import plain
from curio_rag.pipelines.triage_windows import windows
from curio_rag.ports import Embedder
from triage_texts import HERE, LONG, SAFETY_SETS, UNKNOWN, Row, development_rows

Floats = npt.NDArray[np.float32]

REACH, PENALTY = 3.0, 3.0
"""Width of the Gaussian between sentence vectors, and the penalty of the support vector machine."""

LETTERS, PHRASES = 0.2, 1.5
"""Shares of letter sequences and phrases in its kernel. Of 16 settings, compared by cross-validation, these found most
at 5 % false alarms: 90 %, where the logistic regression before it found 80 %."""

GROUP_INVERSE_PENALTY = DECISION_INVERSE_PENALTY = 10.0

THRESHOLDS = Thresholds(emergency=0.0, part=0.5, suicide=0.25, sure=0.6, doubt=-1.1, decision=0.4)
"""Chosen on the cross-validated scores of the development texts."""

DECISIONS = ("dosing_change", "diagnosis_request", "treatment_choice")


@dataclass(frozen=True, slots=True)
class Features:
    """What the classifier sees of some texts, a row for each."""

    vectors: Floats
    letters: sparse.csr_matrix
    phrases: sparse.csr_matrix

    def of(self, chosen: npt.NDArray[np.bool_]) -> Features:
        """Those of some of the texts."""
        return Features(self.vectors[chosen], self.letters[chosen], self.phrases[chosen])


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


def features_of(rows: Sequence[Row], embedder: Embedder) -> Features:
    """All features of the texts, in order."""
    return Features(
        vectors_of(rows, embedder),
        _buckets_of(rows, letter_buckets, LETTER_BUCKETS),
        _buckets_of(rows, phrase_buckets, PHRASE_BUCKETS),
    )


def _buckets_of(rows: Sequence[Row], buckets_of: Callable[[str], tuple[int, ...]], number: int) -> sparse.csr_matrix:
    """Each bucket once, divided by the root of their number."""
    starts, indices, values = [0], list[int](), list[float]()
    for row in rows:
        buckets = buckets_of(shown(row.text))
        indices.extend(buckets)
        values.extend([len(buckets) ** -0.5] * len(buckets))
        starts.append(len(indices))
    return sparse.csr_matrix((values, indices, starts), shape=(len(rows), number))


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


def train(rows: Sequence[Row], features: Features) -> DangerModel:
    """The model learnt from these rows; `features` are theirs, in order."""
    emergency = np.array([row.emergency for row in rows])
    machine = SVC(C=PENALTY, kernel="precomputed").fit(_kernel(features), emergency)
    used, weights = machine.support_, machine.dual_coef_[0]
    groups = np.array([row.group for row in rows])
    by_group = LogisticRegression(C=GROUP_INVERSE_PENALTY, max_iter=1000, class_weight="balanced")
    grouped = emergency & (groups != UNKNOWN)
    by_group.fit(features.vectors[grouped], groups[grouped])
    decision_weights, decision_bias = _decisions(rows, features)
    dimensions = features.vectors.shape[1]
    return DangerModel(
        examples=np.rint(features.vectors[used] * QUANTUM).astype(np.float32) / QUANTUM,
        example_weights=weights.astype(np.float32),
        reach=REACH,
        words=WordWeights(
            letters=_half(LETTERS * (features.letters[used].T @ weights)[:, None]),
            phrases=_half(PHRASES * (features.phrases[used].T @ weights)[:, None]),
        ),
        bias=float(machine.intercept_[0]),
        group_vector=_half(by_group.coef_.T),
        group_bias=by_group.intercept_.astype(np.float32),
        groups=tuple(str(group) for group in by_group.classes_),
        decision_vector=_half(decision_weights[:dimensions]),
        decision_words=WordWeights(
            letters=_half(decision_weights[dimensions : dimensions + LETTER_BUCKETS] * LETTERS),
            phrases=_half(decision_weights[dimensions + LETTER_BUCKETS :]),
        ),
        decision_bias=decision_bias.astype(np.float32),
        decisions=DECISIONS,
        thresholds=THRESHOLDS,
    )


def _kernel(features: Features) -> npt.NDArray[np.float64]:
    """How alike each two texts are: by meaning, by letters and by phrases."""
    cosines = features.vectors.astype(np.float64) @ features.vectors.T
    alike = (
        np.exp(REACH * (cosines - 1))
        + LETTERS * (features.letters @ features.letters.T).toarray()
        + PHRASES * (features.phrases @ features.phrases.T).toarray()
    )
    return np.asarray(alike)


def _decisions(rows: Sequence[Row], features: Features) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """One logistic regression for each decision: weights (features, decisions) and biases. Emergencies tell nothing."""
    calm = np.array([not row.emergency for row in rows])
    some = features.of(calm)
    columns = sparse.hstack([sparse.csr_matrix(some.vectors), LETTERS * some.letters, some.phrases]).tocsr()
    codes = np.array([row.decision for row, taken in zip(rows, calm, strict=True) if taken])
    fits = [
        LogisticRegression(C=DECISION_INVERSE_PENALTY, max_iter=1000, class_weight="balanced").fit(
            columns, codes == decision
        )
        for decision in DECISIONS
    ]
    return np.stack([fit.coef_[0] for fit in fits], axis=1), np.array([fit.intercept_[0] for fit in fits])


def _half(numbers: npt.NDArray[np.floating]) -> Floats:
    """As the file keeps them."""
    return numbers.astype(np.float16).astype(np.float32)


def write(model: DangerModel, rows: Sequence[Row], safety: Path) -> None:
    """The two files of the package, with the digests of everything that was read."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        examples=np.rint(model.examples * QUANTUM).astype(np.int8),
        example_weights=model.example_weights,
        reach=np.float64(model.reach),
        letters=model.words.letters.astype(np.float16),
        phrases=model.words.phrases.astype(np.float16),
        bias=np.float64(model.bias),
        group_vector=model.group_vector.astype(np.float16),
        group_bias=model.group_bias,
        decision_vector=model.decision_vector.astype(np.float16),
        decision_letters=model.decision_words.letters.astype(np.float16),
        decision_phrases=model.decision_words.phrases.astype(np.float16),
        decision_bias=model.decision_bias,
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
        "what": "How much a text reads like an emergency, the group of the emergency card that it resembles, "
        "and the personal decision that it asks for.",
        "made_by": "evals/train_triage.py",
        "embedder": FINGERPRINT.model,
        "embedder_revision": FINGERPRINT.revision,
        "weights_sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "groups": list(model.groups),
        "decisions": list(model.decisions),
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
    model = train(rows, features_of(rows, MiniLmEmbedder(cache=None)))
    write(model, rows, safety)
    print(f"learnt from {len(rows)} texts, {sum(row.emergency for row in rows)} of them emergencies")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
