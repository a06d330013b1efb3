"""Turns bytes into text, or says why not; no byte is dropped and none is guessed.

Order: byte-order mark, binary signatures, strict UTF-8, the character set that an HTML file
declares, and last charset-normalizer, which is believed only when every plausible character set gives
the same text. "5 µg" in an unknown single-byte encoding is quarantined, for it might become another dose.
"""

from __future__ import annotations

import codecs
import logging
import re
from dataclasses import dataclass

from curio_rag.adapters.cleaning import Removed, clean, notes_on, suspicious_words
from curio_rag.errors import UnreadableDocument

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OTHER_TYPES: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"%PDF-\d"), "a PDF"),
    (re.compile(rb"\{\\rtf"), "a Rich Text file"),
)
_HTML = re.compile(rb"\s*(?:<!doctype\s+html|<html[\s>])", re.IGNORECASE)
_BINARY: tuple[bytes, ...] = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x7fELF",
    b"\x1f\x8b",
    b"\xd0\xcf\x11\xe0",
    b"7z\xbc\xaf",
    b"Rar!",
    b"BZh9",
    b"II*\x00",
    b"MM\x00*",
    b"SQLite format 3\x00",
)
_EXECUTABLE = re.compile(rb"MZ[\x00-\x08\x80-\xff]")
_DECLARED = re.compile(
    rb"""<meta\s[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,40})|<\?xml[^>]{0,100}?encoding=["']([A-Za-z0-9_.-]{2,40})""",
    re.IGNORECASE,
)
_DECLARABLE = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "cp1252",  # browsers read these three as Windows-1252, so that is what the reader sees
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "windows-1252": "cp1252",
    "windows-1250": "cp1250",
    "windows-1251": "cp1251",
    "windows-1253": "cp1253",
    "windows-1254": "cp1254",
    "windows-1255": "cp1255",
    "windows-1256": "cp1256",
    "windows-1257": "cp1257",
    "iso-8859-2": "iso8859-2",
    "iso-8859-5": "iso8859-5",
    "iso-8859-7": "iso8859-7",
    "iso-8859-9": "cp1254",
    "iso-8859-15": "iso8859-15",
    "koi8-r": "koi8-r",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5",
    "shift_jis": "cp932",
    "euc-jp": "euc_jp",
    "euc-kr": "cp949",
}
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_PLAUSIBLE_CHAOS = 0.1
"""charset-normalizer's disorder below which a decoding is counted as possible (its own cut-off is 0.2)."""

_GUESS_LIMIT = 262_144
"""Bytes beyond which no encoding is guessed: its cost grows with the file."""

SAVE_AS_UTF8 = "Save it as UTF-8 and check the units and accents."


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Text with newlines as `\\n` and nothing unseen in it, and what a curator should know of the way there."""

    text: str
    notes: tuple[str, ...]


def decode(content: bytes, *, name: str, html: bool = False, markdown: bool = False) -> Decoded:
    """The text of a file. Raises `UnreadableDocument` (`binary`, `type_mismatch`, `encoding`)."""
    _check_signature(content, name, html=html or markdown)
    text, notes = _to_text(content, name, html=html)
    removed = Removed()
    text = clean(text.replace("\r\n", "\n").replace("\r", "\n"), removed)
    return Decoded(text=text, notes=(*notes, *notes_on(removed), *suspicious_words(text)))


def _check_signature(content: bytes, name: str, *, html: bool) -> None:
    for pattern, what in _OTHER_TYPES:
        if pattern.match(content.lstrip()[:16]):
            raise UnreadableDocument(
                f"{name} is {what} by its content, not by its name.",
                reason="type_mismatch",
                hint="Give it the right extension or convert it.",
            )
    if content.startswith(_BINARY) or _EXECUTABLE.match(content):
        raise _binary(name)
    if not html and _HTML.match(content[:1024]):
        raise UnreadableDocument(
            f"{name} is an HTML page by its content, not by its name.",
            reason="type_mismatch",
            hint="Rename it to .html so that only its visible text is read.",
        )


def _to_text(content: bytes, name: str, *, html: bool) -> tuple[str, tuple[str, ...]]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                text = content[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise _undecodable(name, f"is marked as {encoding} and is not, at byte {error.start}") from error
            if "\0" in text:
                raise _binary(name)
            return text, () if encoding == "utf-8" else (f"decoded as {encoding}",)
    if b"\0" in content:
        raise _no_text_or_utf16(content, name)
    declared = _declared_encoding(content) if html else None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        if declared is not None:
            return _decode_as_declared(content, declared, name), (f"decoded as {declared}, as the file declares",)
        return _decode_if_unambiguous(content, name, error)
    if declared not in (None, "utf-8") and not content.isascii():
        return text, (f"declares {declared} but is UTF-8, and was read as that",)
    return text, ()


def _declared_encoding(content: bytes) -> str | None:
    match = _DECLARED.search(content[:4096])
    if match is None:
        return None
    label = (match[1] or match[2]).decode("ascii").lower()
    return _DECLARABLE.get(label)


def _decode_as_declared(content: bytes, encoding: str, name: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(name, f"declares {encoding} and breaks it at byte {error.start}") from error


def _decode_if_unambiguous(content: bytes, name: str, error: UnicodeDecodeError) -> tuple[str, tuple[str, ...]]:
    where = f"is not UTF-8 (byte {error.start})"
    if _UTF8_SEQUENCE.search(content):
        raise _undecodable(name, f"{where}: it mixes UTF-8 with other bytes")
    if len(content) > _GUESS_LIMIT:
        raise _undecodable(name, where)
    from charset_normalizer import from_bytes  # here, for most files are UTF-8 and need no guess

    logging.getLogger("charset_normalizer").setLevel(logging.ERROR)
    plausible = [match for match in from_bytes(content) if match.chaos <= _PLAUSIBLE_CHAOS]
    texts = {str(match) for match in plausible}
    names = sorted({encoding for match in plausible for encoding in match.could_be_from_charset})
    if len(texts) != 1:
        could = f", it could be any of {', '.join(names[:6])}" if names else ""
        raise _undecodable(name, where + could)
    text, encoding = texts.pop(), plausible[0].encoding
    if text.encode(encoding, "replace") != content:
        raise _undecodable(name, where)
    return text, (f"decoded as {encoding}",)


def _no_text_or_utf16(content: bytes, name: str) -> UnreadableDocument:
    sample = content[:4096]
    evens, odds = sample[::2].count(0), sample[1::2].count(0)
    half = max(1, len(sample) // 2)
    if len(sample) >= 8 and min(evens, odds) < 0.1 * half and max(evens, odds) > 0.6 * half:
        return _undecodable(name, "looks like UTF-16 without a byte-order mark")
    return _binary(name)


def _binary(name: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"{name} holds binary data, not text.",
        reason="binary",
        hint="Export it as text, Markdown, HTML or PDF.",
    )


def _undecodable(name: str, what: str) -> UnreadableDocument:
    return UnreadableDocument(f"{name} {what}.", reason="encoding", hint=SAVE_AS_UTF8)
