"""Writing with a writer in reserve: what a language model does not deliver, the extractive writer does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curio_rag.domain.answers import AnswerLength, Draft, Evidence, Reason
from curio_rag.errors import WriterError
from curio_rag.ports import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A draft, the name of the writer that wrote it, and why it was not the configured one, if it was not."""

    draft: Draft
    writer: str
    fallback: Reason | None = None


def write_draft(
    writer: Writer, standby: Writer, question: str, evidence: Sequence[Evidence], length: AnswerLength
) -> Written:
    """The draft of the writer, or of the one that stands by when the first is unavailable or writes no draft.

    Raises what the writer that stands by raises.
    """
    try:
        return Written(draft=writer.write(question, evidence, length=length), writer=writer.name)
    except WriterError as problem:
        if writer.name == standby.name:
            raise
        reason = Reason(code=problem.code, text=problem.message)
        return Written(draft=standby.write(question, evidence, length=length), writer=standby.name, fallback=reason)


def write_instead(
    first: Written, standby: Writer, question: str, evidence: Sequence[Evidence], length: AnswerLength
) -> Written | None:
    """The other writer's draft where the claim gate kept back every sentence of the first; None where it has none.

    A draft without sentences needs no other: its writer found that the evidence does not answer.
    """
    if first.writer == standby.name or not first.draft.sections:
        return None
    reason = Reason(code="nothing_supported", text=f"No sentence of {first.writer} passed the claim gate.")
    return Written(draft=standby.write(question, evidence, length=length), writer=standby.name, fallback=reason)
