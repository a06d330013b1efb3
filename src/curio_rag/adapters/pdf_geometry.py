"""Matrices, boxes and colours of a PDF page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, cast

Matrix: TypeAlias = tuple[float, float, float, float, float, float]
Box: TypeAlias = tuple[float, float, float, float]
Colour: TypeAlias = tuple[float, float, float]

IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
WHITE: Colour = (1.0, 1.0, 1.0)
_SAME = 0.06
"""The largest difference of a colour component (of 1) at which text cannot be told from its background."""


def numbers(operands: Sequence[object]) -> list[float]:
    """The operands that are numbers."""
    return [float(value) for value in operands if isinstance(value, int | float)]


def as_matrix(values: Sequence[float]) -> Matrix:
    """Six numbers, or the identity for anything else."""
    found = numbers(list(values))
    return cast("Matrix", tuple(found)) if len(found) == 6 else IDENTITY


def multiply(a: Matrix, b: Matrix) -> Matrix:
    """The matrix that applies `a` first and then `b`."""
    return (
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    )


def apply(m: Matrix, x: float, y: float) -> tuple[float, float]:
    """A point under a matrix."""
    return (x * m[0] + y * m[2] + m[4], x * m[1] + y * m[3] + m[5])


def colour_of(values: Sequence[float]) -> Colour | None:
    """Red, green and blue from grey, RGB or CMYK components."""
    if len(values) == 1:
        return (values[0], values[0], values[0])
    if len(values) == 3:
        return (values[0], values[1], values[2])
    if len(values) == 4:
        light = 1.0 - values[3]
        return ((1.0 - values[0]) * light, (1.0 - values[1]) * light, (1.0 - values[2]) * light)
    return None


def same_colour(text: Colour | None, ground: Colour | None) -> bool:
    """Whether two known colours look alike."""
    if text is None or ground is None:
        return False
    return max(abs(a - b) for a, b in zip(text, ground, strict=True)) <= _SAME


def characters(operands: Sequence[object]) -> int:
    """How many characters the operands of a text operator hold."""
    total = 0
    for operand in operands:
        if isinstance(operand, str | bytes):
            total += len(operand)
        elif isinstance(operand, list):
            total += characters(operand)
    return total


def around(start: tuple[float, float], end: tuple[float, float], height: float) -> Box:
    """The box of a line of text from its origin to its end."""
    return (
        min(start[0], end[0]),
        min(start[1], end[1]),
        max(start[0], end[0]),
        max(start[1], end[1]) + height * 0.7,
    )


def bounds(m: Matrix, x: float, y: float, width: float, height: float) -> Box:
    """The box around a rectangle under a matrix."""
    corners = [apply(m, px, py) for px in (x, x + width) for py in (y, y + height)]
    return union([(px, py, px, py) for px, py in corners])


def union(boxes: Sequence[Box]) -> Box:
    """The smallest box around others."""
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


def cut(a: Box, b: Box) -> Box:
    """What two boxes share; it runs backwards where they share nothing."""
    return (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))


def grown(box: Box, by: float) -> Box:
    """A box with a margin."""
    return (box[0] - by, box[1] - by, box[2] + by, box[3] + by)


def touch(a: Box, b: Box) -> bool:
    """Whether two boxes meet."""
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def holds(outer: Box, inner: Box) -> bool:
    """Whether a box covers another; a tenth of the width may stand out, for widths are estimates."""
    slack = 0.1 * (inner[2] - inner[0]) + 1.0
    rise = 0.3 * (inner[3] - inner[1])
    return (
        outer[0] <= inner[0] + slack
        and inner[2] - slack <= outer[2]
        and outer[1] <= inner[1] + rise
        and inner[3] - rise <= outer[3]
    )
