"""`curio review`: the desk at the command line. Each decision is about one answer and takes its own confirmation."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curio_rag.errors import NotPermitted
from curio_rag.faces.render import print_json, safe
from curio_rag.faces.signing_prompt import (
    Json,
    PassphraseFile,
    ReviewerId,
    Yes,
    confirmation,
    knowledge_base,
    reviewer_id,
    signing_session,
)

if TYPE_CHECKING:
    from curio_rag.domain.review_status import Review
    from curio_rag.domain.training import TrainingDraft

review_app = typer.Typer(
    help="The desk: list, show, take, release, approve, edit, strike, reject, comment, clear, renew, stats, train.",
    no_args_is_help=True,
)
AnswerId = Annotated[str, typer.Argument(metavar="ANSWER", help="As `curio review list` names it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; the desk keeps it.")]


@review_app.command("list")
def list_waiting(
    context: typer.Context,
    mine: Annotated[str | None, typer.Option("--for", metavar="REVIEWER", help="Without what others have.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many are shown.")] = 20,
    as_json: Json = False,
) -> None:
    """List what waits, most urgent first, then oldest, and for how long.

    Example: curio review list
    """
    from curio_rag.faces.desk_text import print_queue

    with knowledge_base(context) as base:
        waiting = base.desk.queue()
    if mine:
        waiting = tuple(
            each
            for each in waiting
            if (each.taken is None or each.taken.reviewer_id == mine)
            and (each.addressed_to is None or each.addressed_to[0] == mine)
        )
    if as_json:
        print_json([each.to_dict() for each in waiting])
    else:
        print_queue(waiting, limit=limit)


@review_app.command("show")
def show_answer(
    context: typer.Context, answer_id: AnswerId, reviewer: ReviewerId = None, as_json: Json = False
) -> None:
    """Show an answer, each sentence beside its source, with every warning and what is missing.

    Example: curio review show a_0123 --as r_0123
    """
    from curio_rag.faces.desk_text import print_view

    with knowledge_base(context) as base:
        view = base.desk.show(answer_id, viewer=reviewer)
        precedents = base.desk.precedents(answer_id)
    if as_json:
        print_json({**view.to_dict(), "precedents": [each.to_dict() for each in precedents]})
    else:
        print_view(view, precedents)


@review_app.command()
def take(context: typer.Context, answer_id: AnswerId, reviewer: ReviewerId = None, as_json: Json = False) -> None:
    """Take an answer for half an hour, so that nobody else works on it unawares.

    Example: curio review take a_0123 --as r_0123
    """
    with knowledge_base(context) as base:
        _print_review(answer_id, base.desk.take(answer_id, reviewer_id=reviewer_id(reviewer)), as_json=as_json)


@review_app.command()
def release(context: typer.Context, answer_id: AnswerId, reviewer: ReviewerId = None, as_json: Json = False) -> None:
    """Put an answer back into the queue.

    Example: curio review release a_0123 --as r_0123
    """
    with knowledge_base(context) as base:
        _print_review(answer_id, base.desk.release(answer_id, reviewer_id=reviewer_id(reviewer)), as_json=as_json)


@review_app.command()
def approve(
    context: typer.Context,
    answer_id: AnswerId,
    acknowledge_incomplete: Annotated[
        bool, typer.Option("--acknowledge-incomplete", help="Approve although a warning or a step is missing.")
    ] = False,
    reviewer: ReviewerId = None,
    passphrase_file: PassphraseFile = None,
    yes: Yes = None,
    as_json: Json = False,
) -> None:
    """Sign one answer: these exact words over these exact sources, which are shown first unless --yes names them.

    Example: curio review approve a_0123 --as r_0123
    """
    from curio_rag.faces.desk_text import print_view

    with knowledge_base(context) as base:
        view = base.desk.show(answer_id)
        if yes is None and not as_json:
            print_view(view, ())
        confirm = confirmation(view.confirm, yes, what=f"Approve {answer_id}")
        session = signing_session(base, reviewer, passphrase_file)
        review = base.desk.approve(session, answer_id, confirm=confirm, acknowledge_incomplete=acknowledge_incomplete)
    _print_review(answer_id, review, as_json=as_json)


@review_app.command()
def reject(
    context: typer.Context,
    answer_id: AnswerId,
    reason: Reason,
    reviewer: ReviewerId = None,
    passphrase_file: PassphraseFile = None,
    yes: Yes = None,
    as_json: Json = False,
) -> None:
    """Sign that one answer must not be given out.

    Example: curio review reject a_0123 --reason "it is about another drug" --as r_0123
    """
    with knowledge_base(context) as base:
        confirm = confirmation(base.desk.show(answer_id).confirm, yes, what=f"Reject {answer_id}")
        session = signing_session(base, reviewer, passphrase_file)
        review = base.desk.reject(session, answer_id, confirm=confirm, reason=reason)
    _print_review(answer_id, review, as_json=as_json)


@review_app.command()
def strike(
    context: typer.Context,
    answer_id: AnswerId,
    numbers: Annotated[list[int], typer.Argument(metavar="SENTENCE...", help="Numbers, as `show` gives them.")],
    reason: Reason,
    reviewer: ReviewerId = None,
    passphrase_file: PassphraseFile = None,
    yes: Yes = None,
    as_json: Json = False,
) -> None:
    """Take sentences out, as a new revision that waits for its approval.

    Example: curio review strike a_0123 4 --reason "not on the question" --as r_0123
    """
    with knowledge_base(context) as base:
        confirm = confirmation(base.desk.show(answer_id).confirm, yes, what=f"Strike from {answer_id}")
        session = signing_session(base, reviewer, passphrase_file)
        review = base.desk.strike(session, answer_id, numbers=numbers, confirm=confirm, reason=reason)
    _print_review(answer_id, review, as_json=as_json)


@review_app.command()
def edit(
    context: typer.Context,
    answer_id: AnswerId,
    sentence: Annotated[int, typer.Option("--sentence", min=1, help="Its number, as `show` gives it.")],
    reason: Reason,
    text: Annotated[str | None, typer.Option("--text", help="The new words.")] = None,
    document: Annotated[str | None, typer.Option("--document", help="The document that it shall rest on.")] = None,
    quote: Annotated[str | None, typer.Option("--quote", help="The exact words there.")] = None,
    reviewer: ReviewerId = None,
    passphrase_file: PassphraseFile = None,
    yes: Yes = None,
    as_json: Json = False,
) -> None:
    """Change one sentence, as a new revision. The claim gate must let it pass; it waits for its approval.

    Example: curio review edit a_0123 --sentence 2 --text "..." --reason "plainer" --as r_0123
    """
    from curio_rag.pipelines.review_edits import SentenceEdit

    change = SentenceEdit(number=sentence, text=text, document_id=document, quote=quote)
    with knowledge_base(context) as base:
        confirm = confirmation(base.desk.show(answer_id).confirm, yes, what=f"Edit {answer_id}")
        session = signing_session(base, reviewer, passphrase_file)
        review = base.desk.edit(session, answer_id, edits=[change], confirm=confirm, reason=reason)
    _print_review(answer_id, review, as_json=as_json)


@review_app.command()
def comment(
    context: typer.Context,
    answer_id: AnswerId,
    text: Annotated[str, typer.Argument(help="Your words to the person who asked; - reads them from stdin.")],
    reviewer: ReviewerId = None,
    passphrase_file: PassphraseFile = None,
    yes: Yes = None,
    as_json: Json = False,
) -> None:
    """Sign words of your own; the thread shows them under your name and role, apart from the answer.

    Example: curio review comment a_0123 "Please call us on Monday." --as r_0123
    """
    words = sys.stdin.read() if text == "-" else text
    with knowledge_base(context) as base:
        confirm = confirmation(base.desk.show(answer_id).confirm, yes, what=f"Comment on {answer_id}")
        session = signing_session(base, reviewer, passphrase_file)
        base.desk.comment(session, answer_id, confirm=confirm, text=words)
        review = base.desk.record(answer_id).review
    _print_review(answer_id, review, as_json=as_json)


@review_app.command()
def clear(
    context: typer.Context,
    thread_id: Annotated[str, typer.Argument(metavar="THREAD", help="As `curio thread list` names it.")],
    reason: Reason,
    reviewer: ReviewerId = None,
    passphrase_file: PassphraseFile = None,
    yes: Yes = None,
    as_json: Json = False,
) -> None:
    """Sign that you have seen to the emergency of a thread; confirm it by the thread's id.

    Example: curio review clear t_0123 --reason "spoke to the family" --as r_0123
    """
    with knowledge_base(context) as base:
        if confirmation(thread_id, yes, what=f"The emergency of {thread_id} has been seen to") != thread_id:
            raise NotPermitted("The confirmation names another thread.", hint=f"Confirm it with --yes {thread_id}")
        base.desk.clear_emergency(signing_session(base, reviewer, passphrase_file), thread_id, reason=reason)
    if as_json:
        print_json({"thread_id": thread_id, "emergency": "cleared"})
    else:
        print(f"The emergency of {thread_id} is cleared.")


@review_app.command()
def renew(
    context: typer.Context,
    answer_id: Annotated[str | None, typer.Argument(metavar="[ANSWER]", help="One of the listed answers.")] = None,
    reviewer: ReviewerId = None,
    passphrase_file: PassphraseFile = None,
    yes: Yes = None,
    as_json: Json = False,
) -> None:
    """List lapsed answers whose words are unchanged in newly vetted sources; with one of them, sign it again.

    Example: curio review renew
    """
    from curio_rag.faces.desk_text import print_renewable

    with knowledge_base(context) as base:
        if answer_id is None:
            found = base.desk.renewable()
            if as_json:
                print_json([each.to_dict() for each in found])
            else:
                print_renewable(found)
            return
        digests = [each.subject_digest for each in base.desk.renewable() if each.current.answer.id == answer_id]
        confirm = confirmation(digests[0] if digests else "", yes, what=f"Sign {answer_id} again")
        session = signing_session(base, reviewer, passphrase_file)
        review = base.desk.renew(session, answer_id, confirm=confirm)
    _print_review(answer_id, review, as_json=as_json)


@review_app.command()
def stats(context: typer.Context, as_json: Json = False) -> None:
    """Show decisions, edits, strikes and time in view of each reviewer, and their catch rate in training.

    Example: curio review stats
    """
    from curio_rag.faces.desk_text import print_stats

    with knowledge_base(context) as base:
        found = base.desk.stats()
    if as_json:
        print_json([each.to_dict() for each in found])
    else:
        print_stats(found)


@review_app.command()
def train(
    context: typer.Context,
    drafts: Annotated[Path | None, typer.Option("--drafts", help="JSON Lines; by default the bundled ones.")] = None,
    count: Annotated[int, typer.Option("--count", min=1, max=200, help="How many drafts.")] = 10,
    seed: Annotated[int | None, typer.Option("--seed", help="For the same order again.")] = None,
    reviewer: ReviewerId = None,
    as_json: Json = False,
) -> None:
    """Practise on drafts of which about half are wrong on purpose; gives a catch rate. Nothing reaches a thread.

    Answer each with a (approve) or r (reject).

    Example: curio review train --count 10 --as r_0123
    """
    from curio_rag.faces.desk_text import print_training_score

    who = reviewer_id(reviewer)
    with knowledge_base(context) as base:
        for draft in base.desk.training_drafts(who, path=drafts, count=count, seed=seed):
            started = time.monotonic()
            approved = _ask_about(draft)
            result = base.desk.train(who, draft, approved=approved, seconds=time.monotonic() - started)
            verdict = "Right." if result.right else "Wrong."
            said = f"It was made wrong on purpose ({safe(draft.fault)})." if draft.bad else "Nothing was wrong with it."
            typer.echo(f"{verdict} {said}\n", err=True)
        score = base.desk.training_score(who)
    if as_json:
        print_json(score.to_dict())
    else:
        print_training_score(score)


def _ask_about(draft: TrainingDraft) -> bool:
    """Whether the draft was approved; anything but a or r is asked again, and an end of input stops."""
    question = f"{safe(draft.question)}\n" if draft.question else ""
    typer.echo(f"{question}  draft:  {safe(draft.text)}", err=True)
    typer.echo(f'  source: "{safe(draft.quote)}" ({safe(draft.source)})', err=True)
    while True:
        typer.echo("approve or reject [a/r]: ", err=True, nl=False)
        line = sys.stdin.readline()
        if not line:
            raise typer.Abort
        answer = line.strip().lower()
        if answer in ("a", "approve", "r", "reject"):
            return answer.startswith("a")


def _print_review(answer_id: str, review: Review, *, as_json: bool) -> None:
    from curio_rag.domain.reviews import badge_of

    if as_json:
        print_json(
            {
                "id": answer_id,
                "status": review.status.value,
                "revision": review.revision,
                "badge": badge_of(review),
                "taken_by": review.taken.name if review.taken else None,
            }
        )
        return
    taken = f" On the desk of {review.taken.name} until {review.taken.until:%H:%M} UTC." if review.taken else ""
    print(f"{answer_id}, revision {review.revision}: {review.status.value}. {safe(badge_of(review))}{safe(taken)}")
