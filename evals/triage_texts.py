"""The texts that triage is trained and judged on, read from the safety sets, `triage/` and `gold/`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

HERE = Path(__file__).parent
SAFETY_SETS = (
    "redflag_authored",
    "redflag_healthbench",
    "triage_semigran",
    "falsealarm_medquad",
    "policy_authored",
)
EMERGENCY = "emergency"
UNKNOWN = "unknown"
"""The group of emergencies whose source names none."""

LONG = ("long_last", "long_middle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A text, where it comes from, whether it is an emergency, and its group or kind; `family` is never divided."""

    id: str
    text: str
    source: str
    emergency: bool
    group: str
    family: str
    variant: str = "single"
    language: str = "en"
    code: str | None = None
    never_routine: bool = False

    @property
    def decision(self) -> str:
        """The code of the decision that is asked for, by the row's code or by the name of its kind."""
        return self.code or self.group


def safety_rows(folder: Path) -> Iterator[Row]:
    """The development halves of the safety sets."""
    for name in SAFETY_SETS:
        for record in _records(folder / f"{name}.dev.jsonl"):
            label = str(record["label"])
            yield Row(
                id=str(record["id"]),
                text=str(record["text"]),
                source=name,
                emergency=label == EMERGENCY,
                group=str(record.get("category") or (UNKNOWN if label == EMERGENCY else label)),
                family=str(record["id"]),
            )


def own_rows(half: str) -> Iterator[Row]:
    """Our own texts of one half, `development` or `test`, or a further file of that name."""
    for record in _records(HERE / "triage" / f"own.{half}.jsonl"):
        yield Row(
            id=str(record["id"]),
            text=str(record["text"]),
            source=f"own.{half}",
            emergency=record["priority"] == EMERGENCY,
            group=str(record["group"]),
            family=str(record["family"]),
            variant=str(record["variant"]),
            language=str(record["language"]),
            code=str(record["code"]) if record.get("code") else None,
            never_routine=record["priority"] == "urgent",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoDangers:
    """An emergency that names two groups of the card, or one that is easily taken for another.

    `first` are the groups that may come first, `said` those whose words must stand in the advice, and
    `not_said` those whose words would mislead.
    """

    id: str
    text: str
    first: tuple[str, ...]
    said: tuple[str, ...]
    not_said: tuple[str, ...]


def two_dangers() -> Iterator[TwoDangers]:
    """The frozen texts about the choice of the group."""
    for record in _records(HERE / "triage" / "groups.test.jsonl"):
        first, said, not_said = (tuple(cast("list[str]", record[key])) for key in ("first", "said", "not_said"))
        yield TwoDangers(id=str(record["id"]), text=str(record["text"]), first=first, said=said, not_said=not_said)


def seen_rows() -> Iterator[Row]:
    """The older paraphrases, which the rules were widened with."""
    for name in ("paraphrases_seen", "paraphrases"):
        for record in _records(HERE / "triage" / f"{name}.jsonl"):
            yield Row(
                id=str(record["id"]),
                text=str(record["text"]),
                source=name,
                emergency=record["label"] == EMERGENCY,
                group=str(record["group"]),
                family=str(record["id"]),
            )


def gold_rows(split: str) -> Iterator[Row]:
    """The questions of the gold cases of one split, without the earlier turns of their threads."""
    for path in sorted((HERE / "gold").glob("*.jsonl")):
        for record in _records(path):
            if record["split"] != split:
                continue
            expected = record["expected"]
            assert isinstance(expected, dict)
            yield Row(
                id=str(record["id"]),
                text=str(record["question"]),
                source=f"gold.{split}",
                emergency=expected["urgency"] == EMERGENCY,
                group=str(expected["group"] or expected["outcome"]),
                family=str(record["id"]),
                code=str(expected["codes"][0]) if expected["codes"] else None,
            )


def development_rows(safety: Path) -> tuple[Row, ...]:
    """Everything that may be trained and tuned on; no text of it twice."""
    further = [path.name.split(".")[1] for path in sorted((HERE / "triage").glob("own.development*.jsonl"))]
    rows = [*safety_rows(safety), *seen_rows(), *gold_rows("development")]
    for half in further:
        rows.extend(own_rows(half))
    return tuple({row.text.casefold(): row for row in rows}.values())


def _records(path: Path) -> Iterator[dict[str, object]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield json.loads(line)
