"""Every error that curio_rag raises, in one tree.

    CurioError
    ├── ConfigError            a setting is unknown, malformed or contradictory
    ├── KnowledgeError         something about the documents
    │   ├── UnreadableDocument   a file could not be turned into text
    │   ├── NotVetted            a document may not be used as it stands
    │   └── DocumentNotFound     no document has that id
    ├── QuestionError          a question that cannot be taken in (empty, too long)
    ├── IndexProblem           something about the index
    │   ├── IndexMissing         nothing has been ingested yet
    │   ├── IndexOutOfDate       built with another model, splitter or schema
    │   ├── IndexDamaged         a generation does not match its manifest
    │   └── IndexLocked          another process is writing
    ├── WriterError            composing an answer failed
    │   ├── WriterUnavailable    the configured writer cannot be reached or loaded
    │   └── MalformedDraft       the writer returned something that is not a draft
    ├── ReviewError            something about a review
    │   ├── ReviewNotFound       no answer or thread has that id
    │   ├── ReviewClosed         the review has been decided already
    │   ├── ReviewTaken          another reviewer has the answer on the desk
    │   ├── ReviewerNotFound     no reviewer has that id
    │   ├── SessionExpired       no signing session is open
    │   ├── WrongPassphrase      the passphrase does not open the key
    │   ├── Unsupported          an edit says what its source does not
    │   └── NotPermitted         this reviewer may not do that
    └── EvalError              a gold case, a benchmark or a row of claims is malformed

Adapters translate what lies below into these; nothing foreign leaks. Abstaining,
referring, and a refused document in a batch are results, not errors.
"""

from __future__ import annotations

from typing import ClassVar


class CurioError(Exception):
    """The root: what went wrong, a stable code, whether to try again, and the way out.

    `message` names the file or value at fault and never holds question text.
    `hint` is one sentence that tells a person what to do next; it may be empty.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False
    exit_status: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ConfigError(CurioError):
    """A setting is unknown, malformed or contradictory."""

    code = "config"
    exit_status = 2


class KnowledgeError(CurioError):
    """Something about the documents."""

    code = "knowledge"
    http_status = 422


class UnreadableDocument(KnowledgeError):
    """A file could not be turned into text; `reason` is a stable word such as `encrypted`."""

    code = "unreadable_document"

    def __init__(self, message: str, *, reason: str, hint: str = "", quarantine: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.quarantine = quarantine


class NotVetted(KnowledgeError):
    """A document may not be used as it stands."""

    code = "not_vetted"
    http_status = 409


class DocumentNotFound(KnowledgeError):
    """No document has that id."""

    code = "document_not_found"
    http_status = 404


class QuestionError(CurioError):
    """A question that cannot be taken in, such as an empty or an overlong one."""

    code = "question"
    exit_status = 2
    http_status = 422


class IndexProblem(CurioError):
    """Something about the index."""

    code = "index"
    http_status = 503


class IndexMissing(IndexProblem):
    """Nothing has been ingested yet."""

    code = "index_missing"


class IndexOutOfDate(IndexProblem):
    """The index was built with another model, splitter or schema."""

    code = "index_out_of_date"


class IndexDamaged(IndexProblem):
    """A generation does not match its manifest."""

    code = "index_damaged"


class IndexLocked(IndexProblem):
    """Another process is writing to this index."""

    code = "index_locked"
    retryable = True
    http_status = 423


class WriterError(CurioError):
    """Composing an answer failed."""

    code = "writer"
    http_status = 502


class WriterUnavailable(WriterError):
    """The configured writer cannot be reached or loaded."""

    code = "writer_unavailable"
    retryable = True
    http_status = 503


class MalformedDraft(WriterError):
    """The writer returned something that is not a draft."""

    code = "malformed_draft"
    retryable = True


class ReviewError(CurioError):
    """Something about a review."""

    code = "review"
    http_status = 409


class ReviewNotFound(ReviewError):
    """No answer or thread has that id."""

    code = "review_not_found"
    http_status = 404


class ReviewClosed(ReviewError):
    """The review has been decided already."""

    code = "review_closed"


class ReviewTaken(ReviewError):
    """Another reviewer has the answer on the desk."""

    code = "review_taken"
    retryable = True
    http_status = 423


class ReviewerNotFound(ReviewError):
    """No reviewer has that id."""

    code = "reviewer_not_found"
    http_status = 404


class SessionExpired(ReviewError):
    """No signing session is open: none was opened, or its time has passed."""

    code = "session_expired"
    http_status = 401


class WrongPassphrase(ReviewError):
    """The passphrase does not open the key."""

    code = "wrong_passphrase"
    http_status = 401


class Unsupported(ReviewError):
    """An edit says what its source does not; the claim gate names the difference."""

    code = "unsupported"
    http_status = 422


class NotPermitted(ReviewError):
    """This reviewer may not do that."""

    code = "not_permitted"
    http_status = 403


class EvalError(CurioError):
    """A gold case, a benchmark or a row of claims is malformed."""

    code = "eval"
    exit_status = 2
    http_status = 422
