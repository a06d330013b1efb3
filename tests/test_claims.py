"""The claim gate lets nothing through that its quote does not carry, and lets faithful sentences through."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from curio_rag.assembly import Assembly
from curio_rag.config import Config
from curio_rag.domain.answers import Draft, SectionKind, Sentence, Support
from curio_rag.domain.claims import EvidenceText
from curio_rag.domain.sources import Span
from curio_rag.pipelines.claims import LONGEST_SENTENCE, ClaimGate
from tests.fakes import cited, document, paragraph

SOURCE = document("Do not drive for 8 weeks. Fever needs a call at once.", must_show=(Span(start=0, end=25),))
DRIVE = "Do not drive for 8 weeks."
FEVER = "Fever needs a call at once."
TAMPER = Path(__file__).parent.parent / "evals" / "tamper"


@cache
def gate() -> ClaimGate:
    return Assembly(Config()).claim_gate()


def code_of(sentence: Sentence) -> str | None:
    found = gate().judge_sentence(sentence, lambda document_id: SOURCE if document_id == SOURCE.id else None)
    return found.reasons[0].code if found.reasons else None


def codes(text: str, source: str, *, title: str = "") -> set[str]:
    """The codes of all reasons for which a text would be withheld under a source."""
    return {reason.code for reason in gate().judge(text, (EvidenceText(text=source, title=title),)).reasons}


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
        (cited(SOURCE, DRIVE, text="Do not drive for 2 days."), "time_span"),
        (cited(SOURCE, DRIVE, text="You may drive after 8 weeks."), "negation"),
        (cited(SOURCE, DRIVE, text="Do not drive for 8 weeks. Fever is fine."), "unsupported"),
        (replace(cited(SOURCE, DRIVE), citations=()), "no_citation"),
        (cited(SOURCE, DRIVE, text="  "), "empty"),
        (cited(SOURCE, DRIVE, text="?!"), "empty"),
        (cited(SOURCE, DRIVE, text="Drive. " * LONGEST_SENTENCE), "too_long"),
        (moved(cited(SOURCE, DRIVE), document_id="invented.md"), "document"),
        (moved(cited(SOURCE, DRIVE), document_digest="sha256:older"), "document_changed"),
        (moved(cited(SOURCE, DRIVE), span=Span(start=1, end=26)), "quote_moved"),
        (moved(cited(SOURCE, DRIVE), quote="Do not drive for 8 weeks"), "quote_moved"),
        (moved(cited(SOURCE, DRIVE), quote="Do not drive for 8  weeks."), "quote_space"),
        (moved(cited(SOURCE, DRIVE), quote="Drive when you like."), "quote"),
        (moved(cited(SOURCE, DRIVE), quote="", span=Span(start=3, end=3)), "quote_empty"),
    ],
)
def test_anything_else_is_withheld_with_a_code(sentence: Sentence, code: str) -> None:
    """A changed number, an added claim, an invented or moved citation: each is named."""
    assert code_of(sentence) == code


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("For 8 weeks after your infusion, you should not drive.", "Do not drive for 8 weeks after the infusion."),
        ("Avoid driving for the first eight weeks after the infusion.", "Do not drive for 8 weeks after the infusion."),
        ("Live vaccines are unsafe after CAR-T therapy.", "Live vaccines are not safe after CAR-T therapy."),
        ("About 9% of patients were alive after one year.",
         "About 9 of every 100 people lived for a year."),
        ("Call your team if your temperature is 100.4 °F or above.",
         "Call for a temperature of 38 °C (100.4 °F) or higher."),
        ("CRS often starts in the first two weeks.", "Cytokine release syndrome often starts in the first 14 days."),
        ("In the UK, it was approved in 2025.", "The United Kingdom approved it in April 2025."),
        ("If you get a fever, phone your team straight away.", "Call the team at once about a fever."),
    ],
)  # fmt: skip
def test_a_faithful_sentence_in_other_words_passes(text: str, source: str) -> None:
    """Simple words, another order, equal amounts and abbreviations are no reason to withhold."""
    assert codes(text, source, title="CAR-T therapy: fever, driving, your team") == set()


@pytest.mark.parametrize(
    ("text", "source", "code"),
    [
        ("Take 500 mg of it.", "Take 50 mg of it.", "number"),
        ("Take 50 g of it.", "Take 50 mg of it.", "number"),
        ("Take 50 mg three times daily.", "Take 50 mg twice daily.", "number"),
        ("Take 50 mg each week.", "Take 50 mg each day.", "time_span"),
        ("Wait at most 12 months.", "Wait at least 12 months.", "limit"),
        ("Wait 12 to 18 days.", "Wait 12 to 18 months.", "time_span"),
        ("The wait was 48 days for Yescarta and 30 days for Kymriah.",
         "The wait was 30 days for Yescarta and 48 days for Kymriah.", "exchanged"),
        ("About 90% were alive.", "About 9 of every 100 people were alive.", "number"),
        ("Live vaccines are safe.", "Live vaccines are not safe.", "negation"),
        ("The drug causes nausea.", "The drug may cause nausea.", "hedge"),
        ("The drug will cause nausea.", "The drug may cause nausea.", "hedge"),
        ("Everyone gets CRS.", "Most people get CRS.", "hedge"),
        ("Warfarin thins the blood.", "Aspirin thins the blood.", "drug"),
        ("It treats lupus.", "It treats gout.", "condition"),
        ("Women should take it with food.", "Men should take it with food.", "population"),
        ("It is approved in the UK.", "It is approved in the United States.", "country"),
        ("The adults had Kymriah.", "The adults had Yescarta.", "name"),
        ("The risk is lower in smokers.", "The risk is higher in smokers.", "direction"),
        ("Yescarta is milder than Kymriah.", "Kymriah is milder than Yescarta.", "direction"),
        ("Steroids are given before the infusion.", "Steroids are given after the infusion.", "direction"),
        ("It cures lymphoma.", "It can bring lymphoma into remission.", "overstated"),
        ("Tocilizumab treats ICANS.", "Tocilizumab treats CRS, and steroids treat ICANS.", "exchanged"),
        ("Vasculitis can affect the eyes, skin, lungs and nerves, and lemon juice speeds recovery.",
         "Vasculitis can affect the eyes, skin, lungs and nerves.", "added"),
    ],
)  # fmt: skip
def test_a_contradiction_is_named(text: str, source: str, code: str) -> None:
    """Each way in which a sentence can part from its source has a code of its own."""
    assert code in codes(text, source)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("The ZUMA-17 trial had 359 people.", "The ZUMA-7 trial had 359 people."),
        ("The ZUMA 17 trial had 359 people.", "The ZUMA-7 trial had 359 people, and 17 of them left."),
        ("In the ZUMA-7 trial, 68 people had Tecartus.", "In the ZUMA-2 trial, 68 people had Tecartus."),
        ("Tocilizumab blocks the interleukin-15 signal.", "Tocilizumab blocks the interleukin-6 signal."),
        ("Tocilizumab blocks IL-15.", "Tocilizumab blocks interleukin-6 within 15 minutes."),
        ("It aims at CD20.", "It aims at CD19."),
        ("The study QB-418 had 30 people.", "The study QB-417 had 30 people."),
        ("NICE (TA1117) allows it.", "NICE (TA1116) allows it."),
        ("COVID-29 is a risk.", "COVID-19 is a risk."),
        ("Grade 3 CRS came in 1 of 3 people.", "Grade 1 CRS came in 1 of 3 people."),
        ("Type 1 diabetes is treated with 1 pill.", "Type 2 diabetes is treated with 1 pill."),
        ("Stage III cancer has spread.", "Stage IV cancer has spread."),
        ("Hepatitis C can come back.", "Hepatitis B can come back."),
        ("Hepatitis B and hepatitis B can come back.", "Hepatitis B and hepatitis C can come back."),
        ("It is for large T-cell lymphoma.", "CAR-T therapy is for large B-cell lymphoma."),
        ("Take vitamin C each day.", "Take vitamin D each day."),
        ("In mid-2026 the agency dropped the rule.", "In mid-2025 the agency dropped the rule."),
    ],
)
def test_a_designation_stands_in_the_source_as_a_whole(text: str, source: str) -> None:
    """Another number or letter makes another trial, protein, guideline, grade, virus or cell."""
    assert "name" in codes(text, source)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("The ZUMA 7 trial had 359 people.", "The ZUMA-7 trial had 359 people."),
        ("The ZUMA\u20117 trial had 359 people.", "The ZUMA-7 trial had 359 people."),
        ("Tocilizumab blocks IL-6.", "Tocilizumab blocks interleukin-6."),
        ("Tocilizumab blocks interleukin 6.", "Tocilizumab blocks IL-6."),
        ("These cells aim at CD19.", "These CD19-targeted cells aim well."),
        ("COVID-19 is a risk.", "COVID is a risk."),
        ("CRS of grade two needs oxygen.", "Grade 2 CRS needs oxygen."),
        ("In stage IV the cancer has spread.", "In stage 4, the cancer has spread."),
        ("Since 2019, the over-65s can have the vaccine.", "People over 65 can have the vaccine since 2019."),
        ("T-cells and B-cells are white blood cells.", "B and T cells are white blood cells."),
        ("It is for large B-cell lymphoma.", "It is for LBCL."),
        ("After the flu I felt weak.", "I felt weak after the flu."),
    ],
)
def test_a_designation_may_be_written_in_another_way(text: str, source: str) -> None:
    """A space for a hyphen, digits for numerals, the glossary's synonyms: the same thing is meant."""
    assert codes(text, source) == set()


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("It is only bad news.", "It is not only bad news."),
        ("It is just a cold.", "It isn't just a cold."),
        ("It is not merely a rash.", "It is merely a rash."),
        ("The comparison is not only a hint.", "The comparison is only a hint."),
        ("HIV rules out some products, but all of them.", "HIV rules out some products, but not all of them."),
        ("HIV rules out some products, but not all of them.", "HIV rules out some products, but all of them."),
        ("People need bridging therapy.", "Not everyone needs bridging therapy."),
        ("Nobody needs bridging therapy.", "Not everyone needs bridging therapy."),
        ("Insurance does not cover the costs.", "Insurance does not cover every cost."),
        ("A rise does not mean relapse.", "A rise does not always mean relapse."),
        ("A rise necessarily means relapse.", "A rise does not necessarily mean relapse."),
        ("Live vaccines are not always safe.", "Live vaccines are not safe."),
        ("Not all children are checked.", "All children are checked."),
        ("CAR-T is for everyone.", "CAR-T is not for everyone."),
        ("CAR-T is for nobody.", "CAR-T is not for everyone."),
    ],
)
def test_not_only_and_not_all_are_not_turned_round(text: str, source: str) -> None:
    """A "not" before "only" or "all" is neither dropped nor added, and "not all" becomes neither all nor none."""
    assert "negation" in codes(text, source)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("It can be good news as well as bad news.", "It can be good news, and is not only bad news."),
        ("Fever is a sign of infection and also of CRS.", "Fever is not only a sign of infection but also of CRS."),
        ("Some people do not need bridging therapy.", "Not everyone needs bridging therapy."),
        ("Bridging therapy is not needed by everyone.", "Not everyone needs bridging therapy."),
        ("A rise may not mean relapse.", "A rise does not always mean relapse."),
        ("A rise doesn't necessarily mean relapse.", "A rise does not always mean relapse."),
        ("HIV rules out some products but not every one of them.", "HIV rules out some products, but not all of them."),
        ("No single date fits every child.", "There is no single date that fits every child."),
        ("You should not eat before the scan.", "Do not eat for all 6 hours before the scan."),
        ("All people over 65 should have the vaccine.", "Everyone over 65 should have the vaccine."),
    ],
)
def test_not_only_and_not_all_may_be_said_otherwise(text: str, source: str) -> None:
    """What leaves room in the source may leave it in other words."""
    assert codes(text, source) == set()


@pytest.mark.parametrize(
    "text",
    ["And since when is Aucatzyl approved in Britain?", "how long is Aucatzyl approved", "Is it approved? Since when?"],
)
def test_a_question_is_supported_by_nothing(text: str) -> None:
    """A source that speaks of what is asked does not support the question."""
    assert codes(text, "The United Kingdom approved Aucatzyl in April 2025.", title="Aucatzyl") == {"unsupported"}


def test_a_question_that_leads_to_its_answer_passes() -> None:
    """ "Could you be pregnant? Then ..." says what the source says, and so does a question of the source's own."""
    source = "A pregnancy test is done first if you could be pregnant. Can I drive? Do not drive."
    assert codes("Could you be pregnant? Then a pregnancy test is done first.", source) == set()
    assert codes("Can I drive? Do not drive.", source) == set()


@pytest.mark.parametrize(
    "text",
    ["Most people have CAR-T cells only once.", "The CAR-T cells are there for good.", "Many are well with CAR-T."],
)
def test_the_subject_alone_supports_nothing(text: str) -> None:
    """Words of the title that the source repeats do not carry what is said of them."""
    assert codes(text, "CAR-T cells that aim at CD19 also destroy B cells.", title="CAR-T cells and CAR-T therapy")


def test_once_alone_is_a_number() -> None:
    """That something is done only once is a claim of its own."""
    assert "number" in codes("The CAR-T cells are given only once.", "The CAR-T cells are given through a drip.")
    assert codes("The CAR-T cells are given only once.", "The CAR-T cells are given in a single drip.") == set()


def test_the_reason_can_be_read_by_a_clinician() -> None:
    """What the sentence says stands beside what the source says, and the source's words beside both."""
    found = gate().judge("Do not drive for 2 days.", (EvidenceText(text="Do not drive for 8 weeks. Rest."),))
    assert [reason.text for reason in found.reasons] == ["'2 days', the source says '8 weeks'"]
    assert found.aligned == "Do not drive for 8 weeks."


@pytest.mark.parametrize(
    "text", ["Yes, you can.", "It is.", "Than than than.", "Go on.", "That works well for people."]
)
def test_words_without_meaning_rest_on_nothing(text: str) -> None:
    """An answer that only the question gives a meaning to has no support in the source."""
    assert "unsupported" in codes(text, "Do not drive for 8 weeks after the infusion.", title="Driving")


def test_a_part_of_a_sentence_is_not_its_own_words() -> None:
    """Words cut out of a sentence that denies them are read, not waved through."""
    assert "negation" in codes("You may drive.", "Nobody says that you may drive.")


def test_a_withheld_sentence_leaves_the_others() -> None:
    """The section keeps what is supported; what was kept back is listed with its reason and the nearest words."""
    draft = Draft(sections=(paragraph(cited(SOURCE, FEVER), cited(SOURCE, DRIVE, text="Drive at once.")),))
    checked = gate().check_draft(draft, lambda _: SOURCE)
    ((kept,),) = [section.sentences for section in checked.sections]
    assert (kept.text, kept.verdict.support) == (FEVER, Support.SUPPORTED)
    assert [(each.text, each.quote) for each in checked.withheld] == [("Drive at once.", DRIVE)]


def test_losing_a_warning_or_a_step_makes_the_answer_incomplete() -> None:
    """A sentence over a marked warning, or any step of a list of steps, is essential."""
    warning = Draft(sections=(paragraph(cited(SOURCE, DRIVE, text="Drive at once.")),))
    step = Draft(sections=(paragraph(cited(SOURCE, FEVER, text="Relax."), kind=SectionKind.STEPS),))
    plain = Draft(sections=(paragraph(cited(SOURCE, FEVER, text="Relax.")),))
    assert gate().check_draft(warning, lambda _: SOURCE).incomplete
    assert gate().check_draft(step, lambda _: SOURCE).incomplete
    assert not gate().check_draft(plain, lambda _: SOURCE).incomplete


def test_a_section_without_sentences_goes() -> None:
    """A heading never stands over nothing."""
    draft = Draft(sections=(paragraph(cited(SOURCE, FEVER, text="Relax.")),))
    assert gate().check_draft(draft, lambda _: SOURCE).sections == ()


def test_a_megabyte_of_evidence_is_searched() -> None:
    """The one sentence that matters is found in a long text, and a long text supports nothing by its length."""
    long = "The weather was mild on that day. " * 30_000 + DRIVE
    assert codes("You should not drive for 8 weeks.", long) == set()
    assert "time_span" in codes("You should not drive for 2 days.", long)


def test_the_frozen_development_rows_stay_withheld() -> None:
    """Of the rows from knowledge/, at least 95 of 100 of each class of fault are withheld, and no verbatim sentence."""
    seen, withheld = Counter[str](), Counter[str]()
    files = ("knowledge.development.jsonl", "knowledge.leaks.development.jsonl", "leaks.jsonl")
    lines = [line for name in files for line in (TAMPER / name).read_text(encoding="utf-8").splitlines()]
    for row in map(json.loads, lines):
        if "evidence" in row and row.get("split") != "test":
            found = gate().judge(row["text"], tuple(EvidenceText(**each) for each in row["evidence"]))
            seen[row["class"]] += 1
            withheld[row["class"]] += not found.supported
    faults = {name for name in seen if name not in ("verbatim", "rewrite") and not name.endswith("_kept")}
    assert len(faults) >= 20
    assert {name: withheld[name] / seen[name] for name in faults if withheld[name] < 0.95 * seen[name]} == {}
    assert withheld["verbatim"] == 0
    assert withheld["rewrite"] <= 0.08 * seen["rewrite"]
