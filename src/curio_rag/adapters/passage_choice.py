"""Which sentences of running text answer a question, where no heading tells: how many sources, and what of each.

For documents such as abstracts, of paragraphs alone. The choices were made on the development half of
`evals/writer_report.py` (ROUGE-2 F against experts' answers). Only sources that fit nearly as well as the
best one are shown. Of a long text two runs of neighbouring sentences are: the one that says most of
what was asked, and after it the one that says what was found; the methods between them answer nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from curio_rag.adapters.sentences import sentence_spans
from curio_rag.domain.answers import Evidence
from curio_rag.domain.question_types import QuestionTypes, mentions
from curio_rag.domain.sources import BlockKind, Document, Hit, Span

SOURCE_SHARE = 0.85
"""A further source must score at least this share of the best one. On snippets of abstracts ROUGE-2 F was .30 at
.70, .33 at .80, and .35 from .85 to .95, where the answers grow shorter."""

MOST_SOURCES = 3
"""Two gave .35, three .36, four .35, six .34."""

FIRST_WORDS = 75
"""Of the first source; on abstracts ROUGE-2 F was .107 with 60, .109 with 75, .101 with 100 and .095 with 130."""

FURTHER_WORDS = 60

WHOLE_WORDS = 260
"""A longer text is entered at the passage that was found."""

FINDING_WEIGHT = 0.3
"""What it weighs that all sentences of a run report a finding, beside the share of the question's terms in it."""

FINDING = re.compile(
    r"\b(?:significant\w*|increas\w+|decreas\w+|reduc\w+|higher|lower|better|worse|improv\w+|associat\w+|correlat\w+|"
    r"compared|predict\w*|differ\w*|show\w*|found|reveal\w+|suggest\w*|indicat\w*|conclu\w*|effect\w*|risk|"
    r"independent\w*|no)\b",
    re.IGNORECASE,
)
"""Words of sentences that say what came out."""

METHOD = re.compile(
    r"\bw(?:ere|as) (?:randomi[sz]ed|enrolled|recruited|included|collected|performed|used|conducted|assessed|"
    r"evaluated|measured|analy[sz]ed|reviewed|identified|divided|selected)\b|"
    r"\b(?:aim|aims|aimed|objective|purpose|investigate[ds]?|questionnaires?|retrospective\w*)\b|"
    r"\bto (?:determine|evaluate|assess|examine|investigate|compare)\b|\bbetween \d{4}\b|\bfrom \w+ \d{4}\b|"
    r"\bstudy was\b",
    re.IGNORECASE,
)
"""Words of sentences that say what was done."""

DEPENDENT = re.compile(
    r"(?:It|Its|This|These|Those|They|Their|Them|He|She|His|Her|Such|However|Moreover|Furthermore|Therefore|Thus|Hence|"
    r"Also|But|And|Nevertheless|Nonetheless|Conversely|In contrast|By contrast|As a result|Consequently)\b"
)
"""Openings that make no sense without the sentence before."""

WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """What is shown of one document: runs of neighbouring sentences, in the order of its text."""

    evidence: Evidence
    hit: Hit
    runs: tuple[tuple[Span, ...], ...]


def is_running_text(document: Document) -> bool:
    """Whether a document has paragraphs alone, under no heading but its title."""
    return all(
        not section.heading_path and all(block.kind is BlockKind.PARAGRAPH for block in section.blocks)
        for section in document.sections
    )


def excerpts(
    question: str, evidence: Sequence[Evidence], *, types: QuestionTypes, first_words: int = FIRST_WORDS
) -> tuple[Excerpt, ...]:
    """What to show of documents of running text, best source first; documents of another kind are passed over.

    `first_words` is about how much is shown of the first source; of each further one it is no more than that.
    Sentences that lead elsewhere, hold no word, or stand in an excerpt before are left out; sentences
    that must be shown are never. Spans are in characters of the document's text.
    """
    terms = types.content_terms(question)
    seen: set[str] = set()
    found: list[Excerpt] = []
    for each, hit in worth_showing(evidence):
        text = each.document.text
        sentences = [
            span
            for span in _sentences(each.document, hit)
            if _says_something(span.of(text), types) and _key(span, text) not in seen
        ]
        words = min(FURTHER_WORDS, first_words) if found else first_words
        chosen = answering_runs([span.of(text) for span in sentences], terms, words=words)
        runs = _with_warnings(each.document, [tuple(sentences[run.start : run.stop]) for run in chosen])
        if runs:
            found.append(Excerpt(evidence=each, hit=hit, runs=runs))
            seen.update(_key(span, text) for run in runs for span in run)
    return tuple(found)


def worth_showing(evidence: Sequence[Evidence]) -> tuple[tuple[Evidence, Hit], ...]:
    """The documents of running text with their best hits, best first, as far as they come near to the best."""
    best = [
        (each, max(each.hits, key=lambda hit: hit.score))
        for each in evidence
        if each.hits and is_running_text(each.document)
    ]
    best.sort(key=lambda pair: (-pair[1].score, pair[0].document.id))
    return tuple(pair for pair in best[:MOST_SOURCES] if pair[1].score >= SOURCE_SHARE * best[0][1].score)


def answering_runs(sentences: Sequence[str], terms: Sequence[str], *, words: int) -> tuple[range, ...]:
    """The places of one or two runs of neighbouring sentences, of about so many words together, in order.

    All of them where they are not more. Otherwise half of the words go to the earliest run that names
    most of the question's terms, and the rest, a sentence at least, to a run after it that reports
    findings on them. A run whose first sentence depends on the one before begins with that one. No
    range is empty, and two neither overlap nor touch.
    """
    counts = [len(sentence.split()) for sentence in sentences]
    if sum(counts) <= words:
        return (range(len(sentences)),) if sentences else ()
    named = [frozenset(term for term in terms if mentions(sentence, term)) for sentence in sentences]

    def coverage(run: range) -> float:
        return len(frozenset[str]().union(*(named[place] for place in run))) / max(1, len(terms))

    first = _whole_thoughts(_best(_windows(counts, 0, words / 2), coverage), sentences)
    if first.stop == len(sentences):
        return (first,)
    left = words - sum(counts[place] for place in first)

    def findings(run: range) -> float:
        return coverage(run) + FINDING_WEIGHT * sum(_finding(sentences[place]) for place in run) / len(run)

    second = _whole_thoughts(_best(_windows(counts, first.stop, left), findings), sentences)
    if second.start <= first.stop:
        return (range(first.start, second.stop),)
    return (first, second)


def _windows(counts: Sequence[int], start: int, words: float) -> Iterator[range]:
    """The longest run from each sentence on, cut at the border nearest to so many words; at least one sentence."""
    for begin in range(start, len(counts)):
        stop, total = begin + 1, counts[begin]
        while stop < len(counts) and total + counts[stop] / 2 <= words:
            total += counts[stop]
            stop += 1
        yield range(begin, stop)
        if stop == len(counts):
            return


def _best(runs: Iterator[range], score: Callable[[range], float]) -> range:
    """The run of the highest score, the earliest of equals."""
    return max(runs, key=lambda run: (score(run), -run.start))


def _whole_thoughts(run: range, sentences: Sequence[str]) -> range:
    start = run.start
    while start > 0 and DEPENDENT.match(sentences[start]):
        start -= 1
    return range(start, run.stop)


def _finding(sentence: str) -> int:
    """1 for a sentence that reports a finding, -1 for one that reports a method, 0 for both or neither."""
    return (FINDING.search(sentence) is not None) - (METHOD.search(sentence) is not None)


def _sentences(document: Document, hit: Hit) -> Iterator[Span]:
    """Those of the whole text; of a long one, those of the passage that was found."""
    whole = len(document.text.split()) <= WHOLE_WORDS
    within = Span(start=0, end=len(document.text)) if whole else hit.passage.span
    for block in document.blocks:
        if block.kind is BlockKind.PARAGRAPH:
            for span in sentence_spans(block.span.of(document.text), language=document.language):
                moved = Span(start=block.span.start + span.start, end=block.span.start + span.end)
                if within.holds(moved):
                    yield moved


def _with_warnings(document: Document, runs: Sequence[tuple[Span, ...]]) -> tuple[tuple[Span, ...], ...]:
    """The runs, and each sentence that must be shown and is in none of them as a run of its own; in order."""
    unsaid = [(span,) for span in document.must_show if not any(each.holds(span) for run in runs for each in run)]
    return tuple(sorted((*runs, *unsaid)))


def _says_something(sentence: str, types: QuestionTypes) -> bool:
    return WORD.search(sentence) is not None and not types.is_boilerplate(sentence)


def _key(span: Span, text: str) -> str:
    return " ".join(span.of(text).lower().split())
