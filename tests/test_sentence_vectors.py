"""A question is compared with single sentences, whose vectors ingest keeps and nothing makes anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from curio_rag.adapters.ledger import Ledger
from curio_rag.adapters.ledger_vectors import LedgerVectors
from curio_rag.adapters.sentence_vectors import SentenceVectors
from curio_rag.adapters.splitter import PassageSplitter
from curio_rag.domain.sources import Hit, HitScores, Passage, Span
from curio_rag.pipelines.retrieve import SENTENCE_HITS, by_sentence
from curio_rag.ports import Vector
from tests.fakes import WordEmbedder, document

TEXT = "Hair can get thin or fall out for a while. Nausea passes within some weeks. No."
SPLITTER = PassageSplitter(lambda texts: [len(text.split()) for text in texts])


def passage(text: str = TEXT, *, heading: str = "Side effects") -> Passage:
    return Passage(
        document_id="a.md",
        document_digest="sha256:0",
        span=Span(start=0, end=len(text)),
        text=text,
        title="CAR-T therapy",
        heading_path=(heading,) if heading else (),
    )


def test_sentences_stand_under_their_heading_or_the_title() -> None:
    """What is a word or two says nothing; one sentence alone is the passage itself."""
    assert SPLITTER.sentences(passage()) == (
        "Side effects: Hair can get thin or fall out for a while.",
        "Side effects: Nausea passes within some weeks.",
    )
    assert SPLITTER.sentences(passage(heading=""))[1] == "CAR-T therapy: Nausea passes within some weeks."
    assert SPLITTER.sentences(passage("Nausea passes within some weeks. No.")) == ()


@pytest.fixture
def vectors(tmp_path: Path) -> LedgerVectors:
    return LedgerVectors(Ledger(tmp_path, create=True))


def test_the_nearest_sentence_counts_once_all_are_kept(vectors: LedgerVectors) -> None:
    """Without vectors there is nothing to compare, and what ingest adds later is seen."""
    embedder = WordEmbedder()
    match = SentenceVectors(SPLITTER, vectors, model="m")
    (asked,) = embedder.embed(["Side effects: Nausea passes within some weeks."])
    assert match.similarities([passage()], asked) == (None,)
    texts = SPLITTER.sentences(passage())
    vectors.add("m", texts[:1], embedder.embed(texts[:1]))
    assert match.similarities([passage()], asked) == (None,)
    vectors.add("m", texts[1:], embedder.embed(texts[1:]))
    alone = passage("Nausea passes within some weeks.")
    first, single, again = match.similarities([passage(), alone, passage()], asked)
    assert (first, single) == (again, None)
    assert first == pytest.approx(1.0)
    assert match.similarities([], asked) == ()


class Told:
    """Gives the similarities that it was told."""

    def __init__(self, *similarities: float | None) -> None:
        self.told = similarities

    def similarities(self, passages: object, query: Vector) -> tuple[float | None, ...]:
        return self.told


def test_the_best_are_put_in_order_by_their_sentences_and_stay_before_the_others() -> None:
    """A passage of one sentence is as near as its text; where all are alike nothing moves."""
    made = document("x " * 200)
    hits = [
        Hit(
            passage=Passage(
                document_id=made.id,
                document_digest=made.digest,
                span=Span(start=place, end=place + 1),
                text="x",
                title="X",
            ),
            score=1 - place / 100,
            parts=HitScores(text=0.5),
        )
        for place in range(SENTENCE_HITS + 2)
    ]
    near = (*[0.1] * (SENTENCE_HITS - 2), 0.9, None)
    moved = by_sentence(hits, b"", Told(*near), weight=0.2)
    assert moved[0].passage == hits[SENTENCE_HITS - 2].passage
    assert moved[0].score == pytest.approx(hits[SENTENCE_HITS - 2].score + 0.2)
    assert moved[0].parts.sentence == 0.9
    last = next(hit for hit in moved if hit.passage == hits[SENTENCE_HITS - 1].passage)
    assert last.parts.sentence == 0.5
    assert last.score == pytest.approx(hits[SENTENCE_HITS - 1].score + 0.1)
    assert moved[SENTENCE_HITS:] == tuple(hits[SENTENCE_HITS:])
    alike = by_sentence(hits[:2], b"", Told(0.3, 0.3), weight=0.2)
    assert [hit.score for hit in alike] == [hit.score for hit in hits[:2]]
    assert by_sentence([], b"", Told(), weight=0.2) == ()
