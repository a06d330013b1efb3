"""The values of an audit: the head of the chain, what lies stored, and what was found."""

from __future__ import annotations

from dataclasses import dataclass

from curio_rag.domain.digests import Json
from curio_rag.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of the chain at some moment: kept elsewhere, it shows that nothing was cut off or rewritten since."""

    position: int
    digest: str

    def to_dict(self) -> dict[str, Json]:
        """As `curio audit head --json` prints it."""
        return {"position": self.position, "digest": self.digest}

    @classmethod
    def parse(cls, text: str) -> Head:
        """From `POSITION:DIGEST`, as `curio audit head` prints it. Raises `ConfigError`."""
        position, _, digest = text.strip().partition(":")
        if not (position.isascii() and position.isdigit() and digest.startswith("sha256:") and len(digest) == 71):
            raise ConfigError(
                "A head is POSITION:sha256:DIGITS, as `curio audit head` prints it.", hint="Give the line as it was."
            )
        return cls(position=int(position), digest=digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRevision:
    """One revision of an answer as it lies in the ledger: digests of its bytes and of its content."""

    answer_id: str
    revision: int
    body_digest: str
    content_digest: str
    outcome: str
    urgency: str
    citations: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What was looked at and what is wrong; nothing wrong is an empty `findings`."""

    events: int
    signatures: int
    head: Head
    findings: tuple[str, ...]

    def to_dict(self) -> dict[str, Json]:
        """As `curio audit verify --json` prints it."""
        return {
            "ok": not self.findings,
            "events": self.events,
            "signatures": self.signatures,
            "head": self.head.to_dict(),
            "findings": list(self.findings),
        }
