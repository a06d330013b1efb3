"""An opened key between two commands of one terminal, for some minutes.

The key is sealed under a random token in a file of mode 0600; the token is printed once for the environment of the
terminal (`CURIO_SESSION`) and stored nowhere. Neither the file nor the token alone opens anything, the
expiry is authenticated with the key, and closing the session removes the file. A process that can read the memory
or the environment of the signer's own processes is beyond what this can defend against.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from curio_rag.adapters.signing import SigningKey, write_private
from curio_rag.domain.digests import Json, canonical_json
from curio_rag.errors import SessionExpired

HINT = 'Open one: eval "$(curio reviewer unlock REVIEWER)", or give --passphrase-file.'


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """What a token opens."""

    reviewer_id: str
    key: SigningKey
    opened_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStore:
    """The session files of one user for one knowledge base, in the runtime folder of the system where there is one."""

    folder: Path
    clock: Callable[[], datetime]

    @classmethod
    def beside(cls, index_folder: Path, *, clock: Callable[[], datetime]) -> SessionStore:
        """In `XDG_RUNTIME_DIR`, which is memory and goes at logout, otherwise in the index folder."""
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        place = Path(runtime) / "curio" if runtime and Path(runtime).is_dir() else index_folder / "sessions"
        return cls(folder=place, clock=clock)

    def save(self, session: StoredSession) -> str:
        """Seals the session in a file; the token that opens it."""
        name, secret, nonce = secrets.token_hex(8), secrets.token_bytes(32), secrets.token_bytes(12)
        public: dict[str, Json] = {
            "version": 1,
            "reviewer": session.reviewer_id,
            "opened_at": session.opened_at.isoformat(),
            "expires_at": session.expires_at.isoformat(),
            "nonce": base64.b64encode(nonce).decode(),
        }
        sealed = AESGCM(secret).encrypt(nonce, session.key.raw(), canonical_json(public))
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = json.dumps({**public, "sealed": base64.b64encode(sealed).decode()}).encode()
        write_private(self._path(name), content)
        return f"{name}.{base64.urlsafe_b64encode(secret).decode()}"

    def load(self, token: str) -> StoredSession:
        """Raises `SessionExpired` for a token that opens nothing, or nothing any more; the file goes with its time."""
        name, _, secret = token.partition(".")
        try:
            stored = json.loads(self._path(name).read_bytes())
            sealed = base64.b64decode(stored.pop("sealed"))
            box = AESGCM(base64.urlsafe_b64decode(secret))
            raw = box.decrypt(base64.b64decode(stored["nonce"]), sealed, canonical_json(stored))
            session = StoredSession(
                reviewer_id=stored["reviewer"],
                key=SigningKey.from_raw(raw),
                opened_at=datetime.fromisoformat(stored["opened_at"]),
                expires_at=datetime.fromisoformat(stored["expires_at"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, InvalidTag):
            raise SessionExpired("The token in CURIO_SESSION opens no signing session.", hint=HINT) from None
        if self.clock() >= session.expires_at:
            self.close(token)
            raise SessionExpired(f"The signing session ended at {session.expires_at:%H:%M} UTC.", hint=HINT)
        return session

    def close(self, token: str) -> None:
        """Removes the file; closing twice is no error."""
        self._path(token.partition(".")[0]).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if not name.isalnum():
            raise SessionExpired("The token in CURIO_SESSION is malformed.", hint=HINT)
        return self.folder / f"session-{name}.json"
