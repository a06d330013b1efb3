"""Recognises emergencies by meaning and spelling: a logistic regression on sentence vectors and letter sequences.

The vectors see what a sentence means, the letter sequences see names and survive typing errors.
`data/triage_model.npz` holds the weights, `data/triage_model.json` says what they were learnt from;
both are written by `evals/train_triage.py`.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from curio_rag.domain.danger import Suspicion, Thresholds
from curio_rag.errors import ConfigError
from curio_rag.ports import Embedder

if TYPE_CHECKING:
    import numpy
    import numpy.typing

    Numbers = numpy.typing.NDArray[numpy.float32]

WEIGHTS, DESCRIPTION = "triage_model.npz", "triage_model.json"
BUCKETS = 8192
"""Letter sequences share this many weights by their CRC-32."""

SHORTEST, LONGEST = 2, 5
"""Letters in a sequence, the space before and after a word included."""

LONGEST_WORD = 24
MOST_EMBEDDED = 8
"""Windows of one text that are embedded: those that the letters alone find most suspicious, and always the last one."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class DangerModel:
    """The weights: `vector` (dimensions), `letters` (BUCKETS), and for the groups (dimensions, groups)."""

    vector: Numbers
    letters: Numbers
    bias: float
    group_vector: Numbers
    group_bias: Numbers
    groups: tuple[str, ...]
    thresholds: Thresholds


class LetterAndVectorClassifier:
    """`DangerClassifier` over an embedder; immutable, safe to share between threads."""

    def __init__(self, model: DangerModel, embedder: Embedder) -> None:
        self._model, self._embedder = model, embedder

    @property
    def thresholds(self) -> Thresholds:
        """Those that were chosen with the weights."""
        return self._model.thresholds

    def suspicions(self, windows: Sequence[str]) -> tuple[Suspicion, ...]:
        """The embedded windows in order of the text, each with its score and its group."""
        import numpy

        model = self._model
        letters = numpy.array([letter_score(window, model.letters) for window in windows], dtype=numpy.float32)
        chosen = sorted({*numpy.argsort(-letters, kind="stable")[: MOST_EMBEDDED - 1].tolist(), len(windows) - 1})
        if not windows:
            return ()
        raw = b"".join(self._embedder.embed([windows[index] for index in chosen]))
        vectors = numpy.frombuffer(raw, dtype="<f4").reshape(len(chosen), -1)
        scores = vectors @ model.vector + letters[chosen] + model.bias
        groups = (vectors @ model.group_vector + model.group_bias).argmax(axis=1)
        return tuple(
            Suspicion(window=windows[index], score=float(score), group=model.groups[group])
            for index, score, group in zip(chosen, scores, groups, strict=True)
        )


def letter_buckets(text: str) -> tuple[int, ...]:
    """The buckets of the letter sequences of a plain text (lower case, no accents), each once, sorted."""
    found: set[int] = set()
    for word in _WORD.findall(text.replace("'", "")):
        padded = f" {word[:LONGEST_WORD]} ".encode("utf-8", "replace")
        for length in range(SHORTEST, LONGEST + 1):
            found.update(zlib.crc32(padded[at : at + length]) % BUCKETS for at in range(len(padded) - length + 1))
    return tuple(sorted(found))


def letter_score(text: str, weights: Numbers) -> float:
    """The share of the letters in the log odds: the sum of the buckets' weights over the root of their number."""
    buckets = letter_buckets(text)
    return float(weights[list(buckets)].sum()) / len(buckets) ** 0.5 if buckets else 0.0


def load_danger_classifier(embedder: Embedder) -> LetterAndVectorClassifier:
    """The bundled classifier. Raises `ConfigError` for damaged files and for an embedder that it was not made for."""
    import numpy

    data = files("curio_rag") / "data"
    try:
        content, description = (data / WEIGHTS).read_bytes(), json.loads((data / DESCRIPTION).read_bytes())
        if hashlib.sha256(content).hexdigest() != description["weights_sha256"]:
            raise ValueError("the weights do not have the digest that the description names")
        arrays = numpy.load(io.BytesIO(content), allow_pickle=False)
        model = DangerModel(
            vector=arrays["vector"].astype(numpy.float32),
            letters=arrays["letters"].astype(numpy.float32),
            bias=float(arrays["bias"]),
            group_vector=arrays["group_vector"].astype(numpy.float32),
            group_bias=arrays["group_bias"].astype(numpy.float32),
            groups=tuple(description["groups"]),
            thresholds=Thresholds(**description["thresholds"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"The triage classifier cannot be loaded: {error}.", hint="Install curio_rag anew."
        ) from error
    if embedder.fingerprint.model != description["embedder"]:
        raise ConfigError(
            f"The triage classifier was made for {description['embedder']}, not {embedder.fingerprint.model}.",
            hint="Triage looks with the default model whatever model searches.",
        )
    return LetterAndVectorClassifier(model, embedder)
