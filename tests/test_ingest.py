"""Ingest: one outcome for each file, nothing lost, nothing done twice, nothing believed that a file says of itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from curio_rag.adapters.write_lock import write_lock
from curio_rag.domain.library import FileOutcome, IngestReport
from curio_rag.errors import CurioError, IndexLocked, IndexMissing, IndexOutOfDate, KnowledgeError
from curio_rag.ports import Vector
from tests.conftest import ROOT, SmallBase, sample
from tests.fakes import WordEmbedder

SECOND_DOSE = sample("Aspirin", "# Aspirin\n\n## What aspirin is\n\nAspirin is an old medicine.\n")


def outcomes(report: IngestReport) -> dict[str, str]:
    return {
        receipt.source.removeprefix("knowledge/"): receipt.outcome.value
        + (f":{receipt.reason.code}" if receipt.reason else "")
        for receipt in report.receipts
    }


def found(texts: Sequence[object]) -> set[str]:
    return {hit.passage.document_id for hit in texts}  # type: ignore[attr-defined]


def test_every_file_gets_exactly_one_outcome_and_the_totals_add_up(folder: Path, open_base: SmallBase) -> None:
    """Good, duplicate, empty, broken, unreadable and foreign files stand side by side; none stops another."""
    knowledge = folder / "knowledge"
    shutil.copy(knowledge / "gout.md", knowledge / "gout-copy.md")
    (knowledge / "empty.md").write_bytes(b"")
    (knowledge / "latin.txt").write_bytes(b"Take 5 \xb5g, never \xff\xfe\xfa\xc3\x28 more.")
    (knowledge / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing more")
    (knowledge / "wrong.md").write_text("---\ntitle: [\n---\nText.\n", encoding="utf-8")
    (knowledge / "picture.xyz").write_bytes(b"?")
    report = open_base().ingest()
    assert outcomes(report) == {
        "aspirin.md": "accepted",
        "asthma.md": "accepted",
        "broken.pdf": "quarantined:corrupt",
        "empty.md": "quarantined:empty",
        "gout-copy.md": "accepted",
        "gout.md": "skipped:duplicate",
        "latin.txt": "quarantined:encoding",
        "picture.xyz": "skipped:unsupported_type",
        "wrong.md": "refused:malformed_metadata",
    }
    assert sum(report.count(outcome) for outcome in FileOutcome) == len(report.receipts) == 9
    assert not report.complete


def test_a_refusal_names_the_file_and_the_way_out(folder: Path, open_base: SmallBase) -> None:
    """The reason tells a curator what to mend and where."""
    (folder / "knowledge" / "wrong.md").write_text("---\ntitle: [\n---\nText.\n", encoding="utf-8")
    report = open_base().ingest()
    (reason,) = [receipt.reason for receipt in report.receipts if receipt.outcome is FileOutcome.REFUSED]
    assert reason is not None
    assert "wrong.md" in reason.text


def test_a_second_run_changes_nothing(open_base: SmallBase) -> None:
    """Unchanged files are left alone: nothing is embedded, and the generation stays."""
    embedder = WordEmbedder()
    base = open_base(embedder=embedder)
    first = base.ingest()
    embedder.embedded.clear()
    second = base.ingest()
    assert set(outcomes(second).values()) == {"unchanged"}
    assert (embedder.embedded, second.generation) == ([], first.generation)


def test_a_changed_file_replaces_its_own_passages_and_nothing_else(folder: Path, open_base: SmallBase) -> None:
    """The old words are gone, the new ones are found, and only they were embedded."""
    embedder = WordEmbedder()
    base = open_base(embedder=embedder)
    base.ingest()
    before = {hit.passage.id for hit in base.search("gout joint asthma airways", limit=10)}
    (folder / "knowledge" / "aspirin.md").write_text(SECOND_DOSE, encoding="utf-8")
    embedder.embedded.clear()
    report = base.ingest()
    assert outcomes(report)["aspirin.md"] == "accepted"
    assert embedder.embedded == ["Aspirin. What aspirin is\nAspirin is an old medicine."]
    texts = [hit.passage.text for hit in base.search("aspirin fever medicine", limit=10)]
    assert "Aspirin is an old medicine." in texts
    assert not any("lowers fever" in text for text in texts)
    after = {hit.passage.id for hit in base.search("gout joint asthma airways", limit=10)}
    assert len(before & after) == 2


def test_a_file_that_has_gone_is_reported_and_retired_only_when_asked(folder: Path, open_base: SmallBase) -> None:
    """Deleting a file does not silently take its document away."""
    base = open_base()
    base.ingest()
    (folder / "knowledge" / "gout.md").unlink()
    kept = base.ingest()
    assert (kept.missing, kept.retired) == (("gout.md",), ())
    assert "gout.md" in found(base.search("gout"))
    retired = base.ingest(retire_missing=True)
    assert retired.retired == ("gout.md",)
    assert "gout.md" not in found(base.search("gout"))
    assert base.ingest().missing == ()


def test_a_renamed_file_is_not_lost(folder: Path, open_base: SmallBase) -> None:
    """The same text under another name is accepted when the old name is gone, and the old one can be retired."""
    base = open_base()
    base.ingest()
    (folder / "knowledge" / "gout.md").rename(folder / "knowledge" / "gicht.md")
    report = base.ingest(retire_missing=True)
    assert outcomes(report)["gicht.md"] == "accepted"
    assert found(base.search("gout", limit=1)) == {"gicht.md"}


def test_a_file_keeps_its_identity_however_it_is_named(folder: Path, open_base: SmallBase) -> None:
    """The file alone, its folder or the folder above: it stays one document."""
    base = open_base()
    base.ingest()
    assert set(outcomes(base.ingest(folder / "knowledge" / "gout.md")).values()) == {"unchanged"}
    above = base.ingest(folder)
    assert {receipt.source for receipt in above.receipts if receipt.outcome is FileOutcome.UNCHANGED} == {
        "knowledge/aspirin.md",
        "knowledge/asthma.md",
        "knowledge/gout.md",
    }


def test_two_files_cannot_share_an_id(folder: Path, open_base: SmallBase) -> None:
    """The second is refused with the name of the first."""
    text = sample("Gout", "# Gout\n\nA different text.\n").replace("title:", "id: aspirin.md\ntitle:", 1)
    (folder / "knowledge" / "zz.md").write_text(text, encoding="utf-8")
    report = open_base().ingest()
    assert outcomes(report)["zz.md"] == "refused:id_taken"
    assert outcomes(report)["aspirin.md"] == "accepted"


def test_a_file_may_change_its_id(folder: Path, open_base: SmallBase) -> None:
    """The document under the new id takes the place of the one under the old."""
    base = open_base()
    base.ingest()
    path = folder / "knowledge" / "gout.md"
    path.write_text(
        path.read_text(encoding="utf-8").replace("title:", "id: gout\ntitle:", 1) + "\nMore.\n", encoding="utf-8"
    )
    base.ingest()
    assert found(base.search("gout", limit=1)) == {"gout"}
    assert "gout.md" not in found(base.search("gout", limit=10))


def test_a_dry_run_writes_nothing(folder: Path, open_base: SmallBase) -> None:
    """The same outcomes are reported, and no file is made."""
    report = open_base().ingest(dry_run=True)
    assert report.dry_run
    assert set(outcomes(report).values()) == {"accepted"}
    assert not (folder / "indexes").exists()
    with pytest.raises(IndexMissing):
        open_base().search("gout")


def test_what_a_file_says_of_its_vetting_is_a_proposal(folder: Path, open_base: SmallBase) -> None:
    """A file that calls itself vetted is filed, answers nothing, and keeps its claim for a curator to see."""
    claim = "title: Cure\nstatus: vetted\nvetting:\n  clinician: Dr Somebody\n  vetted_on: 2026-01-01\n"
    (folder / "knowledge" / "claim.md").write_text(f"---\n{claim}---\nZinc cures.\n", encoding="utf-8")
    base = open_base()
    report = base.ingest()
    assert report.awaiting_vetting == 1
    (record,) = [record for record in base.library() if record.entry.document_id == "claim.md"]
    assert (record.vetting.status.value, record.admitted) == ("unvetted", False)
    assert record.entry.proposal is not None
    assert "claim.md" not in found(base.search("zinc cures", limit=10))


class FailingEmbedder(WordEmbedder):
    """Fails on every text with a certain word."""

    def embed(self, texts: Sequence[str]) -> tuple[Vector, ...]:
        if any("poison" in text for text in texts):
            raise CurioError("the model failed")
        return super().embed(texts)


def test_a_failing_embedder_leaves_the_old_index_whole(folder: Path, open_base: SmallBase) -> None:
    """The documents that were there are still found, and check finds nothing wrong."""
    base = open_base(embedder=FailingEmbedder())
    base.ingest()
    (folder / "knowledge" / "aspirin.md").write_text(
        sample("Aspirin", "# Aspirin\n\nAspirin is poison.\n"), encoding="utf-8"
    )
    with pytest.raises(CurioError, match="the model failed"):
        base.ingest()
    assert "lowers fever" in " ".join(hit.passage.text for hit in base.search("aspirin fever"))
    assert base.check() == ()


def test_another_model_is_refused_until_the_index_is_built_with_it(open_base: SmallBase) -> None:
    """Vectors of another model of the same dimension are never compared; ingest builds the index anew."""
    open_base().ingest()
    other = open_base(embedder=WordEmbedder(model="other"))
    with pytest.raises(IndexOutOfDate, match="curio ingest"):
        other.search("gout")
    other.ingest()
    assert found(other.search("gout", limit=1)) == {"gout.md"}


def test_one_writer_at_a_time(folder: Path, open_base: SmallBase) -> None:
    """A second writer is told who writes; readers are not kept waiting."""
    base = open_base()
    base.ingest()
    with write_lock(folder / "indexes" / "default"):
        with pytest.raises(IndexLocked, match=str(os.getpid())):
            open_base().ingest()
        assert found(base.search("gout", limit=1)) == {"gout.md"}


def test_a_missing_path_and_an_empty_folder(folder: Path, open_base: SmallBase) -> None:
    """A path that is not there is named; a folder without documents is an empty report, not an error."""
    with pytest.raises(KnowledgeError, match="nowhere"):
        open_base().ingest(folder / "nowhere")
    (folder / "void").mkdir()
    assert open_base().ingest(folder / "void").receipts == ()


def test_the_index_can_be_rebuilt_from_the_ledger(folder: Path, open_base: SmallBase) -> None:
    """With every generation deleted, repair brings the same passages back without embedding anything."""
    embedder = WordEmbedder()
    base = open_base(embedder=embedder)
    base.ingest()
    before = [hit.passage.id for hit in base.search("gout", limit=5)]
    index = folder / "indexes" / "default"
    shutil.rmtree(index / "generations")
    assert base.check() != ()
    embedder.embedded.clear()
    again = open_base(embedder=embedder)
    again.repair()
    assert again.check() == ()
    assert embedder.embedded == []
    assert [hit.passage.id for hit in again.search("gout", limit=5)] == before


KILLED = """
import sys, time
from pathlib import Path
from curio_rag.config import load_config
from curio_rag.knowledge_base import KnowledgeBase
from tests.conftest import SmallAssembly
from tests.fakes import WordEmbedder

class Slow(WordEmbedder):
    def embed(self, texts):
        print("embedding", flush=True)
        time.sleep(0.2)
        return super().embed(texts)

KnowledgeBase(SmallAssembly(load_config(Path(sys.argv[1]), environment={}), embedder=Slow())).ingest()
"""


def test_a_killed_ingest_is_resumed_and_repeats_nothing(folder: Path, open_base: SmallBase) -> None:
    """After kill -9 the next run takes what is left; what was committed is unchanged, and nothing is missing."""
    for number in range(120):
        text = sample(f"Topic {number}", f"# Topic {number}\n\nThe word of this page is term{number}x.\n")
        (folder / "knowledge" / f"topic-{number:03}.md").write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", KILLED, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        assert running.stdout is not None
        for _ in range(2):
            running.stdout.readline()
        time.sleep(0.05)
        running.send_signal(signal.SIGKILL)
    base = open_base()
    report = base.ingest()
    assert report.complete
    assert len(report.receipts) == 123
    assert report.count(FileOutcome.UNCHANGED) >= 48
    assert report.count(FileOutcome.UNCHANGED) + report.count(FileOutcome.ACCEPTED) == 123
    assert base.check() == ()
    assert "topic-007.md" in found(base.search("term7x", limit=10))


BAD_INPUTS = ROOT.parent / "shared" / "safety" / "bad_inputs" / "make_bad_inputs.py"


@pytest.mark.skipif(not BAD_INPUTS.is_file(), reason="the shared bad inputs are not here")
def test_hostile_files_each_get_an_outcome_and_the_good_ones_are_in(folder: Path, open_base: SmallBase) -> None:
    """Bombs, pipes, links, odd names and wrong types in one folder: none stops another, each has its reason."""
    hostile = folder / "hostile"
    subprocess.run([sys.executable, str(BAD_INPUTS), str(hostile)], check=True, capture_output=True)
    for large in ("big_oneline_20MB.txt", "big_repeat_50MB.txt"):
        (hostile / "kb" / large).unlink()  # their reading is tested alone; cutting 20 MB takes a minute
    base = open_base(admit="vetted,sample,unvetted")
    report = base.ingest(hostile / "kb")
    json.dumps(report.to_dict()).encode("utf-8")
    got = {receipt.source.removeprefix("hostile/kb/"): receipt for receipt in report.receipts}
    assert sum(report.count(outcome) for outcome in FileOutcome) == len(report.receipts) == len(got)
    for name in (
        "ok_plain.txt",
        "ok_unicode.md",
        "ok_cjk.txt",
        "pdf_ok.pdf",
        "csv_formula.csv",
    ):
        assert got[name].outcome is FileOutcome.ACCEPTED, got[name]
    codes = {name: receipt.reason.code for name, receipt in got.items() if receipt.reason}
    quarantined = {
        "bin_exe.pdf": "type_mismatch",
        "bin_png.txt": "binary",
        "empty_zero.txt": "empty",
        "enc_invalid_utf8.txt": "encoding",
        "pdf_blank_scan.pdf": "no_text",
        "pdf_flate_bomb.pdf": "resource_limit",
        "pdf_trunc.pdf": "corrupt",
    }
    for name, code in quarantined.items():
        assert (got[name].outcome, codes[name]) == (FileOutcome.QUARANTINED, code)
    copies = [got[name].outcome for name in ("dup_a.txt", "dup_b_copy.txt")]
    assert sorted(copies) == [FileOutcome.ACCEPTED, FileOutcome.SKIPPED]
    for name in ("link_file_outside.txt", "link_passwd.txt", "fifo.txt", ".hidden.txt", "noext"):
        assert got[name].outcome is FileOutcome.SKIPPED
    texts = " ".join(hit.passage.text for hit in base.search("secret outside text must never be indexed", limit=50))
    assert "SECRET outside" not in texts
    assert "µg" in " ".join(hit.passage.text for hit in base.search("5 µg", limit=50))
