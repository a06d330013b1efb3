"""What the pipelines ask of the outside; each docstring is the contract that every adapter keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeAlias

from curio_rag.domain.answers import Answer, AnswerLength, Draft, Evidence
from curio_rag.domain.library import FileReceipt, LibraryEntry, ShelvedDocument
from curio_rag.domain.questions import Question, Triage, Turn
from curio_rag.domain.search_plan import SearchPlan
from curio_rag.domain.sources import Document, Hit, Passage

Vector: TypeAlias = bytes
"""Little-endian float32 values of unit length (L2), four bytes for each dimension."""


class VectorField(StrEnum):
    """The named vectors of a passage."""

    TEXT = "text"
    TITLE = "title"
    HEADING = "heading"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderFingerprint:
    """What must be equal for two vectors to be comparable."""

    model: str
    revision: str
    dimensions: int
    normalised: bool
    max_tokens: int

    def to_dict(self) -> dict[str, str | int | bool]:
        """For the ledger and the manifest."""
        return {
            "model": self.model,
            "revision": self.revision,
            "dimensions": self.dimensions,
            "normalised": self.normalised,
            "max_tokens": self.max_tokens,
        }


class Embedder(Protocol):
    """Turns texts into vectors; equal texts give equal vectors whatever stands beside them in a batch (within 1e-5)."""

    @property
    def fingerprint(self) -> EmbedderFingerprint:
        """Known without loading the model's weights."""
        ...

    def embed(self, texts: Sequence[str]) -> tuple[Vector, ...]:
        """One vector of unit length for each text, in order; what is beyond `max_tokens` is cut off. None for none."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> tuple[int, ...]:
        """How many tokens of the model each text has, without the special ones and without a limit."""
        ...


class Splitter(Protocol):
    """Cuts a document into passages."""

    @property
    def version(self) -> str:
        """Changes whenever the same document could be cut differently."""
        ...

    def split(self, document: Document) -> tuple[Passage, ...]:
        """Passages in order of the text, none empty; `document.text[span] == text`; no heading alone; one page each."""
        ...

    def sentences(self, passage: Passage) -> tuple[str, ...]:
        """What is embedded of each sentence of a passage, under its heading; empty for a passage of one sentence."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """One entry of a folder that is being ingested.

    `document_id` is the path under the folder with forward slashes (a single file: its name),
    always valid UTF-8 and safe to print. `skip` is the reason not to read it, a stable word such as
    `hidden`, `unsupported_type`, `symlink_outside`, or None.
    """

    document_id: str
    path: Path
    skip: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedFile:
    """A file's bytes with those of its sidecar, and the digest of both (what `unchanged` compares)."""

    file: ListedFile
    content: bytes
    sidecar: bytes | None
    digest: str


class DocumentSource(Protocol):
    """Where documents come from."""

    @property
    def version(self) -> str:
        """Changes whenever the same file could be read differently."""
        ...

    def list(self, paths: Sequence[Path]) -> tuple[ListedFile, ...]:
        """Every entry under the paths, sorted by document id, skipped ones included.

        Regular files only; links that leave the folder, loops, pipes and hidden files come back
        with a `skip` reason. Raises `KnowledgeError` for a path that does not exist.
        """
        ...

    def load(self, file: ListedFile) -> LoadedFile:
        """Raises `UnreadableDocument` (reason `unreadable`, `too_large`) and nothing else."""
        ...

    def read(self, loaded: LoadedFile) -> Document:
        """Raises `UnreadableDocument` with a reason and a hint, and nothing else; never drops a byte in silence."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """All that an index needs to know of one passage; a vector of the same text is the same bytes."""

    passage_id: str
    document_id: str
    text: str
    title: str
    synonyms: tuple[str, ...]
    heading: str
    text_vector: Vector
    title_vector: Vector
    heading_vector: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A passage id with its score; higher is better."""

    passage_id: str
    score: float


class Vocabulary(Protocol):
    """What is known of the words of a generation: the part of an index by which a question is read."""

    @property
    def size(self) -> int:
        """The number of passages."""
        ...

    def document_frequencies(self, terms: Sequence[str]) -> tuple[int, ...]:
        """In how many passages each term stands (title, synonyms, headings or text), stemmed as `keyword` does it."""
        ...

    def words(self, beginning: str) -> tuple[tuple[str, int], ...]:
        """The words with that beginning as they are written, in lower case, sorted, and in how many passages each is.

        None in an index that was written before such words were kept.
        """
        ...


class PassageIndex(Vocabulary, Protocol):
    """One generation, pinned: it answers the same until it is closed, whatever is published meanwhile.

    Safe to share between threads. Ties are broken by passage id, so equal calls give equal answers.
    """

    @property
    def generation(self) -> int: ...

    @property
    def fingerprint(self) -> str:
        """The tagged digest of the manifest: passages, vectors, embedder and splitter."""
        ...

    @property
    def configuration(self) -> str:
        """The embedder and splitter that it was built with, in words."""
        ...

    def nearest(self, field: VectorField, vector: Vector, *, limit: int) -> tuple[Scored, ...]:
        """The passages whose named vector is most similar (cosine), best first."""
        ...

    def similarities(self, field: VectorField, vector: Vector, passage_ids: Sequence[str]) -> tuple[float, ...]:
        """The exact cosine for each passage id, in order. Raises `IndexDamaged` for an unknown id."""
        ...

    def keyword(self, terms: Sequence[str], *, limit: int) -> tuple[Scored, ...]:
        """BM25 over title and synonyms, headings and text, any term sufficing; best first. Empty for no terms."""
        ...

    def matching(self, terms: Sequence[str], passage_ids: Sequence[str]) -> tuple[frozenset[str], ...]:
        """For each term or phrase those of the passages in which it stands, stemmed as `keyword` does it."""
        ...


class WordList(Protocol):
    """Knows the words of a language, so that what is merely rare is not taken for a typing error."""

    def knows(self, word: str) -> bool:
        """Whether this is a word or a common name; `word` is in lower case."""
        ...


class Reranker(Protocol):
    """Puts the best passages of a search into their last order."""

    def rerank(self, plan: SearchPlan, hits: Sequence[Hit]) -> tuple[float, ...]:
        """A score for each hit, in order; higher is better, comparable within one call only. None for none.

        Raises `ConfigError` when a configured model is not on disk or cannot be loaded.
        """
        ...


class GenerationStore(Protocol):
    """The generations of one index folder, and which one is current."""

    def current(self) -> PassageIndex:
        """The current generation, opened once and kept. Raises `IndexMissing` or `IndexDamaged`."""
        ...

    def publish(
        self,
        passage_ids: Sequence[str],
        load: Callable[[Sequence[str]], Iterable[IndexEntry]],
        *,
        configuration: str,
        report: Callable[[str, int, int], None] | None = None,
    ) -> int:
        """Build the next generation to hold exactly these passages, verify it, swap it in, and give its number.

        A copy of the last generation with the differences applied; `load` is called in batches with
        the ids that are new. `configuration` names embedder and splitter: when it differs from
        the last generation's, everything is built afresh. `report(stage, done, total)` shows
        progress. When anything fails the old generation stays current and whole.
        """
        ...

    def problems(self) -> Iterator[str]:
        """What is wrong with the current generation, one sentence each; nothing when all is well."""
        ...


class DocumentShelf(Protocol):
    """The ledger's documents: what ingest writes. One transaction a call: all of it is kept, or nothing."""

    def entries(self) -> tuple[LibraryEntry, ...]:
        """Every document ever accepted, retired ones included, sorted by id."""
        ...

    def put(self, shelved: Sequence[ShelvedDocument], *, at: datetime) -> None:
        """Files each document as the current version of its id and replaces its passages and nothing else."""
        ...

    def retire(self, document_ids: Sequence[str], *, at: datetime) -> None:
        """These documents are no longer searched; their versions stay."""
        ...


class PassageShelf(Protocol):
    """The ledger's documents: what search and answers read."""

    def entries_of(self, document_ids: Sequence[str]) -> tuple[LibraryEntry, ...]:
        """The entries of these documents, unknown ids left out."""
        ...

    def passage_ids_of(self, document_ids: Sequence[str]) -> tuple[str, ...]:
        """The ids of all passages of these documents, sorted."""
        ...

    def passages(self, passage_ids: Sequence[str]) -> tuple[Passage, ...]:
        """The passages in the order asked for; ids that are gone are left out."""
        ...

    def passages_of(self, document_id: str) -> tuple[Passage, ...]:
        """All passages of a document's current version, in order of its text."""
        ...

    def document(self, document_id: str, *, digest: str | None = None) -> Document:
        """The current version, or the one with this digest. Raises `DocumentNotFound`."""
        ...


class VectorShelf(Protocol):
    """The ledger's vectors: every text that was ever embedded, by model."""

    def missing(self, embedder: str, texts: Sequence[str]) -> tuple[str, ...]:
        """Those texts, each once and in order, that have no vector of this model."""
        ...

    def add(self, embedder: str, texts: Sequence[str], vectors: Sequence[Vector]) -> None:
        """Keeps one vector for each text; one that is there already stays as it is."""
        ...

    def vectors_of(self, embedder: str, texts: Sequence[str]) -> tuple[Vector | None, ...]:
        """The vector of each text, in order; None for one that was never embedded."""
        ...

    def index_entries(self, embedder: str, passage_ids: Sequence[str]) -> Iterator[IndexEntry]:
        """What an index needs of these passages. Raises `IndexDamaged` when a passage or a vector is missing."""
        ...


class IngestLog(Protocol):
    """How far each file of an ingest has come, so that an interrupted run can be told and resumed."""

    def start(self, sources: Sequence[str], *, at: datetime) -> int:
        """Opens a job with every listed file at the stage `seen`; its number."""
        ...

    def advance(self, job: int, sources: Sequence[str], stage: str) -> None:
        """These files reached a stage: `parsed`, `split`, `embedded` or `committed`."""
        ...

    def finish(self, job: int, receipts: Sequence[FileReceipt], *, at: datetime) -> None:
        """Closes the job with the receipt of each file."""
        ...


class AnswerShelf(Protocol):
    """The ledger's questions and answers."""

    def thread(self, thread_id: str | None, *, at: datetime) -> str:
        """Opens a thread, or finds the one with this id. Raises `ReviewNotFound` for an unknown id."""
        ...

    def save(self, question: Question, answer: Answer, *, original: str | None = None) -> None:
        """Keeps the question's text, in this one place, and the answer; appends both to the audit chain.

        `original` is the approved answer that this one repeats.
        """
        ...

    def turns(self, thread_id: str, *, limit: int) -> tuple[Turn, ...]:
        """The last turns of a thread, oldest first. Raises `ReviewNotFound` for an unknown id."""
        ...

    def citing(self, document_id: str) -> tuple[str, ...]:
        """The ids of all answers that rest on a document, in any version, sorted."""
        ...

    def answer(self, answer_id: str) -> tuple[Question, Answer]:
        """What was saved. Raises `ReviewNotFound`."""
        ...


class Writer(Protocol):
    """Composes a draft from evidence."""

    @property
    def name(self) -> str:
        """For the provenance of the answer."""
        ...

    def write(self, question: str, evidence: Sequence[Evidence], *, length: AnswerLength) -> Draft:
        """Sections of sentences, each with citations into the evidence's documents; no sections when nothing fits.

        Raises `WriterUnavailable` or `MalformedDraft`.
        """
        ...


class TriageRules(Protocol):
    """Recognises emergencies and requests for personal decisions from the words alone, with no index or network."""

    def assess(self, text: str) -> Triage:
        """Never raises, whatever the text; an unremarkable text gives `Triage()`."""

    def reminder(self, text: str) -> str:
        """The call-your-team line where an answer speaks of fever, infection, CRS, ICANS or bleeding, else nothing."""


class Readability(Protocol):
    """Measures how hard a text is to read."""

    def grade(self, text: str) -> float:
        """The Flesch-Kincaid grade (years of schooling in the United States), at least 0; 0.0 for no words."""
