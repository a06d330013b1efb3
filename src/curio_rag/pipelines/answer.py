"""The way of a question: triage, retrieval, writing, the claim gate, a draft that waits for a clinician."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from curio_rag.domain.answers import (
    Answer,
    AnswerLength,
    Evidence,
    Outcome,
    Provenance,
    Reason,
    SearchTrace,
    Section,
    Source,
)
from curio_rag.domain.question_types import QuestionTypes
from curio_rag.domain.questions import (
    DECISIONS,
    EMERGENCY,
    OTHER_LANGUAGE,
    POLICY,
    Question,
    Triage,
    Turn,
    Urgency,
)
from curio_rag.domain.sources import Document, Hit, Vetting
from curio_rag.errors import QuestionError
from curio_rag.pipelines.both_sides import shown, with_both_sides
from curio_rag.pipelines.claims import ClaimGate
from curio_rag.pipelines.conflicts import ConflictFinder
from curio_rag.pipelines.follow_up import FollowUps
from curio_rag.pipelines.own_centre import with_own_centre
from curio_rag.pipelines.plain_language import with_words_explained
from curio_rag.pipelines.retrieve import Findings, Retriever
from curio_rag.pipelines.vetting import admitted
from curio_rag.pipelines.write import Written, write_draft, write_instead
from curio_rag.ports import PassageShelf, Readability, TriageRules, Writer

EVIDENCE_HITS = 12
FACET_HITS = 3
MOST_DOCUMENTS = 6

MOST_WORDS = {AnswerLength.SHORT: 0, AnswerLength.STANDARD: 300, AnswerLength.FULL: 800}
"""Up to this length words are explained at the end of an answer."""

EVIDENCE_THRESHOLD = 0.5
"""Below this strength of evidence no answer is written. By cross-validation on development questions with a
hit (`evals/fit_evidence.py`) 92 % of the answerable gold questions, 57 % of the short ones of
`evals/evidence` and all of those of a cancer.gov set reach it, and 2 of 11, 19 % and 18 % of the unanswerable ones;
most of these come near on purpose. It was chosen on the same tables, a refusal weighing as much as an answer beside
the point, whose sentences are vetted all the same."""

REFERRALS = {
    "dosing_change": "A clinician must decide about doses and medicines.",
    "diagnosis_request": "Only a clinician who examines you can say what you have.",
    "treatment_choice": "Which treatment is right is for you and your own team to decide.",
    "minor": "Because you may be under 18, please also tell an adult whom you trust.",
    OTHER_LANGUAGE: "The documents of this service are in English, so no answer was drafted: "
    "a person must read this question.",
}

UNCHANGED = (
    "The message tells this service how to behave. How it answers cannot be changed by a message: only from its "
    "documents, with their exact words, and nothing is called checked that no clinician has signed. Please ask your "
    "question without such instructions."
)
STILL_OPEN = "An emergency was noticed earlier in this conversation, and no clinician has closed it yet."


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerParts:
    """What the answering of questions works with; `retriever` is made when it is first needed."""

    triage: TriageRules
    retriever: Callable[[], Retriever]
    shelf: Callable[[], PassageShelf]
    writer: Callable[[], Writer]
    standby: Callable[[], Writer]
    gate: ClaimGate
    readability: Callable[[], Readability]
    types: QuestionTypes
    follow_ups: Callable[[], FollowUps]
    conflicts: Callable[[], ConflictFinder]
    glossary: str
    new_id: Callable[[], str]
    clock: Callable[[], datetime]
    config_digest: str
    version: str
    max_question_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Material:
    """What one question is answered from: what was found, the documents of it, and the one that explains words."""

    findings: Findings
    trace: SearchTrace
    evidence: tuple[Evidence, ...]
    glossary: Evidence | None
    length: AnswerLength

    @property
    def citable(self) -> tuple[Evidence, ...]:
        """Every document that the answer may cite."""
        return self.evidence if self.glossary is None else (*self.evidence, self.glossary)


def answer_question(
    parts: AnswerParts,
    question: Question,
    *,
    previous: Callable[[], Sequence[Turn]] = tuple,
    standing_advice: str = "",
    length: AnswerLength = AnswerLength.STANDARD,
) -> Answer:
    """Triage comes first and needs no index: an emergency is answered whatever else is wrong.

    `previous` gives the earlier turns of the thread, oldest first, and is asked only when they are needed.
    `standing_advice` is that of an emergency which is still open in the same thread: it is given again
    until a clinician closes it, because "he is sleeping now" may be worse news than what came before.

    Raises `QuestionError` for an empty or overlong question that is no emergency, and what the
    index raises when it is missing or damaged.
    """
    triage = parts.triage.assess(question.text)
    if standing_advice and triage.urgency is not Urgency.EMERGENCY:
        triage = Triage(urgency=Urgency.EMERGENCY, code=EMERGENCY, advice=standing_advice, reason=STILL_OPEN)
    if triage.urgency is Urgency.EMERGENCY:
        return _answer(
            parts,
            question,
            triage,
            outcome=Outcome.REFERRED,
            reason=Reason(code=triage.code or EMERGENCY, text=triage.reason),
        )
    check_question(question.text, most_bytes=parts.max_question_bytes)
    if triage.code == OTHER_LANGUAGE:
        reason = Reason(code=triage.code, text=REFERRALS[triage.code])
        return _answer(parts, question, triage, outcome=Outcome.REFERRED, reason=reason)
    resolution = parts.follow_ups().resolve(question.text, previous())
    if resolution.points_back and triage.code in (None, *DECISIONS):
        triage = _of_both(triage, parts.triage.assess(resolution.text))
    retriever = parts.retriever()
    findings = retriever.search(resolution.text, limit=EVIDENCE_HITS)
    trace = _trace(findings, resolution.carried)
    if findings.signals.strength < EVIDENCE_THRESHOLD or triage.code == POLICY:
        return _abstain(parts, question, triage, findings, trace)
    material = _Material(
        findings=findings,
        trace=trace,
        evidence=_evidence(parts, retriever, findings),
        glossary=_glossary(parts, retriever) if MOST_WORDS[length] else None,
        length=length,
    )
    return _written(parts, question, triage, material)


def _written(parts: AnswerParts, question: Question, triage: Triage, material: _Material) -> Answer:
    """The answer of the configured writer, or of the one that stands by where nothing of the first may be said."""
    asked = material.findings.plan.whole
    written = write_draft(parts.writer(), parts.standby(), asked, material.evidence, material.length)
    answer = _checked(parts, question, triage, written, material)
    if answer.sections:
        return answer
    instead = write_instead(written, parts.standby(), asked, material.evidence, material.length)
    if instead is None:
        return answer
    second = _checked(parts, question, triage, instead, material)
    return replace(second, withheld=(*answer.withheld, *second.withheld))


def check_question(text: str, *, most_bytes: int) -> None:
    """Raises `QuestionError` for a question with no letters or of more bytes than allowed; never repeats its words."""
    if not any(unicodedata.category(character)[0] in "LN" for character in text):
        raise QuestionError("The question is empty.", hint="Write it in words, for example: What is CAR-T therapy?")
    if "\ufffd" in text:
        raise QuestionError("The question is not UTF-8 text.", hint="Save it as UTF-8.")
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > most_bytes:
        raise QuestionError(
            f"The question has {size} bytes; at most {most_bytes} are taken in.",
            hint="Ask in a few sentences. Very unwell? Call your local emergency number now.",
        )


def _of_both(asked: Triage, resolved: Triage) -> Triage:
    """Stopping "it" is about a dose once it is known what "it" is; an emergency stands in one's own words."""
    if resolved.urgency is Urgency.EMERGENCY or (asked.code and not resolved.code):
        return asked
    return resolved


def _trace(findings: Findings, carried: tuple[str, ...]) -> SearchTrace:
    titles = dict.fromkeys(hit.passage.title for hit in findings.hits)
    follows = (f"read as a follow-up about: {', '.join(carried)}",) if carried else ()
    return SearchTrace(
        searched=(*findings.plan.searched(findings.passages_searched), *follows),
        passages_searched=findings.passages_searched,
        evidence=round(findings.signals.strength, 4),
        threshold=EVIDENCE_THRESHOLD,
        nearest=tuple(titles)[:3],
        hits=tuple((hit.passage.id, round(hit.score, 6)) for hit in findings.hits),
        follows=carried,
    )


def _evidence(parts: AnswerParts, retriever: Retriever, findings: Findings) -> tuple[Evidence, ...]:
    """The documents of the hits in order, then those found for what a full answer should also say."""
    hits = _by_document(findings.evidence)
    standings = dict(findings.standings)
    subject = " ".join(findings.plan.terms)
    for facet in parts.types.facets_of(findings.plan.whole):
        further = retriever.search(f"{subject} {facet.search}", limit=FACET_HITS)
        standings |= further.standings
        for hit in further.evidence:
            hits.setdefault(hit.passage.document_id, [])
    shelf = parts.shelf()
    return tuple(
        Evidence(
            document=shelf.document(document_id),
            vetting=standings[document_id],
            hits=tuple(found),
            passages=shelf.passages_of(document_id),
        )
        for document_id, found in list(hits.items())[:MOST_DOCUMENTS]
    )


def _glossary(parts: AnswerParts, retriever: Retriever) -> Evidence | None:
    """The document that explains words, where one is configured and admitted today."""
    shelf = parts.shelf()
    entries = shelf.entries_of([parts.glossary]) if parts.glossary else ()
    for document_id, vetting in admitted(entries, admit=retriever.admit, today=retriever.today()).items():
        return Evidence(
            document=shelf.document(document_id), vetting=vetting, hits=(), passages=shelf.passages_of(document_id)
        )
    return None


def _by_document(hits: Iterable[Hit]) -> dict[str, list[Hit]]:
    grouped: dict[str, list[Hit]] = {}
    for hit in hits:
        grouped.setdefault(hit.passage.document_id, []).append(hit)
    return grouped


def _checked(parts: AnswerParts, question: Question, triage: Triage, written: Written, material: _Material) -> Answer:
    """What the claim gate leaves of a draft, with its sources; an abstention where it leaves nothing."""
    both = with_both_sides(written.draft, material.evidence, parts.conflicts())
    draft = with_own_centre(both.draft, material.evidence)
    draft = with_words_explained(draft, material.glossary, question=question.text, room=MOST_WORDS[material.length])
    documents = {each.document.id: each.document for each in material.citable}
    checked = parts.gate.check_draft(draft, documents.get)
    if not checked.sections:
        abstained = _abstain(parts, question, triage, material.findings, material.trace)
        return _by(written, replace(abstained, withheld=checked.withheld))
    code = triage.code
    answer = _answer(
        parts,
        question,
        triage,
        outcome=Outcome.REFERRED if code else Outcome.DRAFTED,
        reason=Reason(code=code, text=REFERRALS.get(code, triage.reason)) if code else None,
    )
    prose = _prose(checked.sections)
    grade = parts.readability().grade(prose)
    whole = replace(
        answer,
        advice=answer.advice or parts.triage.reminder(prose),
        sections=checked.sections,
        withheld=checked.withheld,
        conflicts=shown(both.conflicts, checked.sections),
        incomplete=checked.incomplete,
        not_covered=draft.not_covered,
        questions_to_ask=draft.questions_to_ask,
        sources=_sources(checked.sections, documents, {each.document.id: each.vetting for each in material.citable}),
        reading_grade=round(grade, 1),
        trace=material.trace,
        provenance=replace(answer.provenance, index_fingerprint=material.findings.index_fingerprint),
    )
    return _by(written, whole)


def _by(written: Written, answer: Answer) -> Answer:
    return replace(answer, provenance=replace(answer.provenance, writer=written.writer, fallback=written.fallback))


def _abstain(parts: AnswerParts, question: Question, triage: Triage, findings: Findings, trace: SearchTrace) -> Answer:
    nothing_near = findings.signals.strength < EVIDENCE_THRESHOLD / 2
    reason = Reason(
        code="out_of_scope" if nothing_near else "no_evidence",
        text="The documents of this service do not answer this question, so no answer was drafted. "
        "A guess could hurt you.",
    )
    if triage.code == POLICY:
        reason = Reason(code=POLICY, text=UNCHANGED)
    elif triage.code:
        reason = Reason(code=triage.code, text=f"{REFERRALS.get(triage.code, triage.reason)} {reason.text}")
    referred = triage.code not in {None, POLICY}
    answer = _answer(
        parts, question, triage, outcome=Outcome.REFERRED if referred else Outcome.ABSTAINED, reason=reason
    )
    provenance = replace(answer.provenance, index_fingerprint=findings.index_fingerprint)
    return replace(answer, trace=trace, provenance=provenance)


def _answer(
    parts: AnswerParts, question: Question, triage: Triage, *, outcome: Outcome, reason: Reason | None
) -> Answer:
    return Answer(
        id=parts.new_id(),
        question_id=question.id,
        outcome=outcome,
        urgency=triage.urgency,
        reason=reason,
        advice=triage.advice,
        provenance=Provenance(
            writer="none",
            index_fingerprint="",
            config_digest=parts.config_digest,
            version=parts.version,
            created_at=parts.clock(),
        ),
    )


def regraded(answer: Answer, readability: Readability) -> Answer:
    """The answer with its reading grade measured again, after an edit."""
    return replace(answer, reading_grade=round(readability.grade(_prose(answer.sections)), 1))


def _prose(sections: Sequence[Section]) -> str:
    return "\n".join(sentence.text for section in sections for sentence in section.sentences)


def _sources(
    sections: Sequence[Section], documents: dict[str, Document], standings: dict[str, Vetting]
) -> tuple[Source, ...]:
    """One source for each cited document, and page where it has pages, numbered in order of first citation."""
    headings: dict[tuple[str, int | None], dict[str, None]] = {}
    for section in sections:
        for sentence in section.sentences:
            for citation in sentence.citations:
                place = headings.setdefault((citation.document_id, citation.page), {})
                place.update(dict.fromkeys(citation.heading_path[-1:]))
    return tuple(
        Source(
            marker=marker,
            document_id=document_id,
            document_digest=documents[document_id].digest,
            title=documents[document_id].title,
            headings=tuple(names),
            publisher=documents[document_id].publisher,
            url=documents[document_id].url,
            page=page,
            page_label=documents[document_id].page_label(page),
            jurisdiction=documents[document_id].jurisdiction,
            as_of=documents[document_id].as_of,
            vetting=standings[document_id],
            products=documents[document_id].products,
            population=documents[document_id].population,
        )
        for marker, ((document_id, page), names) in enumerate(headings.items(), start=1)
    )
