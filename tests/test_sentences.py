"""Promises about the spans of sentences."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curio_rag.adapters.sentences import sentence_spans

CASES = (
    "Dr. Smith saw the patient. ¦ She felt better.",
    "Prof. Lee and Mrs. Jones agreed. ¦ The dose was kept.",
    "Take a painkiller, e.g. paracetamol. ¦ Do not take aspirin.",
    "Take a painkiller (e.g., Tylenol) at night. ¦ Rest.",
    "The spleen, i.e. The organ on your left, may swell. ¦ Tell your doctor.",
    "Chemotherapy vs. CAR T-cell therapy was studied. ¦ Both helped.",
    "It takes approx. 30 minutes. ¦ You can go home after.",
    "See Fig. 2 for details. ¦ The cells are shown in Figs. 3 and 4.",
    "The dose is 5.5 mg daily. ¦ Do not exceed 10 mg.",
    "Call if your temperature is 38.5 °C (101.3 °F). ¦ Do not wait.",
    "Call us at 38.5 °C. ¦ A nurse will answer.",
    "Give 2 g i.v. every day. ¦ Then stop.",
    "It is given i.v. ¦ The nurse watches you.",
    "Approved in the U.S. in 2017. ¦ It is also used in the U.K. today.",
    "It was approved in the U.S. ¦ The label lists the risks.",
    "The U.S. Food and Drug Administration approved it. ¦ Others followed.",
    "The difference was significant, p < .05. ¦ No deaths occurred.",
    "The difference was significant (p < .05). ¦ No deaths occurred.",
    "Patient No. 3 relapsed. ¦ Others did not.",
    "She was treated at St. Jude hospital. ¦ He went to St. Louis.",
    "J. K. Rowling and C. H. June wrote it. ¦ It was read widely.",
    "Carl H. June led the trial. ¦ It began in 2010.",
    "It may take weeks... or months. ¦ Ask your team.",
    "It may take weeks... ¦ Ask your team.",
    "Wait… ¦ Then call.",
    '"Call me," she said. ¦ "I will come."',
    'She said, "I feel ill." ¦ The nurse came.',
    "“Do I need a port?” ¦ Ask your nurse.",
    "(This is rare.) ¦ Most people recover.",
    "Most people recover (see page 4). ¦ Some do not.",
    "What is CAR-T? ¦ It is a treatment.",
    "Stop! ¦ Call 911 now.",
    "Is it safe?! ¦ Yes.",
    "这是一个句子。 ¦这是另一个句子。",
    "هل هذا آمن؟ ¦ نعم.",
    "The cells are\nsent to a laboratory. ¦ They grow\nthere.",
    "Take it at 8 a.m. with food. ¦ Take it again at 8 p.m. ¦ Then sleep.",
    "Tell us about fever, chills, etc. ¦ We will help.",
    "Fever, chills, etc. may occur. ¦ Tell us.",
    "Smith et al. reported this. ¦ Others agreed.",
    "The bacterium E. coli is common. ¦ S. aureus is too.",
    "E. coli lives in the gut. ¦ It can cause illness.",
    "Vitamin D helps bones. ¦ Vitamin C. does not.",
    "This is hepatitis B. ¦ It is caught from blood.",
    "Type I and II differ. ¦ See type III. ¦ It is rare.",
    "Take 1 tab. by mouth daily. ¦ Swallow it whole.",
    "Take 2 tabs p.o. b.i.d. with water. ¦ Call if ill.",
    "Give 10 mL/kg/hr. ¦ Watch for swelling.",
    "Visit www.cancer.gov for more. ¦ Or call 1-800-4-CANCER.",
    "Write to help@clinic.org. ¦ We answer.",
    "In Jan. 2017 it was approved. ¦ By Dec. 5 it was sold.",
    "The dose was 0.6 x 10^8 cells. ¦ It was given once.",
    "It works.[1] ¦ It is safe.[2,3]",
    "It works.1 ¦ It is safe.",
    "Kymriah® (tisagenlecleucel) is one. ¦ Yescarta® is another.",
    "HbA1c is measured. ¦ mRNA is not.",
    "Blood is taken. ¦ pH is measured.",
    "Blood pressure was 120/80 mm Hg. ¦ It fell.",
    "Add 5 mg. ¦ Stir.",
    "The No. 1 cause is smoking. ¦ The answer is no. ¦ Ask again.",
    "Is there a cure? ¦ No. ¦ There is care.",
    "It is about 3 in. long. ¦ It grows.",
    "See Sec. 3 and Eq. 4 and Tab. 5. ¦ Then stop.",
    "See pp. 3-5 and Vol. 2, Ch. 3. ¦ Then stop.",
    "The Wilms tumor (stage I, II, etc.) is rare. ¦ It can be cured.",
    "Washington, D.C. is the capital. ¦ The NIH is near.",
    "John Smith, M.D., Ph.D., leads the unit. ¦ He is kind.",
    "John Smith, M.D. and Ann Lee, R.N. are here. ¦ They help.",
    "Contact Jane Doe, Ph.D. ¦ She will help.",
    "Merck & Co. Inc. makes it. ¦ It is sold widely.",
    "Merck & Co., Inc., makes it. ¦ Others too.",
    "Mr. A. had a fever. ¦ It went away.",
    "Cells grow (ex vivo). ¦ They are then infused.",
    "1. Collect the cells. ¦ 2. Change them.",
    "Rest, drink, and wait; call if worse. ¦ Keep warm.",
    "Do this: rest. ¦ Then: eat.",
    "It was 5. ¦ Then it was 6.",
    "He weighed 70 kg. ¦ At 3 months he weighed 75 kg.",
    "Cytokine release syndrome (CRS) is common. ¦ (It is treatable.) ¦ Ask us.",
    'He asked, "Is it safe?" and she said yes. ¦ He smiled.',
    'The so-called "cure." ¦ It is not one.',
    "Use caution in pts. with renal failure. ¦ Check labs.",
    "Max. dose is 4 g. ¦ Min. interval is 4 h.",
    "Avg. age was 60 yrs. ¦ Range was 40-80.",
    "Dept. of Health, Gov. Brown. ¦ Sen. Lee agreed.",
    "It was found in Mt. Sinai and Ft. Worth. ¦ Good.",
    "Lt. Col. Jones and Rev. King came. ¦ Both left.",
    "Do not drive for 8 wk. after infusion. ¦ Rest.",
    "Subcut. injection is given s.c. or i.m. by a nurse. ¦ It stings.",
    "The ratio was 1:2. ¦ The C.I. was wide.",
    "C. difficile colitis may follow antibiotics. ¦ P. jirovecii too.",
    "It is caused by C. difficile. ¦ Wash your hands.",
    "Names incl. Kymriah. ¦ Ask.",
    "resp. rate was 20/min. ¦ Good.",
    "Treatment of B. burgdorferi infection, cf. Lyme disease, takes 2 wks. ¦ Rest.",
    "Vitamin B12, St. John's wort, and Dr. Pepper interact. ¦ Beware!",
    "It's used for non-Hodgkin lymphoma (NHL), incl. DLBCL (approx. 30% of cases). ¦ It's aggressive.",
    "这种药物安全吗？ ¦是的！ ¦请咨询医生。",
    "इसका इलाज है। ¦ डॉक्टर से पूछें।",
    "The plasma level is 5 ng/mL vs. 7 ng/mL (ref. 12). ¦ It was not significant.",
    "Gene therapy, a.k.a. Gene transfer, is new. ¦ It is studied.",
    "The trial (type 3) and (type 4) went on. ¦ It ended.",
    "He has CF. ¦ Over time it worsens.",
    "It damages nerves in MS. ¦ They can heal.",
    "There are (1) collection, (2) change and (3) infusion. ¦ Then rest.",
    "The dose is 5 - 10 mg daily - and 3 - 4 tablets. ¦ Rest.",
    "First paragraph without a stop\n\n¦Second paragraph",
    "  Spaces before. ¦ And after.  ",
    "😀 It helps. ¦ 👩‍⚕️ It is safe.",
)
"""Texts with a broken bar where one sentence ends and the next begins."""


def _sentences(text: str, *, language: str = "en") -> list[str]:
    return [span.of(text) for span in sentence_spans(text, language=language)]


@pytest.mark.parametrize("marked", CASES)
def test_sentences_of_medical_prose(marked: str) -> None:
    """A sentence ends where a reader says that it ends, abbreviations, units, quotes and other scripts included."""
    assert _sentences(marked.replace("¦ ", "").replace("¦", "")) == [part.strip() for part in marked.split("¦")]


@given(
    st.text(st.sampled_from("aB1 .\n?!…\"”'([)]。\u2028\x85😀\u0301\ud800 é-;,"), max_size=60) | st.text(max_size=60)
)
def test_spans_cover_every_word(text: str) -> None:
    """Spans run in order, never overlap, begin and end on a mark, and miss nothing but white space."""
    position = 0
    for span in sentence_spans(text):
        assert span.start >= position
        assert not text[position : span.start].strip()
        assert span.of(text) == span.of(text).strip() != ""
        position = span.end
    assert not text[position:].strip()


def test_repeated_sentences_keep_their_own_places() -> None:
    """The same sentence twice gives two spans, each where it stands."""
    spans = sentence_spans("Call us. Call us.  Call us.")
    assert [(span.start, span.end) for span in spans] == [(0, 8), (9, 17), (19, 27)]


def test_windows_leave_no_mark() -> None:
    """A long text is cut exactly as its sentences are, wherever the windows in which it is read may end."""
    text = " ".join(f"Sentence {number} of {'many ' * (number % 40)}is here." for number in range(600))
    assert len(text) > 50_000
    assert [sentence.split()[1] for sentence in _sentences(text)] == [str(number) for number in range(600)]


def test_a_long_sentence_is_one() -> None:
    """A sentence much longer than a window is not cut, and its end is found."""
    long = "word " * 9_000 + "end."
    assert _sentences(f"{long} Next one.") == [long, "Next one."]


@pytest.mark.parametrize(
    "unit", ["word ", "x", " ", "A cat sat. ", "“a ‘b ", "(a. ", "a.b.", "e.g. ", "1. ", "\n\n", "…", "aa.1,1"]
)
def test_time_is_linear(unit: str) -> None:
    """A fifth of a megabyte on one line takes no more than seconds, whatever it holds."""
    began = time.process_time()
    sentence_spans(unit * (200_000 // len(unit)))
    assert time.process_time() - began < 10


@pytest.mark.parametrize("language", ["en", "en-US", "EN_gb", "xx", "", "zh-Hans"])
def test_any_language_tag(language: str) -> None:
    """A tag that nobody knows falls back on punctuation, and never raises."""
    assert _sentences("It helps. Ask us。好", language=language) == ["It helps.", "Ask us。", "好"]


def test_spanish_is_not_read_as_english() -> None:
    """English shorthand does not join sentences of another language."""
    assert _sentences("Lo dice el Dr. Pérez. Tome agua.", language="es") == ["Lo dice el Dr. Pérez.", "Tome agua."]
