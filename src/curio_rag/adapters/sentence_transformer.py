"""Any other embedding model, by name or folder, through sentence-transformers; nothing is ever downloaded."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from curio_rag.adapters.file_digests import file_sha256
from curio_rag.adapters.local_models import find_model
from curio_rag.adapters.per_process import PerProcess
from curio_rag.adapters.valid_unicode import valid_unicode
from curio_rag.domain.digests import digest_json
from curio_rag.errors import ConfigError
from curio_rag.ports import EmbedderFingerprint, Vector

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_ORGANISATION = "sentence-transformers"
"""Where a model's name without an organisation is looked for, as sentence-transformers does it."""

MODEL_FILES = (".json", ".txt", ".model", ".safetensors", ".bin")
"""The files that decide what a model's vectors are; what else lies in the folder is documentation or a copy."""

USUAL_MAX_TOKENS = 512
"""For the rare model that names no limit; the positions of a BERT."""


class SentenceTransformerEmbedder:
    """Vectors of unit length of one sentence-transformers model; keeps the contract of `Embedder`.

    `model` is a folder, or the name of a model that lies in the Hugging Face cache already. Code that a
    model brings along is never run. Constructing costs nothing; `ConfigError` is raised on first use,
    of the fingerprint too, when the model is not on disk or cannot be loaded. After a fork of a
    process that has used it, the child computes on one thread: torch's own do not survive.
    """

    def __init__(self, model: str, *, cache: Path | None, fingerprint: EmbedderFingerprint | None = None) -> None:
        """`cache` remembers the digests of large files; `fingerprint` is given where the files are verified already."""
        self._name = model
        self._cache = cache
        self._given_fingerprint = fingerprint
        self._first_process: int | None = None
        self._files = PerProcess(lambda: find_model(self._name, organisation=DEFAULT_ORGANISATION))
        self._fingerprint = PerProcess(self._read_fingerprint)
        self._model = PerProcess(self._load_model)

    @property
    def fingerprint(self) -> EmbedderFingerprint:
        """From the model's configuration and the digests of its files; weights are read, but not loaded."""
        return self._fingerprint.get()

    def embed(self, texts: Sequence[str]) -> tuple[Vector, ...]:
        """One vector of unit length for each text, in order."""
        if not texts:
            return ()
        # Texts of one batch are padded to the longest, which moves the last bits of a vector (by about 1e-7).
        rows = self._model.get().encode(
            [valid_unicode(text) for text in texts],
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        given, expected = rows.shape[1], self.fingerprint.dimensions
        if given != expected:
            raise ConfigError(
                f"The embedding model {self._name} gives {given} dimensions, its configuration says {expected}.",
                hint="The model's folder is incomplete or mixed up; put the model there anew.",
            )
        return tuple(row.astype("<f4", copy=False).tobytes() for row in rows)

    def count_tokens(self, texts: Sequence[str]) -> tuple[int, ...]:
        """Tokens of each text, without the special ones and without a limit."""
        tokenizer = self._model.get().tokenizer
        encode = tokenizer.encode
        return tuple(len(encode(valid_unicode(text), add_special_tokens=False, verbose=False)) for text in texts)

    def _load_model(self) -> SentenceTransformer:
        found = self._files.get()
        import torch
        from sentence_transformers import SentenceTransformer

        if self._first_process not in (None, os.getpid()):
            torch.set_num_threads(1)
        self._first_process = os.getpid()
        try:
            model = SentenceTransformer(str(found.folder), local_files_only=True, trust_remote_code=False)
        except Exception as error:  # a damaged or foreign folder fails in any way the loaders know
            raise ConfigError(
                f"The embedding model {self._name} cannot be loaded from {found.folder}: {error}",
                hint="The folder must hold a complete sentence-transformers model; put the model there anew.",
            ) from error
        if self._given_fingerprint is not None:
            model.max_seq_length = self._given_fingerprint.max_tokens
        return model

    def _read_fingerprint(self) -> EmbedderFingerprint:
        if self._given_fingerprint is not None:
            return self._given_fingerprint
        found = self._files.get()
        return EmbedderFingerprint(
            model=found.name,
            revision=found.commit or _digest_of_files(found.folder, self._cache),
            dimensions=_read_dimensions(found.folder) or self._measure_dimensions(),
            normalised=True,
            max_tokens=_read_max_tokens(found.folder),
        )

    def _measure_dimensions(self) -> int:
        """For a model whose configuration does not say; loads it."""
        return int(self._model.get().encode(["a"], show_progress_bar=False).shape[1])


def _digest_of_files(folder: Path, cache: Path | None) -> str:
    """One tagged digest over the names and contents of all files that decide the vectors."""
    chosen = sorted(path for path in folder.rglob("*") if path.suffix in MODEL_FILES and path.is_file())
    try:
        return digest_json(
            {path.relative_to(folder).as_posix(): file_sha256(path, cache=cache) for path in chosen},
        )
    except OSError as error:
        raise ConfigError(
            f"A file of the embedding model in {folder} cannot be read: {error}",
            hint="Make the folder readable, or put the model there anew.",
        ) from error


def _read_dimensions(folder: Path) -> int | None:
    """What the last module that has a width gives: a dense layer, else the pooling, else the transformer itself."""
    modules = _read_json(folder / "modules.json")
    listed = modules if isinstance(modules, list) else []
    places = [str(module.get("path", "")) for module in listed if isinstance(module, dict)] or [""]
    for place in reversed(places):
        for key in ("out_features", "word_embedding_dimension", "embedding_dimension", "hidden_size"):
            width = _read_number(folder / place / "config.json", key)
            if width is not None:
                return width
    return None


def _read_max_tokens(folder: Path) -> int:
    """The model's own limit; else the tokenizer's or the number of positions, whichever is less."""
    own = _read_number(folder / "sentence_bert_config.json", "max_seq_length")
    if own is not None:
        return own
    tokenizer = _read_number(folder / "tokenizer_config.json", "model_max_length")
    positions = _read_number(folder / "config.json", "max_position_embeddings")
    return min([limit for limit in (tokenizer, positions) if limit is not None], default=USUAL_MAX_TOKENS)


def _read_number(path: Path, key: str) -> int | None:
    """A whole number from the object in a JSON file; None when it is not there."""
    settings = _read_json(path)
    value = settings.get(key) if isinstance(settings, dict) else None
    return value if isinstance(value, int) else None


def _read_json(path: Path) -> object:
    """What the file holds; None when it is missing or malformed."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
