"""HTTP that ends: at a moment in time, and after a number of bytes."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator

import httpx


class TooManyBytes(Exception):
    """The other side sent more than it may."""


class _LimitedStream(httpx.SyncByteStream):
    """A response's bytes, counted; slow ones end at the deadline although each of them comes in time."""

    def __init__(self, stream: httpx.SyncByteStream, *, deadline: float, most_bytes: int) -> None:
        self._stream = stream
        self._deadline = deadline
        self._most_bytes = most_bytes

    def __iter__(self) -> Iterator[bytes]:
        seen = 0
        for chunk in self._stream:
            seen += len(chunk)
            if seen > self._most_bytes:
                raise TooManyBytes
            if time.monotonic() > self._deadline:
                raise httpx.ReadTimeout("the reply was not finished in time")
            yield chunk

    def close(self) -> None:
        self._stream.close()


class LimitedTransport(httpx.BaseTransport):
    """Sends requests as httpx does and limits what comes back."""

    def __init__(self, url: str, *, deadline: float, most_bytes: int) -> None:
        """`deadline` is a time of `time.monotonic`, in seconds; a proxy of the environment is used as usual."""
        self._transport = httpx.HTTPTransport(proxy=_proxy_for(httpx.URL(url)))
        self._deadline = deadline
        self._most_bytes = most_bytes

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._transport.handle_request(request)
        stream = response.stream
        assert isinstance(stream, httpx.SyncByteStream)  # as every response of a synchronous transport
        limited = _LimitedStream(stream, deadline=self._deadline, most_bytes=self._most_bytes)
        return httpx.Response(response.status_code, headers=response.headers, stream=limited, request=request)

    def close(self) -> None:
        self._transport.close()


def _proxy_for(url: httpx.URL) -> str | None:
    if urllib.request.proxy_bypass(url.host):
        return None
    return urllib.request.getproxies().get(url.scheme)
