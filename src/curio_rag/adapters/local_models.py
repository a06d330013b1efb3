"""Finds a model on this machine, by folder or by its name in the cache of the Hugging Face hub; downloads nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from curio_rag.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model on disk; `commit` is its revision on the hub, where it came from there."""

    name: str
    folder: Path
    commit: str | None


def find_model(model: str, *, organisation: str) -> ModelFiles:
    """The folder itself, or the model's snapshot in the cache of the hub; `ConfigError` when there is neither.

    A name without an organisation is looked for under the given one.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return ModelFiles(name=folder.resolve().name, folder=folder, commit=None)
    name = model if "/" in model else f"{organisation}/{model}"
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        snapshot = Path(snapshot_download(name, local_files_only=True))
    except (OSError, HFValidationError) as error:
        raise ConfigError(
            f"The model {model} is neither a folder nor in the local Hugging Face cache.",
            hint=f"Nothing is downloaded on its own: run `hf download {name}` once, or give the path of a folder.",
        ) from error
    commit = snapshot.name if re.fullmatch("[0-9a-f]{40}", snapshot.name) else None
    return ModelFiles(name=name, folder=snapshot, commit=commit)
