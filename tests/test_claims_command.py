"""`curio claims` checks rows against the knowledge base or against given evidence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curio_rag.config import load_config
from curio_rag.domain.claims import ClaimRow
from curio_rag.errors import EvalError
from curio_rag.faces.cli import app
from curio_rag.knowledge_base import KnowledgeBase
from tests.conftest import SmallAssembly, sample

TEXT = "# Driving\n\nDo not drive for 8 weeks.\nFever needs a call at once.\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("claims")
    (place / "curio.toml").write_text('admit = ["vetted", "sample"]\nsearch = "exact"\n', encoding="utf-8")
    (place / "knowledge").mkdir()
    for name in ("driving.md", "old.md"):
        (place / "knowledge" / name).write_text(sample(name, f"{TEXT}\nThis page is {name}.\n"), encoding="utf-8")
    with KnowledgeBase(SmallAssembly(load_config(place, environment={}))) as base:
        base.ingest()
        base.desk.withdraw("old.md", reason="a test", by="Test Fixture")
    return place


def row(number: int, text: str, document_id: str, quote: str) -> dict[str, object]:
    return {"id": str(number), "text": text, "citations": [{"document_id": document_id, "quote": quote}]}


ROWS = (
    row(1, "You must not drive for eight weeks.", "driving.md", "Do not drive for 8 weeks."),
    row(2, "You must not drive for two days.", "driving.md", "Do not drive for 8 weeks."),
    row(3, "Fever is fine.", "expert.pdf", "Fever is fine."),
    row(4, "You must not drive for eight weeks.", "old.md", "Do not drive for 8 weeks."),
    row(5, "You must not drive for eight weeks.", "driving.md", "Do not drive for  8 weeks."),
    row(6, "", "driving.md", "Do not drive for 8 weeks."),
    {"id": "7", "text": "x" * 1_000_000, "evidence": [{"title": "", "text": TEXT}]},
    {"id": "8", "text": "Fever needs a call.", "evidence": []},
    {"id": "9", "text": "Fever needs a call.", "citations": []},
    {"id": "10", "text": "Call at once about fever.", "evidence": [{"title": "Fever", "text": TEXT}]},
)


def test_each_row_gets_a_verdict(folder: Path) -> None:
    """One line of JSON for each row, in order, with codes and reasons; also from stdin."""
    lines = "".join(json.dumps(each) + "\n" for each in ROWS)
    result = CliRunner().invoke(app, ["-C", str(folder), "claims", "-", "--json"], input=lines)
    assert result.exit_code == 0, result.output
    shown = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(each["id"], each["verdict"], [reason["code"] for reason in each["reasons"]][:1]) for each in shown] == [
        ("1", "supported", []),
        ("2", "withheld", ["time_span"]),
        ("3", "withheld", ["document"]),
        ("4", "withheld", ["document"]),
        ("5", "withheld", ["quote_space"]),
        ("6", "withheld", ["empty"]),
        ("7", "withheld", ["too_long"]),
        ("8", "withheld", ["no_citation"]),
        ("9", "withheld", ["no_citation"]),
        ("10", "supported", []),
    ]
    assert "does not exist" in shown[2]["reasons"][0]["text"]
    assert "withdrawn" in shown[3]["reasons"][0]["text"]


def test_people_read_the_reason(folder: Path, tmp_path: Path) -> None:
    """Without --json the verdict, the reason and the nearest words stand below each other."""
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(ROWS[1]) + "\n\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["-C", str(folder), "claims", str(file)])
    assert "2: WITHHELD" in result.stdout
    assert "'2 days', the source says '8 weeks'" in result.stdout
    assert "Do not drive for 8 weeks." in result.stdout


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("nope", "line 1 is not JSON"),
        ("[]", "line 1 is not an object"),
        ('{"id": "1", "text": "x"}', "either"),
        ('{"id": "1", "text": "x", "citations": [], "evidence": []}', "either"),
        ('{"id": "1", "citations": []}', "“text”"),
        ('{"id": "1", "text": 3, "citations": []}', "“text”"),
        ('{"id": "1", "text": "x", "citations": "y"}', "“citations”"),
        ('{"id": "1", "text": "x", "citations": [{"quote": "y"}]}', "“document_id”"),
        ('{"id": "1", "text": "x", "evidence": [{"title": "y"}]}', "“text”"),
    ],
)
def test_a_malformed_row_is_named(folder: Path, tmp_path: Path, line: str, named: str) -> None:
    """The file, the line and the field are in the message."""
    file = tmp_path / "rows.jsonl"
    file.write_text(line + "\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["-C", str(folder), "claims", str(file), "--json"])
    assert isinstance(result.exception, EvalError)
    assert named in result.exception.message
    assert "rows.jsonl, line 1" in result.exception.message


def test_a_missing_file_is_named(folder: Path) -> None:
    """A file that cannot be read is a clear error."""
    result = CliRunner().invoke(app, ["-C", str(folder), "claims", "missing.jsonl"])
    assert isinstance(result.exception, EvalError)
    assert "missing.jsonl" in result.exception.message


def test_the_library_does_the_same(folder: Path) -> None:
    """`KnowledgeBase.check_claims` is the one function behind the command."""
    with KnowledgeBase.open(folder) as base:
        (checked,) = base.check_claims([ClaimRow.from_dict(ROWS[0], where="here")])
    assert checked.judgement.supported
