"""Measures the claim gate: `python evals/tamper/report.py [SHARED] [--split development|test] [--show]`.

SHARED is the folder that holds corpora/ and benchmarks/; without it only the rows from knowledge/ and
the faithful drafts are measured. The rows of the corpora are made on the fly and compared with the
frozen digests. Run the test half once, when the gate is done.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import make

from curio_rag.domain.claims import CheckedClaim, ClaimRow, EvidenceText, QuotedWords
from curio_rag.knowledge_base import KnowledgeBase

HERE = Path(__file__).parent
GOLD = HERE.parent / "gold" / "answerable.development.jsonl"
MEDICAL = ("Healthcare", "Medicine", "Biology", "Psychology")
SHORTEST_EVIDENCE = 100
TARGETS = {
    **dict.fromkeys(
        ("number", "number_word", "unit", "time_span", "drug", "citation_other", "citation_invented"), 0.98
    ),
    **dict.fromkeys(("negation", "hedge", "population"), 0.95),
    **dict.fromkeys(("direction", "overstated", "added"), 0.92),
    **dict.fromkeys(("designation", "letter", "turned", "turned_by_hand", "question", "subject_only"), 0.95),
}
MOST_WITHHELD = {
    "verbatim": 0.0,
    **dict.fromkeys(("rewrite", "designation_kept", "letter_kept", "turned_kept", "subject_kept"), 0.08),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A row of the test with what the gate said of it."""

    row: dict[str, object]
    checked: CheckedClaim

    @property
    def withheld(self) -> bool:
        return not self.checked.judgement.supported


def read(path: Path) -> list[dict[str, object]]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def corpus_rows(shared: Path, split: str) -> list[dict[str, object]]:
    """The rows made from the corpora, compared with their frozen digests."""
    documents = make.read_documents(shared / "corpora" / "medquad", most=make.DOCUMENTS_OF_A_CORPUS)
    found: list[dict[str, object]] = []
    for name, made in (("medquad", make.rows_of), ("medquad.leaks", make.leaks_of)):
        rows = made("medquad", documents)[split]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        frozen = json.loads((HERE / "frozen.json").read_text(encoding="utf-8"))[f"{name}.{split}.jsonl"]
        if hashlib.sha256(text.encode()).hexdigest() != frozen:
            print(f"CAUTION: the rows of the corpora ({name}, {split}) are not the frozen ones.")
        found += rows
    return found


def own_rows(split: str) -> list[dict[str, object]]:
    """The rows made from knowledge/, and those written by hand."""
    by_hand = [row for row in read(HERE / "leaks.jsonl") if row["split"] == split]
    return [*read(HERE / f"knowledge.{split}.jsonl"), *read(HERE / f"knowledge.leaks.{split}.jsonl"), *by_hand]


def judge(base: KnowledgeBase, rows: Sequence[dict[str, object]]) -> tuple[list[Judged], float]:
    """Every row through `KnowledgeBase.check_claims`, and how many a second."""
    claims = [ClaimRow.from_dict(row, where=str(row["id"])) for row in rows]
    list(base.check_claims(claims[:1]))  # the vocabulary is read once
    started = time.perf_counter()
    checked = list(base.check_claims(claims))
    rate = len(rows) / (time.perf_counter() - started)
    return [Judged(row=row, checked=each) for row, each in zip(rows, checked, strict=True)], rate


def print_table(judged: Sequence[Judged]) -> None:
    """One line for each class: how many were withheld, and whether that meets the target."""
    by_class: dict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        by_class[str(each.row["class"])].append(each)
    print(f"{'class':<20}{'rows':>6}{'withheld':>10}{'rate':>8}   target")
    for name, some in sorted(by_class.items(), key=lambda pair: (pair[1][0].row["label"] == "supported", pair[0])):
        count = sum(each.withheld for each in some)
        rate = count / len(some)
        target = ""
        if name in TARGETS:
            target = f">= {TARGETS[name]:.2f} {'met' if rate >= TARGETS[name] else 'MISSED'}"
        elif name in MOST_WITHHELD:
            target = f"<= {MOST_WITHHELD[name]:.2f} {'met' if rate <= MOST_WITHHELD[name] else 'MISSED'}"
        print(f"{name:<20}{len(some):>6}{count:>10}{rate:>8.3f}   {target}")


def print_false_alarms(judged: Sequence[Judged], *, show: bool) -> None:
    """What faithful sentences were withheld for; with `show` each of them in full."""
    alarms = [each for each in judged if each.withheld and each.row["label"] == "supported"]
    kinds = Counter(each.checked.judgement.reasons[0].code for each in alarms)
    print(
        "false alarms by first reason:", ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()) or "none"
    )
    for each in alarms if show else ():
        print(f"  {each.row['text']}\n    source: {each.checked.judgement.aligned}")
        for reason in each.checked.judgement.reasons:
            print(f"    {reason.code}: {reason.text}")


def report_drafts(base: KnowledgeBase, *, show: bool) -> None:
    """Of the faithful drafts, how many keep every sentence that carries a key fact."""
    facts = {str(case["id"]): case["facts"] for case in read(GOLD)}
    whole = sentences = kept = 0
    drafts = read(HERE / "faithful_drafts.jsonl")
    for draft in drafts:
        parts = draft["sentences"]
        assert isinstance(parts, list)
        rows = [
            ClaimRow(
                id=f"{draft['id']}-{number}",
                text=part["text"],
                citations=tuple(QuotedWords(**each) for each in part["citations"]),
            )
            for number, part in enumerate(parts)
        ]
        checked = list(base.check_claims(rows))
        carried = {
            fact
            for part, each in zip(parts, checked, strict=True)
            if each.judgement.supported
            for fact in part["facts"]
        }
        listed = facts[str(draft["id"])]
        assert isinstance(listed, list)
        whole += carried == set(range(len(listed)))
        sentences += len(rows)
        kept += sum(each.judgement.supported for each in checked)
        for row, each in zip(rows, checked, strict=True):
            if show and not each.judgement.supported:
                print(f"  {row.id}: {row.text}\n    {each.judgement.reasons[0].code}: {each.judgement.reasons[0].text}")
    print(
        f"faithful drafts: {whole} of {len(drafts)} keep all their key facts ({whole / len(drafts):.2f}, target 0.90); "
        f"{kept} of {sentences} sentences pass"
    )


def report_expertqa(base: KnowledgeBase, path: Path, *, show: bool) -> None:
    """How well the gate tells fully supported from unsupported claims of models, beside word overlap.

    Only claims whose evidence holds text, not just an address: the label is the experts' (`Complete`
    against `Incomplete`), who read the page behind the address.
    """
    for name, fields in (("medical fields", MEDICAL), ("all fields", ("",))):
        rows = [row for row in read(path) if str(row["field"]).startswith(fields)]
        rows = [row for row in rows if row["support"] in ("Complete", "Incomplete")]
        claims = [
            ClaimRow(id=str(number), text=_unmarked(str(row["claim"])), evidence=_texts(row["evidence"]))
            for number, row in enumerate(rows)
        ]
        pairs = [
            (claim, row["support"] == "Complete")
            for claim, row in zip(claims, rows, strict=True)
            if sum(len(each.text) for each in claim.evidence or ()) >= SHORTEST_EVIDENCE
        ]
        started = time.perf_counter()
        checked = list(base.check_claims(claim for claim, _ in pairs))
        seconds = time.perf_counter() - started
        labels = [label for _, label in pairs]
        coverage = [each.judgement.coverage for each in checked]
        scores = [each.judgement.coverage - 0.1 * min(len(each.judgement.reasons), 4) for each in checked]
        overlap = [_overlap(claim.text, claim.evidence or ()) for claim, _ in pairs]
        print(
            f"expertqa-claims-dev, {name}: {len(pairs)} claims with evidence, {sum(labels)} fully supported "
            f"({len(pairs) / seconds:.0f} a second)\n  AUC: gate {_auc(scores, labels):.3f}, its coverage alone "
            f"{_auc(coverage, labels):.3f}, word overlap {_auc(overlap, labels):.3f}"
        )
        for kind, wanted in (("supported", True), ("unsupported", False)):
            some = [each for each, label in zip(checked, labels, strict=True) if label is wanted]
            codes = Counter(each.judgement.reasons[0].code for each in some if not each.judgement.supported)
            print(
                f"  withheld of the {kind}: {codes.total() / len(some):.3f} of {len(some)}; first reasons "
                + ", ".join(f"{code} {count}" for code, count in codes.most_common(8))
            )
        for (claim, label), each in zip(pairs, checked, strict=True) if show and name == "medical fields" else ():
            if label and not each.judgement.supported:
                print(f"  - {claim.text}\n    nearest: {each.judgement.aligned[:400]}")
                for reason in each.judgement.reasons:
                    print(f"    {reason.code}: {reason.text}")


def _unmarked(claim: str) -> str:
    return re.sub(r"\s*\[\d+\]", "", claim)


def _texts(evidence: object) -> tuple[EvidenceText, ...]:
    """The texts without the number and the address that stand before each."""
    assert isinstance(evidence, list)
    return tuple(EvidenceText(text=re.sub(r"^\[\d+\]\s*\S+\s*", "", str(each))) for each in evidence)


def _overlap(claim: str, evidence: Iterable[EvidenceText]) -> float:
    words = set(re.findall(r"\w+", claim.lower()))
    have = {word for each in evidence for word in re.findall(r"\w+", each.text.lower())}
    return len(words & have) / max(1, len(words))


def _auc(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """The chance that a supported claim scores above another; ties count half."""
    positive = [score for score, label in zip(scores, labels, strict=True) if label]
    negative = [score for score, label in zip(scores, labels, strict=True) if not label]
    wins = sum((one > other) + 0.5 * (one == other) for one in positive for other in negative)
    return wins / (len(positive) * len(negative))


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shared", type=Path, nargs="?", help="the folder with corpora/ and benchmarks/")
    parser.add_argument("--split", choices=make.SPLITS, default="development")
    parser.add_argument("--show", action="store_true", help="print every false alarm in full")
    chosen = parser.parse_args()
    with KnowledgeBase.open(HERE.parent.parent) as base:
        rows = own_rows(chosen.split)
        if chosen.shared is not None:
            rows += corpus_rows(chosen.shared, chosen.split)
        judged, rate = judge(base, rows)
        print(f"{chosen.split}: {len(rows)} rows, {rate:.0f} sentences a second")
        print_table(judged)
        print_false_alarms(judged, show=chosen.show)
        if chosen.split == "development":
            report_drafts(base, show=chosen.show)
            if chosen.shared is not None:
                report_expertqa(
                    base, chosen.shared / "benchmarks" / "expertqa-claims-dev" / "claims.jsonl", show=chosen.show
                )


if __name__ == "__main__":
    main()
