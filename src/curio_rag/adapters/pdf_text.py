"""Takes the visible lines out of a PDF with pypdf; it runs in a child process, for a PDF may ask for anything."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from pypdf import PageObject, PdfReader, apply_configuration
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError
from pypdf.generic import DictionaryObject, IndirectObject

from curio_rag.adapters.blocks import lowered, raised
from curio_rag.adapters.pdf_geometry import Box, Matrix, as_matrix, multiply
from curio_rag.adapters.pdf_refusals import WARNS, corrupt, encrypted, over_limit
from curio_rag.adapters.pdf_visibility import SHOWS_TEXT, PageWatch
from curio_rag.domain.digests import Json
from curio_rag.errors import UnreadableDocument

MAX_PAGES = 2_000
MAX_STREAM_BYTES = 30_000_000
MAX_CHARACTERS = 20_000_000
_MAX_OPERATIONS = 1_000_000
_BOLD = re.compile(r"bold|black|heavy|semibold|demi", re.IGNORECASE)
_ADDRESS = re.compile(r"IndirectObject\((\d+), \d+, \d+\)")
_SMALL_NUMBER = re.compile(r"[0-9+\-−]{1,4}")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})


@dataclass(slots=True)
class _Chunk:
    """A run of text with its size in points and its origin on the page."""

    text: str
    size: float
    bold: bool
    x: float
    y: float


def extract(content: bytes, *, name: str) -> dict[str, Json]:
    """Pages of lines, printed labels and notes. Raises `UnreadableDocument`."""
    log = _Log()
    logger = logging.getLogger("pypdf")
    logger.handlers, logger.propagate = [log], False
    try:
        with apply_configuration(
            zlib_maximum_output_length=MAX_STREAM_BYTES,
            lzw_maximum_output_length=MAX_STREAM_BYTES,
            run_length_maximum_output_length=MAX_STREAM_BYTES,
            array_based_stream_maximum_output_length=MAX_STREAM_BYTES,
            stream_parsing_work_maximum_count=_MAX_OPERATIONS,
            jbig2dec_binary=None,
        ):
            return _extract(content, name, log)
    except UnreadableDocument:
        raise
    except (LimitReachedError, MemoryError, RecursionError) as error:
        raise over_limit(name, str(error) or type(error).__name__) from error
    except FileNotDecryptedError as error:
        raise encrypted(name) from error
    except DependencyError as error:
        raise corrupt(name, f"it needs a decoder that is not installed ({error})") from error
    except Exception as error:
        raise corrupt(name, f"{type(error).__name__}: {error}") from error


def _extract(content: bytes, name: str, log: _Log) -> dict[str, Json]:
    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise encrypted(name)
    count = len(reader.pages)
    if count > MAX_PAGES:
        raise over_limit(name, f"it has {count} pages, more than {MAX_PAGES}")
    if count == 0:
        raise corrupt(name, "it has no pages")
    layers = _Layers(reader)
    pages: list[Json] = []
    hidden = characters = 0
    for page in reader.pages:
        lines, left_out = _read_page(page, layers)
        hidden += left_out
        characters += sum(len(str(line[0])) for line in lines)
        if characters > MAX_CHARACTERS:
            raise over_limit(name, f"it has more than {MAX_CHARACTERS} characters")
        pages.append(lines)
    notes = [f"{hidden} hidden pieces of text left out"] if hidden else []
    notes += [f"{WARNS}: {message}" for message in log.messages]
    return {"pages": pages, "labels": _labels(reader, count), "hidden": hidden, "notes": cast("Json", notes)}


def _read_page(page: PageObject, layers: _Layers) -> tuple[list[list[Json]], int]:
    """The visible lines of a page, read again when something turns out to be covered; and how much was left out."""
    watch, chunks = _watched(page, layers, set())
    hidden = watch.finish()
    if hidden > watch.left_out:  # something drawn later covers text that has been read
        watch, chunks = _watched(page, layers, hidden)
    return _lines(chunks), len(hidden)


def _watched(page: PageObject, layers: _Layers, known: set[int]) -> tuple[PageWatch, list[_Chunk]]:
    watch = PageWatch(resources=_resources(page), box=_box(page), is_off=layers.is_off, resolve=_resolve)
    return watch, _chunks(page, watch, known)


def _chunks(page: PageObject, watch: PageWatch, known: set[int]) -> list[_Chunk]:
    chunks: list[_Chunk] = []
    base: Matrix = watch.base
    rise = 0.0

    def before(operator: bytes, operands: list[object], cm: Sequence[float], tm: Sequence[float]) -> None:
        nonlocal base, rise
        number = watch.count
        if watch.before(operator, operands, cm, tm) or (operator in SHOWS_TEXT and number in known):
            del operands[:]  # pypdf then shows nothing for it
        if operator != b"Do":  # text before a form is handed over after its "Do" and still lies outside
            base = watch.base
        if operator in SHOWS_TEXT:
            rise = watch.rise

    def after(operator: bytes, operands: list[object], cm: Sequence[float], tm: Sequence[float]) -> None:
        watch.after(operator)

    def text(words: str, cm: Sequence[float], tm: Sequence[float], font: object, size: float) -> None:
        if not words:
            return
        whole = multiply(as_matrix(tm), multiply(as_matrix(cm), base))
        scale = max(abs(whole[3]), abs(whole[1]), abs(whole[2]))
        face = str(font.get("/BaseFont", "")) if isinstance(font, dict) else ""
        bold = _BOLD.search(face) is not None
        chunks.append(_Chunk(words, abs(size) * scale, bold, whole[4], whole[5] + rise * scale))

    page.extract_text(visitor_operand_before=before, visitor_operand_after=after, visitor_text=text)
    return chunks


def _lines(chunks: Sequence[_Chunk]) -> list[list[Json]]:
    """Chunks joined into lines: text, size, whether all of it is bold, and the origin of its first letter."""
    lines: list[list[Json]] = []
    held: list[_Chunk] = []

    def close() -> None:
        text = "".join(chunk.text for chunk in held).translate(_LIGATURES)
        inked = [chunk for chunk in held if chunk.text.strip()]
        held.clear()
        if not inked:
            return
        size = max(inked, key=lambda chunk: len(chunk.text.strip())).size
        bold = all(chunk.bold for chunk in inked)
        lines.append([text, round(size, 1), bold, round(inked[0].x, 1), round(inked[0].y, 1)])

    for chunk in chunks:
        pieces = chunk.text.split("\n")
        for index, piece in enumerate(pieces):
            if index:
                close()
            if piece:
                held.append(_set_apart(held, _Chunk(piece, chunk.size, chunk.bold, chunk.x, chunk.y)))
    close()
    return lines


def _set_apart(held: Sequence[_Chunk], chunk: _Chunk) -> _Chunk:
    """A small number above or below the line becomes a superscript or subscript: 10 and 6 never read as 106."""
    before = next((one for one in reversed(held) if one.text.strip()), None)
    words = chunk.text.strip()
    if before is None or not _SMALL_NUMBER.fullmatch(words) or chunk.size > 0.85 * before.size:
        return chunk
    offset = (chunk.y - before.y) / max(before.size, 0.1)
    if offset > 0.15:
        chunk.text = chunk.text.replace(words, raised(words))
    elif offset < -0.05 and before.text[-1:].isdigit():
        chunk.text = chunk.text.replace(words, lowered(words))
    chunk.size, chunk.y = before.size, before.y
    return chunk


class _Layers:
    """Which optional-content groups are switched off when the document is opened."""

    def __init__(self, reader: PdfReader) -> None:
        self._off: set[int] = set()
        properties = _resolve(_resolve(reader.trailer["/Root"]).get("/OCProperties"))  # type: ignore[attr-defined]
        if not isinstance(properties, dict):
            return
        default = _resolve(properties.get("/D"))
        if not isinstance(default, dict):
            return
        if str(_resolve(default.get("/BaseState"))) == "/OFF":
            self._off |= _numbers(properties.get("/OCGs"))
        self._off |= _numbers(default.get("/OFF"))
        if str(_resolve(default.get("/BaseState"))) == "/OFF":
            self._off -= _numbers(default.get("/ON"))

    def is_off(self, group: object) -> bool:
        """Whether a group, or a membership by its policy, is not shown."""
        if isinstance(group, IndirectObject) and group.idnum in self._off:
            return True
        found = _resolve(group)
        if not isinstance(found, dict) or str(found.get("/Type")) != "/OCMD":
            reference = getattr(found, "indirect_reference", None)
            return reference is not None and reference.idnum in self._off
        members = _numbers(found.get("/OCGs"))
        off = members & self._off
        match str(_resolve(found.get("/P"))):
            case "/AllOn":
                return bool(off)
            case "/AnyOff":
                return bool(members) and not off
            case "/AllOff":
                return bool(members - off)
            case _:
                return bool(members) and off == members


class _Log(logging.Handler):
    """Keeps what pypdf warns of, instead of writing it to standard error."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = _ADDRESS.sub(r"object \1", record.getMessage())[:160]
        if message not in self.messages and len(self.messages) < 5:
            self.messages.append(message)


def _labels(reader: PdfReader, count: int) -> list[Json]:
    try:
        labels = list(reader.page_labels)
    except Exception:  # noqa: BLE001 - a broken label tree raises nearly anything, and page numbers do as well
        labels = []
    return [
        " ".join(labels[index].split())[:40] or str(index + 1) if index < len(labels) else str(index + 1)
        for index in range(count)
    ]


def _resolve(value: object) -> object:
    return value.get_object() if isinstance(value, IndirectObject) else value


def _numbers(groups: object) -> set[int]:
    found = _resolve(groups)
    items = found if isinstance(found, list) else [groups]
    return {item.idnum for item in items if isinstance(item, IndirectObject)}


def _resources(page: PageObject) -> DictionaryObject:
    found = _resolve(page.get("/Resources"))
    return found if isinstance(found, DictionaryObject) else DictionaryObject()


def _box(page: PageObject) -> Box:
    box = page.cropbox
    return (float(box.left), float(box.bottom), float(box.right), float(box.top))
