"""The lint over documents: the bundled ones are clean, and each fault is found where an editor would look for it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from curio_rag.adapters.curated_files import CuratedFolder, read_curated
from curio_rag.adapters.readability import FleschKincaid
from curio_rag.domain.curation import CuratedFile
from curio_rag.domain.time_limits import PRODUCTS, Limit, limit_of, missing_scope
from curio_rag.pipelines.lint import lint
from tests.conftest import ROOT

KNOWLEDGE = ROOT / "knowledge"
METADATA = """\
title: Going home
status: sample
as_of: 2026-11-23
review_due: 2027-05-23
must_show:
  - "Call the team at once for a fever."
sources:
  - {title: A page, publisher: A charity, url: "https://example.org/a", date: undated}
  - {title: B page, publisher: B charity, url: "https://example.org/b", date: 2026-01}
"""
BODY = """\
# Going home

## In short

Most people go home after two weeks. Call the team at once for a fever.

## Driving

- In the United States, since June 2025, the label of Abecma says not to drive for at least 2 weeks.

Follow your own centre if it says longer.
"""


@pytest.fixture
def problems(tmp_path: Path) -> Callable[..., list[str]]:
    """Writes one Markdown document and gives its problems as they are printed."""

    def problems_of(*, metadata: str = METADATA, body: str = BODY) -> list[str]:
        (tmp_path / "home.md").write_text(f"---\n{metadata}---\n{body}", encoding="utf-8")
        return printed(tmp_path)

    return problems_of


def printed(folder: Path) -> list[str]:
    curated = read_curated(folder)
    return [str(problem) for problem in (*curated.problems, *lint(curated.files, FleschKincaid()))]


Problems = Callable[..., list[str]]


def test_a_sound_document_has_no_problem(problems: Problems) -> None:
    """The document that the other tests break is clean."""
    assert problems() == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("undated}", "''}", "home.md:9: a source has no date; write 'undated' where the page has no date [sources]"),
        ("publisher: B charity, ", "", "home.md:10: a source has no publisher [sources]"),
        (', url: "https://example.org/b"', "", "home.md:10: a source has no url [sources]"),
        (METADATA[METADATA.index("sources:") :], "", "home.md:1: there are no sources; list what the text was written"),
        ("title: B page, ", "", "home.md:8: home.md, line 8: 'sources' has an entry without a title"),
        ("as_of: 2026-11-23\n", "", "home.md:1: as_of is missing"),
        ("review_due: 2027-05-23\n", "", "home.md:1: review_due is missing"),
        ("status: sample", "status: vetted", "home.md:3: status is 'vetted'; a file can only call itself 'sample'"),
        ("status: sample\n", "", "home.md:1: status is missing"),
        ("at once for a fever", "at once for fever", "home.md:7: home.md: the text does not hold the sentence"),
        ("Call the team at once for", "the team at once for", "home.md:16: 'the team at once for a fever.' is marked"),
    ],
)
def test_a_fault_of_the_metadata_is_named_with_its_line(problems: Problems, old: str, new: str, expected: str) -> None:
    """Sources, dates, status and marked warnings; the line is that of the entry, or of the sentence."""
    found = problems(metadata=METADATA.replace(old, new))
    assert len(found) == 1, found
    assert found[0].startswith(expected)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("In the United States, since", "Since", "home.md:20: a time limit for driving names no country: “Since"),
        (", since June 2025", "", "home.md:20: a time limit for driving names no year"),
        ("the label of Abecma says", "doctors say", "home.md:20: a time limit for driving names no product"),
        ("not to drive", "to stay near the hospital", ""),
        ("In the United States, since June 2025, the label of Abecma says not to stay", "Stay", ""),
        ("Most people go", "They go", "home.md:16: it opens with 'They' and cannot be quoted alone"),
        ("Follow your own centre if it says longer.", "Ask.", "home.md:20: the section does not say 'Follow your own"),
        (
            "after two weeks.",
            "after two weeks. Wait 3 months for a flu shot.",
            "home.md:16: a time limit names no country",
        ),
    ],
)
def test_a_fault_of_the_text_is_named_with_its_line(problems: Problems, old: str, new: str, expected: str) -> None:
    """Scope, openings that need another sentence, and limits without 'Follow your own centre'."""
    found = problems(body=BODY.replace(old, new))
    assert len(found) == (1 if expected else 0), found
    assert "".join(found).startswith(expected)


def test_a_hard_document_is_named_with_its_hardest_sentence(problems: Problems) -> None:
    """Above grade 9 as a whole; the label of an item and the cells of a table do not count."""
    hard = "Haematological abnormalities necessitate individualised immunological reconsideration."
    found = problems(body=f"{BODY}\n## More\n\n{hard} {hard} {hard}\n")
    assert [problem.split(": ")[0] for problem in found] == ["home.md:26"]
    assert found[0].endswith("[grade]")
    assert problems(body=f"{BODY}\n- {hard[:-1]}: a check.\n") == []
    assert problems(body=f"{BODY}\n| A | B |\n|---|---|\n| {hard} | {hard} |\n") == []


@pytest.mark.parametrize(
    ("sentence", "limit"),
    [
        ("Do not drive for 8 weeks.", Limit.DRIVING),
        ("Most people drive again after a month.", Limit.DRIVING),
        ("Do not drive for a few weeks.", Limit.DRIVING),
        ("You must stay near the hospital for four weeks.", Limit.NEARNESS),
        ("Stay within two hours of the hospital for 28 days.", Limit.NEARNESS),
        ("You can have live vaccines after 12 months.", Limit.OTHER),
        ("Vaccines start again 6 months after CAR-T therapy.", Limit.OTHER),
        ("Use birth control for at least 6 months.", Limit.OTHER),
        ("Makers have to follow people for 15 years.", Limit.OTHER),
        ("Making CAR-T cells takes 3 to 6 weeks.", None),
        ("The infusion takes about 30 minutes.", None),
        ("CRS often starts within the first 5 days.", None),
        ("A study of driving looked at 40 people for 2 years.", None),
        ("B cells help to drive the attack.", None),
        ("About 43 of every 100 people were alive after five years.", None),
        ("Half of the people went at least 40 months without growth.", None),
        ("Kymriah is approved for people up to 25 years old.", None),
        ("The team checks you three times a day.", None),
    ],
)
def test_a_rule_is_told_from_a_description(sentence: str, limit: Limit | None) -> None:
    """A limit is what somebody should keep; how long something takes, and what a study saw, is none."""
    assert limit_of(sentence) is limit


def test_scope_is_country_year_and_product_in_the_sentence_itself() -> None:
    """An organisation stands for its country, "us" does not; a product group stands for its products."""
    sentence = "Follow us: the FDA said in 2025 not to drive for 2 weeks after any CAR-T product."
    assert missing_scope(sentence, Limit.DRIVING, PRODUCTS) == ()
    assert missing_scope("Tell us, and do not drive for 2 weeks.", Limit.DRIVING, PRODUCTS) == (
        *("country", "year"),
        "product",
    )
    assert missing_scope("Wait 3 months.", Limit.OTHER, PRODUCTS) == ("country", "year")


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        (
            "a.html",
            "<!DOCTYPE html>\n<html><body>\n<h1>A</h1>\n<p>Rest\nwell. <b>It</b> is &amp; will be.</p></body></html>",
            5,
        ),
        ("a.txt", "A\n=\n\nRest well.\nIt is and will be.\n", 5),
        ("a.md", "# A\n\nRest well.\n\n- [It](https://example.org/x) is and will be.\n", 5),
    ],
)
def test_lines_are_those_of_the_edited_file(tmp_path: Path, name: str, text: str, line: int) -> None:
    """In HTML, plain text and Markdown, whatever markup stands around the words."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / f"{name}.meta.yaml").write_text(METADATA.replace("must_show", "marked"), encoding="utf-8")
    (problem,) = [each for each in printed(tmp_path) if "[opening]" in each]
    assert problem.startswith(f"{name}:{line}: it opens with 'It'")


def test_a_fault_in_a_sidecar_is_named_there(tmp_path: Path) -> None:
    """The file to mend is the sidecar, whether the reader refuses it or the lint does."""
    (tmp_path / "a.txt").write_text("A\n=\n\nRest well.\n", encoding="utf-8")
    sidecar = tmp_path / "a.txt.meta.yaml"
    sidecar.write_text(METADATA.replace("status: sample", "status: new"), encoding="utf-8")
    assert printed(tmp_path)[0].startswith("a.txt.meta.yaml:6: a.txt: the text does not hold the sentence")
    sidecar.write_text(METADATA[: METADATA.index("must_show")], encoding="utf-8")
    assert printed(tmp_path) == [
        "a.txt.meta.yaml:1: there are no sources; list what the text was written from [sources]"
    ]
    sidecar.write_text(METADATA.replace("2027-05-23", "soon"), encoding="utf-8")
    assert printed(tmp_path)[0].startswith("a.txt.meta.yaml:4: ")


def test_a_pdf_is_named_by_the_line_of_its_source_or_by_its_page(tmp_path: Path) -> None:
    """Where the PDF is made from a source that is what an editor mends; otherwise the page is all there is."""
    name = "car-t-side-effects.pdf"
    for each in (name, f"{name}.meta.yaml"):
        shutil.copy(KNOWLEDGE / each, tmp_path)
    sidecar = tmp_path / f"{name}.meta.yaml"
    (file,) = read_curated(tmp_path).files
    assert {sentence.line for sentence in file.sentences} == {None}
    last = file.sentences[-1]
    assert last.page == len(file.document.page_starts) > 1
    sidecar.write_text(f'{sidecar.read_text(encoding="utf-8")}  - "{last.text[5:]}"\n', encoding="utf-8")
    assert printed(tmp_path)[0].startswith(f"{name}, page {last.page}: '{last.text[5:]}' is marked")
    (tmp_path / "sources").mkdir()
    (tmp_path / ".curioignore").write_text("sources/\n", encoding="utf-8")
    shutil.copy(KNOWLEDGE / "sources" / "car-t-side-effects.md", tmp_path / "sources")
    assert printed(tmp_path)[0].startswith("sources/car-t-side-effects.md:")


@pytest.fixture(scope="module")
def bundled() -> CuratedFolder:
    return read_curated(KNOWLEDGE)


def test_bundled_documents_are_clean(bundled: CuratedFolder) -> None:
    """No document is refused and none has a fault."""
    assert [str(problem) for problem in (*bundled.problems, *lint(bundled.files, FleschKincaid()))] == []


def test_every_bundled_sentence_is_found_in_the_file_that_is_edited(bundled: CuratedFolder) -> None:
    """A line is known for each, and lines do not go back within a file."""
    for file in bundled.files:
        lines = [sentence.line or 0 for sentence in file.sentences]
        assert min(lines) > 0, file.text_file
        assert lines == sorted(lines), file.text_file


def test_bundled_documents_come_in_every_format(bundled: CuratedFolder) -> None:
    """At least 28, of them 4 PDFs of several pages, 3 HTML and 2 plain text."""
    formats = Counter(Path(file.document.source).suffix for file in bundled.files)
    assert formats.total() >= 28
    assert formats[".html"] >= 3
    assert formats[".txt"] >= 2
    assert sum(_has_pages(file) for file in bundled.files) >= 4


def _has_pages(file: CuratedFile) -> bool:
    return file.document.source.endswith(".pdf") and len(file.document.page_starts) > 1


@pytest.mark.skipif(importlib.util.find_spec("fpdf") is None, reason="fpdf2, which makes the PDFs, is not installed")
def test_pdfs_are_what_their_sources_make() -> None:
    """Nobody has changed a PDF without its source, or the source without its PDF."""
    script = KNOWLEDGE / "sources" / "make_pdfs.py"
    result = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
