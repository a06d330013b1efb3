"""The claim gate lets nothing through that its quote does not carry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from curio_rag.domain.answers import Draft, SectionKind, Sentence, Support
from curio_rag.domain.sources import Span
from curio_rag.pipelines.claims import check_draft, fault_of
from tests.fakes import cited, document, paragraph

SOURCE = document("Do not drive for 8 weeks. Fever needs a call at once.", must_show=(Span(start=0, end=25),))
DRIVE = "Do not drive for 8 weeks."
FEVER = "Fever needs a call at once."


def code_of(sentence: Sentence) -> str | None:
    fault = fault_of(sentence, lambda document_id: SOURCE if document_id == SOURCE.id else None)
    return fault.code if fault else None


def moved(sentence: Sentence, **changes: object) -> Sentence:
    (citation,) = sentence.citations
    return replace(sentence, citations=(replace(citation, **changes),))  # type: ignore[arg-type]


def test_the_sources_own_words_pass() -> None:
    """A sentence that is its quote is supported, whatever its white space."""
    assert code_of(cited(SOURCE, DRIVE)) is None
    assert code_of(cited(SOURCE, DRIVE, text="Do not  drive\nfor 8 weeks.")) is None


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        (cited(SOURCE, DRIVE, text="Do not drive for 2 days."), "not_verbatim"),
        (cited(SOURCE, DRIVE, text="You may drive after 8 weeks."), "not_verbatim"),
        (cited(SOURCE, DRIVE, text="Do not drive for 8 weeks. Fever is fine."), "not_verbatim"),
        (replace(cited(SOURCE, DRIVE), citations=()), "no_citation"),
        (cited(SOURCE, DRIVE, text="  "), "empty"),
        (moved(cited(SOURCE, DRIVE), document_id="invented.md"), "document"),
        (moved(cited(SOURCE, DRIVE), document_digest="sha256:older"), "document_changed"),
        (moved(cited(SOURCE, DRIVE), span=Span(start=1, end=26)), "quote"),
        (moved(cited(SOURCE, DRIVE), quote="Do not drive for 8 weeks"), "quote"),
        (moved(cited(SOURCE, DRIVE), quote="", span=Span(start=3, end=3)), "quote"),
    ],
)
def test_anything_else_is_withheld_with_a_code(sentence: Sentence, code: str) -> None:
    """A changed number, an added claim, an invented or moved citation: each is named."""
    assert code_of(sentence) == code


def test_a_withheld_sentence_leaves_the_others() -> None:
    """The section keeps what is supported; what was kept back is listed with its reason."""
    draft = Draft(sections=(paragraph(cited(SOURCE, FEVER), cited(SOURCE, DRIVE, text="Drive at once.")),))
    checked = check_draft(draft, lambda _: SOURCE)
    ((kept,),) = [section.sentences for section in checked.sections]
    assert (kept.text, kept.verdict.support) == (FEVER, Support.SUPPORTED)
    assert [each.text for each in checked.withheld] == ["Drive at once."]


def test_losing_a_warning_or_a_step_makes_the_answer_incomplete() -> None:
    """A sentence over a marked warning, or any step of a list of steps, is essential."""
    warning = Draft(sections=(paragraph(cited(SOURCE, DRIVE, text="Drive at once.")),))
    step = Draft(sections=(paragraph(cited(SOURCE, FEVER, text="Relax."), kind=SectionKind.STEPS),))
    plain = Draft(sections=(paragraph(cited(SOURCE, FEVER, text="Relax.")),))
    assert check_draft(warning, lambda _: SOURCE).incomplete
    assert check_draft(step, lambda _: SOURCE).incomplete
    assert not check_draft(plain, lambda _: SOURCE).incomplete


def test_a_section_without_sentences_goes() -> None:
    """A heading never stands over nothing."""
    checked = check_draft(Draft(sections=(paragraph(cited(SOURCE, FEVER, text="Relax.")),)), lambda _: SOURCE)
    assert checked.sections == ()
