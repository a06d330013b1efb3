"""The audit finds what a hand has done: edits, deletions, insertions, reorderings, truncation, and forged signatures.

Each kind of tampering is tried two hundred times at random places with a fixed seed. A clumsy hand changes
rows; a knowing one computes the chain of digests again afterwards. The second is caught by the
signatures wherever one follows, and by an exported head everywhere.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from curio_rag.adapters.ledger import LEDGER_NAME
from curio_rag.adapters.signing import SigningKey, verify_signature
from curio_rag.domain.audit import Head
from curio_rag.domain.digests import Json, canonical_json
from curio_rag.domain.events import SIGNED_AS, Event, EventKind, event_digest
from curio_rag.errors import ConfigError, CurioError
from curio_rag.pipelines.audit import verify
from tests.conftest import furnished, with_gout
from tests.desk import Bench

TRIES = 200
SEED = 20261123


def work(bench: Bench) -> None:
    """Leaves a log behind: vettings, approvals, an edit, a rejection, a comment, a recall, a revocation."""
    bench.base.ingest()
    one, two = bench.reviewer(), bench.reviewer("Test Reviewer Two")
    bench.vet(one, "gout.md", "asthma.md", "aspirin.md")
    answers = [bench.ask().answer.id, bench.ask("Does asthma make the airways narrow?").answer.id]
    answers += [bench.ask("Is aspirin a medicine that lowers fever?").answer.id]
    bench.desk.take(answers[0], reviewer_id=one.reviewer_id)
    bench.desk.comment(one, answers[0], confirm=bench.confirm(answers[0]), text="Call us on Monday.")
    bench.desk.strike(one, answers[0], numbers=[1], confirm=bench.confirm(answers[0]), reason="Not needed.")
    bench.approve(one, answers[0])
    bench.approve(two, answers[1])
    bench.desk.reject(two, answers[2], confirm=bench.confirm(answers[2]), reason="Too thin.")
    bench.desk.revoke(two.reviewer_id, by="Test Registrar", reason="left")
    bench.desk.withdraw("asthma.md", reason="a test", by="Test Registrar")
    bench.rewrite("gout.md", "big toe", "left toe")
    bench.ask("Is gout a painful swelling of joints?")


@pytest.fixture(scope="module")
def worked_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk with some work behind it."""
    bench = Bench(with_gout(furnished(tmp_path_factory.mktemp("worked"))))
    work(bench)
    bench.base.close()
    return bench.folder


@pytest.fixture
def worked(worked_folder: Path, tmp_path: Path) -> Iterator[Bench]:
    """A copy of it, to be tampered with."""
    copy = Bench(Path(shutil.copytree(worked_folder, tmp_path / "copy")))
    yield copy
    copy.base.close()


Tampering = Callable[[list[Event], random.Random], list[Event]]


def edited(events: list[Event], chance: random.Random) -> list[Event]:
    """One column of one event says something else."""
    at = chance.randrange(len(events))
    event, name = events[at], chance.choice(["at", "kind", "subject", "body", "previous", "digest"])
    value: str = getattr(event, name)
    place = chance.randrange(len(value) + 1) if value else 0
    changed = value[:place] + chance.choice("0aZ .") + value[place + chance.randint(0, 1) :]
    if changed == value:
        changed = value + "x"
    return [*events[:at], _with(event, **{name: changed}), *events[at + 1 :]]


def deleted(events: list[Event], chance: random.Random) -> list[Event]:
    """One event that is not the last is gone."""
    at = chance.randrange(len(events) - 1)
    return events[:at] + events[at + 1 :]


def inserted(events: list[Event], chance: random.Random) -> list[Event]:
    """A copy of one event stands somewhere else as well, and the later ones moved on."""
    at, copied = chance.randrange(len(events)), chance.choice(events)
    new = _with(copied, position=at + 1)
    return [*events[:at], new, *(_with(each, position=each.position + 1) for each in events[at:])]


def reordered(events: list[Event], chance: random.Random) -> list[Event]:
    """Two events changed places."""
    first, second = sorted(chance.sample(range(len(events)), 2))
    moved = list(events)
    moved[first] = _with(events[second], position=first + 1)
    moved[second] = _with(events[first], position=second + 1)
    return moved


def truncated(events: list[Event], chance: random.Random) -> list[Event]:
    """The end was cut off."""
    return events[: chance.randrange(len(events))]


KINDS: dict[str, Tampering] = {
    "edit": edited,
    "deletion": deleted,
    "insertion": inserted,
    "reordering": reordered,
    "truncation": truncated,
}


def _with(event: Event, **changes: object) -> Event:
    fields = {name: getattr(event, name) for name in Event.__dataclass_fields__}
    return Event(**{**fields, **changes})


def rewritten(events: list[Event]) -> list[Event]:
    """The chain of digests made to fit again, as somebody who knows it would."""
    chain: list[Event] = []
    previous = ""
    for position, event in enumerate(events, start=1):
        try:
            payload = json.loads(event.body)
        except ValueError:
            payload = {}
        body = canonical_json(payload).decode()
        digest = event_digest(
            position=position, at=event.at, kind=event.kind, subject=event.subject, payload=payload, previous=previous
        )
        chain.append(_with(event, position=position, body=body, previous=previous, digest=digest))
        previous = digest
    return chain


def faults(events: list[Event], head: Head | None) -> tuple[str, ...]:
    return verify(events, None, check=verify_signature, head=head).findings


@pytest.mark.parametrize("kind", KINDS)
def test_every_tampering_is_found_against_an_exported_head(worked: Bench, kind: str) -> None:
    """Two hundred at random, clumsy and knowing, all found; the untouched log is clean."""
    events, head, chance = list(worked.desk.export()), worked.desk.head(), random.Random(SEED)
    assert faults(events, head) == ()
    for _ in range(TRIES):
        tampered = KINDS[kind](events, chance)
        assert faults(tampered, head), f"{kind} was not found"
        knowing = rewritten(tampered)
        if knowing != events:
            assert faults(knowing, head), f"{kind} by a knowing hand was not found"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "truncation"])
def test_clumsy_tampering_is_found_without_a_head(worked: Bench, kind: str) -> None:
    """The chain alone shows it."""
    events, chance = list(worked.desk.export()), random.Random(SEED)
    for _ in range(TRIES):
        assert faults(KINDS[kind](events, chance), None), kind


@pytest.mark.parametrize("kind", ["edit", "deletion", "insertion", "reordering"])
def test_knowing_tampering_before_a_signature_is_found_without_a_head(worked: Bench, kind: str) -> None:
    """Each signature covers the chain that its signer saw: what lies before cannot be made to fit."""
    events, chance = list(worked.desk.export()), random.Random(SEED)
    last = max(event.position for event in events if event.kind in SIGNED_AS)
    anchor = next(event for event in events if event.position == last).part("statement")["chain"]
    assert isinstance(anchor, dict)
    covered = anchor["position"]
    assert isinstance(covered, int)
    for _ in range(TRIES):
        before, after = events[:covered], events[covered:]
        knowing = rewritten([*KINDS[kind](before, chance), *after])
        if knowing != events:
            assert faults(knowing, None), f"{kind} was not found"


def test_a_forged_approval_is_found(worked: Bench) -> None:
    """A new event with another key, another decision, or another subject than what was signed."""
    events = list(worked.desk.export())
    approval = next(event for event in events if event.kind == EventKind.ANSWER_APPROVED)
    comment = next(event for event in events if event.kind == EventKind.ANSWER_COMMENTED)
    stranger = SigningKey.new()
    statement = approval.part("statement")
    forged: dict[str, dict[str, Json]] = {
        "another key": {"statement": statement, "signature": stranger.sign(canonical_json(statement))},
        "a comment": dict(comment.payload),
        "other words": {"statement": {**statement, "meaning": "x"}, "signature": approval.text("signature")},
        "no signature": {"statement": statement, "signature": ""},
    }
    for name, payload in forged.items():
        new = _with(approval, position=len(events) + 1, body=canonical_json(payload).decode())
        assert faults(rewritten([*events, new]), None), name


TABLES = {
    "answer": "UPDATE answers SET body = replace(body, 'asthma', 'Asthma') WHERE id = (SELECT id FROM answers LIMIT 1)",
    "revision": "UPDATE revisions SET body = replace(body, 'toe', 'ear')",
    "question": "UPDATE questions SET text = text || '?' WHERE id = (SELECT id FROM questions LIMIT 1)",
    "comment": "UPDATE notes SET text = 'Take zinc.'",
    "comment gone": "DELETE FROM notes",
    "recall row gone": "DELETE FROM citations",
    "recall row moved": "UPDATE citations SET document_id = 'other.md'",
    "urgency": "UPDATE answers SET urgency = 'emergency'",
    "document": "UPDATE document_versions SET body = replace(body, 'toe', 'ear')",
    "document version gone": "DELETE FROM document_versions WHERE document_id = 'asthma.md'",
    "current document": "UPDATE documents SET digest = (SELECT digest FROM documents WHERE id = 'aspirin.md')",
    "thread key": "UPDATE threads SET key = randomblob(32)",
}


@pytest.mark.parametrize("tampering", TABLES)
def test_what_lies_beside_the_log_is_checked_against_it(worked: Bench, tampering: str) -> None:
    """Words, questions, comments, and the rows by which a recall finds answers."""
    assert worked.desk.audit().findings == ()
    if tampering == "answer":
        statement = "UPDATE answers SET body = CAST(replace(CAST(body AS TEXT), 'painful', 'painless') AS BLOB)"
    elif "replace(body" in TABLES[tampering]:
        statement = TABLES[tampering].replace("replace(body", "CAST(replace(CAST(body AS TEXT)") + " "
        statement = statement.replace("'ear')", "'ear') AS BLOB)")
    else:
        statement = TABLES[tampering]
    with closing(sqlite3.connect(worked.folder / "indexes" / "default" / LEDGER_NAME)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        changed = connection.execute(statement).rowcount
        connection.commit()
    assert changed
    assert worked.desk.audit().findings
    assert worked.base.check()


ROWS = {
    "edit": "UPDATE events SET payload = replace(payload, '\"', ' \"') WHERE position = ?",
    "time": "UPDATE events SET at = '2020-01-01T00:00:00+00:00' WHERE position = ?",
    "subject": "UPDATE events SET subject = subject || 'x' WHERE position = ?",
    "no JSON": "UPDATE events SET payload = 'x' WHERE position = ?",
    "no text": "UPDATE events SET payload = x'00ff' WHERE position = ?",
    "number": "UPDATE events SET at = 5 WHERE position = ?",
    "nesting": "UPDATE events SET payload = '[[' WHERE position = ?",
    "deletion": "DELETE FROM events WHERE position = ?",
    "moved": "UPDATE events SET position = position + 1000 WHERE position = ?",
}


@pytest.fixture
def restored(worked: Bench) -> Iterator[tuple[Bench, Path, Head]]:
    yield worked, worked.folder / "indexes" / "default" / LEDGER_NAME, worked.desk.head()


@pytest.mark.parametrize("tampering", ROWS)
def test_tampering_with_the_file_itself_is_found(restored: tuple[Bench, Path, Head], tampering: str) -> None:
    """Every event in turn is changed in the database by a hand, found, and put back."""
    bench, path, head = restored
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT * FROM events").fetchall()
        for row in rows:
            connection.execute(ROWS[tampering], (row[0],))
            connection.commit()
            assert bench.desk.audit(head=head).findings, (tampering, row[0])
            connection.execute("DELETE FROM events WHERE position IN (?, ?)", (row[0], row[0] + 1000))
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            connection.commit()
    assert bench.desk.audit(head=head).findings == ()


def test_a_head_is_read_as_it_was_printed() -> None:
    """Anything else is refused."""
    text = "12:sha256:" + "a" * 64
    assert Head.parse(f" {text}\n") == Head(position=12, digest="sha256:" + "a" * 64)
    for wrong in ("", "12", "x:sha256:" + "a" * 64, "12:" + "a" * 64, "-1:sha256:" + "a" * 64):
        with pytest.raises(ConfigError, match="POSITION"):
            Head.parse(wrong)


def test_signing_and_verifying_are_fast() -> None:
    """A thousand statements in a second or two, so that a check of everything stays cheap."""
    key, message = SigningKey.new(), b"x" * 10_000
    started = time.perf_counter()
    for _ in range(100):
        assert verify_signature(key.public_key, message, key.sign(message))
    assert time.perf_counter() - started < 2
    assert not verify_signature(key.public_key, message + b"x", key.sign(message))
    assert not verify_signature("not a key", message, key.sign(message))
    assert not verify_signature(key.public_key, message, "not a signature")


JUNK: tuple[Json, ...] = (None, 7, "x", [], {}, ["x"], {"x": 1}, -1, True)


def test_a_ledger_changed_by_hand_is_an_error_and_never_a_traceback(worked: Bench) -> None:
    """Values of every event's payload are replaced at random: what reads them works, or says what is damaged."""
    chance, refused = random.Random(SEED), 0
    answer_ids = [event.subject for event in worked.desk.export() if event.kind == EventKind.ANSWER_DRAFTED]
    thread_id = worked.desk.record(answer_ids[0]).thread_id
    with closing(sqlite3.connect(worked.folder / "indexes" / "default" / LEDGER_NAME)) as connection:
        for position, body in connection.execute("SELECT position, payload FROM events").fetchall() * 4:
            payload = json.loads(body)
            part = payload
            while isinstance(part, dict) and part:
                name = chance.choice(sorted(part))
                if isinstance(part[name], dict) and part[name] and chance.random() < 0.8:
                    part = part[name]
                    continue
                part[name] = chance.choice(JUNK)
                break
            connection.execute("UPDATE events SET payload = ? WHERE position = ?", (json.dumps(payload), position))
            connection.commit()
            for read in (
                lambda: worked.desk.queue(),
                lambda: worked.base.library(),
                lambda: worked.desk.thread(thread_id),
                lambda: worked.desk.show(answer_ids[0]),
                lambda: worked.desk.stats(),
                lambda: worked.desk.reviewers(),
            ):
                try:
                    read()
                except CurioError:
                    refused += 1
            assert worked.desk.audit().findings
            connection.execute("UPDATE events SET payload = ? WHERE position = ?", (body, position))
            connection.commit()
    assert refused
