"""Reads the emergency card from its JSON file and refuses one that could leave a person without advice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from importlib import resources
from pathlib import Path
from typing import TypeAlias, cast

from curio_rag.domain.digests import digest_bytes
from curio_rag.domain.emergency import (
    GROUPS,
    CardSource,
    CountryLines,
    EmergencyCard,
    ForeignSentence,
    GroupWords,
)
from curio_rag.errors import ConfigError

BUNDLED = "emergency_card.json"
SCHEMA_VERSION = 1
MOST_WORDS = 110
"""Words on the screen at once; more are not read by somebody in danger. The bundled card stays near 80."""

_HINT = "Start from the bundled data/emergency_card.json and change its words and numbers only."
_Fields: TypeAlias = Mapping[str, object]


def load_emergency_card(path: Path | None = None) -> EmergencyCard:
    """The bundled card, or a service's own at `path`. Raises `ConfigError` naming the file and the fault."""
    name = str(path) if path else BUNDLED
    try:
        content = path.read_bytes() if path else (resources.files("curio_rag") / "data" / BUNDLED).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The emergency card {name} cannot be read: {error.strerror or error}.", hint=_HINT
        ) from error
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"The emergency card {name} is not valid JSON in UTF-8.", hint=_HINT) from error
    try:
        card = _card(_mapping(data, "the card"), digest=digest_bytes(content))
        _check(card)
    except ValueError as error:
        raise ConfigError(f"The emergency card {name} is not usable: {error}.", hint=_HINT) from error
    return card


def _card(data: _Fields, *, digest: str) -> EmergencyCard:
    if data.get("schema_version") != SCHEMA_VERSION:
        raise ValueError(f"schema_version is not {SCHEMA_VERSION}")
    groups = _mapping(data.get("groups"), "groups")
    return EmergencyCard(
        edition=_text(data, "edition"),
        status=_text(data, "status"),
        as_of=_day(data, "as_of"),
        review_due=_day(data, "review_due"),
        digest=digest,
        groups=tuple(_group(name, _mapping(value, f"group {name}")) for name, value in groups.items()),
        call_team=_lines(data, "call_team"),
        minor=_lines(data, "minor"),
        fallback=_country(_mapping(data.get("fallback"), "fallback")),
        countries=tuple(_country(_mapping(value, "a country")) for value in _items(data, "countries")),
        languages=tuple(
            ForeignSentence(
                language=_text(fields, "language"), name=_text(fields, "name"), sentence=_text(fields, "sentence")
            )
            for fields in (_mapping(value, "a language") for value in _items(data, "languages"))
        ),
        sources=tuple(
            CardSource(
                id=_text(fields, "id"),
                title=_text(fields, "title"),
                url=_text(fields, "url"),
                read_on=_day(fields, "read_on"),
            )
            for fields in (_mapping(value, "a source") for value in _items(data, "sources"))
        ),
    )


def _group(name: str, fields: _Fields) -> GroupWords:
    return GroupWords(
        group=name,
        title=_text(fields, "title"),
        words=_lines(fields, "words"),
        sources=_strings(fields, "sources"),
    )


def _country(fields: _Fields) -> CountryLines:
    return CountryLines(
        code=_text(fields, "code", empty=True),
        name=_text(fields, "name"),
        emergency=_text(fields, "emergency"),
        crisis=_text(fields, "crisis", empty=True),
        poison=_text(fields, "poison", empty=True),
        child=_text(fields, "child", empty=True),
        covers=_strings(fields, "covers"),
        sources=_strings(fields, "sources"),
    )


def _check(card: EmergencyCard) -> None:
    """Whatever could leave somebody without words, without a number, or with a source that is not listed."""
    present = {entry.group for entry in card.groups}
    for missing in (group for group in GROUPS if group not in present):
        raise ValueError(f"the group {missing} is missing")
    known = {source.id for source in card.sources}
    named = [entry.sources for entry in card.groups] + [lines.sources for lines in (*card.countries, card.fallback)]
    for source in (source for sources in named for source in sources):
        if source not in known:
            raise ValueError(f"the source {source} is not listed under sources")
    for lines in (*card.countries, card.fallback):
        if not any(character.isdigit() for character in lines.emergency):
            raise ValueError(f"{lines.name} has no emergency number")
        for entry in card.groups:
            words = lines.fill(entry.words)
            if lines.emergency not in words:
                raise ValueError(f"the words of {entry.group} never name {{emergency}}")
            if "{" in words or "}" in words:
                raise ValueError(f"the words of {entry.group} hold an unknown place in braces")
            if len(words.split()) > MOST_WORDS:
                raise ValueError(f"the words of {entry.group} are longer than {MOST_WORDS} words for {lines.name}")
    if "{emergency}" not in card.call_team or "{emergency}" not in card.minor:
        raise ValueError("call_team and minor must name {emergency}")


def _mapping(value: object, what: str) -> _Fields:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is not an object")
    return cast("_Fields", value)


def _items(fields: _Fields, key: str) -> Sequence[object]:
    value = fields.get(key)
    if not isinstance(value, list):
        raise ValueError(f"{key} is not a list")
    return value


def _text(fields: _Fields, key: str, *, empty: bool = False) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not (value.strip() or empty):
        raise ValueError(f"{key} is missing or not a text")
    return value


def _strings(fields: _Fields, key: str) -> tuple[str, ...]:
    values = fields.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{key} is not a list of texts")
    return tuple(values)


def _lines(fields: _Fields, key: str) -> str:
    lines = _strings(fields, key)
    if not any(line.strip() for line in lines):
        raise ValueError(f"{key} is empty")
    return "\n".join(lines)


def _day(fields: _Fields, key: str) -> date:
    try:
        return date.fromisoformat(_text(fields, key))
    except ValueError as error:
        raise ValueError(f"{key} is not a date like 2026-11-23") from error
