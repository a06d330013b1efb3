"""Why a PDF is not taken in, in words that name the file and the way out."""

from __future__ import annotations

from curio_rag.errors import UnreadableDocument

WARNS = "the PDF was not read without a warning"
"""Begins a note that repeats what pypdf warned of."""


def corrupt(name: str, what: str) -> UnreadableDocument:
    """A file that is not the PDF that it says it is."""
    return UnreadableDocument(
        f"{name} cannot be read as a PDF: {what[:200]}.",
        reason="corrupt",
        hint="Open it in a viewer and print it to a new PDF.",
    )


def encrypted(name: str) -> UnreadableDocument:
    """A file that asks for a password."""
    return UnreadableDocument(
        f"{name} is protected by a password.", reason="encrypted", hint="Save a copy without a password."
    )


def over_limit(name: str, what: str) -> UnreadableDocument:
    """A file that would take more time, memory or pages than a document may."""
    return UnreadableDocument(
        f"{name} asks for more than a document may: {what[:200]}.",
        reason="resource_limit",
        hint="Split it, or print it to a new PDF.",
    )
