"""An OpenAI-compatible server on loopback whose replies a test writes down beforehand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

Script = Callable[["Exchange"], None]


@dataclass(kw_only=True)
class Passage:
    """A passage as the model is shown it."""

    key: str
    text: str


class Exchange:
    """One request, and the ways to answer it."""

    def __init__(self, handler: BaseHTTPRequestHandler, body: dict[str, object]) -> None:
        self.handler = handler
        self.body = body

    @property
    def messages(self) -> list[dict[str, str]]:
        messages = self.body["messages"]
        assert isinstance(messages, list)
        return messages

    @property
    def data(self) -> dict[str, object]:
        """The question and the passages."""
        data: dict[str, object] = json.loads(self.messages[1]["content"])
        return data

    @property
    def passages(self) -> list[Passage]:
        passages = self.data["passages"]
        assert isinstance(passages, list)
        return [Passage(key=each["key"], text=each["text"]) for each in passages]

    def passage(self, words: str) -> Passage:
        """The passage that holds some words."""
        return next(each for each in self.passages if words in each.text)

    def begin(self, status: int = 200, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        self.handler.send_response(status)
        for name, value in {"Content-Type": "text/event-stream", "Connection": "close", **headers}.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()

    def send(self, text: str) -> None:
        """One event of the stream."""
        delta = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
        event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [delta]}
        self.write(f"data: {json.dumps(event)}\n\n")

    def write(self, text: str) -> None:
        self.handler.wfile.write(text.encode())
        self.handler.wfile.flush()

    def reply(self, text: str) -> None:
        """A whole reply, in pieces as models send them."""
        self.begin()
        for start in range(0, len(text), 64):
            self.send(text[start : start + 64])
        self.write("data: [DONE]\n\n")


@dataclass(kw_only=True)
class ModelServer:
    """Where the server is, what it will answer, and what it was sent."""

    url: str
    scripts: list[Script] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """Serves until the block ends; a request beyond the scripts gets the status 500."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            exchange = Exchange(self, body)
            known.exchanges.append(exchange)
            script = known.scripts.pop(0) if known.scripts else (lambda each: each.begin(500))
            try:
                script(exchange)
            except OSError:
                self.close_connection = True  # the other side has hung up, as it should

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    known = ModelServer(url=f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        known.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
