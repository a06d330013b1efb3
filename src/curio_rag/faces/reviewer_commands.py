"""`curio reviewer`: who may sign, with which key, and who looked their credential up."""

from __future__ import annotations

from typing import Annotated

import typer

from curio_rag.domain.reviewers import Role
from curio_rag.faces.render import print_json, safe
from curio_rag.faces.signing_prompt import Json, PassphraseFile, day, knowledge_base, read_passphrase

reviewer_app = typer.Typer(help="Reviewers and their keys: add, check, revoke, unlock, lock.", no_args_is_help=True)


@reviewer_app.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="As it will stand beside what they sign.")],
    role: Annotated[Role, typer.Option("--role", help="Their profession.")],
    register: Annotated[str, typer.Option("--register", help="The professional register that lists them.")],
    number: Annotated[str, typer.Option("--number", help="Their number in that register.")],
    demonstration: Annotated[
        bool, typer.Option("--demonstration", help="An invented person; nothing they sign is ever verified.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Register a reviewer with a new key, sealed under a passphrase that only they know.

    Example: curio reviewer add "Test Reviewer One" --role physician --register Fixtures --number 0 --demonstration
    """
    passphrase = read_passphrase(passphrase_file, twice=True)
    with knowledge_base(context) as base:
        reviewer = base.desk.add_reviewer(
            name=name,
            role=role,
            register_name=register,
            number=number,
            passphrase=passphrase,
            demonstration=demonstration,
        )
    if as_json:
        print_json(reviewer.to_dict())
        return
    print(f"{reviewer.id}  {safe(reviewer.name)}, {reviewer.role.value}, {reviewer.standing}; key {reviewer.key_id}")
    if not demonstration:
        print(f"Nothing they sign is verified until: curio reviewer check {reviewer.id} --by NAME --on DAY")


@reviewer_app.command()
def check(
    context: typer.Context,
    reviewer: Annotated[str, typer.Argument(help="The reviewer's id.")],
    by: Annotated[str, typer.Option("--by", help="Who looked the number up in the register; somebody else.")],
    on: Annotated[str, typer.Option("--on", metavar="DAY", help="When.")],
    as_json: Json = False,
) -> None:
    """Record who looked a reviewer's credential up in its register, and when.

    Example: curio reviewer check r_0123 --by "Test Registrar" --on 2026-11-01
    """
    with knowledge_base(context) as base:
        found = base.desk.check_credential(reviewer, by=by, on=day(on, option="--on"))
    if as_json:
        print_json(found.to_dict())
    else:
        print(f"{found.id}  {safe(found.name)} is {found.standing}: {safe(by)} looked it up on {on}.")


@reviewer_app.command("list")
def list_reviewers(context: typer.Context, as_json: Json = False) -> None:
    """List the reviewers with role, credential and standing.

    Example: curio reviewer list --json
    """
    with knowledge_base(context) as base:
        found = base.desk.reviewers()
    if as_json:
        print_json([each.to_dict() for each in found])
        return
    for each in found:
        credential = each.credential
        print(f"{each.id}  {safe(each.name)}, {each.role.value}: {each.standing}")
        by = f", looked up by {safe(credential.checked_by)} on {credential.checked_on}" if credential.checked_by else ""
        print(f"    {safe(credential.register)} {safe(credential.number)}{by}")
    print(f"{len(found)} reviewers")


@reviewer_app.command()
def revoke(
    context: typer.Context,
    reviewer: Annotated[str, typer.Argument(help="The reviewer's id.")],
    by: Annotated[str, typer.Option("--by", help="Who ends it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")],
    since: Annotated[
        int | None,
        typer.Option("--since", metavar="POSITION", help="Of the audit log: nothing signed from there on counts."),
    ] = None,
    as_json: Json = False,
) -> None:
    """End a reviewer's key. What it signed before stands, unless --since says from where on it was stolen.

    Example: curio reviewer revoke r_0123 --by "Test Registrar" --reason "left the service"
    """
    with knowledge_base(context) as base:
        found = base.desk.revoke(reviewer, by=by, reason=reason, since=since)
    if as_json:
        print_json(found.to_dict())
    else:
        print(f"The key of {safe(found.name)} is revoked; nothing signed from event {found.revoked_from} on counts.")


@reviewer_app.command()
def unlock(
    context: typer.Context,
    reviewer: Annotated[str, typer.Argument(help="The reviewer's id.")],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Open a signing session for this terminal: prints the line that the shell must evaluate.

    The key is kept sealed in a file that only you can read; what opens it is in the environment of this terminal
    alone. Each signature still asks for its own confirmation.

    Example: curio reviewer unlock r_0123
    """
    passphrase = read_passphrase(passphrase_file)
    with knowledge_base(context) as base:
        session = base.desk.open_session(reviewer, passphrase)
        token = base.desk.keep_session(session)
    print(f"export CURIO_SESSION={token}")
    typer.echo(f"# The session ends at {session.expires_at:%H:%M} UTC; curio reviewer lock ends it now.", err=True)


@reviewer_app.command()
def lock(
    context: typer.Context,
    token: Annotated[str, typer.Option("--session", envvar="CURIO_SESSION", hidden=True)] = "",
) -> None:
    """End the signing session of this terminal.

    Example: curio reviewer lock
    """
    with knowledge_base(context) as base:
        if token:
            base.desk.end_session(token)
    print("unset CURIO_SESSION")
