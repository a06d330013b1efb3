"""Tells from HTML attributes and simple CSS rules whether a reader of the page sees an element's text.

Understood: type, class, id and attribute selectors with descendant and child combinators; rules in
`<style>`, inline styles, `!important`. Not understood, and so without effect: sibling combinators,
pseudo-classes, external style sheets, scripts, images behind text, and elements laid over others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TypeAlias

from curio_rag.adapters.style_sheet import Declarations, Element

_LENGTH = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*(px|pt|em|rem|ex|ch|vw|vh|cm|mm|in|pc|%)?", re.IGNORECASE)
_PIXELS = {"px": 1.0, "pt": 4 / 3, "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0, "vw": 12.8, "vh": 7.2}
_PIXELS |= {"cm": 37.8, "mm": 3.78, "in": 96.0, "pc": 16.0, "": 1.0}
_FAR_AWAY = 900.0
_TINY_PIXELS = 1.5
_FAINT = 0.05
_SAME_COLOUR = 24
"""The largest difference of a colour channel (of 255) at which text cannot be told from its background."""


_NAMES = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
    "snow": (255, 250, 250),
    "ivory": (255, 255, 240),
    "ghostwhite": (248, 248, 255),
    "whitesmoke": (245, 245, 245),
    "navy": (0, 0, 128),
}
Colour: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """What an element passes on to its children. `gone` cannot be undone by a child; the rest can."""

    gone: bool = False
    invisible: bool = False
    tiny: bool = False
    colour: Colour | None = (0, 0, 0)
    background: Colour | None = (255, 255, 255)

    @property
    def seen(self) -> bool:
        """Whether text here can be read."""
        if self.gone or self.invisible or self.tiny:
            return False
        if self.colour is None or self.background is None:
            return True
        return max(abs(a - b) for a, b in zip(self.colour, self.background, strict=True)) > _SAME_COLOUR


def appearance(inherited: Appearance, element: Element, style: Declarations) -> Appearance:
    """How an element looks, given its parent's appearance."""
    attributes = element.attributes
    hidden = "hidden" in attributes and style.get("display", "none") == "none"
    state = (
        replace(inherited, gone=True) if hidden or attributes.get("aria-hidden", "").lower() == "true" else inherited
    )
    if legacy := attributes.get("bgcolor"):
        state = replace(state, background=_colour(legacy))
    if element.tag == "font" and "color" in attributes:
        state = replace(state, colour=_colour(attributes["color"]))
    if not style:
        return state
    visibility = style.get("visibility")
    colour = _colour(style["color"]) if "color" in style else state.colour
    background = _background(style, state.background)
    return Appearance(
        gone=state.gone or _is_gone(style),
        invisible=state.invisible if visibility not in _VISIBILITIES else visibility != "visible",
        tiny=_is_tiny(style, inherited=state.tiny),
        colour=background if style.get("color") == "transparent" and background else colour,
        background=background,
    )


_VISIBILITIES = ("hidden", "collapse", "visible")


def _is_gone(style: Declarations) -> bool:
    """Removed, transparent, clipped away or far outside the page; a child cannot undo any of these."""
    if style.get("display", "").split(" ")[0] == "none" or style.get("content-visibility") == "hidden":
        return True
    if _number(style.get("opacity")) is not None and (_number(style.get("opacity")) or 0.0) <= _FAINT:
        return True
    if style.get("position") in ("absolute", "fixed", "relative") and any(
        _is_far(style.get(side)) for side in ("left", "top", "right", "bottom")
    ):
        return True
    if _is_far(style.get("text-indent")) or _is_far(style.get("margin-left")):
        return True
    transform = style.get("transform", "")
    if re.search(r"scale[xy]?\(\s*0(?:\.0*)?\s*[,)]", transform) or any(
        _is_far(value) for value in re.findall(r"-\d[\d.]*[a-z%]*", transform)
    ):
        return True
    if re.search(r"opacity\(\s*0", style.get("filter", "")):
        return True
    return _is_clipped(style)


def _is_clipped(style: Declarations) -> bool:
    clip = re.fullmatch(r"rect\(([^)]*)\)", style.get("clip", ""))
    if clip and all((_pixels(side) or 0.0) <= 1.0 for side in re.split(r"[,\s]+", clip[1].strip())):
        return True
    if re.match(
        r"inset\(\s*(?:[5-9]\d|100)(?:\.\d*)?%|circle\(\s*0|polygon\(\s*0(?:px)?\s+0", style.get("clip-path", "")
    ):
        return True
    cut = any(style.get(name, "").startswith(("hidden", "clip")) for name in ("overflow", "overflow-x", "overflow-y"))
    sizes = [_pixels(style[name]) for name in ("width", "height", "max-width", "max-height") if name in style]
    return cut and any(size is not None and size <= 2.0 for size in sizes)


def _is_far(value: str | None) -> bool:
    pixels = _pixels(value)
    return pixels is not None and pixels <= -_FAR_AWAY


def _is_tiny(style: Declarations, *, inherited: bool) -> bool:
    size = style.get("font-size")
    if size is None and (match := re.search(r"(?:^|\s)([\d.]+(?:px|pt|em|rem|%)?)(?:/|\s)", style.get("font", ""))):
        size = match[1]
    if size is None:
        return inherited
    match = _LENGTH.fullmatch(size)
    if match is None:
        return False
    if match[2] in ("em", "%", "ex", "ch") and inherited:
        return True
    percent = float(match[1]) * 0.16 if match[2] == "%" else None
    return (percent if percent is not None else _pixels(size) or 0.0) < _TINY_PIXELS


def _pixels(value: str | None) -> float | None:
    match = _LENGTH.fullmatch(value) if value else None
    if match is None:
        return None
    unit = (match[2] or "").lower()
    return float(match[1]) * (_PIXELS.get(unit, 12.8))


def _number(value: str | None) -> float | None:
    match = re.fullmatch(r"(\d*\.?\d+)(%?)", value) if value else None
    return float(match[1]) / (100 if match[2] else 1) if match else None


def _background(style: Declarations, inherited: Colour | None) -> Colour | None:
    """The new background; None (unknown, so text is taken as seen) for pictures and gradients."""
    value = style.get("background-color", style.get("background"))
    if "url(" in style.get("background", "") or "gradient(" in style.get("background", ""):
        return None
    if value is None or value in ("transparent", "none", "inherit", "initial", "unset"):
        return inherited
    for word in re.findall(r"[a-z]+\([^)]*\)|[^\s]+", value):
        colour = _colour(word)
        if colour is not None:
            return colour
    return None


def _colour(value: str) -> Colour | None:
    """Red, green and blue from 0 to 255, or None for what is not understood."""
    value = value.strip().lower()
    if value in _NAMES:
        return _NAMES[value]
    digits = value.removeprefix("#")
    if re.fullmatch(r"[0-9a-f]{3,4}", digits):
        return (int(digits[0] * 2, 16), int(digits[1] * 2, 16), int(digits[2] * 2, 16))
    if re.fullmatch(r"[0-9a-f]{6}(?:[0-9a-f]{2})?", digits):
        return (int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16))
    match = re.fullmatch(r"rgba?\(\s*(\d+)\s*[,\s]\s*(\d+)\s*[,\s]\s*(\d+)\s*(?:[,/]\s*([\d.]+)\s*)?\)", value)
    return (min(255, int(match[1])), min(255, int(match[2])), min(255, int(match[3]))) if match else None
