"""`curio audit`: prove that the log is whole, keep its head elsewhere, hand it out."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from curio_rag.domain.audit import Head
from curio_rag.faces.render import print_json, safe
from curio_rag.faces.signing_prompt import Json, knowledge_base

audit_app = typer.Typer(help="The audit log: verify, head, export.", no_args_is_help=True)


@audit_app.command()
def verify(
    context: typer.Context,
    head: Annotated[
        str | None, typer.Option("--head", metavar="POSITION:DIGEST", help="A head that was printed earlier.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check every link, every signature and every stored word; with a head, that nothing was cut off since.

    Example: curio audit verify --head 120:sha256:...
    """
    with knowledge_base(context) as base:
        report = base.desk.audit(head=Head.parse(head) if head else None)
    if as_json:
        print_json(report.to_dict())
    else:
        for finding in report.findings:
            print(safe(finding))
        wrong = f"{len(report.findings)} problems" if report.findings else "all is well"
        print(f"{report.events} events, {report.signatures} signatures: {wrong}.")
    if report.findings:
        raise typer.Exit(1)


@audit_app.command("head")
def show_head(context: typer.Context, as_json: Json = False) -> None:
    """Print the head of the log. Kept elsewhere, it shows later that nothing was cut off or rewritten.

    Example: curio audit head
    """
    with knowledge_base(context) as base:
        head = base.desk.head()
    if as_json:
        print_json(head.to_dict())
    else:
        print(f"{head.position}:{head.digest}")


@audit_app.command()
def export(
    context: typer.Context,
    after: Annotated[int, typer.Option("--after", min=0, help="Only events after this position.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="It is JSON lines either way.")] = False,
) -> None:
    """Print every event as a line of JSON, as it is stored.

    Example: curio audit export > audit.jsonl
    """
    with knowledge_base(context) as base:
        events = base.desk.export()
    for event in events:
        if event.position > after:
            sys.stdout.write(json.dumps(event.to_dict(), ensure_ascii=False, sort_keys=True) + "\n")
