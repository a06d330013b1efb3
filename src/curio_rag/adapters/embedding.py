"""Chooses the embedder that a configuration names."""

from __future__ import annotations

from pathlib import Path

from curio_rag.adapters.minilm import FINGERPRINT, MiniLmEmbedder
from curio_rag.adapters.sentence_transformer import SentenceTransformerEmbedder
from curio_rag.ports import Embedder

DEFAULT_NAMES = frozenset({"default", "all-MiniLM-L6-v2", FINGERPRINT.model})


def open_embedder(model: str, *, cache: Path | None) -> Embedder:
    """The embedder for `default`, or for any other model's folder or name; nothing is loaded yet.

    The default model runs on onnxruntime. Where the installed onnxruntime cannot load its graph,
    sentence-transformers loads the same files: the vectors agree within 1e-5, so the fingerprint
    is the same. `cache` is a folder to remember digests of large files in, or None.
    """
    if model in DEFAULT_NAMES:
        return MiniLmEmbedder(
            cache=cache,
            fallback=lambda folder: SentenceTransformerEmbedder(str(folder), cache=cache, fingerprint=FINGERPRINT),
        )
    return SentenceTransformerEmbedder(model, cache=cache)
