"""The part of the assembly that only the review desk needs, so that asking does not read it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from curio_rag.assembly import Assembly
from curio_rag.domain.recall import Absence
from curio_rag.pipelines.answer import regraded
from curio_rag.pipelines.desk_parts import DeskParts, DeskRules
from curio_rag.pipelines.document_state import document_state
from curio_rag.pipelines.ingest import model_key

if TYPE_CHECKING:
    from curio_rag.adapters.signing_sessions import SessionStore
    from curio_rag.adapters.training import TrainingLog


def absence(assembly: Assembly, document_id: str) -> Absence:
    """How much of a document the current generation still holds."""
    from curio_rag.adapters.absence import look_for

    ids = assembly.documents().passage_ids_of([document_id])
    entries = list(assembly.vectors().index_entries(model_key(assembly.embedder()), ids))
    generation = assembly.config.index_folder / "generations" / str(assembly.generations().current().generation)
    return look_for(document_id, entries, generation=generation)


def sessions(assembly: Assembly) -> SessionStore:
    """Signing sessions between two commands of one terminal."""
    from curio_rag.adapters.signing_sessions import SessionStore

    return SessionStore.beside(assembly.config.index_folder, clock=assembly.clock)


def training_log(assembly: Assembly) -> TrainingLog:
    """What reviewers decided in training; apart from the ledger."""
    from curio_rag.adapters.training import TrainingLog

    return TrainingLog(assembly.config.index_folder)


def desk_parts(assembly: Assembly) -> DeskParts:
    """What the review desk works with."""
    config = assembly.config
    return DeskParts(
        log=assembly.events,
        shelf=assembly.reviews,
        clock=assembly.clock,
        new_id=lambda prefix: prefix + secrets.token_hex(12),
        verify=assembly.verify_signature,
        document_state=lambda document_id: document_state(
            assembly.documents(),
            assembly.events(),
            document_id,
            verify=assembly.verify_signature,
            today=assembly.today(),
        ),
        document=lambda document_id, digest: assembly.documents().document(document_id, digest=digest),
        passages=lambda document_id: assembly.documents().passages_of(document_id),
        answers_citing=lambda document_id: assembly.answers().citing(document_id),
        regrade=lambda answer: regraded(answer, assembly.readability()),
        gate=assembly.claim_gate,
        rules=DeskRules(
            answer_signers=frozenset(config.answer_signers),
            document_signers=frozenset(config.document_signers),
            comment_signers=frozenset(config.comment_signers),
            approve_on=frozenset(config.approve_on),
            admit=frozenset(config.admit),
            two_people=config.two_people,
            drafts_are_shown=config.drafts_visible_to == "askers",
            country=config.country,
        ),
    )
