"""How reviewers work, from the log alone: decisions, edits, strikes, and the time that an answer was in view.

Approving without an edit, fast and always, is how automation bias looks; the training queue tells
whether what is wrong would have been seen.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from curio_rag.domain.digests import Json
from curio_rag.domain.events import Event, EventKind
from curio_rag.domain.reviewers import Reviewer
from curio_rag.domain.sign_offs import SignOff
from curio_rag.domain.training import TrainingScore

OPENED = (EventKind.ANSWER_VIEWED, EventKind.ANSWER_TAKEN)
ONE_SITTING = timedelta(minutes=30)
"""Looks at one answer within this time are one sitting; the time in view runs from the first of them."""

DECIDED = (EventKind.ANSWER_APPROVED, EventKind.ANSWER_REJECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerStats:
    """The work of one reviewer.

    `unedited` counts approvals of words that nobody had edited. Seconds run from the reviewer's first look at an
    answer (show or take) in one sitting to the decision: an upper bound of the time in view, None without a look.
    """

    reviewer_id: str
    name: str
    approved: int
    unedited: int
    rejected: int
    edits: int
    sentences_struck: int
    comments: int
    refused_attempts: int
    median_seconds: float | None
    fastest_seconds: float | None
    training: TrainingScore | None

    def to_dict(self) -> dict[str, Json]:
        """As `curio review stats --json` shows it."""
        return {
            "reviewer_id": self.reviewer_id,
            "name": self.name,
            "approved": self.approved,
            "approved_unedited": self.unedited,
            "rejected": self.rejected,
            "edits": self.edits,
            "sentences_struck": self.sentences_struck,
            "comments": self.comments,
            "refused_attempts": self.refused_attempts,
            "median_seconds_in_view": self.median_seconds,
            "fastest_seconds_in_view": self.fastest_seconds,
            "training": self.training.to_dict() if self.training else None,
        }


@dataclass(slots=True)
class _Tally:
    counts: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def add(self, name: str, count: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + count


def stats_of(
    events: Iterable[Event], reviewers: Iterable[Reviewer], training: Iterable[TrainingScore]
) -> tuple[ReviewerStats, ...]:
    """One line for every reviewer, by name; `events` are in order of the chain."""
    tallies: dict[str, _Tally] = {}
    opened: dict[tuple[str, str], datetime] = {}
    edited: set[str] = set()
    for event in events:
        who = event.text("reviewer")
        if event.kind in OPENED:
            known = opened.get((who, event.subject))
            if known is None or event.time - known > ONE_SITTING:
                opened[who, event.subject] = event.time
        elif event.kind == EventKind.ATTEMPT_REFUSED:
            tallies.setdefault(who, _Tally()).add("refused")
        else:
            _count(event, tallies, opened, edited)
    scores = {score.reviewer_id: score for score in training}
    ordered = sorted(reviewers, key=lambda reviewer: (reviewer.name, reviewer.id))
    return tuple(_stats(each, tallies.get(each.id, _Tally()), scores.get(each.id)) for each in ordered)


def _count(event: Event, tallies: dict[str, _Tally], opened: dict[tuple[str, str], datetime], edited: set[str]) -> None:
    sign_off = SignOff.of(event)
    if sign_off is None:
        return
    tally = tallies.setdefault(sign_off.reviewer_id, _Tally())
    if event.kind == EventKind.ANSWER_EDITED and not event.payload.get("carried"):
        struck = event.payload.get("struck")
        struck = struck if isinstance(struck, int) else 0
        tally.add("struck", struck)
        tally.add("edits", 0 if struck else 1)
        edited.add(event.subject)
    elif event.kind == EventKind.ANSWER_COMMENTED:
        tally.add("comments")
    elif event.kind in DECIDED:
        tally.add(event.kind)
        if event.kind == EventKind.ANSWER_APPROVED and event.subject not in edited:
            tally.add("unedited")
        since = opened.pop((sign_off.reviewer_id, event.subject), None)
        if since is not None:
            tally.seconds.append((event.time - since).total_seconds())


def _stats(reviewer: Reviewer, tally: _Tally, training: TrainingScore | None) -> ReviewerStats:
    counts, seconds = tally.counts, sorted(tally.seconds)
    median = statistics.median(seconds) if seconds else None
    return ReviewerStats(
        reviewer_id=reviewer.id,
        name=reviewer.name,
        approved=counts.get(EventKind.ANSWER_APPROVED, 0),
        unedited=counts.get("unedited", 0),
        rejected=counts.get(EventKind.ANSWER_REJECTED, 0),
        edits=counts.get("edits", 0),
        sentences_struck=counts.get("struck", 0),
        comments=counts.get("comments", 0),
        refused_attempts=counts.get("refused", 0),
        median_seconds=median,
        fastest_seconds=seconds[0] if seconds else None,
        training=training,
    )
