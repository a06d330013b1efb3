"""The claim gate: a sentence that its quotes do not carry is withheld, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from curio_rag.domain.answers import Citation, Draft, Reason, Section, SectionKind, Sentence, Support, Verdict, Withheld
from curio_rag.domain.claims import EvidenceText, Judgement
from curio_rag.domain.quotes import find_quote
from curio_rag.domain.sources import Document, Span
from curio_rag.pipelines.claim_designations import DesignationFault
from curio_rag.pipelines.claim_limits import limit_faults
from curio_rag.pipelines.claim_negation import hedge_faults, negation_faults
from curio_rag.pipelines.claim_numbers import NumberFault, number_faults, numbers_of
from curio_rag.pipelines.claim_terms import TermFault, Terms
from curio_rag.pipelines.claim_text import ReadText

FindDocument = Callable[[str], Document | None]
"""A document that answers may rest on today, by id; None for any other."""

CutSentences = Callable[[str], tuple[Span, ...]]

LEAST_COVERAGE = 0.6
"""Below this part of its meaningful words a sentence is not about what its source says; chosen on development rows."""
FEW_WORDS, LEAST_OF_FEW = 3, 0.7
"""A sentence of so few meaningful words has to have more of them from its source."""
LEAST_OF_A_CLAUSE = 0.34
"""A clause with two or more meaningful words of which fewer than this part are covered adds a claim."""
LEAST_BESIDE_THE_TITLE = 0.4
"""Below this part of its words, those of the title left out, a sentence shares no more than its subject with its
source; chosen on development rows, where no faithful rewrite has less than 0.67."""
MOST_SOURCES = 3
"""How many source sentences one sentence may be drawn from."""
LONGEST_SENTENCE = 4000
"""A longer text is no sentence, and nobody could check it."""
AUXILIARY = "is|are|do|does|did|can|could|will|would|should|was|were|has|have"
OPEN_QUESTION = re.compile(
    rf"(?:^|\b(?:and|but|or) )(?:(?:how|why|when|where)(?: (?:long|much|many|often|soon|far))? (?:{AUXILIARY})\b)|"
    r"^(?:is|are|does|did|can|could|will|would|should|am) (?:i|you|we|they|he|she|it|my|your|the|this|there)\b",
    re.IGNORECASE,
)
"""How people ask without a question mark."""
ORDER = ("number", "unit", "time_span", "limit", "negation", "direction", "drug", "condition", "population")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDraft:
    """The sections with what may be shown, and what was kept back; `incomplete` when a step or a warning was."""

    sections: tuple[Section, ...]
    withheld: tuple[Withheld, ...]

    @property
    def incomplete(self) -> bool:
        """Whether a step or a warning is among what was withheld."""
        return any(each.essential for each in self.withheld)


@dataclass(frozen=True, kw_only=True)
class ClaimGate:
    """Judges sentences by rules alone; `terms` is made when a sentence is not simply its source's own words."""

    terms: Callable[[], Terms]
    sentences: CutSentences

    def check_draft(self, draft: Draft, find: FindDocument) -> CheckedDraft:
        """Looks at every sentence; a section that loses all of its sentences goes too."""
        withheld: list[Withheld] = []
        sections: list[Section] = []
        for section in draft.sections:
            kept: list[Sentence] = []
            for sentence in section.sentences:
                found = self.judge_sentence(sentence, find)
                if found.supported:
                    kept.append(replace(sentence, verdict=Verdict(support=Support.SUPPORTED)))
                else:
                    essential = section.kind is SectionKind.STEPS or _is_warning(sentence, find)
                    withheld.append(
                        Withheld(text=sentence.text, reason=found.reasons[0], essential=essential, quote=found.aligned)
                    )
            if kept:
                sections.append(section.keeping(tuple(kept)))
        return CheckedDraft(sections=tuple(sections), withheld=tuple(withheld))

    def judge_sentence(self, sentence: Sentence, find: FindDocument) -> Judgement:
        """Every quote has to stand byte for byte at its span in the cited version of an admitted document,
        and the quotes together have to carry the sentence.
        """
        if not sentence.text.strip():
            return _refused("empty", "The sentence is empty.")
        if not sentence.citations:
            return _refused("no_citation", "The sentence cites nothing.")
        for citation in sentence.citations:
            fault = _citation_fault(citation, find)
            if fault is not None:
                return Judgement(reasons=(fault,), coverage=0.0, aligned=citation.quote)
        quotes = tuple(
            EvidenceText(text=citation.quote, title=document.title)
            for citation in sentence.citations
            if (document := find(citation.document_id)) is not None
        )
        return self.judge(sentence.text, quotes)

    def fault_of(self, sentence: Sentence, find: FindDocument) -> Reason | None:
        """Why a sentence would be withheld; None when its quotes carry it."""
        return next(iter(self.judge_sentence(sentence, find).reasons), None)

    def judge(self, text: str, evidence: Sequence[EvidenceText]) -> Judgement:
        """Whether the evidence carries a text. A text of several sentences is supported when each of them is."""
        if not text.strip():
            return _refused("empty", "The sentence is empty.")
        if len(text) > LONGEST_SENTENCE:
            return _refused(
                "too_long", f"The sentence has {len(text)} characters; at most {LONGEST_SENTENCE} are checked."
            )
        if not any(each.text.strip() for each in evidence):
            return _refused("no_citation", "There is no evidence to check the sentence against.")
        if _is_verbatim(text, evidence):
            return Judgement(reasons=(), coverage=1.0, aligned=" ".join(text.split()))
        terms = self.terms()
        title = terms.reader.read(" . ".join(each.title for each in evidence))
        pieces = [
            terms.reader.read(piece) for each in evidence for piece in _pieces(each.text, self.sentences) if piece
        ]
        said = [piece for piece in _pieces(text, self.sentences) if _says_anything(piece)]
        if not said:
            return _refused("empty", "The sentence has no words.")
        if all(_asks(piece) for piece in said):
            return _refused("unsupported", "it only asks, and a source can support nothing that is asked")
        whole = terms.reader.read(text)
        found = [_judge_piece(piece, whole, pieces, title, terms) for piece in said]
        reasons = tuple(dict.fromkeys(reason for each in found for reason in each.reasons))
        return Judgement(
            reasons=tuple(sorted(reasons, key=_rank)),
            coverage=min(each.coverage for each in found),
            aligned=" ".join(dict.fromkeys(each.aligned for each in found)),
        )


def _rank(reason: Reason) -> int:
    return ORDER.index(reason.code) if reason.code in ORDER else len(ORDER)


def _refused(code: str, text: str) -> Judgement:
    return Judgement(reasons=(Reason(code=code, text=text),), coverage=0.0, aligned="")


def _pieces(text: str, cut: CutSentences) -> list[str]:
    """The sentences of a text; the items of a list are sentences too."""
    return [
        span.of(line)
        for line in re.split(r"\n+\s*(?:[-*•]|\d{1,2}[.)])?\s*", text)
        if line.strip()
        for span in cut(line)
    ]


def _says_anything(piece: str) -> bool:
    return any(character.isalnum() for character in piece)


def _is_verbatim(text: str, evidence: Sequence[EvidenceText]) -> bool:
    """Whether a text is whole sentences of one evidence text, or all of the quotes in order, but for white space."""
    said = " ".join(text.split())
    if said == " ".join(" ".join(each.text.split()) for each in evidence):
        return True
    for each in evidence:
        given = " ".join(re.sub(r"\n+\s*(?:[-*•]|\d{1,2}[.)])?\s*", "\n", each.text).replace("\n", " \n ").split(" "))
        flat = re.sub(r"[^\S\n]+", " ", given)
        for match in re.finditer(r"\s+".join(re.escape(word) for word in said.split()), flat):
            before, after = flat[: match.start()].rstrip(" "), flat[match.end() :].lstrip(" ")
            if (not before or before[-1] in '.!?:;\n”")') and (not after or after[0] == "\n" or said[-1] in ".!?:"):
                return True
    return False


def _asks(piece: str) -> bool:
    return piece.rstrip("\"'”’») ").endswith("?") or (
        piece[-1] not in ".!:;" and OPEN_QUESTION.search(piece) is not None
    )


def _judge_piece(piece: str, whole: ReadText, sources: Sequence[ReadText], title: ReadText, terms: Terms) -> Judgement:
    claim = terms.reader.read(piece)
    chosen = _aligned(claim, sources, terms)
    best = chosen[0]
    source = best if len(chosen) == 1 else terms.reader.read("\n. ".join(each.text for each in chosen))
    context = terms.reader.read(f"{source.text}\n. {title.text}")
    covered = terms.covered(claim, context)
    reasons = [
        *(
            _number_reason(fault)
            for fault in number_faults(
                numbers_of(terms.designations.joined(piece, source.text)), numbers_of(source.text)
            )
        ),
        *(_designation_reason(fault) for fault in terms.designations.faults(piece, best.text, context.text)),
        *(Reason(code="negation", text=text) for text in limit_faults(claim, whole, source, best, terms.words)),
        *(Reason(code="negation", text=text) for text in negation_faults(claim, whole, source, best, terms.words)),
        *(Reason(code="hedge", text=text) for text in hedge_faults(claim, whole, best, terms.words)),
        *(_term_reason(fault) for fault in terms.substitutions(claim, best)),
        *(_term_reason(fault) for fault in terms.turned(claim, source)),
        *(_term_reason(fault) for fault in terms.reversed_comparison(claim, best)),
        *(_term_reason(fault) for fault in terms.crossed(claim, source)),
        *(_term_reason(fault) for fault in terms.strange_terms(claim, covered)),
        *(_term_reason(fault) for fault in terms.overstatements(claim, source)),
    ]
    in_source = terms.covered(claim, source)
    reasons += _coverage_reasons(claim, covered, in_source, title, terms)
    return Judgement(
        reasons=tuple(reasons),
        coverage=_coverage(claim, in_source, title, terms),
        aligned=" ".join(" ".join(each.text.split()) for each in chosen),
    )


def _aligned(claim: ReadText, sources: Sequence[ReadText], terms: Terms) -> list[ReadText]:
    """The source sentences that hold most of the sentence's words: the nearest, then those that add words to it."""
    wanted = {number: word for number, word in enumerate(claim.words) if word.lower not in terms.words.function}
    chosen: list[ReadText] = []
    left = dict(wanted)
    while len(chosen) < MOST_SOURCES:
        scored = [
            (sum(_weight(word.lower, terms) for word in left.values() if word.senses & each.senses), each)
            for each in sources
            if not any(each is other for other in chosen)
        ]
        if not scored:
            break
        score, nearest = max(scored, key=lambda pair: (pair[0], -len(pair[1].words)))
        if chosen and score < 1.5:
            break
        chosen.append(nearest)
        left = {number: word for number, word in left.items() if not word.senses & nearest.senses}
    return chosen


def _weight(lower: str, terms: Terms) -> float:
    return 0.3 if lower in terms.words.free else 1.0


def _coverage(claim: ReadText, covered: Iterable[bool], title: ReadText, terms: Terms) -> float:
    """The part of the meaningful words that is covered; words of the title count little, they are everywhere.

    Words alone that carry no meaning ("Yes, you can.") rest on nothing; a bare number is checked as one.
    """
    total = known = 0.0
    for word, is_covered in zip(claim.words, covered, strict=True):
        if word.lower in terms.words.function or len(word.lower) < 2:
            continue
        weight = 0.15 if word.lower in terms.words.free else 0.25 if word.senses & title.senses else 1.0
        total += weight
        known += weight * is_covered
    if total:
        return known / total
    return 1.0 if any(character.isdigit() for character in claim.text) else 0.0


def _shares_only_its_subject(claim: ReadText, in_source: Sequence[bool], title: ReadText, terms: Terms) -> bool:
    """Whether a sentence has few words of its source but those of the title; everyday words count as much as others.

    A sentence with a number shares that too, for numbers are checked.
    """
    if any(character.isdigit() for character in claim.text):
        return False
    others = [
        known
        for word, known in zip(claim.words, in_source, strict=True)
        if (terms.carries_meaning(word) or word.lower in terms.words.free) and not word.senses & title.senses
    ]
    return sum(others) < LEAST_BESIDE_THE_TITLE * len(others)


def _coverage_reasons(
    claim: ReadText, covered: Sequence[bool], in_source: Sequence[bool], title: ReadText, terms: Terms
) -> list[Reason]:
    coverage = _coverage(claim, in_source, title, terms)
    strange = [
        word.written
        for word, known in zip(claim.words, covered, strict=True)
        if not known and terms.carries_meaning(word)
    ]
    meaningful = sum(terms.carries_meaning(word) for word in claim.words)
    least = LEAST_COVERAGE if meaningful > FEW_WORDS else LEAST_OF_FEW
    if coverage < (least if strange else LEAST_OF_A_CLAUSE):
        said = strange or [word.written for word, known in zip(claim.words, covered, strict=True) if not known]
        words = ", ".join(f"“{word}”" for word in said[:4]) or "this"
        return [Reason(code="unsupported", text=f"the source does not speak of {words}")]
    if _shares_only_its_subject(claim, in_source, title, terms):
        return [Reason(code="unsupported", text="the source speaks of the same subject, and says nothing of this")]
    for clause in sorted({word.clause for word in claim.words}):
        inside = [
            (word, known)
            for word, known in zip(claim.words, covered, strict=True)
            if word.clause == clause and terms.carries_meaning(word)
        ]
        missing = [word.written for word, known in inside if not known]
        if len(missing) >= 2 and len(inside) - len(missing) < LEAST_OF_A_CLAUSE * len(inside):
            words = ", ".join(f"“{word}”" for word in missing[:4])
            return [Reason(code="added", text=f"the source does not speak of {words}")]
    return []


def _number_reason(fault: NumberFault) -> Reason:
    source = f"the source says '{fault.source}'" if fault.source else "the source does not say that"
    return Reason(code=fault.code, text=f"'{fault.said}', {source}")


def _designation_reason(fault: DesignationFault) -> Reason:
    source = f"the source says '{fault.source}'" if fault.source else "which the source does not mention"
    return Reason(code="name", text=f"'{fault.said}', {source}")


def _term_reason(fault: TermFault) -> Reason:
    source = f"the source says '{fault.source}'" if fault.source else "which the source does not mention"
    return Reason(code=fault.code, text=f"'{fault.said}', {source}")


def _citation_fault(citation: Citation, find: FindDocument) -> Reason | None:
    document = find(citation.document_id)
    if document is None:
        return Reason(code="document", text=f"{citation.document_id} is not a document that answers may rest on.")
    if document.digest != citation.document_digest:
        return Reason(code="document_changed", text=f"{citation.document_id} has changed since it was cited.")
    there = citation.span.of(document.text)
    if citation.quote and there == citation.quote:
        return None
    place = find_quote(document.text, citation.quote, near=citation.span)
    if isinstance(place, Reason):
        return Reason(code=place.code, text=f"{citation.document_id}: {place.text}")
    return Reason(
        code="quote_moved",
        text=f"{citation.document_id} has the quoted words at character {place.start}, not at {citation.span.start}.",
    )


def _is_warning(sentence: Sentence, find: FindDocument) -> bool:
    documents = ((find(each.document_id), each.span) for each in sentence.citations)
    return any(document is not None and document.warns_at(span) for document, span in documents)
