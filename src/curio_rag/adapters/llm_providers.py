"""Language models by `provider:model`, through llama-index's classes; one streamed reply, within limits.

What these classes and the clients below them would do by themselves, and what is done here instead:

- They try again, up to ten times, for minutes: here once, within one limit of time.
- They know a table of model names and refuse newer ones, and count tokens with a table that tiktoken
  downloads: `OpenAILike` does neither, so it serves OpenAI itself too.
- Their addresses may come from `OPENAI_API_BASE` and the like, and they follow redirects: here the
  address is the settings' or the provider's own, and a redirect is an error.
- A callback manager without handlers takes those of llama-index's global `Settings`: here it has none.
  (A handler that the hosting program adds to llama-index's root dispatcher sees every prompt.)
- The clients log whole requests at the level DEBUG: such records are dropped, for a question is
  health information.
"""

from __future__ import annotations

import ipaddress
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from curio_rag.adapters.limited_http import LimitedTransport, TooManyBytes
from curio_rag.errors import ConfigError, CurioError, MalformedDraft, WriterUnavailable

if TYPE_CHECKING:
    from llama_index.core.callbacks import CallbackManager
    from llama_index.core.llms import ChatMessage
    from llama_index.core.llms.llm import LLM

WIRE_BYTES_PER_BYTE = 40
"""A streamed reply carries each word in an envelope of some hundred bytes."""

ANTHROPIC_TOKENS = 8192
OLLAMA_TOKENS = 16_384
"""The context that is asked for; Ollama's own default would cut the passages off without a word."""

TALKATIVE_LOGGERS = ("openai._base_client", "anthropic._base_client")

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of the conversation with a model."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Where a provider is, what must be installed for it, and where its key is found."""

    extra: str
    url: str = ""
    key_variable: str = ""
    key_needed: bool = False


PROVIDERS = {
    "openai": Provider(extra="openai", url="https://api.openai.com/v1", key_variable="OPENAI_API_KEY", key_needed=True),
    "anthropic": Provider(
        extra="anthropic", url="https://api.anthropic.com", key_variable="ANTHROPIC_API_KEY", key_needed=True
    ),
    "ollama": Provider(extra="ollama", url="http://localhost:11434"),
    "openai-like": Provider(extra="openai-like", key_variable="OPENAI_LIKE_API_KEY"),
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ChatModel:
    """One model of one provider; `name` is `provider:model`. It shows its key to nobody, `repr` included."""

    name: str
    provider: str
    model: str
    url: str
    key: str
    most_bytes: int

    def reply(self, messages: Sequence[Message], *, seconds: float) -> str:
        """The model's whole reply, which may be empty. Safe to call from several threads.

        Raises `WriterUnavailable` when the provider cannot be reached, refuses, fails on the way or has
        not finished after `seconds`, and `MalformedDraft` for more than `most_bytes` of UTF-8.
        """
        outcome: queue.SimpleQueue[str | CurioError] = queue.SimpleQueue()
        conversation = _Conversation(self, seconds=seconds)
        # In a thread of its own, because looking up a name and sending headers heed no deadline.
        threading.Thread(target=lambda: outcome.put(conversation.result(messages)), daemon=True).start()
        try:
            result = outcome.get(timeout=seconds)
        except queue.Empty:
            result = self.too_slow(seconds)
        finally:
            conversation.close()
        if isinstance(result, CurioError):
            raise result
        return result

    def too_slow(self, seconds: float) -> WriterUnavailable:
        """The error for a reply that did not come in time."""
        return WriterUnavailable(f"{self.name} did not finish within {seconds:.0f} seconds.")


def open_model(writer: str, *, url: str, key_of: Callable[[str], str], most_bytes: int) -> ChatModel:
    """The model of a setting such as `openai:gpt-4.1`; nothing is sent yet.

    `key_of` gives the value of an environment variable, empty when it is not set. Raises `ConfigError`
    for an unknown provider, a missing address, key or package, each with the way out.
    """
    name, _, model = writer.partition(":")
    provider = PROVIDERS.get(name)
    if provider is None or not model:
        raise ConfigError(
            f"There is no writer {writer!r}.",
            hint=f"Use extractive, or PROVIDER:MODEL with one of {', '.join(PROVIDERS)}.",
        )
    key = key_of(provider.key_variable) if provider.key_variable else ""
    if provider.key_needed and not key:
        raise ConfigError(
            f"The writer {writer} needs a key.", hint=f"Set the environment variable {provider.key_variable}."
        )
    chosen = ChatModel(
        name=writer,
        provider=name,
        model=model,
        url=_address(writer, url or provider.url),
        key=key,
        most_bytes=most_bytes,
    )
    _quieten()
    trial = _Conversation(chosen, seconds=1)
    try:
        _ = trial.open().metadata  # where a class keeps a table of names, it refuses others here
    except ImportError as problem:
        raise ConfigError(
            f"The writer {writer} needs a package that is not installed ({problem.name}).",
            hint=f"pip install 'curio_rag[{provider.extra}]'",
        ) from problem
    except ValueError as problem:
        raise ConfigError(
            f"The writer {writer} cannot be used: its library does not know this model.",
            hint=f"Check the name, or bring the library up to date: pip install -U 'curio_rag[{provider.extra}]'",
        ) from problem
    finally:
        trial.close()
    return chosen


def _address(writer: str, url: str) -> str:
    if not url:
        raise ConfigError(
            f"The writer {writer} needs an address.", hint='Set writer_url, for example "http://localhost:8000/v1".'
        )
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise ConfigError("writer_url is not an address such as https://models.example.org/v1.")
    if parts.username or parts.password:
        raise ConfigError("writer_url holds a name or password.", hint="Keys come from environment variables only.")
    if parts.scheme == "http" and not _is_near(host):
        raise ConfigError(
            f"writer_url would send questions to {host} without encryption.",
            hint="Use https; http is for this machine and private networks.",
        )
    return url.rstrip("/")


def _is_near(host: str) -> bool:
    """This machine, a private address, or a bare name such as `ollama` that only a local network resolves."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost"))


def _quieten() -> None:
    for name in TALKATIVE_LOGGERS:
        logger = logging.getLogger(name)
        if _no_requests not in logger.filters:
            logger.addFilter(_no_requests)


def _no_requests(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


class _Conversation:
    """One request over a connection of its own, which can be closed without disturbing another."""

    def __init__(self, model: ChatModel, *, seconds: float) -> None:
        self._model = model
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._transport = LimitedTransport(
            model.url, deadline=self._deadline, most_bytes=WIRE_BYTES_PER_BYTE * model.most_bytes
        )

    def close(self) -> None:
        """Ends the connection, and with it a thread that still waits for it."""
        self._transport.close()

    def result(self, messages: Sequence[Message]) -> str | CurioError:
        """The reply, or the error that stands for whatever went wrong."""
        try:
            return "".join(self._pieces(messages))
        except CurioError as problem:
            return problem
        except TooManyBytes:
            return self._too_large()
        except Exception as problem:  # noqa: BLE001 - what the providers' clients raise has no common root
            return self._failure(problem)

    def _pieces(self, messages: Sequence[Message]) -> Iterator[str]:
        from llama_index.core.llms import ChatMessage

        chat = [ChatMessage(role=message.role, content=message.text) for message in messages]
        seen = 0
        for piece in self._stream(chat):
            seen += len(piece.encode("utf-8", "surrogatepass"))
            if seen > self._model.most_bytes:
                raise self._too_large()
            if time.monotonic() > self._deadline:
                raise self._model.too_slow(self._seconds)
            yield piece

    def _stream(self, chat: Sequence[ChatMessage]) -> Iterator[str]:
        for chunk in self.open().stream_chat(chat):
            yield chunk.delta or ""

    def _too_large(self) -> MalformedDraft:
        return MalformedDraft(f"{self._model.name} sent more than {self._model.most_bytes} bytes.")

    def _failure(self, problem: Exception) -> WriterUnavailable:
        """Names the status or the kind of error, and nothing that the other side wrote: it may repeat the question."""
        causes = [problem, problem.__cause__ or problem.__context__]
        if any(isinstance(cause, TooManyBytes) for cause in causes):
            return WriterUnavailable(f"{self._model.name} sent too many bytes.")
        if time.monotonic() > self._deadline or any("Timeout" in type(cause).__name__ for cause in causes):
            return self._model.too_slow(self._seconds)
        status = getattr(problem, "status_code", None)
        what = f"answered with status {status}" if isinstance(status, int) and status > 0 else "could not be reached"
        if what == "could not be reached" and "Connect" not in "".join(type(cause).__name__ for cause in causes):
            what = "failed while it was answering"
        return WriterUnavailable(f"{self._model.name} {what} ({type(problem).__name__}).")

    def open(self) -> LLM:
        """The provider's class. Raises `ImportError` where it is not installed, `ValueError` for a name it refuses."""
        return {"anthropic": self._anthropic, "ollama": self._ollama}.get(self._model.provider, self._openai)()

    def _openai(self) -> LLM:
        import httpx
        from llama_index.llms.openai_like import OpenAILike
        from openai import NOT_GIVEN

        # Reasoning models refuse a temperature; those that serve elsewhere take it.
        own: dict[str, object] = {"temperature": NOT_GIVEN, "response_format": {"type": "json_object"}}
        llm: LLM = OpenAILike(
            model=self._model.model,
            api_base=self._model.url,
            api_key=self._model.key or "none",
            is_chat_model=True,
            temperature=0.0,
            additional_kwargs=own if self._model.provider == "openai" else {},
            max_retries=0,
            timeout=self._seconds,
            http_client=httpx.Client(transport=self._transport, timeout=self._seconds, follow_redirects=False),
            callback_manager=_no_callbacks(),
        )
        return llm

    def _anthropic(self) -> LLM:
        from llama_index.llms.anthropic import Anthropic

        llm: LLM = Anthropic(
            model=self._model.model,
            base_url=self._model.url,
            api_key=self._model.key,
            max_tokens=ANTHROPIC_TOKENS,
            temperature=0.0,
            max_retries=0,
            timeout=self._seconds,
            callback_manager=_no_callbacks(),
        )
        return llm

    def _ollama(self) -> LLM:
        from llama_index.llms.ollama import Ollama
        from ollama import Client

        llm: LLM = Ollama(
            model=self._model.model,
            base_url=self._model.url,
            temperature=0.0,
            context_window=OLLAMA_TOKENS,
            json_mode=True,
            request_timeout=self._seconds,
            client=Client(
                host=self._model.url, transport=self._transport, timeout=self._seconds, follow_redirects=False
            ),
            callback_manager=_no_callbacks(),
        )
        return llm


def _no_callbacks() -> CallbackManager:
    from llama_index.core.callbacks import CallbackManager

    manager = CallbackManager([])
    manager.set_handlers([])
    return manager
