"""Text that any encoder takes: Python strings can hold halves of surrogate pairs, UTF-8 cannot."""

from __future__ import annotations


def valid_unicode(text: str) -> str:
    """The text with each half of a surrogate pair that stands alone replaced; pairs are joined."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
