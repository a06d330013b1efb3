"""The keyword index."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from curio_rag.adapters.keyword_index import KeywordIndex, KeywordWriter
from curio_rag.errors import IndexDamaged
from curio_rag.ports import IndexEntry


def entry(
    passage_id: str, text: str, *, title: str = "", synonyms: tuple[str, ...] = (), heading: str = ""
) -> IndexEntry:
    return IndexEntry(
        passage_id=passage_id,
        document_id="d",
        text=text,
        title=title,
        synonyms=synonyms,
        heading=heading,
        text_vector=b"",
        title_vector=b"",
        heading_vector=b"",
    )


def write(path: Path, entries: Iterable[IndexEntry], *, previous: Path | None = None, gone: Iterable[str] = ()) -> Path:
    writer = KeywordWriter(path, previous=previous)
    writer.remove(gone)
    writer.add(entries)
    writer.finish()
    return path


@pytest.fixture
def index(tmp_path: Path) -> KeywordIndex:
    filler = [entry(f"p_{number}", "weather and tides of the northern coast") for number in range(9)]
    return KeywordIndex(
        write(
            tmp_path / "k.sqlite3",
            [
                *filler,
                entry("q_text", "leukapheresis collects the cells"),
                entry("q_heading", "how it is done", heading="Leukapheresis"),
                entry("q_title", "a page", title="Collection", synonyms=("leukapheresis",)),
                entry("r_mu", "a dose of 5 µg, naïve cells"),
            ],
        )
    )


def found(index: KeywordIndex, *terms: str) -> list[str]:
    return [scored.passage_id for scored in index.search(terms, limit=50)]


def test_titles_and_synonyms_weigh_most(index: KeywordIndex) -> None:
    """A word counts most in title or synonyms, then in a heading, then in the text; scores are positive and fall."""
    hits = index.search(["leukapheresis"], limit=10)
    assert [hit.passage_id for hit in hits] == ["q_title", "q_heading", "q_text"]
    assert hits[0].score > hits[1].score > hits[2].score > 0


def test_words_are_stemmed_and_any_term_suffices(index: KeywordIndex) -> None:
    """Any term suffices, inflection and case do not matter, and the frequencies count in the same way."""
    assert set(found(index, "COLLECTING", "naive")) == {"q_text", "q_title", "r_mu"}
    assert index.document_frequencies(["collected", "cell", "absent", "Naïve", ""]) == (2, 2, 0, 1, 0)


@pytest.mark.parametrize("micro", ["µg", "μg"])
def test_both_micro_signs_are_one(index: KeywordIndex, micro: str) -> None:
    """The micro sign and the Greek letter find the same dose."""
    assert found(index, micro) == ["r_mu"]


@pytest.mark.parametrize(
    "term",
    [
        '"',
        '" OR "',
        "*",
        "cells*",
        "title:cells",
        "NEAR(cells dose)",
        "(",
        "cells AND",
        "-cells",
        "^a",
        "{",
        "\0",
        "\ud800",
        "'; DROP",
    ],
)
def test_nothing_in_a_term_is_syntax(index: KeywordIndex, term: str) -> None:
    """Whatever a question holds is searched for as words and never read as a query language."""
    assert "q_text" in found(index, term, "leukapheresis")
    assert len(index.document_frequencies([term])) == 1


def test_no_terms_find_nothing(index: KeywordIndex) -> None:
    """No terms, or a limit of none, find nothing; twenty thousand terms are taken as they are."""
    assert index.search([], limit=10) == ()
    assert index.search(["cells"], limit=0) == ()
    assert found(index, *(f"word{number}" for number in range(20_000)), "leukapheresis")


def test_ties_go_by_passage_id(index: KeywordIndex) -> None:
    """Equal scores are ordered by passage id, also where the limit cuts through them."""
    assert [hit.passage_id for hit in index.search(["tides"], limit=4)] == ["p_0", "p_1", "p_2", "p_3"]


def test_copy_with_differences_equals_a_new_file(tmp_path: Path) -> None:
    """A copy with passages taken out and put in scores as a file that was written in one go."""
    entries = {name: entry(name, f"cells and {name} words " * (number + 1)) for number, name in enumerate("abcdef")}
    first = write(tmp_path / "1", [entries[name] for name in "abcd"])
    changed = write(tmp_path / "2", [entries[name] for name in "ef"], previous=first, gone="ab")
    afresh = write(tmp_path / "3", [entries[name] for name in "fedc"])
    assert KeywordIndex(changed).search(["cells", "e"], limit=9) == KeywordIndex(afresh).search(["cells", "e"], limit=9)
    assert KeywordIndex(first).passage_ids() == list("abcd")
    assert KeywordIndex(changed).passage_ids() == list("cdef")


def test_threads_and_forks_share_an_index(index: KeywordIndex) -> None:
    """Threads get the same answers from one index, and so does a forked child."""
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda _: tuple(found(index, "leukapheresis")), range(64)))
    assert len(answers) == 1
    child = os.fork()
    if child == 0:
        os._exit(0 if tuple(found(index, "leukapheresis")) in answers else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_opening_writes_nothing(tmp_path: Path) -> None:
    """A name with signs of a URL is opened as it is, and reading adds no file beside it."""
    path = write(tmp_path / "a ?mode=rw#100%.sqlite3", [entry("a", "cells")])
    before = path.read_bytes()
    assert found(KeywordIndex(path), "cells") == ["a"]
    assert (sorted(tmp_path.iterdir()), path.read_bytes()) == ([path], before)


def test_damage_is_named(tmp_path: Path) -> None:
    """A file that is no database, and one that is missing, raise an error that names it."""
    (tmp_path / "garbage").write_bytes(b"\x00" * 5000)
    for name in ("garbage", "missing"):
        with pytest.raises(IndexDamaged, match=name):
            found(KeywordIndex(tmp_path / name), "cells")
    assert sqlite3.sqlite_version_info >= (3, 9)
