"""Nothing reaches the network: with every socket blocked, ingest, search and ask work; telemetry is off."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, sample

BLOCKED = """
import socket, sys
def blocked(*arguments, **options):
    raise AssertionError(f"the network was reached for: {arguments}")
socket.socket.connect = socket.socket.connect_ex = blocked
socket.create_connection = socket.getaddrinfo = blocked
from curio_rag import KnowledgeBase
with KnowledgeBase.open(sys.argv[1]) as base:
    assert base.ingest(sys.argv[1]).complete
    assert base.search("gout")
    record = base.ask("What is gout?")
    assert record.answer.sections, record.text
    assert base.check() == ()
print(record.answer.reading_grade is not None)
"""


def test_the_main_job_runs_with_every_socket_blocked(tmp_path: Path) -> None:
    """The real model, Chroma, the ledger and the reading grade need no network."""
    (tmp_path / "curio.toml").write_text('admit = ["sample"]\n', encoding="utf-8")
    (tmp_path / "gout.md").write_text(
        sample("Gout", "# Gout\n\n## What gout is\n\nGout is a painful swelling of a joint.\n"), encoding="utf-8"
    )
    environment = {**os.environ, "HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, str(tmp_path)], capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
    left = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert left == [], "something was written into the user's home"


def test_onnxruntime_is_imported_in_one_place_only() -> None:
    """That place turns its telemetry off first, which only the environment can do."""
    for module in (ROOT / "src").rglob("*.py"):
        names = {
            alias.name
            for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert "onnxruntime" not in names or module.name == "onnx_runtime.py", module
