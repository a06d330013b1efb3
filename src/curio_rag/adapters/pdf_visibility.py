"""Follows a PDF page's drawing operators and says which pieces of text a reader of the page cannot see.

Recognised: invisible render modes, text too small to read, outside the page or its clip rectangle,
transparent, in a layer that is off, in the colour of what lies under it, and covered afterwards by an
opaque rectangle or picture. Not recognised: text covered or clipped by other shapes, in the colour of
a pattern or picture, hidden by soft masks or blend modes, or drawn by Type 3 fonts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from curio_rag.adapters.pdf_geometry import (
    IDENTITY,
    WHITE,
    Box,
    Colour,
    Matrix,
    apply,
    around,
    as_matrix,
    bounds,
    characters,
    colour_of,
    cut,
    grown,
    holds,
    multiply,
    numbers,
    same_colour,
    touch,
    union,
)

MIN_POINTS = 1.0
_OPAQUE = 0.95
_FAINT = 0.05
_CHARACTER_WIDTH = 0.5
"""A guess at a character's width in ems; pypdf does not tell a visitor where a text ends."""

_MAX_PAINTED = 4_000
_INVISIBLE_MODES = frozenset({3, 7})
SHOWS_TEXT = frozenset({b"Tj", b"TJ", b"'", b'"'})
_FILLS = frozenset({b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*"})
_ENDS_PATH = _FILLS | {b"S", b"s", b"n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """The part of the graphics state that decides whether text is seen."""

    fill: Colour | None = (0.0, 0.0, 0.0)
    stroke: Colour | None = (0.0, 0.0, 0.0)
    fill_alpha: float = 1.0
    stroke_alpha: float = 1.0
    mode: int = 0
    size: float = 12.0
    rise: float = 0.0
    stretch: float = 100.0
    clip: Box | None = None
    space: str = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Painted:
    """A filled area: its box, its colour (None where unknown), and whether it surely covers all of the box."""

    order: int
    box: Box
    colour: Colour | None
    covers: bool


@dataclass(slots=True)
class _Shown:
    order: int
    box: Box


@dataclass(slots=True)
class _Frame:
    """A content stream that is being read: the page's or, within it, a form's."""

    resources: Mapping[str, object]
    base: Matrix
    off_depth: list[bool] = field(default_factory=list)


class PageWatch:
    """Sees each operator before pypdf does; `left_out` numbers the text operators that nobody can see."""

    def __init__(
        self,
        *,
        resources: Mapping[str, object],
        box: Box,
        is_off: Callable[[object], bool],
        resolve: Callable[[object], object],
    ) -> None:
        self.left_out: set[int] = set()
        self.count = 0
        self.rise = 0.0
        self._page = box
        self._is_off = is_off
        self._resolve = resolve
        self._frames = [_Frame(resources=resources, base=IDENTITY)]
        self._state = _State()
        self._stack: list[_State] = []
        self._marks: list[int] = []
        self._path: list[Box] = []
        self._plain_path = True
        self._clip_next = False
        self._order = 0
        self._painted: list[_Painted] = []
        self._shown: list[tuple[int, _Shown]] = []

    def before(self, operator: bytes, operands: Sequence[object], cm: Sequence[float], tm: Sequence[float]) -> bool:
        """Take in one operator; True for one that shows text which cannot be seen (as far as is known yet)."""
        self._order += 1
        matrix = multiply(as_matrix(cm), self._frames[-1].base)
        if operator in SHOWS_TEXT:
            return self._text(operands, matrix, as_matrix(tm))
        if operator in (b"re", b"m", b"l", b"c", b"v", b"y") or operator in _ENDS_PATH or operator in (b"W", b"W*"):
            self._draw(operator, numbers(operands), matrix)
        elif operator == b"Do":
            self._enter(operands, matrix)
        elif operator in (b"BDC", b"BMC"):
            self._frames[-1].off_depth.append(operator == b"BDC" and self._marks_off(operands))
        elif operator == b"EMC":
            if self._frames[-1].off_depth:
                self._frames[-1].off_depth.pop()
        else:
            self._set(operator, operands)
        return False

    def after(self, operator: bytes) -> None:
        """The end of a form brings back the state that it was called with."""
        if operator == b"Do" and len(self._frames) > 1:
            self._frames.pop()
            depth = self._marks.pop()
            self._state = self._stack[depth]
            del self._stack[depth:]

    def finish(self) -> set[int]:
        """All hidden text operators, those that something drawn later covers among them."""
        hidden = set(self.left_out)
        covers = [area for area in self._painted if area.covers]
        for number, shown in self._shown:
            if any(area.order > shown.order and holds(area.box, shown.box) for area in covers):
                hidden.add(number)
        return hidden

    @property
    def base(self) -> Matrix:
        """From the coordinates of the stream that is being read to those of the page."""
        return self._frames[-1].base

    # Text

    def _text(self, operands: Sequence[object], matrix: Matrix, tm: Matrix) -> bool:
        number, self.count = self.count, self.count + 1
        self.rise = self._state.rise
        whole = multiply(tm, matrix)
        height = abs(self._state.size) * max(abs(whole[3]), abs(whole[1]), abs(whole[2]))
        length = characters(operands) * _CHARACTER_WIDTH * abs(self._state.size)
        end = apply(whole, length, 0.0)
        start = (whole[4], whole[5])
        box = around(start, end, height)
        if self._cannot_be_seen(box, height):
            self.left_out.add(number)
            return True
        self._shown.append((number, _Shown(order=self._order, box=cut(box, self._page))))
        return False

    def _cannot_be_seen(self, box: Box, height: float) -> bool:
        state = self._state
        if any(any(frame.off_depth) for frame in self._frames):
            return True
        if state.mode in _INVISIBLE_MODES or height < MIN_POINTS or abs(state.stretch) < 1.0:
            return True
        fills, strokes = state.mode in (0, 2, 4, 6), state.mode in (1, 2, 5, 6)
        if (not fills or state.fill_alpha <= _FAINT) and (not strokes or state.stroke_alpha <= _FAINT):
            return True
        if not touch(box, self._page) or (state.clip is not None and not touch(grown(box, height), state.clip)):
            return True
        middle = ((box[0] + box[2]) / 2, box[1] + height * 0.35)
        under = [self._under((box[0] + height * 0.2, box[1] + height * 0.35)), self._under(middle)]
        seen_fill = fills and state.fill_alpha > _FAINT and any(not same_colour(state.fill, ground) for ground in under)
        seen_stroke = (
            strokes and state.stroke_alpha > _FAINT and any(not same_colour(state.stroke, ground) for ground in under)
        )
        return not (seen_fill or seen_stroke)

    def _under(self, point: tuple[float, float]) -> Colour | None:
        for area in reversed(self._painted):
            if area.box[0] <= point[0] <= area.box[2] and area.box[1] <= point[1] <= area.box[3]:
                return area.colour
        return WHITE

    # Areas

    def _draw(self, operator: bytes, values: list[float], matrix: Matrix) -> None:
        if operator == b"re" and len(values) >= 4:
            self._path.append(bounds(matrix, values[0], values[1], values[2], values[3]))
            self._plain_path &= abs(matrix[1]) < 1e-6 and abs(matrix[2]) < 1e-6
        elif operator in (b"m", b"l", b"c", b"v", b"y"):
            points = list(zip(values[::2], values[1::2], strict=False))
            for x, y in points:
                px, py = apply(matrix, x, y)
                self._path.append((px, py, px, py))
            self._plain_path = False
        elif operator in (b"W", b"W*"):
            self._clip_next = True
        elif operator in _ENDS_PATH:
            self._end_path(operator)

    def _end_path(self, operator: bytes) -> None:
        if self._path and operator in _FILLS and self._state.fill_alpha > _FAINT:
            opaque = self._state.fill_alpha >= _OPAQUE
            colour = self._state.fill if opaque else None
            if self._plain_path:
                for box in self._path:
                    self._paint(box, colour, covers=opaque)
            else:
                self._paint(union(self._path), None if self._state.fill != WHITE else WHITE, covers=False)
        if self._clip_next and self._plain_path and len(self._path) == 1:
            clip = self._path[0]
            held = self._state.clip
            self._state = replace(self._state, clip=clip if held is None else cut(held, clip))
        self._path, self._plain_path, self._clip_next = [], True, False

    def _paint(self, box: Box, colour: Colour | None, *, covers: bool) -> None:
        if len(self._painted) < _MAX_PAINTED and not any(any(frame.off_depth) for frame in self._frames):
            area = box if self._state.clip is None else cut(box, self._state.clip)
            self._painted.append(_Painted(order=self._order, box=area, colour=colour, covers=covers))

    # Forms, pictures and layers

    def _look_up(self, kind: str, name: object) -> object:
        table = self._resolve(self._frames[-1].resources.get(kind))
        return self._resolve(table.get(str(name))) if isinstance(table, dict) else None

    def _enter(self, operands: Sequence[object], matrix: Matrix) -> None:
        """A form is read as part of the page, in its own coordinates; a picture is an area of unknown colour."""
        found = self._look_up("/XObject", operands[0]) if operands else None
        target: dict[str, object] = cast("dict[str, object]", found) if isinstance(found, dict) else {}
        depth = len(self._stack)
        self._stack.append(self._state)
        self._marks.append(depth)
        own = self._resolve(target.get("/Resources"))
        resources = cast("dict[str, object]", own) if isinstance(own, dict) else self._frames[-1].resources
        base = multiply(as_matrix(cast("Sequence[float]", self._resolve(target.get("/Matrix")) or IDENTITY)), matrix)
        frame = _Frame(resources=resources, base=base)
        if "/OC" in target:
            frame.off_depth.append(self._is_off(target["/OC"]))
        if str(target.get("/Subtype")) == "/Image" and not any(frame.off_depth):
            opaque = (
                not any(key in target for key in ("/SMask", "/Mask", "/ImageMask"))
                and self._state.fill_alpha >= _OPAQUE
            )
            self._paint(bounds(matrix, 0.0, 0.0, 1.0, 1.0), None, covers=opaque)
        self._frames.append(frame)

    def _marks_off(self, operands: Sequence[object]) -> bool:
        if len(operands) < 2 or str(operands[0]) != "/OC":
            return False
        properties = self._resolve(self._frames[-1].resources.get("/Properties"))
        group = properties.get(str(operands[1])) if isinstance(properties, dict) else None
        return group is not None and self._is_off(group)

    # The graphics state

    def _set(self, operator: bytes, operands: Sequence[object]) -> None:
        values = numbers(operands)
        state = self._state
        match operator:
            case b"q":
                if len(self._stack) < 10_000:
                    self._stack.append(state)
            case b"Q":
                floor = self._marks[-1] + 1 if self._marks else 0
                if len(self._stack) > floor:
                    self._state = self._stack.pop()
            case b"Tr" if values:
                self._state = replace(state, mode=int(values[0]))
            case b"Ts" if values:
                self._state = replace(state, rise=values[0])
            case b"Tz" if values:
                self._state = replace(state, stretch=values[0])
            case b"Tf" if values:
                self._state = replace(state, size=values[-1])
            case b"gs" if operands:
                self._state = self._with_dictionary(self._look_up("/ExtGState", operands[0]))
            case b"g" | b"rg" | b"k":
                self._state = replace(state, fill=colour_of(values), space="plain")
            case b"G" | b"RG" | b"K":
                self._state = replace(state, stroke=colour_of(values))
            case b"cs" if operands:
                space = self._kind_of_space(operands[0])
                self._state = replace(state, fill=(0.0, 0.0, 0.0) if space == "plain" else None, space=space)
            case b"CS":
                self._state = replace(state, stroke=None)
            case b"sc" | b"scn":
                self._state = replace(state, fill=self._chosen(values, len(operands)))
            case b"SC" | b"SCN":
                self._state = replace(state, stroke=None)

    def _chosen(self, values: list[float], count: int) -> Colour | None:
        if len(values) != count or self._state.space == "unknown":
            return None
        if self._state.space == "ink":
            return None if any(values) else WHITE
        return colour_of(values)

    def _kind_of_space(self, name: object) -> str:
        """`plain` components, `ink` (Separation, DeviceN), where none at all is the paper, or `unknown`."""
        if str(name).startswith("/Device"):
            return "plain"
        space = self._look_up("/ColorSpace", name)
        kind = str(space[0]) if isinstance(space, list) and space else str(space)
        if kind in ("/ICCBased", "/CalRGB", "/CalGray") or kind.startswith("/DeviceG") or kind == "/DeviceRGB":
            return "plain"
        return "ink" if kind in ("/Separation", "/DeviceN") else "unknown"

    def _with_dictionary(self, found: object) -> _State:
        if not isinstance(found, dict):
            return self._state
        fill = numbers([self._resolve(found.get("/ca"))])
        stroke = numbers([self._resolve(found.get("/CA"))])
        return replace(
            self._state,
            fill_alpha=fill[0] if fill else self._state.fill_alpha,
            stroke_alpha=stroke[0] if stroke else self._state.stroke_alpha,
        )
