"""Gold cases: what a right answer to a question must hold, and where it stands in the documents."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from curio_rag.domain.answers import Outcome
from curio_rag.domain.questions import Urgency

REASON_CODES: dict[Outcome, tuple[str, ...]] = {
    Outcome.DRAFTED: (),
    Outcome.ABSTAINED: ("out_of_scope", "no_evidence", "policy"),
    Outcome.REFERRED: ("emergency", "dosing_change", "diagnosis_request", "treatment_choice", "minor"),
}
"""The codes that each outcome may carry in `reason.code`."""

_ROOM = re.compile(r"(?<=\d)\s+(?=[°%])|(?<=[£$])\s+(?=\d)")
_DROPPED = re.compile(r"(?<!\d)[.,]|[.,](?!\d)|(?<!\d)[%°]|[£$](?!\d)|[^\w\s.,%°£$]|_")


class Split(StrEnum):
    """What a case may be used for: tuning looks at development only."""

    DEVELOPMENT = "development"
    TEST = "test"


DEVELOPMENT = (Split.DEVELOPMENT,)
"""What is run where nothing else is asked for."""


class Wording(StrEnum):
    """How a question is written."""

    PLAIN = "plain"
    CHATTY = "chatty"
    MISSPELT = "misspelt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What should become of a question; `codes` are the accepted reasons, any of which is right.

    `group` names the kind of emergency (`domain.emergency.GROUPS`) and is None otherwise.
    """

    outcome: Outcome
    codes: tuple[str, ...] = ()
    urgency: Urgency = Urgency.ROUTINE
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFact:
    """One thing that a right answer conveys, and strings of which any one shows that it does.

    Without strings it is judged by its words, figures and negation (`pipelines.fact_check`).
    """

    fact: str
    wordings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldEvidence:
    """Where an answer stands: a document and its exact words, so that gold survives another splitter."""

    document_id: str
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTags:
    """By what results are broken down; `type` is the kind of question, such as `side_effects`."""

    topic: str
    type: str
    wording: Wording
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalCase:
    """One question with what is expected of its answer; `previous` are the questions asked before it in the thread.

    `must_say` has to stand in the answer and `must_not_say` must not, both after `normalise`.
    `file` and `line` say where the case was read and do not take part in comparison.
    """

    id: str
    split: Split
    question: str
    expected: Expected
    tags: CaseTags
    previous: tuple[str, ...] = ()
    facts: tuple[KeyFact, ...] = ()
    evidence: tuple[GoldEvidence, ...] = ()
    must_say: tuple[str, ...] = ()
    must_not_say: tuple[str, ...] = ()
    clinician_confirmed: bool = False
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldProblem:
    """What is wrong with a gold case, and where; it prints as `file:line: message`."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def split_facts(answer: str) -> tuple[str, ...]:
    """The sentences and list items of a plain gold answer, each one fact; what only leads in to a list is none."""
    lines = re.split(r"\n+\s*(?:[-*•]|\d{1,2}[.)])?\s*", answer)
    pieces = (piece.strip() for line in lines for piece in re.split(r"(?<=[.!?])\s+(?=[A-Z0-9“\"(])|;\s+", line))
    return tuple(piece for piece in pieces if normalise(piece) and not piece.endswith(":"))


def normalise(text: str) -> str:
    """Lower case, white space collapsed, every mark dropped that does not belong to a number.

    A full stop or comma stays between two digits, `%` and `°` after a digit and `£` and `$` before
    one, white space between such a sign and its digit taken out. Every other mark counts as white space,
    so "CAR-T" and "CAR T" are equal and "2–4" does not become "24".
    """
    return " ".join(_DROPPED.sub(" ", _ROOM.sub("", text.lower())).split())


def holds(text: str, wording: str) -> bool:
    """Whether a wording stands in a text, both normalised, from the start of a word and with its numbers whole.

    "2 weeks" does not stand in "12 weeks", nor "38" in "38.5"; "infection" does in "infections".
    An empty wording stands nowhere.
    """
    return stands_in(normalise(text), wording)


def stands_in(normalised: str, wording: str) -> bool:
    """The same as `holds`, of a text that is normalised already."""
    wanted = normalise(wording)
    pattern = rf"(?<!\w)(?<!\d[.,]){re.escape(wanted)}(?![.,]?\d)"
    return bool(wanted) and re.search(pattern, normalised) is not None


def covers(text: str, fact: KeyFact) -> bool:
    """Whether a text conveys a fact: any of the fact's wordings stands in it."""
    normalised = normalise(text)
    return any(stands_in(normalised, wording) for wording in fact.wordings)
