"""Answers patients' questions from vetted clinical documents: cited, checked, waiting for a clinician.

Importing this loads no model and no index; the first question does.
"""

from __future__ import annotations

from curio_rag.config import Config, load_config
from curio_rag.domain.answers import Answer, Citation, Outcome, Section, Sentence
from curio_rag.domain.library import FileOutcome, IngestReport
from curio_rag.domain.questions import Urgency
from curio_rag.domain.reviewers import Role
from curio_rag.domain.reviews import AnswerRecord, Audience, ReviewStatus
from curio_rag.domain.sources import Document, Hit, Passage, Span, Vetting, VettingStatus
from curio_rag.errors import CurioError
from curio_rag.knowledge_base import KnowledgeBase

__all__ = [
    "Answer",
    "AnswerRecord",
    "Audience",
    "Citation",
    "Config",
    "CurioError",
    "Document",
    "FileOutcome",
    "Hit",
    "IngestReport",
    "KnowledgeBase",
    "Outcome",
    "Passage",
    "ReviewStatus",
    "Role",
    "Section",
    "Sentence",
    "Span",
    "Urgency",
    "Vetting",
    "VettingStatus",
    "load_config",
]
