"""The section of an answer that explains words, and the lines of a glossary that it is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass

EXPLAINED = "Words in this answer"
"""The heading of the section."""

_LINE = re.compile(r"(?P<name>[^():]+?)(?: \([^()]*\))?: (?P<meaning>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A word and what it means."""

    name: str
    meaning: str


def explanation_of(line: str) -> Explanation | None:
    """What a line such as "Apheresis (also: leukapheresis): a machine takes ..." explains; None for another line."""
    found = _LINE.fullmatch(line)
    return Explanation(name=found["name"].strip(), meaning=found["meaning"]) if found else None
