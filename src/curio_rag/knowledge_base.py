"""The knowledge base: ingest vetted documents, search them, ask questions and get cited drafts."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

from curio_rag.assembly import Assembly
from curio_rag.config import Config, load_config
from curio_rag.domain.answers import Answer, AnswerLength
from curio_rag.domain.benchmarks import Fields
from curio_rag.domain.claims import CheckedClaim, ClaimRow
from curio_rag.domain.library import IngestReport, LibraryEntry, ShelfRecord
from curio_rag.domain.questions import Question, Turn
from curio_rag.domain.reviews import AnswerRecord, Review, ReviewStatus
from curio_rag.domain.sources import Document, Hit
from curio_rag.errors import (
    ConfigError,
    CurioError,
    DocumentNotFound,
    IndexMissing,
    IndexProblem,
    ReviewNotFound,
)
from curio_rag.pipelines.answer import answer_question, check_question
from curio_rag.pipelines.benchmark import RetrievalReport
from curio_rag.pipelines.check import Finding, check_library, check_vectors
from curio_rag.pipelines.check_claims import CitableDocuments, check_claims
from curio_rag.pipelines.conflicts import Disagreement, conflicts_in_library
from curio_rag.pipelines.follow_up import MOST_TURNS
from curio_rag.pipelines.ingest import (
    IngestedFiles,
    IngestParts,
    Report,
    embed_missing,
    ingest_files,
    model_key,
    texts_of,
)
from curio_rag.pipelines.reuse import plain_words
from curio_rag.pipelines.vetting import admitted, declared_standing, standing

if TYPE_CHECKING:
    from curio_rag.domain.eval_reports import EvalReport
    from curio_rag.domain.evals import Split
    from curio_rag.review_desk import ReviewDesk


Paths: TypeAlias = Sequence[str | Path] | str | Path


def _quiet(_stage: str, _done: int, _total: int) -> None:
    """Reports progress to nobody."""


class KnowledgeBase:
    """One folder of settings, one index. Safe to share between threads and after a fork; close it when done."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    @classmethod
    def open(
        cls, folder: str | Path = ".", *, config: Config | None = None, clock: Callable[[], datetime] | None = None
    ) -> Self:
        """Opens the knowledge base whose settings lie in a folder; nothing is read or loaded yet.

        Raises `ConfigError` for a setting that is unknown or malformed, or a folder that does not exist.
        """
        place = Path(folder)
        if not place.is_dir():
            raise ConfigError(f"There is no folder {str(folder)!r}.", hint="Name the folder that holds curio.toml.")
        return cls(Assembly(config or load_config(place), clock=clock))

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self._assembly.config

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the ledger and lets go of the model; using the knowledge base again opens them again."""
        self._assembly.close()

    def ingest(
        self,
        paths: Paths | None = None,
        *,
        dry_run: bool = False,
        retire_missing: bool = False,
        report: Report | None = None,
    ) -> IngestReport:
        """Reads, files and indexes the documents under the paths (by default the knowledge folder).

        Every listed file gets one receipt; one bad file never stops the others. With `dry_run`
        nothing is written. With `retire_missing`, documents whose file has gone are no longer
        searched. Raises `KnowledgeError` for a path that does not exist and
        `IndexLocked` when another process is writing.
        """
        started, show = self._assembly.clock(), report or _quiet
        chosen = [self.config.knowledge_folder] if paths is None else _paths(paths)
        if dry_run:
            return self._dry_run(chosen, started, show)
        self._assembly.ledger(create=True)
        with self._writing():
            files = ingest_files(self._parts(self._assembly), chosen, dry_run=False, report=show)
            retired = files.missing if retire_missing else ()
            if retired:
                self._assembly.documents().retire(retired, at=self._assembly.clock())
            generation = self._publish(show)
        self.desk.note_lapses()
        return self._ingest_report(self._assembly, files, started, retired=retired, generation=generation)

    def _dry_run(self, paths: Sequence[Path], started: datetime, report: Report) -> IngestReport:
        """What an ingest would do: no lock is taken and nothing is written, not even an empty ledger."""
        try:
            self._assembly.ledger()
            assembly = self._assembly
        except IndexMissing:
            assembly = self._assembly.dry()
        files = ingest_files(self._parts(assembly), paths, dry_run=True, report=report)
        return self._ingest_report(assembly, files, started, retired=(), generation=None)

    def _parts(self, assembly: Assembly) -> IngestParts:
        return assembly.ingest_parts(status_of=self._status_of)

    def _ingest_report(
        self,
        assembly: Assembly,
        files: IngestedFiles,
        started: datetime,
        *,
        retired: tuple[str, ...],
        generation: int | None,
    ) -> IngestReport:
        entries = [entry for entry in assembly.documents().entries() if not entry.retired]
        current = admitted(entries, admit=self.config.admit, today=assembly.today())
        return IngestReport(
            receipts=files.receipts,
            missing=files.missing,
            retired=retired,
            dry_run=generation is None,
            generation=generation,
            passages=sum(entry.passages for entry in entries if entry.document_id in current),
            awaiting_vetting=len(entries) - len(current),
            started_at=started,
            finished_at=assembly.clock(),
        )

    def search(self, query: str, *, limit: int = 10) -> tuple[Hit, ...]:
        """The passages that bear on a query, best first, at most `limit`.

        Raises `QuestionError`, `IndexMissing`, `IndexOutOfDate` or `IndexDamaged`.
        """
        check_question(query, most_bytes=self.config.max_question_bytes)
        return self._assembly.retriever().search(query, limit=limit).hits

    def evaluate_retrieval(
        self,
        benchmark: str | Path,
        *,
        fields: Fields = Fields.TITLE_AND_TEXT,
        relevant_from: int = 1,
        most_queries: int | None = None,
        report: Report | None = None,
    ) -> RetrievalReport:
        """Measures search on a benchmark folder in BEIR style, in an index of its own beside this one's.

        Raises `EvalError` for a malformed set, naming file and line, and `IndexLocked` while another
        process indexes the same corpus.
        """
        from curio_rag.evaluation import run_benchmark

        return run_benchmark(self._assembly, Path(benchmark), fields, relevant_from, most_queries, report or _quiet)

    def evaluate(self, gold: Paths = (), *, splits: Collection[Split] = (), report: Report | None = None) -> EvalReport:
        """Asks the questions of gold cases (by default `evals/gold`), saves none, and scores every stage.

        Without `splits` the development half is run, which tuning may look at.
        Two runs over the same index give equal reports. Raises `EvalError` for a malformed case (file, line,
        field) or a quote that is not in its document, before anything runs, and what a search raises.
        """
        from curio_rag.evaluation import evaluate_gold

        return evaluate_gold(self._assembly, _paths(gold), splits=splits, report=report or _quiet)

    def ask(
        self,
        question: str,
        *,
        thread: str | None = None,
        previous: Sequence[str] = (),
        length: AnswerLength = AnswerLength.STANDARD,
    ) -> AnswerRecord:
        """Drafts a cited answer, or abstains, or refers, and puts it where a clinician will see it.

        In a thread a follow-up such as "and how long does it last?" is read in the light of the questions
        before it; `previous` are such questions that stand in no thread here, oldest first.
        An emergency, and all of its thread until a clinician clears it at the desk, gets fixed advice at once. Raises
        `QuestionError` for an empty or overlong question, `ReviewNotFound` for an unknown thread,
        and `IndexMissing`, `IndexOutOfDate` or `IndexDamaged`.
        """
        asked = Question(
            id=f"q_{secrets.token_hex(12)}", thread_id=thread or "", text=question, asked_at=self._assembly.clock()
        )
        repeated = None if previous else self._approved_before(asked)
        if repeated is not None:
            return repeated
        before = tuple(Turn(question=text) for text in previous)
        parts, advice = self._assembly.answer_parts(), self._standing_advice(thread)
        answer = answer_question(
            parts,
            asked,
            previous=lambda: (*before, *self._turns(asked.thread_id)),
            standing_advice=advice,
            length=length,
        )
        return self._saved(asked, answer)

    def _turns(self, thread_id: str) -> tuple[Turn, ...]:
        return self._assembly.answers().turns(thread_id, limit=MOST_TURNS) if thread_id else ()

    def _standing_advice(self, thread: str | None) -> str:
        with suppress(CurioError):  # a store that cannot be read holds back no answer
            return self._assembly.answers().standing_advice(thread) if thread else ""
        return ""

    def answer(self, answer_id: str) -> AnswerRecord:
        """The current revision of an answer that was saved earlier, as it stands today. Raises `ReviewNotFound`."""
        return self.desk.record(answer_id)

    @property
    def desk(self) -> ReviewDesk:
        """The review desk: reviewers, the queue, decisions, vetting, recall, threads and the audit."""
        from curio_rag.review_desk import ReviewDesk

        return ReviewDesk(self._assembly, publish=lambda: self._publish(_quiet), writing=self._writing)

    def _approved_before(self, asked: Question) -> AnswerRecord | None:
        """The answer that a clinician approved for the same general question, filed for this one; usually None.

        In a thread that has begun, what was said before may be personal: there every question is answered anew.
        """
        plain = None if asked.thread_id else plain_words(asked.text)
        if plain is None or not self._assembly.has_reusable(plain):
            return None
        return self.desk.repeat(asked, plain)

    def check_claims(self, rows: Iterable[ClaimRow]) -> Iterator[CheckedClaim]:
        """Runs the claim gate alone over sentences, each with quotes of the knowledge base or its own evidence."""
        shelf = CitableDocuments(self.library, self.document)
        return check_claims(rows, self._assembly.claim_gate(), shelf)

    def library(self) -> tuple[ShelfRecord, ...]:
        """Every document that is not retired, with its standing today, sorted by id."""
        today = self._assembly.today()
        return tuple(
            ShelfRecord(entry=entry, vetting=vetting, admitted=vetting.status.value in self.config.admit)
            for entry in self._active()
            if (vetting := standing(entry, today=today))
        )

    def record(self, document_id: str) -> ShelfRecord:
        """One document with its standing today. Raises `DocumentNotFound`, also for a retired one."""
        for record in self.library():
            if record.entry.document_id == document_id:
                return record
        raise DocumentNotFound(
            f"There is no document {document_id!r} in the library.", hint="`curio library list` names them all."
        )

    def document(self, document_id: str) -> Document:
        """A document's current text with its structure and sources. Raises `DocumentNotFound`."""
        return self._assembly.documents().document(document_id)

    def check(self) -> tuple[Finding, ...]:
        """Looks at everything that an answer rests on: nothing found means that all is well."""
        assembly = self._assembly
        current = admitted(assembly.documents().entries(), admit=self.config.admit, today=assembly.today())
        audit = (Finding(part="audit", text=text) for text in self.desk.audit().findings)
        findings = (*audit, *check_library(assembly.documents(), sorted(current)))
        vectors = check_vectors(
            assembly.documents(),
            assembly.vectors(),
            assembly.splitter(),
            self._passage_ids(),
            model=model_key(assembly.embedder()),
        )
        problems = (Finding(part="index", text=text) for text in assembly.generations().problems())
        return (*findings, *vectors, *problems)

    def conflicts(self) -> tuple[Disagreement, ...]:
        """Passages of admitted documents that give different figures for the same thing.

        Raises `IndexMissing` or `IndexDamaged`.
        """
        assembly = self._assembly
        current = admitted(assembly.documents().entries(), admit=self.config.admit, today=assembly.today())
        return conflicts_in_library(assembly.conflict_parts(), sorted(current))

    def repair(self, *, report: Report | None = None) -> int:
        """Embeds what has no vector and builds the index anew from the ledger; the number of the new generation."""
        with self._writing():
            return self._publish(report or _quiet, embed=True)

    def _writing(self) -> AbstractContextManager[None]:
        from curio_rag.adapters.write_lock import write_lock

        return write_lock(self.config.index_folder)

    def _active(self) -> tuple[LibraryEntry, ...]:
        return tuple(entry for entry in self._assembly.documents().entries() if not entry.retired)

    def _passage_ids(self) -> tuple[str, ...]:
        assembly = self._assembly
        current = admitted(assembly.documents().entries(), admit=self.config.admit, today=assembly.today())
        return assembly.documents().passage_ids_of(sorted(current))

    def _publish(self, report: Report, *, embed: bool = False) -> int:
        """Makes the current generation hold exactly the passages of the admitted documents."""
        assembly = self._assembly
        ids = self._passage_ids()
        model, configuration = model_key(assembly.embedder()), assembly.configuration()
        if embed or self._configuration_of_index() != configuration:
            for start in range(0, len(ids), 512):
                passages = assembly.documents().passages(ids[start : start + 512])
                embed_missing(assembly.embedder(), assembly.vectors(), list(texts_of(passages, assembly.splitter())))
                report("embed", min(start + 512, len(ids)), len(ids))
        return assembly.generations().publish(
            ids,
            lambda some: assembly.vectors().index_entries(model, some),
            configuration=configuration,
            report=report,
        )

    def _configuration_of_index(self) -> str | None:
        try:
            return self._assembly.generations().current().configuration
        except IndexProblem:
            return None

    def _status_of(self, document: Document) -> str:
        return declared_standing(document.vetting, today=self._assembly.today()).status.value

    def _saved(self, question: Question, answer: Answer) -> AnswerRecord:
        """Saves question and answer; fixed advice is given even when that cannot be done."""
        fixed = bool(answer.advice) and not answer.provenance.index_fingerprint
        try:
            if self._assembly.ledger().read_only:
                return self._record(question, answer, ReviewStatus.UNSAVED)
            answers = self._assembly.answers()
            try:
                thread_id = answers.thread(question.thread_id or None, at=question.asked_at)
            except ReviewNotFound:
                if not fixed:
                    raise
                thread_id = answers.thread(None, at=question.asked_at)
            placed = replace(question, thread_id=thread_id)
            answers.save(placed, answer)
        except CurioError:
            if not fixed:
                raise
            return self._record(question, answer, ReviewStatus.UNSAVED)
        return self._record(placed, answer, ReviewStatus.AWAITING_REVIEW)

    def _record(self, question: Question, answer: Answer, status: ReviewStatus) -> AnswerRecord:
        return AnswerRecord(
            answer=answer,
            question=question.text,
            thread_id=question.thread_id,
            review=Review(status=status),
            assistant=self.config.assistant,
            drafts_visible=self.config.drafts_visible_to == "askers",
        )


def _paths(paths: Paths) -> list[Path]:
    return [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
