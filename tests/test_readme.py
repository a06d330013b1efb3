"""The README is executed: its commands exist and run, its Python runs, its tables name what is there."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from curio_rag.config import SETTINGS
from tests.conftest import ROOT
from tests.test_cli import every_command, run

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
SHELL = [line for kind, block in BLOCKS if kind == "sh" for line in block.strip().splitlines()]
PYTHON = [block for kind, block in BLOCKS if kind == "python"]


def test_every_make_command_is_a_target() -> None:
    """What the README tells a newcomer to type stands in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", README))
    assert {"ask", "test", "check"} <= named <= targets


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("curio ")])
def test_every_curio_command_runs(line: str, bundled_index: Path) -> None:
    """Each line of the README succeeds as it stands."""
    status, out, _ = run(*shlex.split(line)[1:], index=bundled_index)
    assert status == 0
    assert out


def test_every_command_is_in_the_readme() -> None:
    """No command is left for users to discover."""
    for command in every_command():
        assert command[-1] in README, command


@pytest.mark.parametrize("block", PYTHON, ids=["library", "asyncio"])
def test_every_python_block_runs(block: str, bundled_index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example code works as printed."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("CURIO_INDEX", str(bundled_index))
    names: dict[str, object] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(block, "README.md", "exec"), names)
    assert "awaiting_review" in printed.getvalue() or all("DRAFT" in text for text in names["texts"])  # type: ignore[attr-defined]


def test_every_setting_is_in_the_readme() -> None:
    """The table of settings is complete."""
    for setting in SETTINGS:
        assert f"`{setting}`" in README, setting


def test_no_machine_paths_or_stray_hosts() -> None:
    """Nothing in the repository's texts names a machine's folders."""
    for name in ("README.md", "Makefile", "pyproject.toml", "CHANGELOG.md", ".ci/run", "curio.toml"):
        assert not re.search(r"/(work|home|root|tmp)/", (ROOT / name).read_text(encoding="utf-8")), name
