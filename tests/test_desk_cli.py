"""The desk at the command line: one scripted session from the first key to the recall, and what is refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import furnished
from tests.desk import PASSPHRASE

CURIO = [sys.executable, "-m", "curio_rag"]
BODY = """---
title: Gout
status: sample
review_due: 2099-05-23
as_of: 2026-11-23
---
# Gout

## What gout is

Gout is a painful swelling of a joint. Gout often begins in the big toe.

## What helps

Rest and cold packs help during an attack of gout.
"""


@dataclass
class Terminal:
    """One terminal: a folder, and the environment that its commands leave behind."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("CURIO_")}
        self.environment["XDG_RUNTIME_DIR"] = ""

    def run(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        done = subprocess.run(
            [*CURIO, *arguments], input=stdin, capture_output=True, text=True, cwd=self.folder, env=self.environment
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout, done.stderr

    def json(self, *arguments: str, stdin: str = "") -> dict[str, object]:
        status, out, err = self.run(*arguments, "--json", stdin=stdin)
        assert status == 0, err
        found: dict[str, object] = json.loads(out)
        return found

    def eval(self, *arguments: str, stdin: str = "") -> None:
        """What `eval "$(curio ...)"` does."""
        status, out, err = self.run(*arguments, stdin=stdin)
        assert status == 0, err
        for name, value in re.findall(r"export (\w+)=(\S+)", out):
            self.environment[name] = value


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    (furnished(tmp_path) / "knowledge" / "gout.md").write_text(BODY, encoding="utf-8")
    opened = Terminal(tmp_path)
    assert opened.run("ingest")[0] == 0
    return opened


def add_reviewer(terminal: Terminal, *options: str) -> str:
    added = terminal.json(
        "reviewer", "add", "Test Reviewer One", "--role", "physician", "--register", "Test Fixtures", "--number", "0",
        "--passphrase-file", "-", *options, stdin=PASSPHRASE + "\n",
    )  # fmt: skip
    return str(added["id"])


def confirm_of(terminal: Terminal, *arguments: str) -> list[str]:
    """The digests that are shown to be confirmed."""
    _, out, _ = terminal.run(*arguments)
    return re.findall(r"confirm with --yes (sha256:[0-9a-f]{64})", out)


def vet(terminal: Terminal, *ids: str) -> None:
    arguments = ["library", "vet", *ids, "--review-due", "2099-01-01"]
    yes = [part for digest in confirm_of(terminal, *arguments) for part in ("--yes", digest)]
    status, _, err = terminal.run(*arguments, *yes)
    assert status == 0, err


def test_a_session_from_the_first_key_to_the_recall(terminal: Terminal) -> None:
    """Vet, ask, approve, change the source, lapse, vet again, sign again, withdraw: each step by one command."""
    reviewer = add_reviewer(terminal)
    assert terminal.run("reviewer", "check", reviewer, "--by", "Test Registrar", "--on", "2026-11-01")[0] == 0
    terminal.eval("reviewer", "unlock", reviewer, "--passphrase-file", "-", stdin=PASSPHRASE)
    vet(terminal, "gout.md")
    asked = terminal.json("ask", "Is gout a painful swelling of a joint?")
    answer, thread = str(asked["id"]), str(asked["thread_id"])
    assert asked["status"] == "awaiting_review"
    assert answer in terminal.run("review", "list")[1]
    assert "On the desk of Test Reviewer One" in terminal.run("review", "take", answer, "--as", reviewer)[1]
    (digest,) = confirm_of(terminal, "review", "show", answer)
    status, out, _ = terminal.run("review", "approve", answer, "--yes", digest)
    assert (status, "Verified by Test Reviewer One, physician, on" in out) == (0, True)
    terminal.run("review", "comment", answer, "-", "--yes", digest, stdin="Call us on Monday.\n")
    shown = terminal.run("thread", "show", thread, "--audience", "asker")[1]
    assert "Verified by Test Reviewer One" in shown
    assert "Call us on Monday." in shown
    head = terminal.run("audit", "head")[1].strip()

    path = terminal.folder / "knowledge" / "gout.md"
    path.write_text(BODY.replace("cold packs", "cool packs"), encoding="utf-8")
    terminal.run("ingest")
    assert "gout.md changed on" in terminal.run("review", "show", answer)[1]
    assert "painful swelling of a joint. [1]" not in terminal.run("thread", "show", thread, "--audience", "asker")[1]
    vet(terminal, "gout.md")
    _, out, _ = terminal.run("review", "renew")
    (again,) = re.findall(rf"review renew {answer} --yes (\S+)", out)
    assert "revision 2: approved" in terminal.run("review", "renew", answer, "--yes", again)[1]

    recall = terminal.run("library", "withdraw", "gout.md", "--by", "Test Registrar", "--reason", "a test")[1]
    assert f"{answer}  approved -> withdrawn" in recall
    assert "holds 0 passages, 0 vectors and 0 keyword entries" in recall
    status, _, err = terminal.run("review", "approve", answer, "--yes", again)
    assert (status, "withdrawn" in err) == (1, True)
    status, out, _ = terminal.run("audit", "verify", "--head", head)
    assert (status, "all is well" in out) == (0, True)
    lines = [json.loads(line) for line in terminal.run("audit", "export")[1].splitlines()]
    assert [line["position"] for line in lines] == list(range(1, len(lines) + 1))
    assert terminal.run("check")[0] == 0


def test_what_is_refused_is_one_clear_line(terminal: Terminal) -> None:
    """Wrong passphrase, no session, no confirmation, nobody named; and the log says who tried."""
    reviewer = add_reviewer(terminal, "--demonstration")
    answer = str(terminal.json("ask", "Is gout a painful swelling of a joint?")["id"])
    (digest,) = confirm_of(terminal, "review", "show", answer)
    signing, piped = ("review", "approve", answer, "--yes", digest, "--as", reviewer), ("--passphrase-file", "-")
    refused: list[tuple[tuple[str, ...], str, str]] = [
        ((*signing, *piped), "wrong words", "does not open the key"),
        ((*signing, *piped), PASSPHRASE, "gout.md is sample"),
        (signing, "", "No signing session is open"),
        (("review", "approve", answer, "--as", reviewer), "", f"--yes {digest}"),
        (("review", "approve", answer, "--yes", digest, *piped), PASSPHRASE, "Who are you?"),
        (("review", "approve", "a_nowhere", "--yes", digest), "", "There is no answer 'a_nowhere'"),
        (("review", "take", answer, "--as", "r_nobody"), "", "There is no reviewer 'r_nobody'"),
        (("reviewer", "unlock", reviewer, "--passphrase-file", "nowhere"), "", "nowhere cannot be read"),
        (("audit", "verify", "--head", "x"), "", "POSITION"),
    ]
    for arguments, stdin, words in refused:
        status, out, err = terminal.run(*arguments, stdin=stdin)
        assert status in (1, 2), arguments
        assert words in err, (arguments, err)
        assert PASSPHRASE not in out + err
    attempts = [
        (line["payload"]["reviewer"], line["payload"]["code"])
        for line in map(json.loads, terminal.run("audit", "export")[1].splitlines())
        if line["kind"] == "attempt_refused"
    ]
    assert (reviewer, "wrong_passphrase") in attempts
    assert (reviewer, "not_permitted") in attempts
    assert ("r_nobody", "reviewer_not_found") in attempts


def test_a_session_is_closed_by_its_terminal(terminal: Terminal) -> None:
    """Key and session files belong to their owner alone, and after `lock` the token opens nothing."""
    reviewer = add_reviewer(terminal)
    terminal.eval("reviewer", "unlock", reviewer, "--passphrase-file", "-", stdin=PASSPHRASE)
    index = terminal.folder / "indexes" / "default"
    private = [*index.glob("keys/*"), *index.glob("sessions/*")]
    assert len(private) == 2
    for path in private:
        assert path.stat().st_mode & 0o077 == 0
        assert PASSPHRASE.encode() not in path.read_bytes()
    assert terminal.run("reviewer", "lock")[0] == 0
    assert not list(index.glob("sessions/*"))
    answer = str(terminal.json("ask", "Is gout a painful swelling of a joint?")["id"])
    status, _, err = terminal.run("review", "approve", answer, "--yes", "sha256:" + "0" * 64)
    assert (status, "opens no signing session" in err) == (1, True)


def test_training_at_the_command_line(terminal: Terminal) -> None:
    """Answers come from stdin; the score is JSON."""
    reviewer = add_reviewer(terminal, "--demonstration")
    score = terminal.json(
        "review", "train", "--count", "4", "--seed", "1", "--as", reviewer, stdin="x\nr\nr\nreject\nr\n"
    )
    assert score["bad_drafts"] == score["caught"] == 2
    assert score["false_alarms"] == 2
    assert "caught 2 of 2 wrong drafts" in terminal.run("review", "stats")[1]
    assert terminal.run("review", "train", "--count", "1", "--as", reviewer)[0] == 1
