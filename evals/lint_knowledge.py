"""Looks for what is wrong with the documents: `python evals/lint_knowledge.py [KNOWLEDGE_DIR]`.

Prints each problem as `file:line: message [rule]`, exit 1 when there is one. The folder is `knowledge/`
of this repository where none is given.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from curio_rag.adapters.curated_files import read_curated
from curio_rag.adapters.readability import FleschKincaid
from curio_rag.errors import CurioError
from curio_rag.pipelines.lint import lint

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str]) -> int:
    """Print the problems; 2 when the folder cannot be read."""
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        folder = read_curated(Path(arguments[0]) if arguments else ROOT / "knowledge")
    except CurioError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    problems = (*folder.problems, *lint(folder.files, FleschKincaid()))
    for problem in problems:
        print(problem)
    print(f"{len(folder.files)} documents, {len(problems)} problems", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
