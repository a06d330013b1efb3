"""What the claim gate is asked and what it says, apart from any answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from curio_rag.domain.answers import Reason
from curio_rag.domain.digests import Json
from curio_rag.errors import EvalError


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceText:
    """A text that a sentence may rest on, and the title that it stands under."""

    text: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedWords:
    """Words that a sentence cites, and the document that they are said to stand in."""

    document_id: str
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """A sentence to check: against quotes of the knowledge base, or against texts that are given with it."""

    id: str
    text: str
    citations: tuple[QuotedWords, ...] | None = None
    evidence: tuple[EvidenceText, ...] | None = None

    @classmethod
    def from_dict(cls, row: Mapping[str, object], *, where: str) -> ClaimRow:
        """Reads one row of JSON; raises `EvalError` naming `where` and the field for anything malformed."""
        if ("citations" in row) == ("evidence" in row):
            raise EvalError(f"{where}: a row has either “citations” or “evidence”.", hint=SHAPE)
        citations = evidence = None
        if "citations" in row:
            citations = tuple(
                QuotedWords(document_id=_text(each, "document_id", where), quote=_text(each, "quote", where))
                for each in _list(row, "citations", where)
            )
        else:
            evidence = tuple(
                EvidenceText(text=_text(each, "text", where), title=_text(each, "title", where, default=""))
                for each in _list(row, "evidence", where)
            )
        return cls(id=_text(row, "id", where), text=_text(row, "text", where), citations=citations, evidence=evidence)


SHAPE = (
    'A row is {"id", "text", "citations": [{"document_id", "quote"}]} '
    'or {"id", "text", "evidence": [{"title", "text"}]}.'
)


def _text(row: Mapping[str, object], field: str, where: str, *, default: str | None = None) -> str:
    value = row.get(field, default)
    if field == "id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise EvalError(f"{where}: “{field}” is missing or is not a text.", hint=SHAPE)
    return value


def _list(row: Mapping[str, object], field: str, where: str) -> list[Mapping[str, object]]:
    value = row[field]
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise EvalError(f"{where}: “{field}” is not a list of objects.", hint=SHAPE)
    return cast("list[Mapping[str, object]]", value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the gate found of one sentence: no reasons when it is supported, the gravest first otherwise.

    `coverage` is the part (0 to 1) of the meaningful words that the aligned source has;
    `aligned` is that source: the sentences nearest to it, in the source's own words.
    """

    reasons: tuple[Reason, ...]
    coverage: float
    aligned: str

    @property
    def supported(self) -> bool:
        """Whether the sentence may be shown."""
        return not self.reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedClaim:
    """The answer to one row."""

    id: str
    judgement: Judgement

    def to_dict(self) -> dict[str, Json]:
        """As `curio claims --json` prints it; `quote` is what stands nearest in the source."""
        found = self.judgement
        return {
            "id": self.id,
            "verdict": "supported" if found.supported else "withheld",
            "reasons": [{"code": reason.code, "text": reason.text} for reason in found.reasons],
            "quote": found.aligned,
            "coverage": round(found.coverage, 3),
        }
