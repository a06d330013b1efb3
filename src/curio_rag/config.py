"""The settings: one frozen value, read from `curio.toml`, `[tool.curio]` in `pyproject.toml`, or `CURIO_*` variables.

A variable wins over a file; `curio.toml` wins over `pyproject.toml`.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from curio_rag.domain.digests import Json, digest_json
from curio_rag.errors import ConfigError

SEARCH_MODES = ("auto", "exact", "chroma")
ADMISSIBLE = ("vetted", "sample", "unvetted")
PROVIDERS = ("openai", "anthropic", "ollama", "openai-like")
"""The providers of language models that `writer` may name."""
ROLES = ("physician", "nurse", "pharmacist", "scientist")
CHOICES = {"search": SEARCH_MODES, "drafts_visible_to": ("reviewers", "askers")}
LISTS = {
    "admit": ADMISSIBLE,
    "approve_on": ADMISSIBLE,
    "answer_signers": ROLES,
    "document_signers": ROLES,
    "comment_signers": ROLES,
}
NUMBERS = ("session_minutes",)
SWITCHES = ("two_people",)
NOT_SETTINGS = ("session", "reviewer")
"""`CURIO_SESSION` and `CURIO_REVIEWER` belong to one terminal: an open signing session, and who works there."""

NOT_IN_ANSWERS = (
    "knowledge",
    "index",
    "keys",
    "drafts_visible_to",
    "approve_on",
    "two_people",
    "answer_signers",
    "document_signers",
    "comment_signers",
    "session_minutes",
)
"""What cannot change the words of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How one knowledge base works; every field can be set in a file or as `CURIO_NAME`."""

    folder: Path = Path()
    """The folder that relative paths start from; not a setting of the files."""

    knowledge: str = "knowledge"
    """What `curio ingest` reads when it is given no paths."""

    index: str = "indexes/default"
    """Where the ledger and the generations lie."""

    model: str = "default"
    """The embedding model: `default` (all-MiniLM-L6-v2), or any sentence-transformers name or path."""

    search: str = "auto"
    """`exact` scans every vector, `chroma` asks Chroma, `auto` takes the faster for the size."""

    reranker: str = "default"
    """What puts the best passages into their last order: `default`, or any cross-encoder by name or path."""

    admit: tuple[str, ...] = ("vetted",)
    """The standings of documents that answers may rest on; add `sample` for demonstrations only."""

    assistant: str = "Anna"
    """The name of the AI first responder."""

    country: str = ""
    """A two-letter country code such as `US`, for emergency numbers; empty names several."""

    emergency_card: str = ""
    """A JSON file of a service's own emergency advice; empty for the bundled, unsigned one."""

    writer: str = "extractive"
    """Who composes drafts: `extractive`, or a language model as `provider:model`, such as `openai:gpt-4.1`."""

    writer_url: str = ""
    """The address of the provider, where it is not the provider's usual one."""

    max_writer_seconds: int = 30
    """How long a language model may take for a draft in all; then the extractive answer is given."""

    max_reply_bytes: int = 100_000
    """The longest reply of a language model that is read, in UTF-8 bytes."""

    glossary: str = ""
    """The id of an admitted document whose lines, such as "Apheresis: ...", explain words in answers; may be empty."""

    max_question_bytes: int = 20_000
    """The longest question that is taken in, in UTF-8 bytes (the emergency check still runs on longer ones)."""

    max_file_bytes: int = 20_000_000
    """The largest file that is read, in bytes."""

    drafts_visible_to: str = "reviewers"
    """`askers` shows drafts, marked as such, before a clinician has signed them; `reviewers` keeps them back."""

    approve_on: tuple[str, ...] = ("vetted",)
    """The standings of cited documents on which an answer may be approved."""

    two_people: bool = False
    """Whether whoever edited an answer may not be the one who approves it."""

    answer_signers: tuple[str, ...] = ("physician",)
    """The roles that may approve, reject, edit and strike."""

    document_signers: tuple[str, ...] = ("physician",)
    """The roles that may vet documents."""

    comment_signers: tuple[str, ...] = ROLES
    """The roles that may comment in a thread."""

    session_minutes: int = 15
    """How long one passphrase opens a signing session."""

    keys: str = ""
    """Where the reviewers' sealed private keys lie; empty for `keys` in the index folder."""

    @property
    def key_folder(self) -> Path:
        """The folder of the sealed private keys."""
        return (self.folder / self.keys).absolute() if self.keys else self.index_folder / "keys"

    @property
    def index_folder(self) -> Path:
        """The index folder as an absolute path."""
        return (self.folder / self.index).absolute()

    @property
    def knowledge_folder(self) -> Path:
        """The knowledge folder as an absolute path."""
        return (self.folder / self.knowledge).absolute()

    def digest(self) -> str:
        """The tagged digest of every setting that can change an answer; folders do not take part."""
        settings: dict[str, Json] = {
            name: list(value) if isinstance(value, tuple) else value
            for name in SETTINGS
            if name not in NOT_IN_ANSWERS and (value := getattr(self, name)) is not None
        }
        return digest_json(settings)


SETTINGS = tuple(field.name for field in fields(Config) if field.name != "folder")


def load_config(folder: Path, *, environment: Mapping[str, str] | None = None) -> Config:
    """The settings in force in a folder. Raises `ConfigError` naming the file and the key at fault."""
    config = Config(folder=folder.absolute())
    for name, table in (("pyproject.toml", ("tool", "curio")), ("curio.toml", ())):
        path = folder / name
        if path.is_file():
            config = _with_table(config, _read_table(path, table), origin=name)
    return _with_environment(config, os.environ if environment is None else environment)


def _read_table(path: Path, keys: tuple[str, ...]) -> Mapping[str, object]:
    try:
        table: object = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ConfigError(
            f"{path.name} is not valid TOML: {problem}.", hint="Mend the line that it names."
        ) from problem
    except OSError as problem:
        raise ConfigError(f"{path.name} cannot be read: {problem.strerror}.") from problem
    for key in keys:
        table = table.get(key, {}) if isinstance(table, dict) else {}
    return table if isinstance(table, dict) else {}


def _with_table(config: Config, table: Mapping[str, object], *, origin: str) -> Config:
    for key, value in table.items():
        config = _with_setting(config, key, value, origin=origin)
    return config


def _with_environment(config: Config, environment: Mapping[str, str]) -> Config:
    for variable in sorted(environment):
        if not variable.startswith("CURIO_"):
            continue
        key = variable.removeprefix("CURIO_").lower()
        if key in NOT_SETTINGS:
            continue
        text = environment[variable]
        value: object = text
        if key in LISTS:
            value = [part.strip() for part in text.split(",") if part.strip()]
        elif key in SWITCHES:
            value = {"true": True, "false": False}.get(text.lower(), text)
        elif key in NUMBERS or key.startswith("max_"):
            try:
                value = int(text)
            except ValueError:
                raise ConfigError(f"{variable} must be a whole number, not {text!r}.") from None
        config = _with_setting(config, key, value, origin=variable)
    return config


def _with_setting(config: Config, key: str, value: object, *, origin: str) -> Config:
    if key not in SETTINGS:
        near = difflib.get_close_matches(key, SETTINGS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"The settings are: {', '.join(SETTINGS)}."
        raise ConfigError(f"{origin}: there is no setting {key!r}.", hint=hint)
    # The value was checked against the type of its field, which mypy cannot follow through a name.
    return replace(config, **{key: _checked(key, value, origin=origin)})  # type: ignore[arg-type]


def _checked(key: str, value: object, *, origin: str) -> str | int | tuple[str, ...]:
    choices = CHOICES.get(key)
    if key in LISTS:
        if isinstance(value, list) and value and all(item in LISTS[key] for item in value):
            return tuple(value)
        raise ConfigError(f"{origin}: {key} is a list of {', '.join(LISTS[key])}, not {value!r}.")
    if key in SWITCHES:
        if isinstance(value, bool):
            return value
        raise ConfigError(f"{origin}: {key} is true or false, not {value!r}.")
    if key in NUMBERS or key.startswith("max_"):
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        raise ConfigError(f"{origin}: {key} is a whole number above 0, not {value!r}.")
    if not isinstance(value, str) or (choices and value not in choices):
        wanted = f"one of {', '.join(choices)}" if choices else "a text"
        raise ConfigError(f"{origin}: {key} is {wanted}, not {value!r}.")
    if key == "country" and value and not (len(value) == 2 and value.isascii() and value.isalpha()):
        raise ConfigError(f"{origin}: country is a two-letter code such as US, not {value!r}.")
    if key == "writer":
        _check_writer(value, origin=origin)
    return value.upper() if key == "country" else value


def _check_writer(value: str, *, origin: str) -> None:
    provider, _, model = value.partition(":")
    if value == "extractive" or (provider in PROVIDERS and model.strip() and model.isprintable()):
        return
    near = difflib.get_close_matches(provider, ("extractive", *PROVIDERS), n=1)
    raise ConfigError(
        f"{origin}: there is no writer {value!r}.",
        hint=f"Use extractive, or PROVIDER:MODEL with one of {', '.join(PROVIDERS)}."
        + (f" Did you mean {near[0]!r}?" if near and near[0] != provider else ""),
    )


def read_secret(variable: str) -> str:
    """A key from its environment variable, empty when it is not set; it never becomes part of a `Config`."""
    return os.environ.get(variable, "").strip()
