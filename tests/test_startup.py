"""Starting costs no more than what the command uses."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = ("torch", "transformers", "sentence_transformers", "chromadb", "llama_index", "sklearn", "scipy", "pandas")


def loaded_by(code: str) -> list[str]:
    probe = f"{code}\nimport json, sys\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    names: list[str] = json.loads(done.stdout.splitlines()[-1])
    return names


def test_the_command_line_starts_without_heavy_libraries() -> None:
    """Importing the command line loads no model library, no vector store, no database and no numpy."""
    assert not {*HEAVY, "numpy", "sqlalchemy", "onnxruntime"} & set(loaded_by("import curio_rag.faces.cli"))


def test_the_library_starts_without_heavy_libraries() -> None:
    """Importing the package and opening a knowledge base loads none of them either."""
    code = "from curio_rag import KnowledgeBase\nKnowledgeBase.open('.')"
    assert not {*HEAVY, "numpy", "sqlalchemy", "onnxruntime", "typer"} & set(loaded_by(code))
