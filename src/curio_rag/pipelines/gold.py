"""Proves gold cases against the documents: every quote stands there, every fact is in a quote; and what they cover."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from curio_rag.domain.answers import Outcome
from curio_rag.domain.evals import EvalCase, GoldEvidence, GoldProblem, covers, holds, normalise, stands_in
from curio_rag.domain.sources import Document

LONGEST_SHARED_RUN = 4
"""Words in a row that an answerable question may share with its quotes: five are a copy, which any search finds."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_MARKS = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "–": "-", "—": "-"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldCoverage:
    """How many cases there are of each kind, and how many questions each document is evidence for (0 included)."""

    cases: int
    clinician_confirmed: int
    kinds: tuple[tuple[str, int], ...]
    splits: tuple[tuple[str, int], ...]
    topics: tuple[tuple[str, int], ...]
    types: tuple[tuple[str, int], ...]
    wordings: tuple[tuple[str, int], ...]
    features: tuple[tuple[str, int], ...]
    documents: tuple[tuple[str, int], ...]


def check_gold(
    cases: Sequence[EvalCase], documents: Sequence[Document], *, fixed_texts: Sequence[str] = ()
) -> tuple[GoldProblem, ...]:
    """What is wrong with the cases, in their order; nothing when they are sound.

    `fixed_texts` is what an answer may say beside quotes of the documents, such as emergency advice.
    """
    by_id = {document.id: document for document in documents}
    sayable = " ".join(normalise(text) for text in (*(document.text for document in documents), *fixed_texts))
    problems: list[GoldProblem] = []
    asked: dict[tuple[str, ...], EvalCase] = {}
    for case in cases:
        messages = [
            *_expectation_faults(case),
            *(fault for evidence in case.evidence for fault in _quote_faults(evidence, by_id)),
            *_fact_faults(case),
            *_question_faults(case, asked),
            *_wording_faults(case, sayable),
        ]
        problems.extend(
            GoldProblem(file=case.file, line=case.line, message=f"{case.id}: {message}") for message in messages
        )
    return tuple(problems)


def quote_problems(cases: Sequence[EvalCase], documents: Sequence[Document]) -> tuple[GoldProblem, ...]:
    """Quotes that are not the exact words of their document: all that a run needs of cases, whoever wrote them."""
    by_id = {document.id: document for document in documents}
    return tuple(
        GoldProblem(file=case.file, line=case.line, message=f"{case.id}: {fault}")
        for case in cases
        for evidence in case.evidence
        for fault in _quote_faults(evidence, by_id)
    )


def _expectation_faults(case: EvalCase) -> Iterator[str]:
    expected = case.expected
    if expected.outcome is Outcome.DRAFTED:
        if not case.facts:
            yield "facts: an answerable question needs at least one fact"
        if not case.evidence:
            yield "evidence: an answerable question needs at least one quote"
    emergency = "emergency" in expected.codes
    if emergency and expected.group is None:
        yield "expected.group: an emergency needs the group of the emergency card"
    if expected.group is not None and not emergency:
        yield "expected.group: only an emergency has one; set it to null"
    if emergency != (expected.urgency == "emergency"):
        yield "expected.urgency: 'emergency' goes with the code 'emergency', and only with it"


def _quote_faults(evidence: GoldEvidence, documents: Mapping[str, Document]) -> Iterator[str]:
    """Why a quote is not the exact words of its document; the way out where the words can be recognised."""
    document = documents.get(evidence.document_id)
    if document is None:
        yield f"evidence: there is no document {evidence.document_id!r}"
        return
    if evidence.quote in document.text:
        return
    place = f"evidence: {evidence.document_id} does not hold the quote {evidence.quote[:80]!r}"
    if _spaced(evidence.quote) in _spaced(document.text):
        yield f"{place}; it differs in white space only"
    elif _plain(evidence.quote) in _plain(document.text):
        yield f"{place}; it differs in quotation marks, dashes or white space only"
    elif normalise(evidence.quote) in normalise(document.text):
        yield f"{place}; it differs in punctuation, capitals or markup only"
    else:
        elsewhere = [other.id for other in documents.values() if evidence.quote in other.text]
        yield f"{place}; it stands in {', '.join(elsewhere)}" if elsewhere else f"{place}; copy the words exactly"


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _plain(text: str) -> str:
    return _spaced(text.translate(_MARKS))


def _fact_faults(case: EvalCase) -> Iterator[str]:
    for number, fact in enumerate(case.facts):
        if not any(covers(evidence.quote, fact) for evidence in case.evidence):
            yield f"facts[{number}]: no wording of {fact.fact[:80]!r} stands in a quote of this case"


def _question_faults(case: EvalCase, asked: dict[tuple[str, ...], EvalCase]) -> Iterator[str]:
    key = tuple(normalise(text) for text in (*case.previous, case.question))
    first = asked.setdefault(key, case)
    if first is not case:
        yield f"question: {first.id} at {first.file}:{first.line} asks the same"
    if case.expected.outcome is not Outcome.DRAFTED:
        return
    for evidence in case.evidence:
        shared = shared_run(case.question, evidence.quote)
        if shared:
            yield f"question: it shares {' '.join(shared)!r} with a quote of {evidence.document_id}; use other words"


def shared_run(question: str, quote: str) -> tuple[str, ...]:
    """The first five words in a row that a question shares with a quote, capitals and marks aside; () for none."""
    length = LONGEST_SHARED_RUN + 1
    runs = set(_runs(quote, length))
    return next((run for run in _runs(question, length) if run in runs), ())


def _runs(text: str, length: int) -> Iterator[tuple[str, ...]]:
    words = [match.group().lower().replace("’", "'") for match in _WORD.finditer(text)]
    return (tuple(words[start : start + length]) for start in range(len(words) - length + 1))


def _wording_faults(case: EvalCase, sayable: str) -> Iterator[str]:
    """Demands that no answer could meet: words that nothing holds, or a ban on words of a right quote."""
    for wording in case.must_say:
        if not stands_in(sayable, wording):
            yield f"must_say: {wording!r} stands in no document and in no fixed advice"
    for wording in case.must_not_say:
        if any(holds(text, wording) for text in (*case.must_say, *(each.quote for each in case.evidence))):
            yield f"must_not_say: {wording!r} stands in a quote or in must_say of this case"


def gold_coverage(cases: Sequence[EvalCase], documents: Sequence[Document]) -> GoldCoverage:
    """The counts; a case with several quotes from one document counts once for it."""
    questions = Counter(name for case in cases for name in {evidence.document_id for evidence in case.evidence})
    return GoldCoverage(
        cases=len(cases),
        clinician_confirmed=sum(case.clinician_confirmed for case in cases),
        kinds=_counts(kind_of(case) for case in cases),
        splits=_counts(case.split.value for case in cases),
        topics=_counts(case.tags.topic for case in cases),
        types=_counts(case.tags.type for case in cases),
        wordings=_counts(case.tags.wording.value for case in cases),
        features=_counts(feature for case in cases for feature in case.tags.features),
        documents=tuple((document.id, questions[document.id]) for document in documents),
    )


def kind_of(case: EvalCase) -> str:
    """`answerable`, `unanswerable`, `emergency` or `decision` (referred to a person without being an emergency)."""
    if case.expected.outcome is Outcome.DRAFTED:
        return "answerable"
    if case.expected.outcome is Outcome.ABSTAINED:
        return "unanswerable"
    return "emergency" if "emergency" in case.expected.codes else "decision"


def _counts(values: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(values).items(), key=lambda entry: (-entry[1], entry[0])))
