"""What a person reads: the notice first, markers, sources, the status last."""

from __future__ import annotations

from dataclasses import replace

from curio_rag.domain.answer_text import notice_of, plain_text
from curio_rag.domain.answers import Outcome, Reason, SearchTrace, SectionKind, Withheld
from curio_rag.domain.questions import Urgency
from curio_rag.domain.reviews import AnswerRecord, Audience, Review, ReviewStatus
from curio_rag.domain.sources import Vetting, VettingStatus
from tests.fakes import answer, cited, document, paragraph

SOURCE = document()
DRAFT = answer(paragraph(cited(SOURCE, "Aspirin lowers fever."), cited(SOURCE, "Ask a doctor first.")))


def text_of(changed: object = DRAFT, **options: bool) -> str:
    return plain_text(changed, status="awaiting_review", assistant="Anna", **options)  # type: ignore[arg-type]


def test_a_draft_says_so_before_anything_else() -> None:
    """The first words are that this is a draft from samples that no clinician has checked."""
    assert text_of().startswith("DRAFT from SAMPLE documents, by Anna (AI first responder). No clinician has")
    assert text_of().rstrip().endswith("See every quote: curio ask ... --show-quotes")


def test_a_draft_from_vetted_documents_does_not_speak_of_samples() -> None:
    """The notice follows the standing of the sources."""
    vetted = replace(DRAFT.sources[0], vetting=Vetting(status=VettingStatus.VETTED, clinician="Test Fixture"))
    assert notice_of(replace(DRAFT, sources=(vetted,)), status="awaiting_review") == (
        "AI draft. Not reviewed by a clinician."
    )


def test_every_sentence_carries_its_marker() -> None:
    """[n] stands behind each sentence and beside its source."""
    text = text_of()
    assert "Aspirin lowers fever. [1] Ask a doctor first. [1]" in text
    assert '[1] Aspirin, "In short" (A test; aspirin.md; as of 2026-11-23)' in text


def test_steps_are_numbered_and_lists_are_marked() -> None:
    """A list of steps stays a list of steps."""
    steps = paragraph(
        cited(SOURCE, "Aspirin lowers fever."), cited(SOURCE, "Ask a doctor first."), kind=SectionKind.STEPS
    )
    assert "  1. Aspirin lowers fever. [1]\n  2. Ask a doctor first. [1]" in text_of(answer(steps))
    bullets = paragraph(cited(SOURCE, "Aspirin lowers fever."), kind=SectionKind.LIST)
    assert "  - Aspirin lowers fever. [1]" in text_of(answer(bullets))


def test_quotes_stand_under_their_sentences() -> None:
    """With quotes, the cited words and their place follow each sentence."""
    assert '> [1] "Aspirin lowers fever." (aspirin.md 0-21)' in text_of(quotes=True)


def test_nothing_is_wider_than_a_terminal() -> None:
    """Lines break at 78 columns."""
    assert max(len(line) for line in text_of().splitlines()) <= 78


def test_advice_comes_first_and_alone() -> None:
    """Emergency advice is the first thing on the screen, before any notice."""
    emergency = answer(
        outcome=Outcome.REFERRED,
        urgency=Urgency.EMERGENCY,
        advice="Call an ambulance now.",
        reason=Reason(code="emergency", text="Signs of a stroke."),
        sources=(),
    )
    assert text_of(emergency).startswith("Call an ambulance now.\n")


def test_abstaining_says_what_was_searched_and_what_is_near() -> None:
    """No guess: what was looked for, and the nearest topics."""
    abstained = answer(
        outcome=Outcome.ABSTAINED,
        reason=Reason(code="no_evidence", text="The documents do not answer this."),
        trace=SearchTrace(searched=("12 passages for: gout",), nearest=("Aspirin",)),
        sources=(),
    )
    text = text_of(abstained)
    assert "The documents do not answer this." in text
    assert "12 passages for: gout" in text
    assert "  - Aspirin" in text


def test_nobody_is_promised_a_clinician_who_will_not_see_the_question() -> None:
    """Where the question could not be saved, the text says so instead of promising a look."""
    abstained = answer(outcome=Outcome.ABSTAINED, reason=Reason(code="no_evidence", text="No answer."), sources=())
    for status, promised in (("awaiting_review", True), ("unsaved", False)):
        text = " ".join(plain_text(abstained, status=status, assistant="Anna").split())
        assert ("A clinician has been asked" in text) is promised
        assert ("A clinician has been asked" in notice_of(abstained, status=status)) is promised
        assert ("no clinician will see it" in text) is not promised


def test_an_asker_is_not_shown_what_was_withheld() -> None:
    """The reviewer gets the words and the reason, an asker the count."""
    kept_back = Withheld(text="Drive at once.", reason=Reason(code="not_verbatim", text="The source says otherwise."))
    record = AnswerRecord(
        answer=replace(DRAFT, withheld=(kept_back,)),
        question="?",
        thread_id="t_1",
        review=Review(status=ReviewStatus.AWAITING_REVIEW),
    )
    asker, reviewer = (record.to_dict(audience=audience) for audience in (Audience.ASKER, Audience.REVIEWER))
    assert "withheld" not in asker
    assert asker["withheld_count"] == 1
    assert "Drive at once." not in str(asker)
    assert "Drive at once." in str(reviewer["withheld"])


def test_the_public_json_has_every_name_of_the_contract() -> None:
    """Names are a public contract: additions are fine, renames are not."""
    record = AnswerRecord(
        answer=DRAFT, question="?", thread_id="t_1", review=Review(status=ReviewStatus.AWAITING_REVIEW)
    ).to_dict()
    assert set(record) >= {
        "schema_version", "id", "question", "outcome", "status", "urgency", "notice", "advice", "reason", "sections",
        "not_covered", "incomplete", "withheld_count", "withheld", "sources", "glossary", "questions_to_ask",
        "reading_grade", "text", "provenance",
    }  # fmt: skip
    section = record["sections"][0]  # type: ignore[index]
    assert set(section) == {"heading", "kind", "sentences"}  # type: ignore[arg-type]
    sentence = section["sentences"][0]  # type: ignore[index, call-overload]
    assert set(sentence) == {"text", "verdict", "citations"}  # type: ignore[arg-type]
    assert set(sentence["citations"][0]) == {  # type: ignore[index, call-overload, arg-type]
        "marker", "document_id", "passage_id", "quote", "start", "end", "page", "heading_path",
    }  # fmt: skip
    assert set(record["sources"][0]) >= {  # type: ignore[index, arg-type]
        "marker", "document_id", "title", "publisher", "url", "page", "jurisdiction", "as_of", "vetting",
    }  # fmt: skip
    assert set(record["provenance"]) >= {  # type: ignore[arg-type]
        "writer", "index_fingerprint", "config_digest", "version", "created_at",
    }  # fmt: skip
