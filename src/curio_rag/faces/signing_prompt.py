"""Who works at this terminal, the passphrase that opens a signing session, and the confirmation of each signature.

A passphrase comes from a prompt, a file or stdin, never from an argument: arguments are seen by others.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curio_rag.errors import ConfigError, NotPermitted, SessionExpired

if TYPE_CHECKING:
    from curio_rag.knowledge_base import KnowledgeBase
    from curio_rag.pipelines.desk_parts import SigningSession

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
ReviewerId = Annotated[
    str | None, typer.Option("--as", envvar="CURIO_REVIEWER", help="Your reviewer id; CURIO_REVIEWER names it too.")
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="Holds the passphrase; - is stdin. Without it you are asked."),
]
Yes = Annotated[
    str | None, typer.Option("--yes", metavar="DIGEST", help="Confirm without a prompt, by the digest that was shown.")
]
TOKEN = "CURIO_SESSION"


def knowledge_base(context: typer.Context) -> KnowledgeBase:
    """The knowledge base of the folder that the command line was started for."""
    from curio_rag.knowledge_base import KnowledgeBase

    return KnowledgeBase.open(context.find_root().params["folder"])


def reviewer_id(given: str | None) -> str:
    """Raises `NotPermitted` when nobody said who works here."""
    if not given:
        raise NotPermitted("Who are you?", hint="Give --as REVIEWER; `curio reviewer list` names them all.")
    return given


def signing_session(base: KnowledgeBase, given: str | None, passphrase_file: Path | None) -> SigningSession:
    """The session of this terminal, or a new one for this command alone.

    Raises `SessionExpired`, `WrongPassphrase`, and `NotPermitted` when the session is somebody else's.
    """
    token = os.environ.get(TOKEN)
    if token and passphrase_file is None:
        session = base.desk.resume_session(token)
        if given and given != session.reviewer_id:
            raise NotPermitted(f"The open signing session is not that of {given}.", hint="curio reviewer lock ends it.")
        return session
    return base.desk.open_session(reviewer_id(given), read_passphrase(passphrase_file))


def read_passphrase(path: Path | None, *, twice: bool = False) -> str:
    """From a file or stdin without its last line break, or from a prompt that shows nothing."""
    if path is not None:
        try:
            text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            hint = "It holds one line of text."
            raise ConfigError(f"The passphrase file {path} cannot be read.", hint=hint) from problem
        return text.rstrip("\r\n")
    if not sys.stdin.isatty():
        raise SessionExpired(
            "No signing session is open, and nobody can be asked here.",
            hint='Give --passphrase-file, or open one: eval "$(curio reviewer unlock REVIEWER)".',
        )
    answer: str = typer.prompt("Passphrase", hide_input=True, err=True, confirmation_prompt=twice)
    return answer


def confirmation(digest: str, yes: str | None, *, what: str) -> str:
    """The digest that was named with `--yes`, or the one that was shown when somebody says yes to it."""
    if yes is not None:
        return yes
    if not sys.stdin.isatty():
        raise NotPermitted(f"Nobody can be asked here to confirm: {what}.", hint=f"Confirm it with --yes {digest}")
    if not typer.confirm(f"{what} ({digest[:23]}...). Sign?", err=True):
        raise typer.Exit(1)
    return digest


def confirmations(digests: Sequence[tuple[str, str]], yes: Sequence[str]) -> list[str]:
    """One confirmation for each (what, digest), in order."""
    if yes:
        return list(yes)
    return [confirmation(digest, None, what=what) for what, digest in digests]


def day(text: str, *, option: str) -> date:
    """A day such as 2027-05-23. Raises a usage error naming the option."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day such as 2027-05-23.", param_hint=option) from None
