"""Reads gold cases from JSON lines, strictly: every fault of every file is named with its line and field."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from curio_rag.domain.answers import Outcome
from curio_rag.domain.emergency import GROUPS
from curio_rag.domain.evals import (
    REASON_CODES,
    CaseTags,
    EvalCase,
    Expected,
    GoldEvidence,
    GoldProblem,
    KeyFact,
    Split,
    Wording,
    split_facts,
)
from curio_rag.domain.questions import Urgency
from curio_rag.errors import EvalError

SUFFIX = ".jsonl"
_HINT = "Correct these lines; no case was run."
_KINDS = {str: "a text", bool: "true or false", list: "a list", dict: "an object", int: "a number", float: "a number"}

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldReading:
    """The cases that are well-formed, in order of file and line, and what is wrong with the others."""

    cases: tuple[EvalCase, ...]
    problems: tuple[GoldProblem, ...]


def load_gold(paths: Sequence[Path]) -> tuple[EvalCase, ...]:
    """The cases of the files, or of the `.jsonl` files of folders. Raises `EvalError` that lists every fault."""
    reading = read_gold(paths)
    if reading.problems:
        raise EvalError("\n".join(map(str, reading.problems)), hint=_HINT)
    return reading.cases


def read_gold(paths: Sequence[Path]) -> GoldReading:
    """The cases and the faults of the files. Raises `EvalError` where a path cannot be read or there is no case."""
    cases: list[EvalCase] = []
    problems: list[GoldProblem] = []
    for path in _files(paths):
        for line, text in _lines(path):
            faults: list[str] = []
            values = _object(text, faults)
            case = None if values is None else _read_case(_Fields(values, faults), path, line)
            problems.extend(GoldProblem(file=path.name, line=line, message=fault) for fault in faults)
            if case is not None and not faults:
                cases.append(case)
    if not cases and not problems:
        raise EvalError(f"{' '.join(map(str, paths))}: there is no gold case.", hint="Give files of JSON lines.")
    return GoldReading(cases=tuple(cases), problems=(*problems, *_conflicts(cases)))


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob(f"*{SUFFIX}"))
        else:
            yield path


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise EvalError(f"{path} cannot be read: {error.strerror or error}.", hint="Check the path.") from error
    except UnicodeDecodeError as error:
        raise EvalError(f"{path} is not UTF-8 (byte {error.start}).", hint="Save it as UTF-8.") from error
    # splitlines() would also cut at U+2028 and the like, which may stand in a JSON text
    return ((number, line) for number, line in enumerate(content.split("\n"), start=1) if line.strip())


def _object(text: str, faults: list[str]) -> Mapping[str, object] | None:
    """The JSON object on one line, or None and a fault; a key that stands twice is a fault too."""

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        keys = [key for key, _ in items]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        faults.extend(f"{key}: stands there twice; keep one" for key in twice)
        return dict(items)

    try:
        values: object = json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        column = f" (column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        faults.append(f"the line is not JSON{column}; write one object on one line")
        return None
    if not isinstance(values, dict):
        faults.append("the line is not a JSON object; write {...} on one line")
        return None
    return values


class _Fields:
    """Takes typed values out of one JSON object and collects what is wrong with them; `at` names the object."""

    def __init__(self, values: Mapping[str, object], faults: list[str], at: str = "") -> None:
        self._values = values
        self._at = at
        self._known: set[str] = set()
        self.faults = faults

    def fault(self, key: str, what: str) -> None:
        """Records a fault of one field."""
        self.faults.append(f"{self._at}{key}: {what}")

    def take(self, key: str, kind: type, *, default: object = None) -> object:
        """The value, of the right type; the default (None: the key has to be there) otherwise."""
        self._known.add(key)
        if key not in self._values:
            if default is None:
                self.fault(key, f"is missing; give {_KINDS[kind]}")
            return default
        value = self._values[key]
        if type(value) is not kind:
            self.fault(key, f"has to be {_KINDS[kind]}, not {_KINDS.get(type(value), 'null')}")
            return default
        return value

    def has_any(self, *keys: str) -> bool:
        """Whether any of the keys is there."""
        return not self._values.keys().isdisjoint(keys)

    def text(self, key: str) -> str:
        value = self.take(key, str)
        if isinstance(value, str) and not value.strip():
            self.fault(key, "is empty; write it or remove the case")
        return value if isinstance(value, str) else ""

    def text_or_none(self, key: str) -> str | None:
        self._known.add(key)
        return None if self._values.get(key) is None else self.text(key)

    def texts(self, key: str) -> tuple[str, ...]:
        items = self.items(key)
        for number, item in enumerate(items):
            if not isinstance(item, str) or not item.strip():
                self.fault(f"{key}[{number}]", "has to be a text that is not empty")
        return tuple(item for item in items if isinstance(item, str))

    def items(self, key: str) -> Sequence[object]:
        value = self.take(key, list, default=[])
        return value if isinstance(value, list) else []

    def flag(self, key: str) -> bool:
        return self.take(key, bool) is True

    def one_of(self, key: str, choices: type[Choice]) -> Choice:
        value = self.take(key, str)
        names = [choice.value for choice in choices]
        if isinstance(value, str) and value not in names:
            self.fault(key, f"{value!r} is not known; choose from {', '.join(names)}")
        return choices(value) if value in names else next(iter(choices))

    def object(self, key: str) -> _Fields:
        value = self.take(key, dict)
        # what is missing as a whole is one fault and not one for each of its fields
        return _Fields(value, self.faults, f"{self._at}{key}.") if isinstance(value, dict) else _Fields({}, [])

    def objects(self, key: str) -> Iterator[_Fields]:
        for number, item in enumerate(self.items(key)):
            if isinstance(item, dict):
                yield _Fields(item, self.faults, f"{self._at}{key}[{number}].")
            else:
                self.fault(f"{key}[{number}]", "has to be an object")

    def close(self) -> None:
        """Records every key that nothing asked for."""
        for key in self._values.keys() - self._known:
            self.fault(key, f"is not a known key; choose from {', '.join(sorted(self._known))}")


def _read_case(fields: _Fields, path: Path, line: int) -> EvalCase:
    """A case in full, or in the short form of a service's own gold, which none of the keys of the full form is in."""
    if fields.has_any("expected", "tags", "clinician_confirmed"):
        return _case(fields, path.name, line)
    return _short_case(fields, path, line)


def _short_case(fields: _Fields, path: Path, line: int) -> EvalCase:
    """A question with a plain gold `answer`, or `facts` as texts, or `"answerable": false`; the rest may be absent."""
    answerable = fields.take("answerable", bool, default=True) is True
    answer = fields.text("answer") if fields.has_any("answer") else ""
    facts = fields.texts("facts") or split_facts(answer)
    case_id = fields.text("id") if fields.has_any("id") else f"{path.stem}-{line}"
    case = EvalCase(
        id=case_id,
        split=fields.one_of("split", Split) if fields.has_any("split") else Split.DEVELOPMENT,
        question=fields.text("question"),
        previous=fields.texts("previous"),
        expected=Expected(outcome=Outcome.DRAFTED)
        if answerable
        else Expected(outcome=Outcome.ABSTAINED, codes=REASON_CODES[Outcome.ABSTAINED]),
        facts=tuple(KeyFact(fact=fact, wordings=()) for fact in facts),
        evidence=tuple(_evidence(each) for each in fields.objects("evidence")),
        must_say=fields.texts("must_say"),
        must_not_say=fields.texts("must_not_say"),
        tags=CaseTags(topic=case_id, type="not_given", wording=Wording.PLAIN),
        file=path.name,
        line=line,
    )
    if answerable and not (case.facts or case.evidence or case.must_say):
        fields.fault("answer", 'is missing; give the gold answer, facts, or "answerable": false')
    if not answerable and (case.facts or case.evidence):
        fields.fault("answerable", "is false, and there is an answer; remove one of the two")
    fields.close()
    return case


def _case(fields: _Fields, file: str, line: int) -> EvalCase:
    case = EvalCase(
        id=fields.text("id"),
        split=fields.one_of("split", Split),
        question=fields.text("question"),
        previous=fields.texts("previous"),
        expected=_expected(fields.object("expected")),
        facts=tuple(_fact(each) for each in fields.objects("facts")),
        evidence=tuple(_evidence(each) for each in fields.objects("evidence")),
        must_say=fields.texts("must_say"),
        must_not_say=fields.texts("must_not_say"),
        tags=_tags(fields.object("tags")),
        clinician_confirmed=fields.flag("clinician_confirmed"),
        file=file,
        line=line,
    )
    fields.close()
    return case


def _expected(fields: _Fields) -> Expected:
    outcome = fields.one_of("outcome", Outcome)
    codes = fields.texts("codes")
    allowed = REASON_CODES[outcome]
    for code in codes:
        if code not in allowed:
            way_out = f"choose from {', '.join(allowed)}" if allowed else "leave the list empty"
            fields.fault("codes", f"{code!r} is no reason to have {outcome.value} an answer; {way_out}")
    if allowed and not codes:
        fields.fault("codes", f"is empty; name what is accepted of {', '.join(allowed)}")
    group = fields.text_or_none("group")
    if group and group not in GROUPS:
        fields.fault("group", f"{group!r} is not on the emergency card; choose from {', '.join(GROUPS)}")
    expected = Expected(outcome=outcome, codes=codes, urgency=fields.one_of("urgency", Urgency), group=group)
    fields.close()
    return expected


def _fact(fields: _Fields) -> KeyFact:
    fact = KeyFact(fact=fields.text("fact"), wordings=fields.texts("wordings"))
    if not fact.wordings:
        fields.fault("wordings", "is empty; give at least one wording that shows the fact")
    fields.close()
    return fact


def _evidence(fields: _Fields) -> GoldEvidence:
    evidence = GoldEvidence(document_id=fields.text("document_id"), quote=fields.text("quote"))
    fields.close()
    return evidence


def _tags(fields: _Fields) -> CaseTags:
    tags = CaseTags(
        topic=fields.text("topic"),
        type=fields.text("type"),
        wording=fields.one_of("wording", Wording),
        features=fields.texts("features"),
    )
    fields.close()
    return tags


def _conflicts(cases: Iterable[EvalCase]) -> Iterator[GoldProblem]:
    """What is wrong between cases: an id that stands twice, a topic that is tuned on and tested on."""
    ids: dict[str, EvalCase] = {}
    topics: dict[str, EvalCase] = {}
    for case in cases:
        first = ids.setdefault(case.id, case)
        if first is not case:
            message = f"id: {case.id!r} stands already at {first.file}:{first.line}; give each case its own"
            yield GoldProblem(file=case.file, line=case.line, message=message)
        other = topics.setdefault(case.tags.topic, case)
        if other.split is not case.split:
            message = (
                f"split: the topic {case.tags.topic!r} is in {other.split.value} at {other.file}:{other.line} "
                f"and here in {case.split.value}; a topic belongs to one split"
            )
            yield GoldProblem(file=case.file, line=case.line, message=message)
