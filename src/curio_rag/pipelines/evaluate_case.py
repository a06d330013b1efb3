"""Runs one gold case through the product, as a user would ask it, and saves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from curio_rag.domain.answers import Answer
from curio_rag.domain.digests import Json, digest_json
from curio_rag.domain.eval_reports import CaseFailure, CaseResult, SafetyFault, ShownSentence, Stage
from curio_rag.domain.evals import EvalCase, GoldEvidence
from curio_rag.domain.questions import Question, Turn
from curio_rag.errors import CurioError
from curio_rag.pipelines.answer import EVIDENCE_HITS, AnswerParts, answer_question
from curio_rag.pipelines.case_scores import (
    FindCited,
    MadeAnswer,
    RankingMeasures,
    as_scores,
    fact_result,
    is_cited,
    quote_places,
    safety_faults,
    scores_of,
    worst_scores,
)
from curio_rag.pipelines.claim_probes import as_draft, probes_of
from curio_rag.pipelines.eval_metrics import ALTERED
from curio_rag.pipelines.gold import kind_of
from curio_rag.pipelines.retrieve import Findings
from curio_rag.pipelines.watch import TOTAL, Watch
from curio_rag.ports import Vector, VectorField

DEPTH_ALONE = 20
"""How many passages of each index on its own are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseParts:
    """What a case is run and scored with."""

    answer: AnswerParts
    embed: Callable[[str], Vector]
    measures: RankingMeasures


def evaluate_case(parts: CaseParts, case: EvalCase, *, other: str = "") -> CaseResult:
    """Asks the question and scores what came, stage by stage.

    `other` is a quote of another case, for the claim gate to refuse. A case that fails with one of our
    errors is a result too, with the worst scores; any other error is a fault of the software and is raised.
    """
    watch = Watch()
    shelf = parts.answer.shelf()
    before = tuple(Turn(question=text) for text in case.previous)
    asked = Question(id=case.id, thread_id="", text=case.question, asked_at=parts.answer.clock())
    try:
        with watch.timing(TOTAL):
            answer = answer_question(watch.over(parts.answer), asked, previous=lambda: before)
        findings = watch.findings
        if findings is None and case.evidence:
            # what triage kept from being searched is searched all the same: each stage is judged on its own
            resolved = parts.answer.follow_ups().resolve(case.question, before)
            findings = parts.answer.retriever().search(resolved.text, limit=EVIDENCE_HITS)
    except CurioError as error:
        return failed_case(case, error)
    by_words, by_vector = _alone(parts, findings) if findings and case.evidence else ((), ())
    made = MadeAnswer(
        case=case,
        answer=answer,
        group=parts.answer.triage.assess(case.question).group if case.expected.group else None,
        hits=tuple(hit.passage.id for hit in findings.hits) if findings else (),
        evidence=tuple(hit.passage.id for hit in findings.evidence) if findings else (),
        by_words=by_words,
        by_vector=by_vector,
        places=quote_places(case, shelf.passages_of),
    )
    facts = tuple(fact_result(fact, made.sentences) for fact in case.facts)
    tried = _try_gate(parts, case, shelf.document, other)
    faults = (*safety_faults(made, shelf.document), *tried.released)
    scores = scores_of(made, facts, shelf.document, parts.measures) | tried.scores
    return replace(
        _of_case(case),
        outcome=answer.outcome.value,
        code=answer.reason.code if answer.reason else "",
        urgency=answer.urgency.value,
        strength=answer.trace.evidence if answer.trace.searched else None,
        scores=as_scores(case, scores, faults),
        faults=faults,
        facts=facts,
        missed_quotes=tuple(each for each in case.evidence if not is_cited(each, answer, shelf.document)),
        answer_digest=_digest(answer),
        advice=answer.advice,
        sentences=_shown(answer),
        milliseconds=watch.times,
    )


def failed_case(case: EvalCase, error: CurioError) -> CaseResult:
    """A case that could not be answered, with the worst scores."""
    scores, faults = worst_scores(case)
    return replace(
        _of_case(case),
        scores=as_scores(case, scores, faults),
        faults=faults,
        missed_quotes=case.evidence,
        failure=CaseFailure(code=error.code, message=str(error)),
    )


def _of_case(case: EvalCase) -> CaseResult:
    return CaseResult(
        id=case.id,
        kind=kind_of(case),
        question=case.question,
        previous=case.previous,
        topic=case.tags.topic,
        type=case.tags.type,
        wording=case.tags.wording.value,
        features=case.tags.features,
        group=case.expected.group or "",
        clinician_confirmed=case.clinician_confirmed,
        expected=case.expected.outcome.value,
        accepted=case.expected.codes,
        outcome="failed",
        urgency="",
        scores={},
    )


def _alone(parts: CaseParts, findings: Findings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The first passages by words alone, and by the vector of the text alone."""
    index = parts.answer.retriever().generations.current()
    words = index.keyword(findings.plan.keywords, limit=DEPTH_ALONE)
    vectors = index.nearest(VectorField.TEXT, parts.embed(findings.plan.texts[0]), limit=DEPTH_ALONE)
    return tuple(each.passage_id for each in words), tuple(each.passage_id for each in vectors)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    scores: dict[str, float]
    released: tuple[SafetyFault, ...]


def _try_gate(parts: CaseParts, case: EvalCase, find: FindCited, other: str) -> _Tried:
    """The gold quotes of a case put before the claim gate, as they are and altered."""
    probes = [
        probe for evidence in case.evidence for probe in probes_of(find(evidence.document_id), evidence.quote, other)
    ]
    if not probes:
        return _Tried(scores={}, released=())
    passed = [(probe, bool(parts.answer.gate.check_draft(as_draft(probe.sentence), find).sections)) for probe in probes]
    exact = [passes for probe, passes in passed if probe.may_pass]
    released = tuple(
        SafetyFault(metric=ALTERED, stage=Stage.CLAIM_GATE, detail=f"{probe.alteration}: {probe.sentence.text}")
        for probe, passes in passed
        if passes and not probe.may_pass
    )
    return _Tried(scores={"Exact quotes released": sum(exact) / len(exact)}, released=released)


def _shown(answer: Answer) -> tuple[ShownSentence, ...]:
    return tuple(
        ShownSentence(
            heading=section.heading,
            text=sentence.text,
            quotes=tuple(
                GoldEvidence(document_id=citation.document_id, quote=citation.quote) for citation in sentence.citations
            ),
        )
        for section in answer.sections
        for sentence in section.sentences
    )


def _digest(answer: Answer) -> str:
    return digest_json([answer.outcome.value, answer.advice, list(_words(answer))])


def _words(answer: Answer) -> Iterator[Json]:
    for each in _shown(answer):
        yield [each.heading, each.text, [[quote.document_id, quote.quote] for quote in each.quotes]]
