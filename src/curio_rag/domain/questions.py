"""What is asked, how urgent it is, and the conversation that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

EMERGENCY = "emergency"
DECISIONS = ("dosing_change", "diagnosis_request", "treatment_choice")
"""Personal decisions, which belong to a clinician."""

OTHER_LANGUAGE = "unsupported_language"
POLICY = "policy"
"""Codes of `Triage`, beside `minor`."""


class Urgency(StrEnum):
    """How soon a person must act on a question."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    ROUTINE = "routine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question in its asker's own words; the text is health information and is stored in one place only."""

    id: str
    thread_id: str
    text: str
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An earlier question of a thread, and the titles of the sources that its answer cites, most important first."""

    question: str
    titles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """What a question needs before anything is looked up.

    `code` is None for a question that may simply be answered, otherwise one of the codes of a
    referral: `EMERGENCY`, one of `DECISIONS`, `minor`, `OTHER_LANGUAGE`; or `POLICY` where the message
    tells the service how to behave and asks no clinician for anything.
    `group` names the kind of emergency, and `groups` every kind that was noticed where there are several.
    `advice` is fixed text from the emergency card, shown at once to everybody; empty where there is none.
    `reason` says in plain words what was noticed, without repeating the question.
    """

    urgency: Urgency = Urgency.ROUTINE
    code: str | None = None
    group: str | None = None
    advice: str = ""
    reason: str = ""
    groups: tuple[str, ...] = ()
