"""The desk as text for people: the queue, one answer beside its sources, renewals and figures."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from curio_rag.faces.render import safe

if TYPE_CHECKING:
    from curio_rag.domain.training import TrainingScore
    from curio_rag.pipelines.precedents import Precedent
    from curio_rag.pipelines.review_queue import Waiting
    from curio_rag.pipelines.review_renewal import Renewable
    from curio_rag.pipelines.review_stats import ReviewerStats
    from curio_rag.pipelines.review_views import DeskView, ShownCitation, ShownSentence

WIDTH = 96
BESIDE = 110
"""Characters of the source shown on either side of a quote; --json gives more."""


def print_queue(waiting: Sequence[Waiting], *, limit: int) -> None:
    """A few lines for each of the first answers that wait, and how many there are."""
    for each in waiting[:limit]:
        marks = [each.urgency.value, each.outcome.value, f"waits {_for(each.waited)}"]
        if each.status.value != "awaiting_review":
            marks.append(each.status.value)
        if each.taken:
            marks.append(f"on the desk of {each.taken.name} until {each.taken.until:%H:%M} UTC")
        if each.addressed_to:
            marks.append(f"a reply to {each.addressed_to[1]}")
        print(f"{each.answer_id}  {safe(', '.join(marks))}")
        print(_wrap(safe(" ".join(each.question.split())[:300]), "    "))
        for reason in each.reasons:
            print(_wrap(safe(reason), "    ! "))
    more = f"; {len(waiting) - limit} more with --limit" if len(waiting) > limit else ""
    print(f"{len(waiting)} answers wait{more}")


def print_view(view: DeskView, precedents: Sequence[Precedent]) -> None:
    """The whole answer with its sources, then what is missing, then what a signature must name."""
    record = view.record
    answer, review = record.answer, record.review
    kind = f"{answer.urgency.value}, {answer.outcome.value}"
    print(f"{answer.id}, revision {review.revision}, {kind}: {review.status.value}")
    print(_wrap(safe(record.badge)))
    for reason in review.reasons:
        if reason not in record.badge:
            print(_wrap(safe(reason), "! "))
    print(f"\nQuestion (thread {record.thread_id})\n{_wrap(safe(record.question), '  ')}")
    if answer.advice:
        print(f"\nFixed advice\n{textwrap.indent(safe(answer.advice), '  ')}")
    if answer.reason:
        print(f"\nReason: {answer.reason.code}. {_wrap(safe(answer.reason.text), '  ').strip()}")
    heading = None
    for sentence in view.sentences:
        if sentence.heading != heading:
            heading = sentence.heading
            print(f"\n{safe(heading)}")
        _print_sentence(sentence)
    _print_missing(view)
    for note in view.notes:
        print(_wrap(safe(f"{note.kind.value} by {note.name}, {note.role}, {note.at:%Y-%m-%d %H:%M}: {note.text}")))
    if precedents:
        print("\nPrecedents (similar questions with an approved answer; similar is not the same)")
        for each in precedents:
            print(_wrap(safe(f"{each.answer_id}  {each.question} ({each.badge_name})"), "  "))
    if view.sign_blocked:
        print(f"\nCannot be approved as it stands: {safe(view.sign_blocked)}")
    print(f"\nconfirm with --yes {view.confirm}")


def _print_sentence(sentence: ShownSentence) -> None:
    lead = f"{sentence.number:>3}. "
    print(_wrap(safe(sentence.text), lead, " " * len(lead)))
    if sentence.warning:
        print(_wrap(safe(f"WARNING {sentence.warning.code}: {sentence.warning.text}"), "     ! "))
    for citation in sentence.citations:
        print(_wrap(safe(_around(citation)), "     | "))


def _around(shown: ShownCitation) -> str:
    citation = shown.citation
    place = " > ".join([citation.document_id, *citation.heading_path])
    page = f", p. {citation.page}" if citation.page else ""
    state = f"{shown.standing}, CHANGED SINCE" if shown.changed else shown.standing
    quote = " ".join(citation.quote.split())
    before, after = shown.before, shown.after
    if len(before) > BESIDE:
        before = "… " + before[-BESIDE:].partition(" ")[2]
    if len(after) > BESIDE:
        after = after[:BESIDE].rpartition(" ")[0] + " …"
    return f"{before} »{quote}« {after}".strip() + f" ({place}{page}; {state})"


def _print_missing(view: DeskView) -> None:
    answer = view.record.answer
    if answer.withheld:
        print("\nWithheld by the claim gate")
        for each in answer.withheld:
            print(_wrap(safe(f"{each.text} ({each.reason.code}: {each.reason.text})"), "  - ", "    "))
    for pair in answer.conflicts:
        for side in (pair.first, pair.second):
            print(_wrap(safe(f"sources differ: {' '.join(side.quote.split())} ({side.document_id})"), "! "))
    if answer.not_covered:
        print(f"\nNot covered: {safe(', '.join(answer.not_covered))}")
    if answer.incomplete:
        print("\nINCOMPLETE: a warning or a step is missing; approving takes --acknowledge-incomplete")


def print_renewable(found: Sequence[Renewable]) -> None:
    """One screen: the question, the words, and the digest that signs each again."""
    for each in found:
        print(f"{each.current.answer.id}  {safe(each.current.question.text)}")
        for reason in each.reasons:
            print(_wrap(safe(reason), "    "))
        for section in each.renewed.sections:
            for sentence in section.sentences:
                print(_wrap(safe(sentence.text), "    - ", "      "))
        print(f"    curio review renew {each.current.answer.id} --yes {each.subject_digest}")
    print(f"{len(found)} answers can be signed again; each takes its own confirmation")


def print_stats(found: Sequence[ReviewerStats]) -> None:
    """A few lines for each reviewer."""
    for each in found:
        print(f"{safe(each.name)} ({each.reviewer_id})")
        print(
            f"    approved {each.approved} ({each.unedited} unedited), rejected {each.rejected}, edits {each.edits}, "
            f"sentences struck {each.sentences_struck}, comments {each.comments}, refused {each.refused_attempts}"
        )
        if each.median_seconds is not None:
            print(f"    in view: median {each.median_seconds:.0f} s, fastest {each.fastest_seconds:.0f} s")
        if each.training:
            print(f"    training: {_score(each.training)}")
    print(f"{len(found)} reviewers")


def print_training_score(score: TrainingScore) -> None:
    """The catch rate over all training so far."""
    print(_score(score))


def _score(score: TrainingScore) -> str:
    if score.catch_rate is None or score.interval is None:
        return f"no wrong draft was shown yet; {score.good} good ones, {score.false_alarms} of them rejected"
    low, high = score.interval
    return (
        f"caught {score.caught} of {score.bad} wrong drafts ({score.catch_rate:.0%}, 95 % interval {low:.0%} to "
        f"{high:.0%}); rejected {score.false_alarms} of {score.good} good ones"
    )


def _for(waited: timedelta) -> str:
    minutes = int(waited.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} days"


def _wrap(text: str, lead: str = "", rest: str | None = None) -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=lead, subsequent_indent=lead if rest is None else rest, break_long_words=False
    )
