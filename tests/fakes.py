"""Stand-ins for the outside, and small values to test with."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import accumulate

from curio_rag.domain.answers import Answer, Citation, Outcome, Provenance, Section, SectionKind, Sentence, Source
from curio_rag.domain.library import LibraryEntry, VettingEvent
from curio_rag.domain.questions import Urgency
from curio_rag.domain.sources import Block, BlockKind, Document, Span, Vetting, VettingStatus
from curio_rag.ports import EmbedderFingerprint, Vector

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)


class WordEmbedder:
    """An `Embedder` whose vectors count hashed words: texts that share words are similar."""

    def __init__(self, *, model: str = "words", dimensions: int = 64) -> None:
        self.embedded: list[str] = []
        self._fingerprint = EmbedderFingerprint(
            model=model, revision="1", dimensions=dimensions, normalised=True, max_tokens=256
        )

    @property
    def fingerprint(self) -> EmbedderFingerprint:
        return self._fingerprint

    def embed(self, texts: Sequence[str]) -> tuple[Vector, ...]:
        self.embedded.extend(texts)
        return tuple(self._vector(text) for text in texts)

    def count_tokens(self, texts: Sequence[str]) -> tuple[int, ...]:
        return tuple(len(text.split()) for text in texts)

    def _vector(self, text: str) -> Vector:
        size = self._fingerprint.dimensions
        counts = [0.0] * size
        for word in text.lower().split() or ["-"]:
            counts[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % size] += 1
        norm = math.sqrt(sum(count * count for count in counts))
        return struct.pack(f"<{size}f", *(count / norm for count in counts))


def document(text: str = "Aspirin lowers fever. Ask a doctor first.", **changes: object) -> Document:
    """A document of one paragraph, a sample."""
    fields: dict[str, object] = {
        "id": "aspirin.md",
        "title": "Aspirin",
        "text": text,
        "source": "aspirin.md",
        "blocks": (Block(kind=BlockKind.PARAGRAPH, span=Span(start=0, end=len(text))),),
        "vetting": Vetting(status=VettingStatus.SAMPLE, review_due=date(2027, 5, 23)),
    }
    return Document(**(fields | changes))  # type: ignore[arg-type]  # any field may be changed by name


def cited(source: Document, quote: str, *, text: str | None = None) -> Sentence:
    """A sentence that cites the first place of a quote in a document."""
    start = source.text.index(quote)
    citation = Citation(
        document_id=source.id,
        document_digest=source.digest,
        passage_id="p_1",
        quote=quote,
        span=Span(start=start, end=start + len(quote)),
    )
    return Sentence(text=quote if text is None else text, citations=(citation,))


def answer(*sections: Section, outcome: Outcome = Outcome.DRAFTED, **changes: object) -> Answer:
    """An answer from the document above."""
    fields: dict[str, object] = {
        "id": "a_1",
        "question_id": "q_1",
        "outcome": outcome,
        "urgency": Urgency.ROUTINE,
        "sections": sections,
        "sources": (
            Source(
                marker=1,
                document_id="aspirin.md",
                document_digest=document().digest,
                title="Aspirin",
                headings=("In short",),
                publisher="A test",
                url=None,
                page=None,
                page_label=None,
                jurisdiction=None,
                as_of="2026-11-23",
                vetting=Vetting(status=VettingStatus.SAMPLE, review_due=date(2027, 5, 23)),
            ),
        ),
        "provenance": Provenance(
            writer="extractive", index_fingerprint="sha256:0", config_digest="sha256:1", version="0", created_at=NOON
        ),
    }
    return Answer(**(fields | changes))  # type: ignore[arg-type]  # any field may be changed by name


def paragraph(*sentences: Sentence, heading: str = "Aspirin", kind: SectionKind = SectionKind.PARAGRAPH) -> Section:
    """A section."""
    return Section(heading=heading, kind=kind, sentences=sentences)


def line_spans(lines: Sequence[str]) -> tuple[Span, ...]:
    """Where each of these lines stands in the text that they make."""
    starts = accumulate((len(line) + 1 for line in lines), initial=0)
    return tuple(Span(start=start, end=start + len(line)) for line, start in zip(lines, starts, strict=False))


def entry(**changes: object) -> LibraryEntry:
    """A library entry of a sample."""
    fields: dict[str, object] = {
        "document_id": "aspirin.md",
        "digest": "sha256:a",
        "title": "Aspirin",
        "origin": "knowledge",
        "source": "aspirin.md",
        "file_digest": "sha256:f",
        "text_digest": "sha256:t",
        "made_by": "1",
        "language": "en",
        "as_of": None,
        "passages": 1,
        "declared": Vetting(status=VettingStatus.SAMPLE, review_due=date(2027, 5, 23)),
        "proposal": None,
        "retired": False,
        "event": None,
    }
    return LibraryEntry(**(fields | changes))  # type: ignore[arg-type]  # any field may be changed by name


def vetting_event(**changes: object) -> VettingEvent:
    """A vetting by somebody who is plainly a test fixture."""
    fields: dict[str, object] = {
        "document_id": "aspirin.md",
        "digest": "sha256:a",
        "clinician": "Test Fixture",
        "credential": "not a real clinician",
        "vetted_on": date(2026, 11, 1),
        "review_due": date(2027, 11, 1),
        "signed": True,
    }
    return VettingEvent(**(fields | changes))  # type: ignore[arg-type]  # any field may be changed by name
