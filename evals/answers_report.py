"""What the answers to the development gold cases hold, how long and how hard they are, and how fast they come.

    python evals/answers_report.py [FOLDER] [GOLD_FOLDER] [--each] [--dump FILE]

FOLDER holds curio.toml and the index (this repository where none is given). Nothing is saved. A key fact is
counted as said when one of its wordings stands in the sentences of the answer or in its fixed advice; headings
do not count, and a case that was not answered says nothing. `--each` lists what each answer leaves out;
`--dump FILE` writes every question with its whole answer, to be read by a person.
"""

from __future__ import annotations

import argparse
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean, median

from curio_rag.adapters.gold_files import load_gold
from curio_rag.assembly import Assembly
from curio_rag.config import load_config
from curio_rag.domain.answer_text import plain_text
from curio_rag.domain.answers import Answer, Outcome
from curio_rag.domain.evals import EvalCase, KeyFact, Split, covers, holds
from curio_rag.domain.questions import Question, Turn
from curio_rag.pipelines.answer import answer_question

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A case with what became of it; `seconds` of wall time, the model warm."""

    case: EvalCase
    answer: Answer
    seconds: float

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the answer says, sentence by sentence."""
        return tuple(each.text for section in self.answer.sections for each in section.sentences)

    @property
    def words(self) -> int:
        """Of the sentences, without headings, advice, sources and the standard questions."""
        return sum(len(text.split()) for text in self.sentences)

    @property
    def said(self) -> str:
        """The sentences and the fixed advice; a line each, so that no wording runs over a sentence's end."""
        return "\n".join((*self.sentences, self.answer.advice))

    @property
    def missing(self) -> tuple[KeyFact, ...]:
        """The key facts that are not said."""
        return tuple(fact for fact in self.case.facts if not any(covers(line, fact) for line in self.said.split("\n")))

    @property
    def as_expected(self) -> bool:
        """Whether the outcome and its reason are those of the case."""
        answer, expected = self.answer, self.case.expected
        code = answer.reason.code if answer.reason else None
        return answer.outcome is expected.outcome and (not expected.codes or code in expected.codes)


def answer_all(assembly: Assembly, cases: Sequence[EvalCase]) -> Iterator[Answered]:
    """Asks each case as a thread of its own."""
    parts = assembly.answer_parts()
    assembly.retriever().search(cases[0].question, limit=1)
    for case in cases:
        question = Question(
            id=f"q_{secrets.token_hex(12)}", thread_id="", text=case.question, asked_at=assembly.clock()
        )
        turns = [Turn(question=text) for text in case.previous]
        started = time.perf_counter()
        answer = answer_question(parts, question, previous=partial(tuple, turns))
        yield Answered(case=case, answer=answer, seconds=time.perf_counter() - started)


def recall(rows: Sequence[Answered]) -> str:
    """The mean share of a case's key facts that are said, with the share of all facts taken together."""
    asked = [row for row in rows if row.case.facts]
    if not asked:
        return "no case with key facts"
    each = fmean(1 - len(row.missing) / len(row.case.facts) for row in asked)
    facts = sum(len(row.case.facts) for row in asked)
    together = 1 - sum(len(row.missing) for row in asked) / facts
    return f"{each:.3f} a case, {together:.3f} of {facts} facts, {len(asked)} cases"


def outcomes(rows: Sequence[Answered]) -> Iterator[str]:
    """A line for each outcome that is expected: how many, how many as expected, and what the others became."""
    for expected in Outcome:
        chosen = [row for row in rows if row.case.expected.outcome is expected]
        others = Counter(
            f"{row.answer.outcome.value} {row.answer.reason.code if row.answer.reason else ''}".strip()
            for row in chosen
            if not row.as_expected
        )
        became = ", ".join(f"{count} {name}" for name, count in others.most_common()) or "-"
        right = sum(row.as_expected for row in chosen)
        yield f"  {expected.value:10} {len(chosen):4} cases, {right:4} so; others: {became}"


def table(rows: Sequence[Answered]) -> Iterator[str]:
    """The lines of the report."""
    yield f"{len(rows)} development cases; expected outcome:"
    yield from outcomes(rows)
    wanted = [row for row in rows if row.case.expected.outcome is Outcome.DRAFTED]
    written = [row for row in wanted if row.answer.sections]
    yield f"key-fact recall, all answerable:   {recall(wanted)}"
    yield f"key-fact recall, when answered:    {recall(written)}"
    required = [(row, text) for row in wanted for text in row.case.must_say]
    forbidden = [(row, text) for row in wanted for text in row.case.must_not_say]
    unsaid = sum(not holds(row.said, text) for row, text in required)
    breached = [row.case.id for row, text in forbidden if holds(row.said, text)]
    yield f"must say: {unsaid} of {len(required)} unsaid; must not say: {breached or 'none'} of {len(forbidden)} said"
    if not written:
        return
    words = [row.words for row in written]
    yield f"words:            mean {fmean(words):.0f}, median {median(words):.0f}, {min(words)} to {max(words)}"
    shorter, longer = sum(count < 120 for count in words), sum(count > 300 for count in words)
    yield f"  outside 120-300: {shorter} shorter, {longer} longer"
    grades = sorted((row.answer.reading_grade or 0.0, row.case.id) for row in written)
    above = sum(grade > 9 for grade, _ in grades)
    yield f"reading grade:    mean {fmean(grade for grade, _ in grades):.1f}, highest {grades[-1]}, {above} above 9"
    for name, counts in (
        ("sections", [sum(bool(section.heading) for section in row.answer.sections) for row in written]),
        ("documents", [len({source.document_id for source in row.answer.sources}) for row in written]),
    ):
        yield f"{name + ':':17} mean {fmean(counts):.1f}, {min(counts)} to {max(counts)}"
    seconds = sorted(row.seconds for row in written)
    late = seconds[int(0.95 * (len(seconds) - 1))]
    yield f"seconds:          median {median(seconds):.3f}, 95 % within {late:.3f}, longest {seconds[-1]:.3f}"


def left_out(rows: Sequence[Answered]) -> Iterator[str]:
    """What is not as it should be, case by case."""
    for row in rows:
        if not row.as_expected:
            code = f" {row.answer.reason.code}" if row.answer.reason else ""
            yield f"{row.case.id}: {row.case.expected.outcome.value} expected, {row.answer.outcome.value}{code}"
        if row.answer.sections and row.case.expected.outcome is Outcome.DRAFTED:
            yield from (f"{row.case.id}: not said: {fact.fact}" for fact in row.missing)


def dump(rows: Sequence[Answered], assistant: str) -> Iterator[str]:
    """Each question with its thread, the figures, what is missing, and the whole answer."""
    for row in rows:
        thread = "".join(f"  (before: {text})\n" for text in row.case.previous)
        grade = row.answer.reading_grade
        figures = f"{row.words} words, grade {grade if grade is not None else '-'}, {row.seconds:.2f} s"
        missing = "".join(f"  MISSING: {fact.fact}\n" for fact in row.missing)
        text = plain_text(row.answer, status="awaiting_review", assistant=assistant)
        head = f"{'=' * 78}\n{row.case.id} ({row.case.tags.type})\n{thread}Q: {row.case.question}\n"
        yield f"{head}  {figures}\n{missing}\n{text}\n"


def main() -> None:
    """Asks every development case and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT)
    parser.add_argument("gold", nargs="?", type=Path, default=ROOT / "evals" / "gold")
    parser.add_argument("--each", action="store_true", help="list what each answer leaves out")
    parser.add_argument("--dump", type=Path, metavar="FILE", help="write every answer, to be read")
    arguments = parser.parse_args()
    cases = [case for case in load_gold([arguments.gold]) if case.split is Split.DEVELOPMENT]
    if not cases:
        parser.error(f"{arguments.gold} holds no development case")
    config = load_config(arguments.folder)
    assembly = Assembly(config)
    rows = list(answer_all(assembly, cases))
    assembly.close()
    print("\n".join(table(rows)))
    if arguments.each:
        print("\n".join(left_out(rows)))
    if arguments.dump:
        arguments.dump.write_text("".join(dump(rows, config.assistant)), encoding="utf-8")
        print(f"{len(rows)} answers are in {arguments.dump}")


if __name__ == "__main__":
    main()
