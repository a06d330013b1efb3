"""The command line: parse, one call, render. Heavy imports stand behind the call that needs them.

Exit status: 0 done, 1 failed, 2 usage, 3 abstained, 4 referred, 5 some files of an ingest were
refused or quarantined (the others are in).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curio_rag.domain.answers import AnswerLength, Outcome
from curio_rag.domain.reviews import Audience
from curio_rag.errors import CurioError, QuestionError
from curio_rag.faces.audit_commands import audit_app
from curio_rag.faces.claims_commands import claims
from curio_rag.faces.eval_commands import eval_app
from curio_rag.faces.library_commands import library_app
from curio_rag.faces.render import print_conflicts, print_hits, print_json
from curio_rag.faces.review_commands import review_app
from curio_rag.faces.reviewer_commands import reviewer_app
from curio_rag.faces.thread_commands import thread_app

if TYPE_CHECKING:
    from curio_rag.domain.reviews import AnswerRecord
    from curio_rag.knowledge_base import KnowledgeBase

ABSTAINED, REFERRED, SOME_REFUSED = 3, 4, 5

app = typer.Typer(
    name="curio",
    help="Answers patients' questions from vetted documents: every sentence cited, nothing verified until a clinician "
    "has signed it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(library_app, name="library", rich_help_panel=None)
app.add_typer(review_app, name="review", rich_help_panel=None)
app.add_typer(reviewer_app, name="reviewer", rich_help_panel=None)
app.add_typer(thread_app, name="thread", rich_help_panel=None)
app.add_typer(audit_app, name="audit", rich_help_panel=None)
app.add_typer(eval_app, name="eval", rich_help_panel=None)

app.command()(claims)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
folder_of_settings = Path()


@app.callback()
def choose_folder(
    folder: Annotated[Path, typer.Option("--folder", "-C", help="The folder with curio.toml.")] = Path(),
) -> None:
    """Answers patients' questions from vetted documents."""
    global folder_of_settings
    folder_of_settings = folder


def knowledge_base() -> KnowledgeBase:
    """The knowledge base of the chosen folder."""
    from curio_rag.knowledge_base import KnowledgeBase

    return KnowledgeBase.open(folder_of_settings)


@app.command()
def ingest(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files and folders; by default the knowledge folder.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would happen and change nothing.")] = False,
    retire_missing: Annotated[
        bool, typer.Option("--retire-missing", help="Stop searching documents whose file has gone.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read, vet and index documents; every file gets one outcome with its reason.

    Example: curio ingest knowledge --dry-run
    """
    from curio_rag.faces.tables import print_ingest, progress_bar

    with knowledge_base() as base, progress_bar() as progress:
        report = base.ingest(paths or None, dry_run=dry_run, retire_missing=retire_missing, report=progress)
    if as_json:
        print_json(report.to_dict())
    else:
        print_ingest(report)
    if not report.complete:
        raise typer.Exit(SOME_REFUSED)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What to look for; - reads it from stdin.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="How many passages.")] = 5,
    as_json: Json = False,
) -> None:
    """Show the passages that bear on a query, best first.

    Example: curio search "fever after CAR-T" --limit 3
    """
    with knowledge_base() as base:
        hits = base.search(_text(query, most_bytes=base.config.max_question_bytes), limit=limit)
    if as_json:
        print_json([hit.to_dict() for hit in hits])
    else:
        print_hits(hits)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question; - reads it from stdin.")],
    thread: Annotated[str | None, typer.Option("--thread", help="Continue the thread with this id.")] = None,
    length: Annotated[AnswerLength, typer.Option("--length", help="How much to say.")] = AnswerLength.STANDARD,
    show_quotes: Annotated[
        bool, typer.Option("--show-quotes", help="Print the cited words under each sentence.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Print what was searched and how strong it was.")] = False,
    audience: Annotated[Audience, typer.Option("--audience", help="Who will read it.")] = Audience.REVIEWER,
    as_json: Json = False,
) -> None:
    """Answer a question from the documents, cited, as a draft that waits for a clinician.

    In a thread "and how long does it last?" is read in the light of the questions before it. Exit status 3 when
    it abstains, 4 when it refers to a person.

    Example: curio ask "What is CAR-T therapy?" --show-quotes
    """
    with knowledge_base() as base:
        record = base.ask(_text(question, most_bytes=None), thread=thread, length=length)
    if as_json:
        print_json(record.to_dict(audience=audience))
    else:
        _print_answer(record, show_quotes=show_quotes, explain=explain, audience=audience)
        if sys.stderr.isatty() and record.thread_id:
            sys.stderr.write(f'Ask on in this thread: curio ask "..." --thread {record.thread_id}\n')
    status = {Outcome.ABSTAINED: ABSTAINED, Outcome.REFERRED: REFERRED}.get(record.answer.outcome)
    if status:
        raise typer.Exit(status)


def _print_answer(record: AnswerRecord, *, show_quotes: bool, explain: bool, audience: Audience) -> None:
    answer = record.answer
    sys.stdout.write(record.text_for(audience, quotes=show_quotes))
    if audience is Audience.REVIEWER and answer.withheld:
        print("\nWithheld")
        for each in answer.withheld:
            print(f"  - {each.text}\n    {each.reason.code}: {each.reason.text}")
            if each.quote:
                print(f"    nearest in the source: {each.quote}")
    if explain:
        trace = answer.trace
        print(f"\nSearched: {'; '.join(trace.searched)}")
        print(
            f"Evidence {trace.evidence:.2f}, an answer needs {trace.threshold:.2f}; writer {answer.provenance.writer}"
        )
        if answer.provenance.fallback is not None:
            print(f"Fallback: {answer.provenance.fallback.text}")
        for passage_id, score in trace.hits:
            print(f"  {score:.3f}  {passage_id}")
        print(f"Index {answer.provenance.index_fingerprint}, answer {answer.id}, thread {record.thread_id}")


@app.command()
def check(
    repair: Annotated[bool, typer.Option("--repair", help="Build the index anew from the ledger.")] = False,
    conflicts: Annotated[
        bool, typer.Option("--conflicts", help="List passages that give different figures for the same thing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check digests, passages, the audit log and the index, and with --conflicts what the documents say.

    Exit status 1 when something is wrong or documents disagree.

    Example: curio check --conflicts
    """
    with knowledge_base() as base:
        if repair:
            from curio_rag.faces.tables import progress_bar

            with progress_bar() as progress:
                base.repair(report=progress)
        findings = base.check()
        disagreements = base.conflicts() if conflicts and not findings else ()
    if as_json:
        listed = {"conflicts": [each.to_dict() for each in disagreements]} if conflicts else {}
        print_json(
            {"ok": not (findings or disagreements), "findings": [finding.to_dict() for finding in findings], **listed}
        )
    else:
        for finding in findings:
            print(f"{finding.part}: {finding.text}")
        print_conflicts(disagreements)
        wrong = len(findings) + len(disagreements)
        print(f"{wrong} problems" if wrong else "All is well.")
    if findings or disagreements:
        raise typer.Exit(1)


def _text(argument: str, *, most_bytes: int | None) -> str:
    """The argument, or what stdin holds for `-`; bytes that are not UTF-8 are refused rather than dropped."""
    if argument != "-":
        return argument
    content = sys.stdin.buffer.read() if most_bytes is None else sys.stdin.buffer.read(most_bytes + 1)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as problem:
        if most_bytes is None:  # the emergency check reads what can be read, whatever else is refused afterwards
            return content.decode("utf-8", errors="replace")
        raise QuestionError("The question on stdin is not UTF-8 text.", hint="Save it as UTF-8.") from problem


def main() -> None:
    """Runs the command line; an error is one clear line on stderr, never a traceback."""
    try:
        app()
    except CurioError as problem:
        if "--json" in sys.argv:
            print_json({"error": {"code": problem.code, "message": problem.message, "hint": problem.hint}})
        sys.stderr.write(f"curio: {problem}\n")
        sys.exit(problem.exit_status)
    except BrokenPipeError:
        # The reader has gone, as `curio ask ... | head` does; nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("curio: interrupted; what was committed is kept.\n")
        sys.exit(130)
