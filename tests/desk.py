"""A review desk to test with: reviewers who are plainly fixtures, a clock that is moved by hand, cheap keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from curio_rag.adapters.signing import KeyVault
from curio_rag.config import load_config
from curio_rag.domain.review_status import Review
from curio_rag.domain.reviewers import Role
from curio_rag.domain.reviews import AnswerRecord
from curio_rag.knowledge_base import KnowledgeBase
from curio_rag.pipelines.desk_parts import SigningSession
from curio_rag.review_desk import ReviewDesk
from tests.conftest import SmallAssembly
from tests.fakes import NOON

PASSPHRASE = "a fixture for tests only"
GOUT_QUESTION = "Is gout a painful swelling of a joint?"
CHEAP = 2**4
"""N of scrypt for keys that protect nothing."""


@dataclass
class HandClock:
    """Stands still until it is moved."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **amount: float) -> None:
        self.now += timedelta(**amount)


class DeskAssembly(SmallAssembly):
    """Word vectors, a clock that is moved by hand, and keys that cost nothing to open."""

    def __init__(self, folder: Path, clock: HandClock, settings: dict[str, str]) -> None:
        environment = {f"CURIO_{name.upper()}": value for name, value in settings.items()}
        super().__init__(load_config(folder, environment=environment))
        self.clock = clock

    def key_vault(self) -> KeyVault:
        return KeyVault(folder=self.config.key_folder, cost=CHEAP)


@dataclass
class Bench:
    """A small knowledge base with its desk, and short names for what tests do there."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    clock: HandClock = field(default_factory=HandClock)

    def __post_init__(self) -> None:
        self.base = KnowledgeBase(DeskAssembly(self.folder, self.clock, {"admit": "vetted,sample", **self.settings}))
        self.sessions: dict[str, SigningSession] = {}

    @property
    def desk(self) -> ReviewDesk:
        return self.base.desk

    def again(self, **settings: str) -> Bench:
        """Another process's view of the same folder, with other settings."""
        return Bench(folder=self.folder, settings={**self.settings, **settings}, clock=self.clock)

    def reviewer(
        self, name: str = "Test Reviewer One", *, role: Role = Role.PHYSICIAN, checked: bool = True, demo: bool = False
    ) -> SigningSession:
        """A fixture with an open session; the credential is looked up by another fixture."""
        added = self.desk.add_reviewer(
            name=name,
            role=role,
            register_name="Register of Test Fixtures",
            number="0000",
            passphrase=PASSPHRASE,
            demonstration=demo,
        )
        if checked and not demo:
            self.desk.check_credential(added.id, by="Test Registrar", on=date(2026, 11, 1))
        return self.desk.open_session(added.id, PASSPHRASE)

    def vet(self, session: SigningSession, *ids: str, due: date = date(2027, 11, 1)) -> None:
        proposed = self.desk.propose_vetting(ids, review_due=due)
        self.desk.vet(session, proposed, confirm=[each.subject_digest for each in proposed])

    def ask(self, question: str = GOUT_QUESTION, *, thread: str | None = None) -> AnswerRecord:
        """Each question comes a minute after the one before."""
        self.clock.forward(minutes=1)
        return self.base.ask(question, thread=thread)

    def approve(self, session: SigningSession, answer_id: str, **options: bool) -> Review:
        return self.desk.approve(session, answer_id, confirm=self.confirm(answer_id), **options)

    def confirm(self, answer_id: str) -> str:
        """What the desk shows below an answer."""
        return self.desk.show(answer_id).confirm

    def status(self, answer_id: str) -> str:
        return self.desk.record(answer_id).review.status.value

    def rewrite(self, name: str, old: str, new: str) -> None:
        """Edits a document's file and takes it in."""
        path = self.folder / "knowledge" / name
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        self.base.ingest()

    def kinds(self, subject: str) -> Sequence[str]:
        """The kinds of event about a subject, in order."""
        return [event.kind for event in self.desk.export() if event.subject == subject]
