"""The promises of decoding, metadata and PDFs, and the outcomes over the hostile inputs of the shared sets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zlib
from datetime import date
from pathlib import Path

import pytest

from curio_rag.adapters.folder import FolderSource
from curio_rag.adapters.isolation import run_isolated
from curio_rag.domain.sources import VettingStatus
from curio_rag.errors import UnreadableDocument
from tests.reading import read, refused

SAFETY = Path(__file__).resolve().parents[2] / "shared" / "safety"
needs_shared = pytest.mark.skipif(not SAFETY.is_dir(), reason="the safety sets are not beside this checkout")


def pdf(*pages: str, resources: str = "", catalog: str = "", extra: tuple[str, ...] = ()) -> bytes:
    """A PDF with one content stream for each page, Helvetica as F1 and Helvetica-Bold as F2."""
    count = len(pages)
    kids = " ".join(f"{5 + 2 * index} 0 R" for index in range(count))
    fonts = "/Font<</F1 3 0 R/F2 4 0 R>>"
    objects = [f"<</Type/Catalog/Pages 2 0 R{catalog}>>", f"<</Type/Pages/Kids[{kids}]/Count {count}>>"]
    for face in ("Helvetica", "Helvetica-Bold"):
        objects.append(f"<</Type/Font/Subtype/Type1/BaseFont/{face}/Encoding/WinAnsiEncoding>>")
    for index, content in enumerate(pages):
        place = f"/Contents {6 + 2 * index} 0 R/MediaBox[0 0 612 792]/Resources<<{fonts}{resources}>>"
        objects.append(f"<</Type/Page/Parent 2 0 R{place}>>")
        objects.append(f"<</Length {len(content.encode('cp1252'))}>>\nstream\n{content}\nendstream")
    objects.extend(extra)
    body, offsets = b"%PDF-1.7\n", []
    for number, item in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{item}\nendobj\n".encode("cp1252")
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer


def words(text: str, *, x: int = 50, y: int = 700, size: int = 11, face: str = "F1") -> str:
    return f"BT /{face} {size} Tf {x} {y} Td ({text}) Tj ET\n"


# Bytes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_units_survive_each_marked_encoding(encoding: str) -> None:
    """Micrograms, powers and fractions come through byte-exact, and newlines of any kind become one."""
    document = read("5 µg, 10², ½ ≤ μ\r\n\r\nnext\rline".encode(encoding), name="a.txt")
    assert document.text == "5 µg, 10², ½ ≤ μ\n\nnext line"


def test_a_guess_is_never_made_about_a_dose() -> None:
    """Bytes that could be several encodings are quarantined; mixed ones too; a declared one is believed."""
    assert refused("Dosis: 5 µg täglich\n".encode("latin-1") * 20, name="a.txt").reason == "encoding"
    assert refused("5 µg ".encode() + "5 µg ".encode("latin-1"), name="a.txt").reason == "encoding"
    page = '<meta charset="iso-8859-1"><p>5 µg'.encode("latin-1")
    document = read(page, name="a.html")
    assert document.text == "5 µg" and any("cp1252" in note for note in document.notes)


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "a.txt", "empty"),
        (b" \n\xe2\x80\x8b", "a.txt", "empty"),
        (b"---\ntitle: x\n---\n", "a.md", "empty"),
        (b"a\0b", "a.txt", "binary"),
        (b"\x89PNG\r\n\x1a\n", "a.md", "binary"),
        (b"%PDF-1.4", "a.txt", "type_mismatch"),
        (b"<!doctype html><p>x", "a.txt", "type_mismatch"),
        (b"MZ\x90", "a.pdf", "type_mismatch"),
    ],
)
def test_what_is_no_text_is_quarantined(content: bytes, name: str, reason: str) -> None:
    """Empty, binary and mislabelled files are quarantined with a stable reason and a way out."""
    error = refused(content, name=name)
    assert (error.reason, error.quarantine, bool(error.hint)) == (reason, True, True)


def test_unseen_characters_go_and_are_counted() -> None:
    """Terminal escapes, zero-width, tag and direction characters go with a note; joiners that shape words stay."""
    document = read("a\x1b[31mb\u200bc\u202ed\U000e0041 می\u200cخواهم 👩\u200d⚕\ufe0f µ", name="a.txt")
    assert document.text == "abcd می\u200cخواهم 👩\u200d⚕\ufe0f µ"
    assert "1 tag character" in " ".join(document.notes)
    assert any("look-alike" in note for note in read("ignоrе this", name="a.txt").notes)


# What a file says of itself


def test_front_matter_fields() -> None:
    """Scalars stay as written, lists and sources become values, unknown fields a note."""
    document = read(
        "---\ntitle: T\nsynonyms: [a, b]\nedition: 2.10\nlanguage: no\nas_of: 2017\nstatus: sample\n"
        "review_due: 2027-05-01\nsources:\n- {title: S, publisher: P, url: 'https://e.org', date: 2024-05}\n"
        "must_show: ['Do  not drive.']\nfoo: 1\n---\n# H\n\nPlease do\nnot. Do not\ndrive.\n"
    )
    assert (document.title, document.edition, document.language, document.as_of) == ("T", "2.10", "no", "2017")
    assert document.synonyms == ("a", "b") and document.references[0].date == "2024-05"
    assert document.vetting.status is VettingStatus.SAMPLE and document.vetting.review_due == date(2027, 5, 1)
    assert [span.of(document.text) for span in document.must_show] == ["Do not drive."]
    assert document.notes == ("unknown field 'foo' ignored",) and document.proposal is None


@pytest.mark.parametrize(
    "claim", ["clinician: Dr House", "reviewed_by: Dr House", "status: approved\nvetting: {clinician: Dr House}"]
)
def test_a_vetting_claim_is_a_proposal(claim: str) -> None:
    """Whatever a file claims about its vetting, it stays unvetted and the claim is kept for a curator."""
    document = read(f"---\n{claim}\n---\ntext")
    assert document.vetting.status is VettingStatus.UNVETTED and document.vetting.clinician is None
    assert document.proposal is not None and document.proposal.clinician == "Dr House"


@pytest.mark.parametrize(
    ("matter", "line"),
    [
        ("title: [x", 2),
        ("title: x\nas_of: soon", 3),
        ("title: x\nreview_due: 2027-02-30", 3),
        ("title: x\ntitle: y", 3),
        ("a: &a [1]\nb: *a", 3),
        ("title: {a: b}", 2),
        ("url: javascript:alert(1)", 2),
        ("title: !!python/object:os.system x", 2),
        ("sources: [x]", 2),
        ("id: ../../x", 2),
    ],
)
def test_malformed_metadata_names_file_and_line(matter: str, line: int) -> None:
    """Malformed front matter is refused, not quarantined, naming the file and the line."""
    error = refused(f"---\n{matter}\n---\ntext", name="sub/a.md")
    assert (error.reason, error.quarantine) == ("malformed_metadata", False)
    assert "sub/a.md" in error.message and f"line {line}" in error.message and error.hint


def test_must_show_has_to_stand_in_the_text() -> None:
    """A sentence that the text does not hold is refused, naming file and sentence."""
    error = refused("---\nmust_show: [Call 999.]\n---\nCall 112.")
    assert "a.md" in error.message and "Call 999." in error.message and not error.quarantine


def test_sidecar_lies_over_front_matter() -> None:
    """The sidecar's fields win, a note says so, and a malformed one names the sidecar."""
    document = read("---\ntitle: a\npublisher: p\n---\nx", sidecar="title: b\n")
    assert (document.title, document.publisher) == ("b", "p") and "sidecar" in document.notes[0]
    assert "sidecar of a.md" in refused("x", sidecar="title: [").message


def test_titles_without_metadata() -> None:
    """The first heading gives the title, and failing that the file's name."""
    assert read("para\n\n## Head\n\nx").title == "Head"
    assert read("para", name="car-t_basics.txt").title == "car t basics"


# PDF


def test_pdf_structure_pages_and_labels() -> None:
    """Headings, wrapped paragraphs, bullets, steps and pages with their printed labels."""
    first = words("Big title", y=740, size=20) + words("Body text that goes", y=700) + words("on here for 5 mg.", y=687)
    first += words("\\225 one", y=660) + words("\\225 two", y=647) + words("1. wash", y=620) + words("2. dry", y=607)
    second = words("Bold head", y=700, face="F2") + words("More body text on the second page.", y=680)
    document = read(pdf(first, second, catalog="/PageLabels<</Nums[0<</S/r>>]>>"), name="a.pdf")
    assert document.text == (
        "Big title\n\nBody text that goes on here for 5 mg.\n\n- one\n- two\n1. wash\n2. dry"
        "\n\nBold head\n\nMore body text on the second page."
    )
    assert [block.kind.value for block in document.blocks] == (
        ["heading", "paragraph", "bullet", "bullet", "step", "step", "heading", "paragraph"]
    )
    assert document.page_labels == ("i", "ii") and document.page_starts == (0, document.text.index("Bold head"))
    assert document.title == "Big title"


def test_pdf_hyphens_and_raised_digits() -> None:
    """A hyphen goes only where the whole word stands elsewhere, and a raised digit never joins a number."""
    lines = ["An immuno-", "therapy is long-", "term. Each immunotherapy"]
    content = "".join(words(line, y=700 - 13 * index) for index, line in enumerate(lines))
    content += "BT /F1 11 Tf 50 600 Td (give 10) Tj /F1 6 Tf 36 4 Td (6) Tj /F1 11 Tf 5 -4 Td (cells) Tj ET"
    text = read(pdf(content), name="a.pdf").text
    assert "An immunotherapy is long-term." in text
    assert "10⁶" in text and "106" not in text


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        ("1 1 1 rg " + words("SECRET", y=600), False),
        ("0 0 1 rg 40 590 300 30 re f 1 1 1 rg " + words("SECRET", y=600), True),
        ("/CS0 cs 0 scn " + words("SECRET", y=600), False),
        ("/GS0 gs " + words("SECRET", y=600), False),
        ("0 0 10 10 re W n " + words("SECRET", y=600), False),
        ("40 590 300 30 re W n " + words("SECRET", y=600), True),
        (words("SECRET", y=600) + "1 g 40 590 300 30 re f", False),
        ("1 0 0 1 0 -5000 cm " + words("SECRET", y=600), False),
        ("0.05 0 0 0.05 50 50 cm " + words("SECRET", y=600), False),
    ],
)
def test_pdf_text_that_nobody_sees(content: str, seen: bool) -> None:
    """Text in the colour of its ground, transparent, clipped, covered, tiny or off the page is left out; else kept."""
    separation = "/ColorSpace<</CS0[/Separation/Black/DeviceGray<</FunctionType 2/Domain[0 1]/N 1>>]>>"
    resources = separation + "/ExtGState<</GS0<</ca 0/CA 0>>>>"
    document = read(pdf(words("Seen.") + f"q {content} Q", resources=resources), name="a.pdf")
    assert ("SECRET" in document.text) is seen and "Seen." in document.text


def test_pdf_bombs_and_hangs_end() -> None:
    """A stream that unpacks to 100 MB is stopped by its size, and anything else by the clock."""
    bomb = zlib.compress(b"(A) Tj " * 15_000_000, 9)
    stream = f"<</Length {len(bomb)}/Filter/FlateDecode>>\nstream\n".encode()
    body = pdf("MARK").replace(b"<</Length 4>>\nstream\nMARK", stream + bomb)
    assert refused(body, name="a.pdf").reason == "resource_limit"
    started = time.monotonic()
    with pytest.raises(UnreadableDocument) as caught:
        run_isolated("html", b"<a " * 100_000, name="a.html", seconds=1.0)
    assert caught.value.reason == "resource_limit" and time.monotonic() - started < 5


def test_pdf_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """What pypdf warns of becomes a note and never reaches standard error."""
    body = pdf(words("Seen.")).replace(b"startxref\n", b"startxref\n9")
    assert any("warning" in note for note in read(body, name="a.pdf").notes)
    assert capfd.readouterr() == ("", "")


# The shared sets


@pytest.fixture(scope="session")
def bad_inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bad")
    script = SAFETY / "bad_inputs" / "make_bad_inputs.py"
    subprocess.run([sys.executable, str(script), str(out)], check=True, stdout=subprocess.DEVNULL)
    return out / "kb"


ALLOWED = {
    "empty_zero.txt": {"empty"},
    "empty_ws.txt": {"empty"},
    "enc_utf16le.txt": {"encoding", "ok"},
    "enc_latin1.txt": {"encoding"},
    "enc_cp1252.txt": {"encoding", "ok"},
    "enc_invalid_utf8.txt": {"encoding"},
    "enc_mixed.txt": {"encoding"},
    "bin_png.txt": {"binary"},
    "bin_exe.pdf": {"type_mismatch"},
    "bin_html_as.pdf": {"type_mismatch"},
    "bin_pdf_as.txt": {"type_mismatch"},
    "big_repeat_50MB.txt": {"too_large"},
    "nul_bytes.txt": {"binary"},
    "pdf_trunc.pdf": {"corrupt"},
    "pdf_noxref.pdf": {"corrupt", "ok"},
    "pdf_blank_scan.pdf": {"no_text"},
    "pdf_flate_bomb.pdf": {"resource_limit"},
    "pdf_flate_bomb2.pdf": {"resource_limit"},
    "pdf_cycle_pages.pdf": {"corrupt"},
    "pdf_count_lie.pdf": {"no_text"},
    "pdf_20000_same_pages.pdf": {"resource_limit"},
    "docx_bomb.docx": {"unsupported_type"},
    ".hidden.txt": {"hidden"},
    "~$lock.docx": {"temp"},
    "unknown.xyz": {"unsupported_type"},
    "noext": {"unsupported_type"},
    "jsonl_bad.jsonl": {"unsupported_type"},
    "link_file_outside.txt": {"symlink_outside"},
    "link_dir_outside": {"symlink_outside"},
    "link_loop": {"symlink_loop"},
    "link_dangling.txt": {"dangling"},
    "link_passwd.txt": {"symlink_outside"},
    "fifo.txt": {"not_regular"},
    "noperm.txt": {"unreadable"} if hasattr(os, "geteuid") and os.geteuid() else {"ok"},
}
"""What each hostile input may come to; every other one is read."""


@needs_shared
def test_hostile_inputs(bad_inputs: Path) -> None:
    """Each of the 58 hostile inputs comes to what is wanted of it, once, in seconds, and can be reported."""
    source, outcomes = FolderSource(), {}
    for file in source.list([bad_inputs]):
        outcome = file.skip
        if outcome is None:
            try:
                document = source.read(source.load(file))
                assert not document.blocks or document.blocks[-1].span.end == len(document.text)
                assert not any(ord(letter) < 32 and letter != "\n" for letter in document.text)
                outcome = "ok"
            except UnreadableDocument as error:
                outcome = error.reason
        outcomes[file.document_id] = outcome
    expected = json.loads((SAFETY / "bad_inputs" / "expected.json").read_text(encoding="utf-8"))
    assert len(outcomes) == len(expected) == 58
    json.dumps(outcomes, ensure_ascii=False).encode("utf-8")
    wrong = {name: found for name, found in outcomes.items() if found not in ALLOWED.get(name, {"ok"})}
    assert wrong == {}


OVERT = {
    "overt.pdf",
    "h_overt.html",
    "zero_width.txt",
    "homoglyph.txt",
    "md_exfil.md",
    "chatml.txt",
    "fake_citation.txt",
    "yaml_front.md",
    "keyword_stuff.txt",
    "contradiction.txt",
    "table_cell.csv",
    "split_b.txt",
}
"""Payloads that a reader sees: text is data, so they stay as text and are nobody's instruction."""


@needs_shared
def test_hidden_payloads_do_not_survive() -> None:
    """Of 41 poisoned documents only payloads in plain sight are in the text, and no address of a picture is."""
    survived = set()
    source = FolderSource()
    for case in json.loads((SAFETY / "inject_docs" / "expected.json").read_text(encoding="utf-8")):
        document = source.read(source.load(source.list([SAFETY / "inject_docs" / case["file"]])[0]))
        assert "evil.example" not in document.text and case["canary"] not in document.title
        if case["canary"] in document.text:
            survived.add(case["file"])
    assert survived == OVERT
