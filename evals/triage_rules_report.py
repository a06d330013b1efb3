"""Measures the rules of triage: `python evals/triage_rules_report.py SAFETY_DIR`.

SAFETY_DIR holds the development halves of the safety sets; the rules were written with them in
view, so their figures are development figures. So are those of `triage/paraphrases_seen.jsonl`:
when it was fresh, 19 of its 58 emergencies were found, and the rules were widened after that.
`triage/paraphrases.jsonl` was written afterwards; no rule was widened for it, one slip in a
pattern that it brought to light (`heart rate|pulse`) was mended: 40 of its 60 emergencies before.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from curio_rag.adapters.emergency_card import load_emergency_card
from curio_rag.adapters.triage_rules import load_triage_rules
from curio_rag.domain.questions import Triage, Urgency
from curio_rag.pipelines.triage import RuleTriage

PARAPHRASES = Path(__file__).parent / "triage"
EMERGENCY_FILES = ("redflag_authored.dev", "redflag_healthbench.dev", "triage_semigran.dev")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A text with what it should lead to and the kind it belongs to."""

    id: str
    text: str
    label: str
    group: str


def read_rows(path: Path) -> tuple[Row, ...]:
    """The rows of a JSONL file; the label stands in for the group where a file has none."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return tuple(
        Row(
            id=record["id"],
            text=record["text"],
            label=record["label"],
            group=record.get("category") or record.get("group") or record["label"],
        )
        for record in records
    )


def is_emergency(triage: Triage) -> bool:
    """Whether the fixed advice would be all that is shown."""
    return triage.urgency is Urgency.EMERGENCY


def report_emergencies(title: str, rows: Sequence[Row], triage: RuleTriage) -> None:
    """Recall by group and false alarms by kind, with every miss and every false alarm in full."""
    results = [(row, triage.assess(row.text)) for row in rows]
    wanted = [(row, result) for row, result in results if row.label == "emergency"]
    others = [(row, result) for row, result in results if row.label != "emergency"]
    print(f"\n== {title}")
    if wanted:
        _print_rates("recall", wanted)
        same = sum(result.group == row.group for row, result in wanted if is_emergency(result))
        print(f"  same group as the label: {same} of {sum(is_emergency(result) for _, result in wanted)} found")
        _print_rows("missed", ((row, result) for row, result in wanted if not is_emergency(result)))
    if others:
        _print_rates("false alarms", others)
        urgent = sum(result.urgency is Urgency.URGENT for _, result in others)
        print(f"  of these urgent (the line above an answer): {urgent} of {len(others)}")
        _print_rows("false alarm", ((row, result) for row, result in others if is_emergency(result)))


def _print_rates(name: str, results: Sequence[tuple[Row, Triage]]) -> None:
    counts: dict[str, Counter[bool]] = defaultdict(Counter)
    for row, result in results:
        counts[row.group][is_emergency(result)] += 1
    found = sum(count[True] for count in counts.values())
    print(f"  {name}: {found} of {len(results)} = {found / len(results):.3f}")
    for group, count in sorted(counts.items()):
        print(f"    {group:24} {count[True]:3} of {count.total():3}")


def _print_rows(name: str, results: Iterable[tuple[Row, Triage]]) -> None:
    for row, result in results:
        print(f"  {name} [{row.group}] {result.urgency}/{result.code}/{result.group}: {' '.join(row.text.split())}")


def report_policy(rows: Sequence[Row], triage: RuleTriage) -> None:
    """Which code each kind of policy question got."""
    print("\n== policy codes (label: codes given)")
    given: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        given[row.label][triage.assess(row.text).code or "none"] += 1
    for label, codes in sorted(given.items()):
        print(f"  {label:22} {dict(codes.most_common())}")
    for row in rows:
        result = triage.assess(row.text)
        print(f"    {row.label:22} -> {result.code or 'none':18} {result.urgency:9} {row.text}")


def report_time(texts: Sequence[str], triage: RuleTriage) -> None:
    """Milliseconds for each question: median, 95th percentile and worst."""
    times = []
    for text in texts:
        start = time.perf_counter()
        triage.assess(text)
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    print(
        f"\n== time per question over {len(times)}: median {times[len(times) // 2]:.2f} ms, "
        f"95th percentile {times[int(len(times) * 0.95)]:.2f} ms, worst {times[-1]:.2f} ms"
    )


def main(arguments: Sequence[str]) -> int:
    """Print the whole report; 2 when the folder is not given."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    triage = RuleTriage(load_emergency_card(), load_triage_rules(), country=None)
    texts: list[str] = []
    for name in (*EMERGENCY_FILES, "falsealarm_medquad.dev"):
        rows = read_rows(folder / f"{name}.jsonl")
        texts.extend(row.text for row in rows)
        report_emergencies(f"{name} (development)", rows, triage)
    report_policy(read_rows(folder / "policy_authored.dev.jsonl"), triage)
    for name, title in (("paraphrases_seen", "development"), ("paraphrases", "fresh, not tuned on")):
        report_emergencies(f"{name} ({title})", read_rows(PARAPHRASES / f"{name}.jsonl"), triage)
    report_time(texts, triage)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
