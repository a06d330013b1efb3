"""Identity is content: canonical JSON and tagged digests."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

import rfc8785

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
"""A value that JSON can hold."""

TAG = "sha256:"


def canonical_json(value: Json) -> bytes:
    """The one byte sequence that stands for a JSON value (RFC 8785, UTF-8)."""
    return rfc8785.dumps(cast("str", value))


def digest_bytes(content: bytes) -> str:
    """The tagged SHA-256 of some bytes: `sha256:` and 64 hexadecimal digits."""
    return TAG + hashlib.sha256(content).hexdigest()


def digest_text(text: str) -> str:
    """The tagged SHA-256 of a text's UTF-8 bytes."""
    return digest_bytes(text.encode("utf-8", "surrogatepass"))


def digest_json(value: Json) -> str:
    """The tagged SHA-256 of a value's canonical JSON."""
    return digest_bytes(canonical_json(value))


def keyed_digest(text: str, *, key: bytes) -> str:
    """HMAC-SHA-256 of a text under a secret key; without the key a short text cannot be guessed."""
    return "hmac-sha256:" + hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def short_id(prefix: str, *parts: Json) -> str:
    """A stable identifier: a prefix and the first 24 hexadecimal digits of the parts' digest."""
    return prefix + digest_json(list(parts)).removeprefix(TAG)[:24]
