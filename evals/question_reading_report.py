"""How well questions are read: what is found and what is answered, by wording, on development questions.

    python evals/question_reading_report.py FOLDER GOLD_FOLDER [FOLDER2 QUERIES.jsonl]
    python evals/question_reading_report.py FOLDER GOLD_FOLDER test

The arguments are those of `fit_evidence.py`. With `test` the other half is read, once, at the end. For the gold
cases of the half that triage should let through: the share answered (the evidence reaches the threshold, before
writing), the share of the gold quotes that stand whole in one of the best five passages (Recall@5), and the
share of the questions with at least one such quote. For the short questions of `evals/evidence`, which lie beside
the gold cases, and for the set: the share of each kind answered.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from curio_rag.adapters.gold_files import load_gold
from curio_rag.assembly import Assembly
from curio_rag.config import load_config
from curio_rag.domain.answers import Outcome
from curio_rag.domain.evals import EvalCase, Split
from curio_rag.pipelines.answer import EVIDENCE_HITS, EVIDENCE_THRESHOLD
from curio_rag.pipelines.retrieve import Findings
from fit_evidence import set_questions
from ranking_rows import searched


def mean(values: Iterable[float]) -> str:
    """A mean of shares to two digits, and of how many."""
    found = list(values)
    return f"{sum(found) / len(found):.2f} ({len(found)})" if found else "-"


def quotes_found(case: EvalCase, findings: Findings) -> list[bool]:
    """For each gold quote whether one of the best five passages holds it, apart from white space."""
    texts = [(hit.passage.document_id, " ".join(hit.passage.text.split())) for hit in findings.hits[:5]]
    return [
        any(name == each.document_id and " ".join(each.quote.split()) in text for name, text in texts)
        for each in case.evidence
    ]


def report_gold(folder: Path, gold: Path, split: Split) -> None:
    """One line for each wording."""
    assembly = Assembly(load_config(folder))
    cases = [
        (case, assembly.retriever().search(searched(case), limit=EVIDENCE_HITS))
        for case in load_gold(sorted(gold.glob("*.jsonl")))
        if case.split is split and case.expected.outcome is not Outcome.REFERRED
    ]
    assembly.close()
    print("wording    answerable answered  unanswerable answered  Recall@5 of quotes  a quote in the top 5")
    for wording in ("plain", "chatty", "misspelt", "all"):
        chosen = [(case, found) for case, found in cases if wording in ("all", case.tags.wording)]
        columns = [
            mean(
                found.signals.strength >= EVIDENCE_THRESHOLD
                for case, found in chosen
                if (case.expected.outcome is Outcome.DRAFTED) is answerable
            )
            for answerable in (True, False)
        ]
        held = [quotes_found(case, found) for case, found in chosen if case.evidence]
        columns += [mean(each for case in held for each in case), mean(any(case) for case in held)]
        print(f"{wording:9}  {columns[0]:>19}  {columns[1]:>21}  {columns[2]:>18}  {columns[3]:>20}")


def report_short(folder: Path, questions: Path, split: Split) -> None:
    """The short questions of `evals/evidence`: answered by kind, and Recall@5 of the quotes that answer them."""
    assembly = Assembly(load_config(folder))
    answered: dict[str, list[bool]] = {"answerable": [], "near": [], "far": []}
    found: list[bool] = []
    for row in map(json.loads, questions.read_text(encoding="utf-8").splitlines()):
        if row["split"] != split:
            continue
        findings = assembly.retriever().search(row["question"], limit=EVIDENCE_HITS)
        kind = "answerable" if row["answerable"] else row["nearness"]
        answered[kind].append(findings.signals.strength >= EVIDENCE_THRESHOLD)
        if row["answerable"]:
            wanted = " ".join(row["quote"].split())
            found.append(any(wanted in " ".join(hit.passage.text.split()) for hit in findings.hits[:5]))
    assembly.close()
    shares = ", ".join(f"{mean(values)} of the {kind}" for kind, values in answered.items())
    print(f"short: answered {shares}; Recall@5 {mean(found)}")


def report_set(folder: Path, queries: Path) -> None:
    """One line for the whole set."""
    assembly = Assembly(load_config(folder))
    answered: dict[bool, list[bool]] = {True: [], False: []}
    for text, answerable in set_questions(queries):
        strength = assembly.retriever().search(text, limit=EVIDENCE_HITS).signals.strength
        answered[answerable].append(strength >= EVIDENCE_THRESHOLD)
    assembly.close()
    print(f"set: {mean(answered[True])} of the answerable answered, {mean(answered[False])} of the others")


if __name__ == "__main__":
    half = Split(sys.argv[3] if len(sys.argv) == 4 else "development")
    report_gold(Path(sys.argv[1]), Path(sys.argv[2]), half)
    report_short(Path(sys.argv[1]), Path(sys.argv[2]).parent / "evidence" / "questions.jsonl", half)
    if len(sys.argv) > 4:
        report_set(Path(sys.argv[3]), Path(sys.argv[4]))
