"""Reads the rules of triage from their TOML file and refuses a file that refers to what it does not define."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TypeAlias, cast

from curio_rag.domain.digests import digest_bytes
from curio_rag.domain.emergency import GROUPS
from curio_rag.domain.questions import DECISIONS, POLICY
from curio_rag.domain.triage_rules import RuleBook, Sign, SignRule
from curio_rag.errors import ConfigError

BUNDLED = "triage_rules.toml"
REFERRALS = frozenset({*DECISIONS, "minor", POLICY})

_HINT = "Start from the bundled data/triage_rules.toml; its first lines tell how a rule reads."
_Fields: TypeAlias = Mapping[str, object]


def load_triage_rules(path: Path | None = None) -> RuleBook:
    """The bundled rules, or a service's own at `path`. Raises `ConfigError` naming the file and the fault."""
    name = str(path) if path else BUNDLED
    try:
        content = path.read_bytes() if path else (resources.files("curio_rag") / "data" / BUNDLED).read_bytes()
    except OSError as error:
        raise ConfigError(f"The triage rules {name} cannot be read: {error.strerror or error}.", hint=_HINT) from error
    try:
        return _book(tomllib.loads(content.decode()), digest=digest_bytes(content))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"The triage rules {name} are not usable: {error}.", hint=_HINT) from error


def _book(data: _Fields, *, digest: str) -> RuleBook:
    signs = _lists(data, "signs")
    spelling = _lists(data, "spelling")
    book = RuleBook(
        edition=str(data.get("edition", "")),
        status=str(data.get("status", "")),
        digest=digest,
        classes=tuple(_lists(data, "classes").items()),
        fillers=frozenset(_strings(data.get("fillers"), "fillers")),
        misspellings=tuple((wrong, str(right)) for wrong, right in _table(data, "misspellings").items()),
        spelling=frozenset(spelling.get("important", ())),
        not_misspelt=frozenset(spelling.get("not_misspelt", ())),
        signs=tuple(Sign(name=name, patterns=patterns) for name, patterns in signs.items()),
        readings=tuple(Sign(name=name, patterns=patterns) for name, patterns in _lists(data, "readings").items()),
        emergencies=_rules(data, "emergency", "group", frozenset(GROUPS)),
        urgent=_rules(data, "urgent", "group", frozenset(GROUPS)),
        referrals=_rules(data, "referral", "code", REFERRALS),
        protected=frozenset(_strings(data.get("protected"), "protected")),
        languages=tuple((code, frozenset(words)) for code, words in _lists(data, "languages").items()),
    )
    for rule in (*book.emergencies, *book.urgent, *book.referrals):
        for sign in (*rule.unless, *rule.yields_to, *(name for need in rule.needs for name in need)):
            if sign not in signs:
                raise ValueError(f"a rule for {rule.outcome} needs the sign {sign}, which is not defined")
    if not book.emergencies:
        raise ValueError("there is no emergency rule")
    return book


def _rules(data: _Fields, kind: str, key: str, allowed: frozenset[str]) -> tuple[SignRule, ...]:
    rows = data.get(kind, [])
    if not isinstance(rows, list):
        raise ValueError(f"{kind} is not a list of tables")
    return tuple(_rule(row, kind, key, allowed) for row in rows)


def _rule(row: object, kind: str, key: str, allowed: frozenset[str]) -> SignRule:
    if not isinstance(row, dict):
        raise ValueError(f"a row of {kind} is not a table")
    outcome, within, language = row.get(key), row.get("within", 40), row.get("language")
    if not isinstance(outcome, str) or outcome not in allowed:
        raise ValueError(f"a row of {kind} has an unknown {key}: {outcome!r}")
    if not isinstance(within, int) or not isinstance(language, str | None):
        raise ValueError(f"a rule for {outcome} has a malformed within or language")
    needs = tuple(tuple(need.split("|")) for need in _strings(row.get("needs"), f"needs of {outcome}"))
    reason = row.get("reason")
    if not needs or not isinstance(reason, str) or not reason:
        raise ValueError(f"a rule for {outcome} has no needs or no reason")
    return SignRule(
        outcome=outcome,
        needs=needs,
        reason=reason,
        within=within,
        language=language,
        firm=row.get("firm") is True,
        personal=row.get("personal") is True,
        unless=_strings(row.get("unless", []), f"unless of {outcome}"),
        yields_to=_strings(row.get("yields_to", []), f"yields_to of {outcome}"),
        always_said=row.get("always_said") is True,
    )


def _table(data: _Fields, key: str) -> _Fields:
    value = data.get(key)
    if not isinstance(value, dict):
        raise ValueError(f"the table [{key}] is missing")
    return cast("_Fields", value)


def _lists(data: _Fields, key: str) -> dict[str, tuple[str, ...]]:
    return {name: _strings(value, f"{name} in [{key}]") for name, value in _table(data, key).items()}


def _strings(value: object, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{what} is not a list of texts")
    return tuple(value)
