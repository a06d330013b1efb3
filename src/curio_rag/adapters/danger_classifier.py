"""Recognises emergencies and personal decisions by meaning and spelling, from examples.

Emergencies: a support vector machine. It compares the sentence vector of a window with those of the examples it
learnt from (a Gaussian of their distance), and adds weights for the letter sequences and the phrases of up to three
words. Vectors see what a sentence means, letters survive typing errors, phrases see the order of words.
Decisions and the groups of emergencies: logistic regressions on the same features.
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
LETTER_BUCKETS, PHRASE_BUCKETS = 8192, 32768
"""Letter sequences, and phrases, share so many weights by their CRC-32."""

SHORTEST, LONGEST = 2, 5
"""Letters in a sequence, the space before and after a word included."""

LONGEST_PHRASE = 3
"""Words in a phrase; the ends of a window count as words."""

LONGEST_WORD = 24
MOST_EMBEDDED = 8
"""Windows of one text that are embedded: those whose letters and phrases are most suspicious, and always the last."""

QUANTUM = 127
"""The examples' vectors, of length one, are kept as bytes: each number times this."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class WordWeights:
    """Weights by bucket, one column for each thing that is told apart: (LETTER_BUCKETS, n) and (PHRASE_BUCKETS, n)."""

    letters: Numbers
    phrases: Numbers

    def scores(self, window: str) -> Numbers:
        """The sums of the weights that occur, letters and phrases each over the root of their number."""
        return _mean(self.letters, letter_buckets(window)) + _mean(self.phrases, phrase_buckets(window))


@dataclass(frozen=True, slots=True, kw_only=True)
class DangerModel:
    """The weights. Vectors have length one.

    `examples` (number, dimensions) with `example_weights` (number) and `reach`, the width of the Gaussian:
    a vector at cosine c of an example gets its weight times exp(reach * (c - 1)).
    """

    examples: Numbers
    example_weights: Numbers
    reach: float
    words: WordWeights
    bias: float
    group_vector: Numbers
    group_bias: Numbers
    groups: tuple[str, ...]
    decision_vector: Numbers
    decision_words: WordWeights
    decision_bias: Numbers
    decisions: tuple[str, ...]
    thresholds: Thresholds

    def closeness(self, vectors: Numbers) -> Numbers:
        """What the examples say about each vector."""
        import numpy

        close: Numbers = numpy.exp(self.reach * (vectors @ self.examples.T - 1)) @ self.example_weights
        return close


class LetterAndVectorClassifier:
    """`DangerClassifier` over an embedder; immutable, safe to share between threads."""

    def __init__(self, model: DangerModel, embedder: Embedder) -> None:
        self._model, self._embedder = model, embedder

    @property
    def thresholds(self) -> Thresholds:
        """Those that were chosen with the weights."""
        return self._model.thresholds

    def suspicions(self, windows: Sequence[str]) -> tuple[Suspicion, ...]:
        """The embedded windows in order of the text, each with its score, its group and its decision."""
        import numpy

        if not windows:
            return ()
        model = self._model
        said = numpy.array([model.words.scores(window)[0] for window in windows], dtype=numpy.float32)
        chosen = sorted({*numpy.argsort(-said, kind="stable")[: MOST_EMBEDDED - 1].tolist(), len(windows) - 1})
        raw = b"".join(self._embedder.embed([windows[index] for index in chosen]))
        vectors = numpy.frombuffer(raw, dtype="<f4").reshape(len(chosen), -1)
        scores = model.closeness(vectors) + said[chosen] + model.bias
        groups = (vectors @ model.group_vector + model.group_bias).argmax(axis=1)
        words = numpy.array([model.decision_words.scores(windows[index]) for index in chosen])
        decided = vectors @ model.decision_vector + words + model.decision_bias
        return tuple(
            Suspicion(
                window=windows[index],
                score=float(score),
                group=model.groups[group],
                decision=model.decisions[int(decision.argmax())],
                decision_score=float(decision.max()),
            )
            for index, score, group, decision in zip(chosen, scores, groups, decided, strict=True)
        )


def letter_buckets(text: str) -> tuple[int, ...]:
    """The buckets of the letter sequences of a plain text (lower case, no accents), each once, sorted."""
    found: set[int] = set()
    for word in _words(text):
        padded = f" {word} ".encode("utf-8", "replace")
        for length in range(SHORTEST, LONGEST + 1):
            found.update(
                zlib.crc32(padded[at : at + length]) % LETTER_BUCKETS for at in range(len(padded) - length + 1)
            )
    return tuple(sorted(found))


def phrase_buckets(text: str) -> tuple[int, ...]:
    """The buckets of the phrases of up to LONGEST_PHRASE words, each once, sorted."""
    words = ["<", *_words(text), ">"]
    phrases = (
        " ".join(words[at : at + length])
        for length in range(1, LONGEST_PHRASE + 1)
        for at in range(len(words) - length + 1)
    )
    return tuple(sorted({zlib.crc32(phrase.encode("utf-8", "replace")) % PHRASE_BUCKETS for phrase in phrases}))


def _words(text: str) -> list[str]:
    return [word[:LONGEST_WORD] for word in _WORD.findall(text.replace("'", ""))]


def _mean(weights: Numbers, buckets: Sequence[int]) -> Numbers:
    mean: Numbers = weights[list(buckets)].sum(axis=0) / max(1, len(buckets)) ** 0.5
    return mean


def load_danger_classifier(embedder: Embedder) -> LetterAndVectorClassifier:
    """The bundled classifier. Raises `ConfigError` for damaged files and for an embedder that it was not made for."""
    import numpy

    data = files("curio_rag") / "data"
    try:
        content, description = (data / WEIGHTS).read_bytes(), json.loads((data / DESCRIPTION).read_bytes())
        if hashlib.sha256(content).hexdigest() != description["weights_sha256"]:
            raise ValueError("the weights do not have the digest that the description names")
        with numpy.load(io.BytesIO(content), allow_pickle=False) as packed:
            arrays = {name: packed[name].astype(numpy.float32) for name in packed.files}
        model = DangerModel(
            examples=arrays["examples"] / QUANTUM,
            example_weights=arrays["example_weights"],
            reach=float(arrays["reach"]),
            words=WordWeights(letters=arrays["letters"], phrases=arrays["phrases"]),
            bias=float(arrays["bias"]),
            group_vector=arrays["group_vector"],
            group_bias=arrays["group_bias"],
            groups=tuple(description["groups"]),
            decision_vector=arrays["decision_vector"],
            decision_words=WordWeights(letters=arrays["decision_letters"], phrases=arrays["decision_phrases"]),
            decision_bias=arrays["decision_bias"],
            decisions=tuple(description["decisions"]),
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
