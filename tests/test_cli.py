"""The command line: exit statuses, JSON, errors in one line, an example in every help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from curio_rag.faces.cli import app
from tests.conftest import ROOT, sample

CURIO = [sys.executable, "-m", "curio_rag"]


def run(
    *arguments: str | Path, index: Path | None = None, stdin: bytes = b"", cwd: Path = ROOT
) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of one command."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CURIO_")}
    if index is not None:
        environment["CURIO_INDEX"] = str(index)
    done = subprocess.run([*CURIO, *map(str, arguments)], input=stdin, capture_output=True, cwd=cwd, env=environment)
    assert "Traceback" not in done.stderr.decode(), done.stderr.decode()
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def every_command() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    group = typer.main.get_command(app)
    for name, command in getattr(group, "commands").items():  # noqa: B009 - click's groups are not typed here
        children = getattr(command, "commands", None)
        found.extend([(name, child) for child in children] if children else [(name,)])
    return found


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
def test_every_command_has_help_with_an_example(command: tuple[str, ...]) -> None:
    """Somebody who knows nothing can start from `--help`."""
    status, out, _ = run(*command, "--help")
    assert status == 0
    assert f"Example: curio {' '.join(command)}" in " ".join(out.split())


def test_an_answer_exits_with_0_and_valid_json(bundled_index: Path) -> None:
    """`ask --json` prints the public JSON and nothing else."""
    status, out, err = run("ask", "What is CAR-T therapy?", "--json", index=bundled_index)
    answer = json.loads(out)
    assert (status, err) == (0, "")
    assert (answer["schema_version"], answer["outcome"], answer["status"]) == (1, "drafted", "awaiting_review")
    assert answer["text"].startswith("DRAFT from SAMPLE documents")


def test_the_question_may_come_from_stdin(bundled_index: Path) -> None:
    """`-` reads it, so that no shell has to see it."""
    status, out, _ = run("ask", "-", index=bundled_index, stdin=b"What is CAR-T therapy?\n")
    assert status == 0
    assert "How it works" in out


def test_an_asker_sees_no_withheld_words(bundled_index: Path) -> None:
    """The audience decides what the JSON holds."""
    _, out, _ = run("ask", "What is CRS?", "--json", "--audience", "asker", index=bundled_index)
    assert "withheld" not in json.loads(out)


def test_abstaining_and_referring_have_statuses_of_their_own(bundled_index: Path) -> None:
    """3 for no answer, 4 for a person."""
    assert run("ask", "Who will win the election?", index=bundled_index)[0] == 3
    status, out, _ = run("ask", "my wife's face is drooping and she can't lift her arm", index=bundled_index)
    assert status == 4
    assert out.startswith("Call ")


def test_quotes_and_explanation_can_be_shown(bundled_index: Path) -> None:
    """Every quote with its place, and what was searched."""
    _, out, _ = run("ask", "What is CAR-T therapy?", "--show-quotes", "--explain", index=bundled_index)
    assert "(car-t-what-it-is.md " in out
    assert "Evidence " in out


def test_search_library_and_check_answer_in_json(bundled_index: Path) -> None:
    """The other commands speak JSON too."""
    hits = json.loads(run("search", "fever", "--limit", "2", "--json", index=bundled_index)[1])
    assert len(hits) == 2
    assert {"passage_id", "document_id", "text", "score"} <= set(hits[0])
    listed = json.loads(run("library", "list", "--json", index=bundled_index)[1])
    assert {row["vetting"]["status"] for row in listed} == {"sample"}
    assert json.loads(run("library", "due", "--within", "9999d", "--json", index=bundled_index)[1]) == listed
    assert json.loads(run("check", "--json", index=bundled_index)[1]) == {"ok": True, "findings": []}


def test_a_document_is_shown_as_people_review_it(bundled_index: Path) -> None:
    """Pages, headings, marks and sources."""
    status, out, _ = run("library", "show", "car-t-side-effects.pdf", index=bundled_index)
    assert status == 0
    for part in ("Status: sample", "--- page 2 (printed: 2) ---", "[must show]", "Sources", "https://"):
        assert part in out
    shown = json.loads(run("library", "show", "car-t-side-effects.pdf", "--json", index=bundled_index)[1])
    assert shown["vetting"]["status"] == "sample"
    assert all(warning in shown["text"] for warning in shown["must_show"])


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("ask", " "), 2, "The question is empty."),
        (("ask",), 2, "Missing argument"),
        (("ask", "x", "--fast"), 2, "No such option"),
        (("frobnicate",), 2, "No such command"),
        (("library", "show", "nowhere.md"), 1, "nowhere.md"),
        (("ingest", "nowhere"), 1, "nowhere"),
        (("library", "due", "--within", "soon"), 2, "30d"),
        (("-C", "nowhere", "check"), 2, "nowhere"),
    ],
)
def test_an_error_is_one_clear_line(bundled_index: Path, arguments: tuple[str, ...], status: int, words: str) -> None:
    """What is wrong and the way out, on stderr, with the status for it."""
    code, out, err = run(*arguments, index=bundled_index)
    assert (code, out) == (status, "")
    assert words in err


def test_a_missing_index_says_what_to_do(tmp_path: Path) -> None:
    """Ask, search, list and check all name `curio ingest`."""
    for arguments in (("ask", "What is CRS?"), ("search", "CRS"), ("library", "list"), ("check",)):
        status, _, err = run(*arguments, cwd=tmp_path)
        assert status == 1
        assert "curio ingest" in err


def test_an_unknown_setting_is_named(tmp_path: Path) -> None:
    """With the nearest setting that there is."""
    (tmp_path / "curio.toml").write_text('asistant = "A"\n', encoding="utf-8")
    status, _, err = run("check", cwd=tmp_path)
    assert status == 2
    assert "'asistant'" in err
    assert "'assistant'" in err


def test_an_error_in_json_is_json(tmp_path: Path) -> None:
    """A program reads code, message and hint."""
    _, out, _ = run("ask", "What is CRS?", "--json", cwd=tmp_path)
    assert json.loads(out)["error"]["code"] == "index_missing"


def test_some_refused_files_exit_with_5_and_the_others_are_in(tmp_path: Path) -> None:
    """The table names the bad file; the good one answers."""
    (tmp_path / "curio.toml").write_text('admit = ["sample"]\nsearch = "exact"\n', encoding="utf-8")
    (tmp_path / "good.md").write_text(sample("Gout", "# Gout\n\nGout is a painful swelling.\n"), encoding="utf-8")
    (tmp_path / "bad.md").write_bytes(b"")
    status, out, err = run("ingest", ".", cwd=tmp_path)
    assert (status, err) == (5, "")
    assert "bad.md" in out
    assert "1 accepted" in out
    assert "1 quarantined" in out
    assert "Gout is a painful swelling." in run("search", "gout", cwd=tmp_path)[1]


def test_a_reader_that_leaves_is_no_traceback(bundled_index: Path) -> None:
    """`curio ask ... | head -1` ends quietly."""
    command = f"{' '.join(CURIO)} library show car-t-what-it-is.md | head -1"
    environment = {**os.environ, "CURIO_INDEX": str(bundled_index)}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, env=environment)
    assert (done.stdout, done.stderr) == ("CAR-T therapy: what it is\n", "")
