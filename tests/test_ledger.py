"""The ledger is the record: transactions hold, the chain shows every change, a read-only one still reads."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from curio_rag.adapters.ledger import LEDGER_NAME, Ledger
from curio_rag.adapters.ledger_answers import LedgerAnswers
from curio_rag.adapters.ledger_documents import LedgerDocuments
from curio_rag.adapters.ledger_events import LedgerEvents
from curio_rag.adapters.ledger_reviews import LedgerReviews
from curio_rag.adapters.ledger_vectors import LedgerVectors
from curio_rag.domain.digests import digest_text
from curio_rag.domain.library import ShelvedDocument
from curio_rag.domain.questions import Question
from curio_rag.domain.sources import Document, Passage, Span
from curio_rag.errors import DocumentNotFound, IndexDamaged, IndexMissing, IndexOutOfDate, ReviewNotFound
from curio_rag.pipelines.audit import verify
from tests.fakes import NOON, answer, cited, document, paragraph


def broken_links(ledger: Ledger) -> tuple[str, ...]:
    return verify(LedgerEvents(ledger).every_event(), None, check=lambda *_: False).findings


def shelved(source: Document) -> ShelvedDocument:
    passage = Passage(
        document_id=source.id,
        document_digest=source.digest,
        span=Span(start=0, end=len(source.text)),
        text=source.text,
        title=source.title,
    )
    return ShelvedDocument(
        document=source,
        origin="knowledge",
        source=source.source,
        file_digest=digest_text(source.text),
        made_by="1",
        passages=(passage,),
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path, create=True)


def test_a_document_comes_back_as_it_was_put(ledger: Ledger) -> None:
    """Text, structure and passages survive the ledger unchanged."""
    documents, source = LedgerDocuments(ledger), document(synonyms=("ASA",), page_starts=(0,), page_labels=("i",))
    documents.put([shelved(source)], at=NOON)
    assert documents.document("aspirin.md") == source
    (passage,) = documents.passages_of("aspirin.md")
    assert passage.span.of(source.text) == passage.text
    assert documents.passages([passage.id, "p_gone"]) == (passage,)


def test_a_changed_document_replaces_its_own_passages_and_keeps_the_older_version(ledger: Ledger) -> None:
    """The old version can still be shown; its passages are not found any more."""
    documents, before, other = LedgerDocuments(ledger), document(), document(id="b.md", source="b.md", text="Other.")
    after = document("Aspirin thins blood.")
    documents.put([shelved(before), shelved(other)], at=NOON)
    documents.put([shelved(after)], at=NOON)
    assert documents.document("aspirin.md") == after
    assert documents.document("aspirin.md", digest=before.digest) == before
    assert [passage.text for passage in documents.passages_of("aspirin.md")] == ["Aspirin thins blood."]
    assert [passage.text for passage in documents.passages_of("b.md")] == ["Other."]


def test_a_batch_is_kept_whole_or_not_at_all(ledger: Ledger) -> None:
    """When the second document of a batch cannot be filed, the first is not there either."""
    documents = LedgerDocuments(ledger)
    broken = replace(shelved(document(id="b.md", source="b.md")), passages=(None,))  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        documents.put([shelved(document()), broken], at=NOON)
    assert documents.entries() == ()
    with pytest.raises(DocumentNotFound, match=r"aspirin\.md"):
        documents.document("aspirin.md")


def test_vectors_are_kept_once_for_each_model(ledger: Ledger) -> None:
    """A text that has a vector is not asked for again, and another model's does not count."""
    vectors = LedgerVectors(ledger)
    assert vectors.missing("m", ["a", "b", "a"]) == ("a", "b")
    vectors.add("m", ["a"], [b"\0" * 8])
    assert vectors.missing("m", ["a", "b"]) == ("b",)
    assert vectors.missing("other", ["a"]) == ("a",)


def test_an_index_entry_without_its_vector_is_damage(ledger: Ledger) -> None:
    """Nothing is made up: a missing vector is named with the way out."""
    LedgerDocuments(ledger).put([shelved(document())], at=NOON)
    (passage,) = LedgerDocuments(ledger).passages_of("aspirin.md")
    with pytest.raises(IndexDamaged, match="repair"):
        list(LedgerVectors(ledger).index_entries("m", [passage.id]))


def test_question_text_is_stored_in_one_place_only(ledger: Ledger, tmp_path: Path) -> None:
    """The words of a question stand once in the whole file: not in answers, not in the audit chain."""
    answers, asked = LedgerAnswers(ledger), "does zanzibarine help my knee"
    thread = answers.thread(None, at=NOON)
    source = document()
    drafted = answer(paragraph(cited(source, "Aspirin lowers fever.")))
    answers.save(Question(id="q_1", thread_id=thread, text=asked, asked_at=NOON), drafted)
    assert answers.answer("a_1") == (Question(id="q_1", thread_id=thread, text=asked, asked_at=NOON), drafted)
    assert answers.citing("aspirin.md") == ("a_1",)
    ledger.close()
    assert (tmp_path / LEDGER_NAME).read_bytes().count(b"zanzibarine") == 1


def test_unknown_threads_and_answers_are_named(ledger: Ledger) -> None:
    """An id that is not there is an error that names it."""
    with pytest.raises(ReviewNotFound, match="t_nowhere"):
        LedgerAnswers(ledger).thread("t_nowhere", at=NOON)
    with pytest.raises(ReviewNotFound, match="a_nowhere"):
        LedgerAnswers(ledger).answer("a_nowhere")


def test_a_missing_ledger_says_what_to_do(tmp_path: Path) -> None:
    """Without `create`, nothing is made and the way out is named."""
    with pytest.raises(IndexMissing, match="curio ingest"):
        Ledger(tmp_path / "nowhere", create=False)
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    """Garbage is named as damage, not shown as a traceback."""
    (tmp_path / LEDGER_NAME).write_bytes(b"not a database, certainly" * 100)
    with pytest.raises(IndexDamaged, match="cannot be opened"):
        Ledger(tmp_path, create=False)


def test_a_ledger_of_a_newer_version_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    """An older program does not write into what it does not know."""
    ledger.close()
    with sqlite3.connect(tmp_path / LEDGER_NAME) as connection:
        connection.execute("UPDATE meta SET value = '999'")
    connection.close()
    with pytest.raises(IndexOutOfDate, match="newer"):
        Ledger(tmp_path, create=False)


READ_ONLY_PROBE = """
import os, sys
from pathlib import Path
import sqlalchemy.dialects.sqlite.pysqlite
from curio_rag.adapters.ledger import Ledger
from curio_rag.adapters.ledger_documents import LedgerDocuments
os.setgid(65534); os.setuid(65534)
ledger = Ledger(Path(sys.argv[1]), create=False)
assert ledger.read_only
print(LedgerDocuments(ledger).document("aspirin.md").title)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become a user who may not write")
def test_a_read_only_ledger_still_reads(ledger: Ledger, tmp_path: Path) -> None:
    """Somebody without permission to write can look everything up."""
    LedgerDocuments(ledger).put([shelved(document())], at=NOON)
    ledger.close()
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        if folder.stat().st_uid == os.getuid() and "pytest" in str(folder):
            folder.chmod(0o755)
    (tmp_path / LEDGER_NAME).chmod(0o444)
    done = subprocess.run([sys.executable, "-c", READ_ONLY_PROBE, str(tmp_path)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("Aspirin\n", "")


def test_many_threads_write_without_losing_anything(ledger: Ledger) -> None:
    """Forty answers from eight threads are all there, and the chain is unbroken."""
    answers = LedgerAnswers(ledger)

    def work(worker: int) -> None:
        for number in range(5):
            thread = answers.thread(None, at=NOON)
            name = f"{worker}_{number}"
            question = Question(id=f"q_{name}", thread_id=thread, text="How long?", asked_at=NOON)
            answers.save(question, answer(id=f"a_{name}", question_id=question.id))

    workers = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    saved = {answers.answer(f"a_{worker}_{number}")[1].id for worker in range(8) for number in range(5)}
    assert len(saved) == 40
    assert broken_links(ledger) == ()


KILLED = """
import os, sys
from pathlib import Path
from curio_rag.adapters.ledger import Ledger
from curio_rag.adapters.ledger_answers import LedgerAnswers
from curio_rag.domain.questions import Question
from tests.fakes import NOON, answer
answers = LedgerAnswers(Ledger(Path(sys.argv[1]), create=True))
number = 0
while True:
    thread = answers.thread(None, at=NOON)
    question = Question(id=f"q_{number}", thread_id=thread, text="How long?", asked_at=NOON)
    answers.save(question, answer(id=f"a_{number}", question_id=question.id))
    print(number, flush=True)
    number += 1
"""


def test_a_killed_writer_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """After kill -9 every answer that was reported saved is there, and the chain is unbroken."""
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(7)]
        writer.kill()
    ledger = Ledger(tmp_path, create=False)
    answers = LedgerAnswers(ledger)
    assert [answers.answer(f"a_{number}")[1].id for number in acknowledged] == [f"a_{n}" for n in acknowledged]
    assert broken_links(ledger) == ()


def test_a_ledger_from_before_the_desk_is_brought_forward(ledger: Ledger, tmp_path: Path) -> None:
    """What was filed stays, and the desk can work with it."""
    answers = LedgerAnswers(ledger)
    thread = answers.thread(None, at=NOON)
    answers.save(Question(id="q_1", thread_id=thread, text="How long?", asked_at=NOON), answer())
    ledger.close()
    with closing(sqlite3.connect(tmp_path / LEDGER_NAME)) as connection:
        for table in ("revisions", "notes", "reusable_answers"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DROP INDEX events_of_kind")
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
        connection.commit()
    later = Ledger(tmp_path, create=False)
    assert LedgerReviews(later).current("a_1").question.text == "How long?"
    assert LedgerReviews(later).notes(thread) == ()
    assert broken_links(later) == ()
    later.close()
