"""`curio thread`: conversations as they stand, with badges and the clinicians' own words."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from curio_rag.domain.reviews import Audience
from curio_rag.faces.render import print_json, safe
from curio_rag.faces.signing_prompt import Json, knowledge_base

if TYPE_CHECKING:
    from curio_rag.domain.threads import Exchange, Thread

thread_app = typer.Typer(help="Conversations: list, show.", no_args_is_help=True)


@thread_app.command("list")
def list_threads(context: typer.Context, as_json: Json = False) -> None:
    """List the conversations, newest first.

    Example: curio thread list
    """
    with knowledge_base(context) as base:
        found = base.desk.threads()
    if as_json:
        print_json([{"thread_id": each, "opened_at": at.isoformat(), "questions": n} for each, at, n in found])
        return
    for thread_id, opened_at, questions in found:
        print(f"{thread_id}  {opened_at:%Y-%m-%d %H:%M}  {questions} questions")
    print(f"{len(found)} threads")


@thread_app.command("show")
def show_thread(
    context: typer.Context,
    thread_id: Annotated[str, typer.Argument(help="As `curio thread list` names it.")],
    audience: Annotated[Audience, typer.Option("--audience", help="Who will read it.")] = Audience.REVIEWER,
    as_json: Json = False,
) -> None:
    """Show a conversation: questions, answers with their badges, comments under name and role.

    Example: curio thread show t_0123 --audience asker
    """
    with knowledge_base(context) as base:
        thread = base.desk.thread(thread_id)
    if as_json:
        print_json(thread.to_dict(audience=audience))
    else:
        print_thread(thread, audience=audience)


def print_thread(thread: Thread, *, audience: Audience) -> None:
    """The conversation as text for people."""
    print(f"Thread {thread.id}, opened {thread.opened_at:%Y-%m-%d %H:%M} UTC")
    for exchange in thread.exchanges:
        _print_exchange(exchange, audience=audience)


def _print_exchange(exchange: Exchange, *, audience: Audience) -> None:
    question = exchange.question
    to = f" (a reply to {exchange.addressed_to[1]})" if exchange.addressed_to else ""
    print(f"\nQuestion, {question.asked_at:%Y-%m-%d %H:%M}{safe(to)}")
    print(textwrap.indent(safe(question.text), "  "))
    record = exchange.record
    print(f"\n{safe(record.assistant)}, AI first responder. {safe(record.badge)}")
    sys.stdout.write(textwrap.indent(record.text_for(audience), "  "))
    for comment in exchange.comments:
        print(f"\n{safe(comment.name)}, {comment.role}, {comment.at:%Y-%m-%d %H:%M} (own words, not from the library)")
        print(textwrap.indent(textwrap.fill(safe(comment.text), 76), "  "))
