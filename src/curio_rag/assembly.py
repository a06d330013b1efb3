"""The one place where adapters are chosen; each part is made when it is first needed, once for each process."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from curio_rag.config import Config, read_secret
from curio_rag.domain.glossary import Glossary
from curio_rag.domain.question_types import QuestionTypes
from curio_rag.domain.ranking_weights import RankingWeights
from curio_rag.domain.sources import Document
from curio_rag.errors import IndexProblem
from curio_rag.pipelines.answer import AnswerParts
from curio_rag.pipelines.claim_terms import Terms
from curio_rag.pipelines.claim_text import TextReader
from curio_rag.pipelines.claims import ClaimGate
from curio_rag.pipelines.condense import QuestionReader
from curio_rag.pipelines.conflicts import ConflictFinder, ConflictParts
from curio_rag.pipelines.follow_up import FollowUps
from curio_rag.pipelines.ingest import IngestParts, model_key
from curio_rag.pipelines.ranking import FeatureReranker
from curio_rag.pipelines.retrieve import Retriever
from curio_rag.ports import DocumentSource, Embedder, Readability, Reranker, Splitter, TriageRules, Writer

if TYPE_CHECKING:
    from curio_rag.adapters.generations import Generations
    from curio_rag.adapters.ledger import Ledger
    from curio_rag.adapters.ledger_answers import LedgerAnswers
    from curio_rag.adapters.ledger_audit import LedgerAudit
    from curio_rag.adapters.ledger_documents import LedgerDocuments
    from curio_rag.adapters.ledger_events import LedgerEvents
    from curio_rag.adapters.ledger_ingest import LedgerIngestLog
    from curio_rag.adapters.ledger_reviews import LedgerReviews
    from curio_rag.adapters.ledger_vectors import LedgerVectors
    from curio_rag.adapters.sentence_vectors import SentenceVectors
    from curio_rag.adapters.signing import KeyVault
    from curio_rag.adapters.word_list import EnglishWords

Part = TypeVar("Part")


class Assembly:
    """The parts of one knowledge base. Safe to share between threads; a forked child makes its own."""

    def __init__(self, config: Config, *, clock: Callable[[], datetime] | None = None) -> None:
        self.config = config
        self.clock = clock or (lambda: datetime.now(UTC))
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._made: dict[str, object] = {}

    def _part(self, name: str, make: Callable[[], Part]) -> Part:
        if os.getpid() != self._process:
            self._after_fork()
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            return cast(Part, self._made[name])

    def _after_fork(self) -> None:
        """Connections and sessions of the parent are let go: neither SQLite nor onnxruntime survives a fork."""
        inherited = self._made.get("ledger")
        self._start()
        if inherited is not None:
            cast("Ledger", inherited).forget()

    def today(self) -> date:
        """The day by which documents are in date or overdue (UTC)."""
        return self.clock().astimezone(UTC).date()

    def ledger(self, *, create: bool = False) -> Ledger:
        """Raises `IndexMissing` when there is none and `create` is False."""
        from curio_rag.adapters.ledger import Ledger

        return self._part("ledger", lambda: Ledger(self.config.index_folder, create=create))

    def dry(self) -> Assembly:
        """The same parts over an empty ledger that nobody keeps."""
        from curio_rag.adapters.ledger import Ledger

        trial = Assembly(self.config, clock=self.clock)
        trial._made["ledger"] = Ledger.in_memory()
        return trial

    def beside(self, name: str) -> Assembly:
        """The parts of a trial index in a folder beside this one's, by exact search over documents nobody has vetted.

        The model is shared.
        """
        index = str(self.config.index_folder.parent / name)
        trial = Assembly(replace(self.config, index=index, search="exact", admit=("unvetted",)), clock=self.clock)
        trial._made["embedder"] = self.embedder()
        return trial

    def documents(self) -> LedgerDocuments:
        """The ledger's documents and passages."""
        from curio_rag.adapters.ledger_documents import LedgerDocuments

        return self._part("documents", lambda: LedgerDocuments(self.ledger()))

    def vectors(self) -> LedgerVectors:
        """The ledger's vectors."""
        from curio_rag.adapters.ledger_vectors import LedgerVectors

        return self._part("vectors", lambda: LedgerVectors(self.ledger()))

    def answers(self) -> LedgerAnswers:
        """The ledger's questions and answers."""
        from curio_rag.adapters.ledger_answers import LedgerAnswers

        return self._part("answers", lambda: LedgerAnswers(self.ledger()))

    def events(self) -> LedgerEvents:
        """The ledger's audit chain."""
        from curio_rag.adapters.ledger_events import LedgerEvents

        return self._part("events", lambda: LedgerEvents(self.ledger()))

    def reviews(self) -> LedgerReviews:
        """The ledger's revisions, notes and decisions."""
        from curio_rag.adapters.ledger_reviews import LedgerReviews

        return self._part("reviews", lambda: LedgerReviews(self.ledger()))

    def has_reusable(self, plain_question: str) -> bool:
        """Whether an answer was ever approved for these plain words; False where nothing can be looked up or filed."""
        try:
            if self.ledger().read_only:
                return False
            return bool(self.reviews().reusable(plain_question, country=self.config.country))
        except IndexProblem:
            return False

    def audited_store(self) -> LedgerAudit:
        """What lies in the ledger beside the chain."""
        from curio_rag.adapters.ledger_audit import LedgerAudit

        return self._part("audited_store", lambda: LedgerAudit(self.ledger()))

    def key_vault(self) -> KeyVault:
        """The reviewers' sealed private keys."""
        from curio_rag.adapters.signing import KeyVault

        return KeyVault(folder=self.config.key_folder)

    def verify_signature(self, public_key: str, message: bytes, signature: str) -> bool:
        """Whether the key made the signature; `cryptography` is imported by the first call."""
        from curio_rag.adapters.signing import verify_signature

        return verify_signature(public_key, message, signature)

    def ingest_log(self) -> LedgerIngestLog:
        """The ledger's account of ingests."""
        from curio_rag.adapters.ledger_ingest import LedgerIngestLog

        return self._part("ingest_log", lambda: LedgerIngestLog(self.ledger()))

    def generations(self) -> Generations:
        """The generations of the index folder."""
        from curio_rag.adapters.generations import Generations

        # Config has checked the value, which mypy cannot know.
        search = cast("Literal['auto', 'exact', 'chroma']", self.config.search)
        return self._part("generations", lambda: Generations(self.config.index_folder, search=search))

    def embedder(self) -> Embedder:
        """The configured embedding model."""
        from curio_rag.adapters.embedding import open_embedder

        return self._part("embedder", lambda: open_embedder(self.config.model, cache=self._cache_folder()))

    def splitter(self) -> Splitter:
        """Cuts documents by the embedder's own tokens."""
        from curio_rag.adapters.splitter import PassageSplitter

        return self._part(
            "splitter",
            # Two tokens of what the model reads mark where a text begins and ends.
            lambda: PassageSplitter(
                self.embedder().count_tokens, window=max(1, self.embedder().fingerprint.max_tokens - 2)
            ),
        )

    def source(self) -> DocumentSource:
        """Reads files and folders."""
        from curio_rag.adapters.folder import FolderSource

        return self._part("source", lambda: FolderSource(max_bytes=self.config.max_file_bytes))

    def question_types(self) -> QuestionTypes:
        """The kinds of question."""
        from curio_rag.adapters.package_data import load_question_types

        return self._part("question_types", load_question_types)

    def glossary(self) -> Glossary:
        """How patients write: lay words, abbreviations, misspellings."""
        from curio_rag.adapters.package_data import load_glossary

        return self._part("glossary", load_glossary)

    def english_words(self) -> EnglishWords:
        """The dictionary by which a word is known to be English."""
        from curio_rag.adapters.word_list import EnglishWords

        return self._part("english_words", EnglishWords)

    def question_reader(self) -> QuestionReader:
        """Makes a plan of search out of a question."""
        return self._part(
            "question_reader",
            lambda: QuestionReader(types=self.question_types(), glossary=self.glossary(), words=self.english_words()),
        )

    def ranking_weights(self) -> RankingWeights:
        """What each signal of a search weighs."""
        from curio_rag.adapters.package_data import load_ranking_weights

        return self._part("ranking_weights", load_ranking_weights)

    def reranker(self) -> Reranker:
        """The configured reranker."""
        from curio_rag.adapters.cross_encoder import CrossEncoderReranker

        if self.config.reranker != "default":
            return self._part("reranker", lambda: CrossEncoderReranker(self.config.reranker))
        return self._part(
            "reranker", lambda: FeatureReranker(types=self.question_types(), weights=self.ranking_weights())
        )

    def follow_ups(self) -> FollowUps:
        """Reads a question in the light of its thread."""
        from curio_rag.adapters.package_data import load_follow_up_words

        return self._part("follow_ups", lambda: FollowUps(words=load_follow_up_words(), types=self.question_types()))

    def conflict_finder(self) -> ConflictFinder:
        """Compares the figures of sentences."""
        from curio_rag.adapters.sentences import sentence_spans

        return self._part("conflict_finder", lambda: ConflictFinder(types=self.question_types(), split=sentence_spans))

    def triage(self) -> TriageRules:
        """Needs no index and no network; where its model cannot be loaded, the rules work alone."""
        from curio_rag.adapters.danger_classifier import load_danger_classifier
        from curio_rag.adapters.embedding import DEFAULT_NAMES, open_embedder
        from curio_rag.adapters.emergency_card import load_emergency_card
        from curio_rag.adapters.triage_rules import load_triage_rules
        from curio_rag.pipelines.triage import RuleTriage
        from curio_rag.pipelines.triage_classified import ClassifiedTriage

        card = self.config.folder / self.config.emergency_card if self.config.emergency_card else None

        def make() -> TriageRules:
            rules = RuleTriage(load_emergency_card(card), load_triage_rules(), country=self.config.country or None)
            shared = self.config.model in DEFAULT_NAMES
            embedder = self.embedder() if shared else open_embedder("default", cache=self._cache_folder())
            return ClassifiedTriage(
                rules, lambda: self._part("danger_classifier", lambda: load_danger_classifier(embedder))
            )

        return self._part("triage", make)

    def writer(self) -> Writer:
        """The configured writer. Raises `ConfigError` when its package, key or address is missing."""
        if self.config.writer == "extractive":
            return self.standby()
        from curio_rag.adapters.llm_providers import open_model
        from curio_rag.adapters.llm_writer import LanguageModelWriter

        def make() -> LanguageModelWriter:
            config = self.config
            model = open_model(
                config.writer, url=config.writer_url, key_of=read_secret, most_bytes=config.max_reply_bytes
            )
            return LanguageModelWriter(model, types=self.question_types(), seconds=config.max_writer_seconds)

        return self._part("writer", make)

    def standby(self) -> Writer:
        """The writer that needs nothing from outside."""
        from curio_rag.adapters.extractive_writer import ExtractiveWriter
        from curio_rag.adapters.package_data import load_claim_words

        return self._part("standby", lambda: ExtractiveWriter(self.question_types(), load_claim_words()))

    def claim_gate(self) -> ClaimGate:
        """Judges sentences; its vocabulary is read when a sentence is not its source's own words."""
        from curio_rag.adapters.sentences import sentence_spans

        return ClaimGate(terms=lambda: self._part("claim_terms", self._claim_terms), sentences=sentence_spans)

    def _claim_terms(self) -> Terms:
        from curio_rag.adapters.package_data import load_claim_words

        reader = TextReader(load_claim_words(), self.glossary())
        return Terms(reader=reader, glossary=self.glossary(), is_english=self.english_words().knows)

    def readability(self) -> Readability:
        """Measures reading grades."""
        from curio_rag.adapters.readability import FleschKincaid

        return self._part("readability", FleschKincaid)

    def configuration(self) -> str:
        """Embedder and splitter in words: two indexes with the same configuration are comparable."""
        return f"{model_key(self.embedder())}; {self.splitter().version}"

    def sentence_vectors(self) -> SentenceVectors:
        """Compares questions with single sentences."""
        from curio_rag.adapters.sentence_vectors import SentenceVectors

        return SentenceVectors(self.splitter(), self.vectors(), model=model_key(self.embedder()))

    def retriever(self) -> Retriever:
        """Searches the current generation."""
        return self._part(
            "retriever",
            lambda: Retriever(
                generations=self.generations(),
                shelf=self.documents(),
                embedder=self.embedder(),
                types=self.question_types(),
                reader=self.question_reader(),
                weights=self.ranking_weights(),
                sentences=self.sentence_vectors(),
                reranker=self.reranker(),
                admit=frozenset(self.config.admit),
                configuration=self.configuration(),
                today=self.today,
            ),
        )

    def ingest_parts(self, *, status_of: Callable[[Document], str]) -> IngestParts:
        """What an ingest works with."""
        return IngestParts(
            source=self.source(),
            splitter=self.splitter(),
            embedder=self.embedder(),
            documents=self.documents(),
            vectors=self.vectors(),
            log=self.ingest_log(),
            clock=self.clock,
            folder=self.config.folder,
            status_of=status_of,
        )

    def conflict_parts(self) -> ConflictParts:
        """What a library is searched for contradictions with."""
        return ConflictParts(
            finder=self.conflict_finder(),
            shelf=self.documents(),
            vectors=self.vectors(),
            index=self.generations().current(),
            model=model_key(self.embedder()),
        )

    def answer_parts(self) -> AnswerParts:
        """What the answering of questions works with."""
        return AnswerParts(
            triage=self.triage(),
            retriever=self.retriever,
            shelf=self.documents,
            writer=self.writer,
            standby=self.standby,
            gate=self.claim_gate(),
            readability=self.readability,
            types=self.question_types(),
            follow_ups=self.follow_ups,
            conflicts=self.conflict_finder,
            glossary=self.config.glossary,
            new_id=lambda: f"a_{secrets.token_hex(12)}",
            clock=self.clock,
            config_digest=self.config.digest(),
            version=version("curio_rag"),
            max_question_bytes=self.config.max_question_bytes,
        )

    def _cache_folder(self) -> Path | None:
        """Where digests of the model's files are remembered; asking and trying make no folder."""
        return self.config.index_folder if self.config.index_folder.is_dir() else None

    def close(self) -> None:
        """Closes what was opened; the next use opens it again."""
        with self._lock:
            ledger = self._made.pop("ledger", None)
            self._made.clear()
        if ledger is not None and os.getpid() == self._process:
            cast("Ledger", ledger).close()
