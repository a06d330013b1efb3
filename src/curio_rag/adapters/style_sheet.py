"""Finds which declarations of a page's `<style>` blocks and inline styles hold for an element.

Understood: type, class, id and attribute selectors with descendant and child combinators, `!important`,
and media rules as far as they are for print alone. Rules with anything else are without effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Declarations: TypeAlias = Mapping[str, str]

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_IMPORTANT = re.compile(r"\s*!\s*important\s*$", re.IGNORECASE)
_COMPOUND = re.compile(r"(\*|[a-z][a-z0-9-]*)?((?:[.#][\w-]+|\[[^\]]+\])*)", re.IGNORECASE)
_PIECE = re.compile(r"([.#])([\w-]+)|\[\s*([\w-]+)\s*(?:([~|^$*]?=)\s*[\"']?([^\"'\]]*)[\"']?\s*)?\]")
_MAX_RULES = 20_000
_MAX_ANCESTORS = 64
_UNPRINTED_MEDIA = re.compile(r"\bprint\b", re.IGNORECASE)


def names(words: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(words.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """What a selector can ask of an element."""

    tag: str
    attributes: Mapping[str, str]

    @property
    def classes(self) -> frozenset[str]:
        """The words of its class attribute."""
        return frozenset(self.attributes.get("class", "").split())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    tag: str
    classes: frozenset[str]
    id: str | None
    attributes: tuple[tuple[str, str, str], ...]
    direct: bool

    def matches(self, element: Element) -> bool:
        if self.tag not in ("", "*", element.tag):
            return False
        if self.id is not None and element.attributes.get("id") != self.id:
            return False
        return self.classes <= element.classes and all(
            _attribute_matches(element.attributes.get(name), operator, value)
            for name, operator, value in self.attributes
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    parts: tuple[_Part, ...]
    weight: tuple[int, int, int]
    declarations: Declarations

    def matches(self, path: Sequence[Element]) -> bool:
        return self.parts[-1].matches(path[-1]) and self._ancestors_match(len(self.parts) - 2, len(path) - 2, path)

    def _ancestors_match(self, part: int, at: int, path: Sequence[Element]) -> bool:
        """Greedy towards the root; enough for descendant chains, and a direct parent is checked exactly."""
        while part >= 0:
            if self.parts[part + 1].direct:
                if at < 0 or not self.parts[part].matches(path[at]):
                    return False
            else:
                while at >= 0 and not self.parts[part].matches(path[at]):
                    at -= 1
                if at < 0:
                    return False
            part, at = part - 1, at - 1
        return True


class StyleSheet:
    """The rules of a page's `<style>` blocks, found by the class, id or tag that they end in."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._rules: dict[str, list[tuple[int, _Rule]]] = {}
        count = 0
        for source in sources:
            for selectors, body in _blocks(_COMMENT.sub("", source)):
                declarations = parse_declarations(body)
                if not _RELEVANT.intersection(declarations):
                    continue
                for selector in selectors.split(","):
                    rule = _parse_selector(selector, declarations)
                    if rule is not None and count < _MAX_RULES:
                        self._rules.setdefault(_key(rule.parts[-1]), []).append((count, rule))
                        count += 1

    def style(self, path: Sequence[Element]) -> Declarations:
        """The declarations that hold for the last element of a path from the root."""
        element = path[-1]
        inline = element.attributes.get("style")
        found: list[tuple[tuple[int, int, int], int, Declarations]] = []
        if self._rules:
            near = path[-_MAX_ANCESTORS:]
            keys = ["*", element.tag, *("." + name for name in element.classes), "#" + element.attributes.get("id", "")]
            for key in keys:
                for order, rule in self._rules.get(key, ()):
                    if rule.matches(near):
                        found.append((rule.weight, order, rule.declarations))
        if not found and not inline:
            return {}
        found.sort(key=lambda entry: entry[:2])
        layers = [entry[2] for entry in found]
        if inline:
            layers.append(parse_declarations(inline))
        merged: dict[str, str] = {}
        for layer in layers:
            merged.update(layer)
        for layer in layers:
            merged.update({name: value for name, value in layer.items() if _IMPORTANT.search(value)})
        return {name: _IMPORTANT.sub("", value) for name, value in merged.items()}


_RELEVANT = frozenset(
    [
        "display",
        "visibility",
        "opacity",
        "font-size",
        "font",
        "position",
        "left",
        "right",
        "top",
        "bottom",
        "text-indent",
        "margin-left",
        "clip",
        "clip-path",
        "width",
        "height",
        "max-width",
        "max-height",
        "overflow",
        "overflow-x",
        "overflow-y",
        "transform",
        "color",
        "background",
        "background-color",
        "content-visibility",
        "zoom",
        "filter",
    ]
)


def parse_declarations(source: str) -> dict[str, str]:
    """`name: value` pairs in lower case."""
    declarations = {}
    for declaration in source.lower().split(";"):
        name, colon, value = declaration.partition(":")
        if colon and name.strip():
            declarations[name.strip()] = value.strip()
    return declarations


def _attribute_matches(found: str | None, operator: str, value: str) -> bool:
    if found is None:
        return False
    match operator:
        case "":
            return True
        case "=":
            return found == value
        case "~=":
            return value in found.split()
        case "^=":
            return bool(value) and found.startswith(value)
        case "$=":
            return bool(value) and found.endswith(value)
        case "*=":
            return bool(value) and value in found
        case _:
            return found == value or found.startswith(value + "-")


def _blocks(source: str) -> Iterable[tuple[str, str]]:
    """(selectors, declarations) of the rules that hold on a screen; those for printing are left out."""
    media: list[bool] = []
    start = position = 0
    for match in re.finditer(r"[{}]", source):
        text, position = source[start : match.start()], match.end()
        start = position
        if match.group() == "{":
            prelude = text.rsplit(";", 1)[-1].strip()
            at_rule = prelude.startswith(("@media", "@supports", "@layer", "@container"))
            media.append(not (at_rule and _UNPRINTED_MEDIA.search(prelude) and "screen" not in prelude))
            selectors = prelude
        elif media:
            shown = all(media)
            media.pop()
            if shown and text.strip() and not selectors.startswith("@"):
                yield selectors, text
            selectors = "@"
    if media and all(media) and source[start:].strip() and not selectors.startswith("@"):
        yield selectors, source[start:]


def _parse_selector(selector: str, declarations: Declarations) -> _Rule | None:
    """A rule, or None for a selector that is not understood (siblings, pseudo-classes, pseudo-elements)."""
    words = re.sub(r"\s*>\s*", " > ", selector.strip()).split()
    parts: list[_Part] = []
    direct = False
    for word in words:
        if word == ">":
            direct = True
            continue
        compound = _COMPOUND.fullmatch(word)
        if compound is None or len(parts) > 12:
            return None
        pieces = _PIECE.findall(compound[2])
        parts.append(
            _Part(
                tag=(compound[1] or "").lower(),
                classes=frozenset(name for sign, name, *_ in pieces if sign == "."),
                id=next((name for sign, name, *_ in pieces if sign == "#"), None),
                attributes=tuple((name.lower(), sign, value) for _, _, name, sign, value in pieces if name),
                direct=direct,
            )
        )
        direct = False
    if not parts:
        return None
    ids = sum(part.id is not None for part in parts)
    classes = sum(len(part.classes) + len(part.attributes) for part in parts)
    tags = sum(part.tag not in ("", "*") for part in parts)
    return _Rule(parts=tuple(parts), weight=(ids, classes, tags), declarations=declarations)


def _key(part: _Part) -> str:
    if part.id is not None:
        return "#" + part.id
    if part.classes:
        return "." + min(part.classes)
    return part.tag or "*"
