"""Reads what a file or its sidecar says about itself; a claim of vetting becomes a proposal and never a status."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeAlias, TypeVar

import yaml

from curio_rag.adapters.cleaning import Removed, clean
from curio_rag.domain.sources import Reference, Vetting, VettingStatus
from curio_rag.errors import UnreadableDocument

MAX_BYTES = 64_000
_MAX_DEPTH = 8
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp"))
_FENCE = re.compile(r"---[ \t]*\n")
_CLOSING_FENCE = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_KEY_LINE = re.compile(r"^[A-Za-z_][\w-]*[ \t]*:(?:\s|$)", re.MULTILINE)
_PARTIAL_DATE = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?")
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_URL = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)

Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"
"""YAML with every scalar as it was written, so that `edition: 2.10` stays "2.10" and `language: no` stays "no"."""

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The fields of `Document` that a file may give; None or empty where it does not."""

    id: str | None = None
    title: str | None = None
    synonyms: tuple[str, ...] = ()
    publisher: str = ""
    url: str | None = None
    licence: str = ""
    edition: str = ""
    language: str | None = None
    jurisdiction: str | None = None
    products: tuple[str, ...] = ()
    population: str | None = None
    as_of: str | None = None
    references: tuple[Reference, ...] = ()
    must_show: tuple[str, ...] = ()
    vetting: Vetting = field(default_factory=lambda: Vetting(status=VettingStatus.UNVETTED))
    proposal: Vetting | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The keys of one YAML mapping with their values and line numbers, and the name for messages."""

    name: str
    values: Mapping[str, Value] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)


def split_front_matter(text: str, *, name: str) -> tuple[Fields | None, str]:
    """The front matter of a Markdown or plain text, if there is any, and the rest.

    Raises `UnreadableDocument` (`malformed_metadata`) for one that is not closed or not YAML.
    """
    opening = _FENCE.match(text)
    if opening is None:
        return None, text
    closing = _CLOSING_FENCE.search(text, opening.end(), opening.end() + MAX_BYTES)
    if closing is None:
        if _KEY_LINE.match(text, opening.end()):
            raise malformed(name, 1, f"the front matter is not closed by '---' within {MAX_BYTES} characters")
        return None, text
    source = text[opening.end() : closing.start()]
    if source.strip() and not _KEY_LINE.search(source):
        return None, text  # a rule drawn with dashes
    return parse_fields(source, name=name, first_line=2), text[closing.end() :].lstrip("\n")


def parse_fields(source: str, *, name: str, first_line: int = 1) -> Fields:
    """A YAML mapping, without aliases, tags or repeated keys. Raises `UnreadableDocument` (`malformed_metadata`)."""
    if len(source) > MAX_BYTES:
        raise malformed(name, first_line, f"the metadata is longer than {MAX_BYTES} characters")
    try:
        _check_events(source, name, first_line)
        loader = _LOADER(source)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        last = source.rstrip().count("\n")  # what is left open is noticed only at the end, on no line of its own
        problem = getattr(error, "problem", None) or "it is not YAML"
        raise malformed(name, first_line + (min(mark.line, last) if mark else 0), str(problem)) from error
    if node is None:
        return Fields(name=name)
    if not isinstance(node, yaml.MappingNode):
        raise malformed(name, first_line, "the metadata has to be 'key: value' lines")
    values = _plain(node, name, first_line)
    assert isinstance(values, dict)
    lines = {key.value: first_line + key.start_mark.line for key, _ in node.value}
    return Fields(name=name, values=values, lines=lines)


def merge(inner: Fields | None, sidecar: Fields | None) -> tuple[Fields, tuple[str, ...]]:
    """Front matter with the sidecar laid over it, and a note on each field that both give."""
    if inner is None or sidecar is None:
        return inner or sidecar or Fields(name=""), ()
    both = sorted(set(inner.values) & set(sidecar.values))
    notes = tuple(f"'{key}' stands in the file and in its sidecar; the sidecar's was used" for key in both)
    return (
        Fields(name=sidecar.name, values={**inner.values, **sidecar.values}, lines={**inner.lines, **sidecar.lines}),
        notes,
    )


def malformed(name: str, line: int, what: str, *, hint: str = "Correct it and ingest again.") -> UnreadableDocument:
    """A refusal that names the file, the line and the way out."""
    return UnreadableDocument(f"{name}, line {line}: {what}.", reason="malformed_metadata", hint=hint, quarantine=False)


def _check_events(source: str, name: str, first_line: int) -> None:
    """Refuses what could grow or recurse before anything is built from it."""
    depth = 0
    for event in yaml.parse(source, Loader=_LOADER):
        line = first_line + (event.start_mark.line if event.start_mark else 0)
        if isinstance(event, yaml.AliasEvent):
            raise malformed(name, line, "aliases (*name) are not allowed in metadata")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                raise malformed(name, line, f"metadata may be nested {_MAX_DEPTH} deep at most")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _plain(node: yaml.Node, name: str, first_line: int) -> Value:
    line = first_line + node.start_mark.line
    if isinstance(node, yaml.ScalarNode):
        if node.tag not in _PLAIN_TAGS:
            raise malformed(name, line, f"the tag {node.tag!r} is not allowed in metadata")
        return None if node.tag.endswith(":null") else _visible(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, name, first_line) for item in node.value]
    values: dict[str, Value] = {}
    for key, value in node.value:
        where = first_line + key.start_mark.line
        if not isinstance(key, yaml.ScalarNode):
            raise malformed(name, where, "a key has to be a word")
        if key.value in values:
            raise malformed(name, where, f"'{_visible(key.value)}' stands there twice")
        values[key.value] = _plain(value, name, first_line)
    return values


def _visible(text: str) -> str:
    return " ".join(clean(text, Removed()).split())


class _Reader:
    """Takes typed values out of the fields and remembers which keys were known."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self.known: set[str] = set()
        self.notes: list[str] = []

    @property
    def name(self) -> str:
        return self._fields.name

    def take(self, key: str) -> Value:
        self.known.add(key)
        return self._fields.values.get(key)

    def fail(self, key: str, what: str) -> UnreadableDocument:
        line = self._fields.lines.get(key, 1)
        return malformed(self._fields.name, line, f"'{key}' {what}")

    def text(self, key: str) -> str | None:
        value = self.take(key)
        if value is not None and not isinstance(value, str):
            raise self.fail(key, "has to be one text, not a list or a mapping")
        return value or None

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.take(key)
        items = value if isinstance(value, list) else [value]
        if not all(item is None or isinstance(item, str) for item in items):
            raise self.fail(key, "has to be a list of texts")
        return tuple(item for item in items if isinstance(item, str) and item)

    def checked(self, key: str, parse: Callable[[str], Parsed | None], what: str) -> Parsed | None:
        value = self.text(key)
        if value is None:
            return None
        parsed = parse(value)
        if parsed is None:
            raise self.fail(key, f"has to be {what}, not '{value[:60]}'")
        return parsed

    def mappings(self, key: str) -> Sequence[Mapping[str, Value]]:
        value = self.take(key)
        items = [] if value is None else value if isinstance(value, list) else [value]
        found = [item for item in items if isinstance(item, dict)]
        if len(found) != len(items):
            raise self.fail(key, "has to be a list of entries with title, publisher, url, date and accessed")
        return found

    def unknown(self) -> tuple[str, ...]:
        return tuple(_visible(key)[:60] for key in self._fields.values if key not in self.known)


def to_metadata(fields: Fields) -> Metadata:
    """The typed fields. Raises `UnreadableDocument` (`malformed_metadata`) that names file, line and field."""
    read = _Reader(fields)
    vetting, proposal, notes = _standing(read)
    metadata = Metadata(
        id=read.checked("id", _identifier, "letters, digits, '.', '_', '-' and '/'"),
        title=read.text("title"),
        synonyms=read.texts("synonyms"),
        publisher=read.text("publisher") or "",
        url=read.checked("url", _url, "an http or https address"),
        licence=read.text("licence") or read.text("license") or "",
        edition=read.text("edition") or "",
        language=read.checked("language", language_code, "a language code such as en or pt-BR"),
        jurisdiction=read.text("jurisdiction"),
        products=read.texts("products"),
        population=read.text("population"),
        as_of=read.checked("as_of", partial_date, "a date as YYYY, YYYY-MM or YYYY-MM-DD"),
        references=tuple(_reference(read, entry) for entry in read.mappings("sources")),
        must_show=read.texts("must_show"),
        vetting=vetting,
        proposal=proposal,
    )
    ignored = tuple(f"unknown field '{key}' ignored" for key in read.unknown())
    return replace(metadata, notes=(*notes, *read.notes, *ignored))


def _reference(read: _Reader, entry: Mapping[str, Value]) -> Reference:
    def text(key: str) -> str:
        value = entry.get(key)
        if value is not None and not isinstance(value, str):
            raise read.fail("sources", f"has an entry whose '{key}' is not one text")
        return value or ""

    def day(key: str) -> str:
        return "" if text(key).lower() in ("undated", "n.d.") else text(key)

    unknown = set(entry) - {"title", "publisher", "url", "date", "accessed"}
    read.notes.extend(f"unknown field '{_visible(key)[:60]}' of a source ignored" for key in sorted(unknown))
    if not text("title"):
        raise read.fail("sources", "has an entry without a title")
    if text("url") and _url(text("url")) is None:
        raise read.fail("sources", "has an entry whose url is not an http or https address")
    for key in ("date", "accessed"):
        if day(key) and partial_date(day(key)) is None:
            raise read.fail("sources", f"has an entry whose '{key}' is not YYYY, YYYY-MM, YYYY-MM-DD or undated")
    return Reference(
        title=text("title"),
        publisher=text("publisher"),
        url=text("url"),
        date=day("date"),
        accessed=day("accessed"),
    )


_CLAIMED = {
    "vetted": VettingStatus.VETTED,
    "approved": VettingStatus.VETTED,
    "verified": VettingStatus.VETTED,
    "reviewed": VettingStatus.VETTED,
    "signed": VettingStatus.VETTED,
    "expired": VettingStatus.EXPIRED,
    "withdrawn": VettingStatus.WITHDRAWN,
}
_CLINICIAN_KEYS = ("clinician", "vetted_by", "reviewed_by", "approved_by", "verified_by", "reviewer", "signed_by")
_DAY_KEYS = ("vetted_on", "reviewed_on", "approved_on", "verified_on", "signed_on")


def _standing(read: _Reader) -> tuple[Vetting, Vetting | None, tuple[str, ...]]:
    """What the file may say of itself (sample or nothing), what it claims beyond that, and notes."""
    due = read.checked("review_due", full_date, "a date as YYYY-MM-DD")
    status = (read.text("status") or "").lower()
    nested = read.take("vetting")
    sources = [read]
    if isinstance(nested, dict):
        sources.append(_Reader(Fields(name=read.name, values=nested)))
    people = [text for one in sources for key in _CLINICIAN_KEYS for text in one.texts(key)]
    credentials = [text for one in sources for text in one.texts("credential")]
    days = [text for one in sources for key in _DAY_KEYS for text in one.texts(key)]
    said = {status, *(text.lower() for text in ([nested] if isinstance(nested, str) else []))}
    claimed = next((_CLAIMED[word] for word in sorted(said) if word in _CLAIMED), None)
    vetting = Vetting(status=VettingStatus.SAMPLE if status == "sample" else VettingStatus.UNVETTED, review_due=due)
    if claimed is None and not people and not credentials and not days and nested is None:
        plain = status in ("", "sample", "unvetted", "draft")
        return vetting, None, () if plain else (f"status '{status[:40]}' counts as unvetted",)
    proposal = Vetting(
        status=claimed or VettingStatus.VETTED,
        clinician=", ".join(people) or None,
        credential=", ".join(credentials) or None,
        vetted_on=next((day for text in days if (day := full_date(text))), None),
        review_due=due,
    )
    return vetting, proposal, ("the file claims to be vetted: that is a proposal until it is recorded in the library",)


def _identifier(value: str) -> str | None:
    return value if _IDENTIFIER.fullmatch(value) and ".." not in value else None


def _url(value: str) -> str | None:
    return value if _URL.fullmatch(value) and len(value) <= 2_000 else None


def language_code(value: str) -> str | None:
    """A BCP 47 language tag as far as its shape tells, or None."""
    return value if _LANGUAGE.fullmatch(value) else None


def partial_date(value: str) -> str | None:
    """YYYY, YYYY-MM or an existing YYYY-MM-DD, or None."""
    if not _PARTIAL_DATE.fullmatch(value) or (len(value) == 10 and full_date(value) is None):
        return None
    return value


def full_date(value: str) -> date | None:
    """An existing day written YYYY-MM-DD, or None."""
    try:
        return date.fromisoformat(value) if len(value) == 10 else None
    except ValueError:
        return None
