"""`curio library`: the documents, who vouches for them, and their recall."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from curio_rag.faces.render import document_json, print_document, print_json, safe
from curio_rag.faces.signing_prompt import (
    Json,
    PassphraseFile,
    ReviewerId,
    confirmations,
    day,
    knowledge_base,
    signing_session,
)

if TYPE_CHECKING:
    from curio_rag.domain.library import ShelfRecord
    from curio_rag.domain.recall import Recall
    from curio_rag.pipelines.library_acts import ProposedVetting

library_app = typer.Typer(help="The documents: list, show, vet, due, withdraw.", no_args_is_help=True)


@library_app.command("list")
def list_documents(
    context: typer.Context,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only documents that answer nothing today.")] = False,
    as_json: Json = False,
) -> None:
    """List the documents and their standing.

    Example: curio library list --waiting
    """
    with knowledge_base(context) as base:
        records = [record for record in base.library() if not (waiting and record.admitted)]
    print_records(records, as_json=as_json)


@library_app.command("show")
def show_document(
    context: typer.Context,
    document_id: Annotated[str, typer.Argument(help="As `curio library list` names it.")],
    as_json: Json = False,
) -> None:
    """Show a document as people review it: text with pages, headings, what is marked, sources.

    Example: curio library show car-t-what-it-is.md
    """
    with knowledge_base(context) as base:
        record = base.record(document_id)
        document = base.document(document_id)
    if as_json:
        print_json(document_json(document, record))
    else:
        print_document(document, record)


@library_app.command("vet")
def vet_documents(
    context: typer.Context,
    document_ids: Annotated[list[str], typer.Argument(help="One or more documents.")],
    review_due: Annotated[str, typer.Option("--review-due", metavar="DAY", help="Valid until this day.")],
    reviewer: ReviewerId = None,
    passphrase_file: PassphraseFile = None,
    yes: Annotated[
        list[str] | None, typer.Option("--yes", metavar="DIGEST", help="Confirm a document; once for each, in order.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Sign the exact text of documents until a day, after showing what changed since the last signature.

    One passphrase for all of them, one confirmation for each. All are signed, or none.

    Example: curio library vet car-t-what-it-is.md --review-due 2027-05-23 --as r_0123
    """
    due = day(review_due, option="--review-due")
    with knowledge_base(context) as base:
        proposed = base.desk.propose_vetting(document_ids, review_due=due)
        if not as_json:
            for each in proposed:
                print_proposal(each)
        confirmed = confirmations([(f"Vet {each.document_id}", each.subject_digest) for each in proposed], yes or [])
        session = signing_session(base, reviewer, passphrase_file)
        base.desk.vet(session, proposed, confirm=confirmed)
        records = [record for record in base.library() if record.entry.document_id in document_ids]
    print_records(records, as_json=as_json)


@library_app.command("due")
def due_documents(
    context: typer.Context,
    within: Annotated[str, typer.Option("--within", help="Days from today, such as 30d.")] = "30d",
    as_json: Json = False,
) -> None:
    """List the documents whose review is due soon or overdue.

    Example: curio library due --within 30d
    """
    days = within.removesuffix("d")
    if not days.isascii() or not days.isdigit() or len(days) > 5:
        raise typer.BadParameter(f"{within!r} is not a number of days such as 30d.", param_hint="--within")
    last = date.today() + timedelta(days=int(days))
    with knowledge_base(context) as base:
        records = [
            record for record in base.library() if record.vetting.review_due and record.vetting.review_due <= last
        ]
    print_records(records, as_json=as_json)


@library_app.command("withdraw")
def withdraw_document(
    context: typer.Context,
    document_id: Annotated[str, typer.Argument(help="The document to retract.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")],
    by: Annotated[str, typer.Option("--by", help="Who retracts it.")],
    as_json: Json = False,
) -> None:
    """Retract a document at once, with every answer that rests on it, and prove that nothing finds it.

    It takes no passphrase: to stop something must be easy.

    Example: curio library withdraw car-t-what-it-is.md --by NAME --reason "a number is wrong"
    """
    with knowledge_base(context) as base:
        recall = base.desk.withdraw(document_id, reason=reason, by=by)
    if as_json:
        print_json(recall.to_dict())
    else:
        print_recall(recall)


def print_proposal(proposed: ProposedVetting) -> None:
    """What somebody is about to sign."""
    print(f"{proposed.document_id}: {safe(proposed.title)} ({proposed.status})")
    if proposed.first:
        print(f"  Nobody has signed it before. Read all of it: curio library show {proposed.document_id}")
    elif not proposed.changes:
        print("  Unchanged since the last signature.")
    for line in proposed.changes:
        print(f"  {safe(line)}")
    print(f"  confirm with --yes {proposed.subject_digest}")


def print_recall(recall: Recall) -> None:
    """What became of the answers, and the proof of absence."""
    print(f"{recall.document_id} is withdrawn. {len(recall.answers)} answers rest on it.")
    for each in recall.answers:
        after = "back in the queue" if each.after.value == "awaiting_review" else each.after.value
        print(f"  {each.answer_id}  {each.before.value} -> {after}  (thread {each.thread_id})")
    gone = recall.absence
    into = "matrix, Chroma and keyword index" if gone.chroma else "matrix and keyword index"
    print(
        f"Proof of absence: of its {gone.looked_for} passages, generation {gone.generation} holds {gone.passages} "
        f"passages, {gone.vectors} vectors and {gone.keywords} keyword entries ({into} were looked into)."
    )


def print_records(records: list[ShelfRecord] | tuple[ShelfRecord, ...], *, as_json: bool) -> None:
    """A row for each document, or their JSON."""
    if not as_json:
        from curio_rag.faces.tables import print_library

        print_library(records)
        return
    print_json(
        [
            {
                "document_id": record.entry.document_id,
                "title": record.entry.title,
                "digest": record.entry.digest,
                "passages": record.entry.passages,
                "admitted": record.admitted,
                "vetting": record.vetting.to_dict(),
                "proposal": record.entry.proposal.to_dict() if record.entry.proposal else None,
            }
            for record in records
        ]
    )
