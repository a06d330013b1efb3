"""The review desk: what clinicians and curators do, as a library. `KnowledgeBase.desk` opens it.

Designed with 21 CFR Part 11 in mind: named signers with a checked credential, a passphrase before signing, a
confirmation for each signature, signatures bound to the exact record, and an audit trail of every act.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from curio_rag.assembly import Assembly
from curio_rag.desk_assembly import absence, desk_parts, sessions, training_log
from curio_rag.domain.answers import Section
from curio_rag.domain.audit import AuditReport, Head
from curio_rag.domain.digests import Json
from curio_rag.domain.events import Event, EventKind
from curio_rag.domain.questions import Question, Triage
from curio_rag.domain.recall import Recall
from curio_rag.domain.review_status import Review, ReviewStatus
from curio_rag.domain.reviewers import Reviewer, Role
from curio_rag.domain.reviews import AnswerRecord
from curio_rag.domain.threads import CurrentAnswer, Thread
from curio_rag.domain.training import TrainingDraft, TrainingResult, TrainingScore, score_of
from curio_rag.errors import SessionExpired, WrongPassphrase
from curio_rag.pipelines import audit, library_acts, review, review_edits, review_queue, review_renewal, review_views
from curio_rag.pipelines import reviewer_register as register
from curio_rag.pipelines.desk_parts import DeskParts, SigningSession
from curio_rag.pipelines.library_acts import ProposedVetting
from curio_rag.pipelines.precedents import Precedent, precedents_of
from curio_rag.pipelines.reuse import plain_words
from curio_rag.pipelines.review_edits import SentenceEdit
from curio_rag.pipelines.review_queue import Waiting
from curio_rag.pipelines.review_renewal import Renewable
from curio_rag.pipelines.review_stats import ReviewerStats, stats_of
from curio_rag.pipelines.review_views import DeskView
from curio_rag.pipelines.sign_offs import review_today, reviewers_in
from curio_rag.pipelines.signing import attempt, reviewer_named
from curio_rag.pipelines.thread_view import thread_view


class ReviewDesk:
    """The desk of one knowledge base. Safe to share between threads; several processes may work at once."""

    def __init__(
        self, assembly: Assembly, *, publish: Callable[[], int], writing: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._assembly = assembly
        self._publish = publish
        self._writing = writing

    @property
    def _parts(self) -> DeskParts:
        return desk_parts(self._assembly)

    # Reviewers and their keys

    def add_reviewer(
        self, *, name: str, role: Role, register_name: str, number: str, passphrase: str, demonstration: bool = False
    ) -> Reviewer:
        """Registers a reviewer with a new key, sealed under the passphrase.

        Raises `NotPermitted` for an empty name, register or number, or a passphrase that is too short.
        """
        self._assembly.ledger(create=True)
        vault = self._assembly.key_vault()
        return register.add_reviewer(
            self._parts,
            name=name,
            role=role,
            register=register_name,
            number=number,
            demonstration=demonstration,
            make_key=lambda reviewer_id: vault.make(reviewer_id, passphrase),
        )

    def check_credential(self, reviewer_id: str, *, by: str, on: date) -> Reviewer:
        """Records who looked the credential up in its register, and when. Raises `ReviewerNotFound`, `NotPermitted`."""
        return register.check_credential(self._parts, reviewer_id, by=by, on=on)

    def revoke(self, reviewer_id: str, *, by: str, reason: str, since: int | None = None) -> Reviewer:
        """Ends a key; with `since`, what it signed from that position of the chain on no longer counts."""
        found = register.revoke(self._parts, reviewer_id, by=by, reason=reason, since=since)
        with self._writing():
            self._publish()
        self.note_lapses()
        return found

    def reviewers(self) -> tuple[Reviewer, ...]:
        """Every reviewer there ever was, by name."""
        return tuple(sorted(reviewers_in(self._parts).values(), key=lambda each: (each.name, each.id)))

    # Signing sessions

    def open_session(self, reviewer_id: str, passphrase: str) -> SigningSession:
        """One passphrase opens a session for some minutes (setting `session_minutes`); it signs nothing by itself.

        Raises `ReviewerNotFound`, `NotPermitted` for a revoked key, and `WrongPassphrase`; the log says who tried.
        """
        parts = self._parts
        with attempt(parts, "open session", subject=reviewer_id, reviewer_id=reviewer_id):
            reviewer = review.active_reviewer(parts, reviewer_id)
            key = self._assembly.key_vault().unlock(reviewer.key_id, passphrase)
            if key.public_key != reviewer.public_key:
                raise WrongPassphrase(f"The key file of {reviewer.name} is not the registered one.")
        now = parts.clock()
        session = SigningSession(
            reviewer_id=reviewer_id,
            key=key,
            opened_at=now,
            expires_at=now + timedelta(minutes=self._assembly.config.session_minutes),
        )
        payload: dict[str, Json] = {"reviewer": reviewer_id, "expires_at": session.expires_at.isoformat()}
        parts.shelf().append(EventKind.SESSION_OPENED, reviewer_id, payload, at=now)
        return session

    def keep_session(self, session: SigningSession) -> str:
        """Seals an open session in a file for the commands of one terminal; the token that resumes it."""
        from curio_rag.adapters.signing import SigningKey
        from curio_rag.adapters.signing_sessions import StoredSession

        if not isinstance(session.key, SigningKey):
            raise SessionExpired("This key does not leave the process that holds it.")
        return sessions(self._assembly).save(
            StoredSession(
                reviewer_id=session.reviewer_id,
                key=session.key,
                opened_at=session.opened_at,
                expires_at=session.expires_at,
            )
        )

    def resume_session(self, token: str) -> SigningSession:
        """Raises `SessionExpired` for a token that opens nothing any more."""
        stored = sessions(self._assembly).load(token)
        return SigningSession(
            reviewer_id=stored.reviewer_id, key=stored.key, opened_at=stored.opened_at, expires_at=stored.expires_at
        )

    def end_session(self, token: str) -> None:
        """Removes a kept session."""
        sessions(self._assembly).close(token)

    # The desk

    def queue(self) -> tuple[Waiting, ...]:
        """What waits, most urgent first, then oldest."""
        self.note_lapses()
        return review_queue.queue(self._parts)

    def show(self, answer_id: str, *, viewer: str | None = None) -> DeskView:
        """An answer beside its sources; with a `viewer`, the log keeps who looked. Raises `ReviewNotFound`."""
        return review_views.show(self._parts, answer_id, assistant=self._assembly.config.assistant, viewer=viewer)

    def record(self, answer_id: str) -> AnswerRecord:
        """The current revision of an answer as it stands today. Raises `ReviewNotFound`."""
        current = self._parts.shelf().current(answer_id)
        return self._record(current, review_today(self._parts, current))

    def take(self, answer_id: str, *, reviewer_id: str) -> Review:
        """Puts an answer on a reviewer's desk. Raises `ReviewTaken` when it lies on another's."""
        return review.take(self._parts, answer_id, reviewer_id=reviewer_id)

    def release(self, answer_id: str, *, reviewer_id: str) -> Review:
        """Puts an answer back. Raises `ReviewTaken` when it lies on another's desk."""
        return review.release(self._parts, answer_id, reviewer_id=reviewer_id)

    def approve(
        self, session: SigningSession, answer_id: str, *, confirm: str, acknowledge_incomplete: bool = False
    ) -> Review:
        """Signs the current revision; `confirm` is the digest that `show` gave. See `pipelines.review.approve`."""
        return review.approve(
            self._parts, session, answer_id, confirm=confirm, acknowledge_incomplete=acknowledge_incomplete
        )

    def reject(self, session: SigningSession, answer_id: str, *, confirm: str, reason: str) -> Review:
        """Signs that the current revision must not be given out, with a reason."""
        return review.reject(self._parts, session, answer_id, confirm=confirm, reason=reason)

    def comment(self, session: SigningSession, answer_id: str, *, confirm: str, text: str) -> None:
        """Signs words of the reviewer's own; the thread shows them under name and role."""
        review.comment(self._parts, session, answer_id, confirm=confirm, text=text)

    def strike(
        self, session: SigningSession, answer_id: str, *, numbers: Collection[int], confirm: str, reason: str
    ) -> Review:
        """Takes sentences out, as a new revision that waits for its own approval."""
        return review_edits.strike(self._parts, session, answer_id, numbers=numbers, confirm=confirm, reason=reason)

    def edit(
        self, session: SigningSession, answer_id: str, *, edits: Sequence[SentenceEdit], confirm: str, reason: str
    ) -> Review:
        """Changes sentences, as a new revision; raises `Unsupported` when the claim gate does not let one pass."""
        return review_edits.edit(self._parts, session, answer_id, edits=edits, confirm=confirm, reason=reason)

    def revise(
        self, session: SigningSession, answer_id: str, *, sections: Sequence[Section], confirm: str, reason: str
    ) -> Review:
        """Gives an answer other sections, as a new revision; raises what `edit` raises."""
        return review_edits.revise(self._parts, session, answer_id, sections=sections, confirm=confirm, reason=reason)

    def clear_emergency(self, session: SigningSession, thread_id: str, *, reason: str) -> None:
        """Signs that somebody has seen to the emergency of a thread; its flag stands until then."""
        review.clear_emergency(self._parts, session, thread_id, reason=reason)

    def renewable(self) -> tuple[Renewable, ...]:
        """Lapsed answers whose words and sections are unchanged in newly vetted versions of their sources."""
        return review_renewal.renewable(self._parts)

    def renew(self, session: SigningSession, answer_id: str, *, confirm: str) -> Review:
        """Signs one of those again."""
        return review_renewal.renew(self._parts, session, answer_id, confirm=confirm)

    def precedents(self, answer_id: str, *, limit: int = 3) -> tuple[Precedent, ...]:
        """Approved answers to questions with many of the same words, for the clinician's eyes only."""
        return precedents_of(self._parts, answer_id, limit=limit)

    def repeat(self, asked: Question, plain: str) -> AnswerRecord | None:
        """Files the answer that is approved today for the same general words in this country, if there is one.

        Never for a question in which triage notices anything. Comments stay where they were made.
        """
        parts, country = self._parts, self._assembly.config.country
        if self._assembly.triage().assess(asked.text) != Triage():
            return None
        for answer_id in parts.shelf().reusable(plain, country=country):
            current = parts.shelf().current(answer_id)
            found = review_today(parts, current)
            if found.status is not ReviewStatus.APPROVED or plain_words(current.question.text) != plain:
                continue
            answers = self._assembly.answers()
            placed = replace(asked, thread_id=answers.thread(asked.thread_id or None, at=asked.asked_at))
            copied = replace(
                current.answer,
                id=f"a_{secrets.token_hex(12)}",
                question_id=asked.id,
                provenance=replace(current.answer.provenance, created_at=asked.asked_at),
            )
            answers.save(placed, copied, original=answer_id)
            return self._record(
                CurrentAnswer(question=placed, answer=copied, revision=1),
                Review(status=found.status, signed_by=found.signed_by, reasons=found.reasons, reused=answer_id),
            )
        return None

    # Documents

    def propose_vetting(self, document_ids: Sequence[str], *, review_due: date) -> tuple[ProposedVetting, ...]:
        """What would be signed for each document, with the difference since its last signature."""
        return library_acts.propose_vetting(self._parts, document_ids, review_due=review_due)

    def vet(
        self, session: SigningSession, proposed: Sequence[ProposedVetting], *, confirm: Sequence[str]
    ) -> tuple[Event, ...]:
        """Signs the exact text of each document, confirmed one by one, and indexes them; all or none."""
        with self._writing():
            events = library_acts.vet(self._parts, session, proposed, confirm=confirm)
            self._publish()
        self.note_lapses()
        return events

    def withdraw(self, document_id: str, *, reason: str, by: str) -> Recall:
        """Retracts a document at once, with every answer that rests on it, and proves that nothing finds it."""
        with self._writing():
            answers = library_acts.withdraw(self._parts, document_id, reason=reason, by=by)
            self._publish()
        self.note_lapses()
        return Recall(document_id=document_id, answers=answers, absence=absence(self._assembly, document_id))

    # Threads and events

    def thread(self, thread_id: str) -> Thread:
        """A whole conversation as it stands today. Raises `ReviewNotFound`."""
        return thread_view(self._parts, thread_id, assistant=self._assembly.config.assistant)

    def threads(self) -> tuple[tuple[str, datetime, int], ...]:
        """Id, time of opening and number of questions of every thread, newest first."""
        return self._parts.shelf().threads()

    def note_lapses(self) -> tuple[Event, ...]:
        """Appends an event for every sign-off that has lapsed or holds again since the last look."""
        if self._assembly.ledger().read_only:
            return ()
        return review_queue.note_lapses(self._parts)

    def events_after(self, position: int, *, kinds: Sequence[EventKind] = ()) -> tuple[Event, ...]:
        """Everything that happened after a position: decisions, lapses, recalls; what a service tells people of."""
        self.note_lapses()
        return self._parts.log().events(after=position, kinds=kinds)

    # Measuring the reviewers

    def stats(self) -> tuple[ReviewerStats, ...]:
        """Edits, strikes, decisions and time in view of each reviewer, with the catch rate in training."""
        results = training_log(self._assembly).results()
        scores = [score_of(each, results) for each in sorted({result.reviewer_id for result in results})]
        return stats_of(self._parts.log().events(), self.reviewers(), scores)

    def training_drafts(
        self, reviewer_id: str, *, path: Path | None = None, count: int = 10, seed: int | None = None
    ) -> tuple[TrainingDraft, ...]:
        """Some drafts of a file (by default the bundled ones), about half of them bad, unseen ones first.

        Raises `ReviewerNotFound`, and `EvalError` for a malformed file.
        """
        from curio_rag.adapters.training import read_drafts

        reviewer_named(self._parts, reviewer_id)
        done = {each.draft_id for each in training_log(self._assembly).results() if each.reviewer_id == reviewer_id}
        shuffled = list(read_drafts(path))
        chance = random.Random(seed)
        chance.shuffle(shuffled)
        shuffled.sort(key=lambda draft: draft.id in done)
        bad = [draft for draft in shuffled if draft.bad]
        good = [draft for draft in shuffled if not draft.bad]
        half = min(len(bad), max((count + 1) // 2, count - len(good)))
        chosen = [*bad[:half], *good[: count - half]]
        chance.shuffle(chosen)
        return tuple(chosen)

    def train(self, reviewer_id: str, draft: TrainingDraft, *, approved: bool, seconds: float) -> TrainingResult:
        """Keeps what a reviewer decided on a training draft, apart from the ledger."""
        result = TrainingResult(
            reviewer_id=reviewer_id,
            draft_id=draft.id,
            bad=draft.bad,
            fault=draft.fault,
            approved=approved,
            seconds=seconds,
            at=self._parts.clock(),
        )
        training_log(self._assembly).add(result)
        return result

    def training_score(self, reviewer_id: str) -> TrainingScore:
        """The catch rate of one reviewer over all training so far."""
        return score_of(reviewer_id, training_log(self._assembly).results())

    # The proof

    def audit(self, *, head: Head | None = None) -> AuditReport:
        """Checks every link, signature and stored word; with a head exported earlier, also that nothing was cut off."""
        assembly = self._assembly
        events = assembly.events().every_event()
        return audit.verify(events, assembly.audited_store(), check=assembly.verify_signature, head=head)

    def head(self) -> Head:
        """The end of the audit chain, to be kept somewhere else."""
        position, digest = self._parts.log().head()
        return Head(position=position, digest=digest)

    def export(self) -> tuple[Event, ...]:
        """Every event, in order."""
        return tuple(self._parts.log().every_event())

    def _record(self, current: CurrentAnswer, found: Review) -> AnswerRecord:
        return AnswerRecord(
            answer=current.answer,
            question=current.question.text,
            thread_id=current.question.thread_id,
            review=found,
            assistant=self._assembly.config.assistant,
            drafts_visible=self._assembly.config.drafts_visible_to == "askers",
        )
