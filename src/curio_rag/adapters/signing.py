"""Ed25519 keys of reviewers: made, sealed under a passphrase, opened, used and checked.

A sealed key is one small JSON file, mode 0600: scrypt (RFC 7914) over the passphrase gives the key of an
AES-256-GCM box, and the public fields beside it are authenticated with it. `cryptography` is imported
here and in `signing_sessions.py` alone, when something is signed or checked: asking never needs it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from curio_rag.domain.digests import Json, canonical_json
from curio_rag.errors import NotPermitted, ReviewError, WrongPassphrase

SHORTEST_PASSPHRASE = 12
"""Characters. NIST SP 800-63B-4 asks for 15 where a password is the only factor, and for 8 beside another; here the
sealed file is the other."""

COST = 2**17
"""N of scrypt with r = 8, p = 1: OWASP's password storage guidance, 128 MiB and some tenths of a second."""


class SigningKey:
    """An opened private key; it lives in memory only."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        raw = private.public_key().public_bytes_raw()
        self.public_key = base64.b64encode(raw).decode()
        self.key_id = key_id_of(self.public_key)

    @classmethod
    def new(cls) -> SigningKey:
        """A fresh key from the operating system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_raw(cls, raw: bytes) -> SigningKey:
        """The key with these 32 private bytes."""
        return cls(Ed25519PrivateKey.from_private_bytes(raw))

    def raw(self) -> bytes:
        """The 32 private bytes; for sealing only."""
        return self._private.private_bytes_raw()

    def sign(self, message: bytes) -> str:
        """The signature of a message (RFC 8032), in base64."""
        return base64.b64encode(self._private.sign(message)).decode()


def key_id_of(public_key: str) -> str:
    """The name of a public key: `k_` and the first 24 hexadecimal digits of its SHA-256."""
    return "k_" + hashlib.sha256(base64.b64decode(public_key)).hexdigest()[:24]


def verify_signature(public_key: str, message: bytes, signature: str) -> bool:
    """Whether the key made this signature of this message; False for anything that is no key or no signature."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVault:
    """The sealed private keys of one knowledge base, a file each."""

    folder: Path
    cost: int = COST

    def make(self, reviewer_id: str, passphrase: str) -> SigningKey:
        """A new key, sealed under the passphrase. Raises `NotPermitted` for a passphrase that is too short."""
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise NotPermitted(
                f"The passphrase has {len(passphrase)} characters; at least {SHORTEST_PASSPHRASE} are needed.",
                hint="Some words in a row are easy to remember.",
            )
        key = SigningKey.new()
        public: dict[str, Json] = {
            "version": 1,
            "reviewer": reviewer_id,
            "key_id": key.key_id,
            "public_key": key.public_key,
            "kdf": {"name": "scrypt", "n": self.cost, "r": 8, "p": 1, "salt": _encode(secrets.token_bytes(16))},
            "nonce": _encode(secrets.token_bytes(12)),
        }
        box = _box(public, passphrase)
        sealed = box.encrypt(_decode(public["nonce"]), key.raw(), canonical_json(public))
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self._path(key.key_id), json.dumps({**public, "sealed": _encode(sealed)}, indent=1).encode())
        return key

    def unlock(self, key_id: str, passphrase: str) -> SigningKey:
        """Raises `WrongPassphrase`, and `ReviewError` when the file is missing or was changed."""
        try:
            stored = json.loads(self._path(key_id).read_bytes())
            sealed = _decode(stored.pop("sealed"))
            box, nonce, public = _box(stored, passphrase), _decode(stored["nonce"]), canonical_json(stored)
        except FileNotFoundError:
            raise ReviewError(
                f"The private key {key_id} is not in {self.folder}.", hint="Sign where it was made, or add a new key."
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
            raise ReviewError(f"The key file of {key_id} cannot be read.", hint="Restore it from a copy.") from problem
        try:
            key = SigningKey.from_raw(box.decrypt(nonce, sealed, public))
        except InvalidTag:
            raise WrongPassphrase(f"The passphrase does not open the key {key_id}.", hint="Try again.") from None
        if key.key_id != key_id:
            raise ReviewError(f"The key file of {key_id} holds another key.", hint="Restore it from a copy.")
        return key

    def _path(self, key_id: str) -> Path:
        return self.folder / f"{key_id}.json"


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    aside.replace(path)


def _box(public: dict[str, Json], passphrase: str) -> AESGCM:
    kdf = public["kdf"]
    if not isinstance(kdf, dict) or kdf.get("name") != "scrypt":
        raise ValueError("the key derivation is unknown")
    cost = int(kdf["n"])
    derived = hashlib.scrypt(
        passphrase.encode("utf-8"),
        salt=_decode(kdf["salt"]),
        n=cost,
        r=int(kdf["r"]),
        p=int(kdf["p"]),
        maxmem=256 * cost * int(kdf["r"]),
        dklen=32,
    )
    return AESGCM(derived)


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _decode(text: object) -> bytes:
    return base64.b64decode(str(text), validate=True)
