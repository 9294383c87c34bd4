"""Severity, change, texture, margin, distribution, number, chronicity and position of a mention."""

from __future__ import annotations

from functools import lru_cache

from groundglass.core import Attribute
from groundglass.text.clauses import MENTIONS, Item

_KINDS = frozenset({"severity", "change", "texture", "margin", "distribution", "number", "chronicity", "position"})
_STEP_LEFT = _KINDS | {"side", "anatomy", "determiner", "quality"}
_HALT_RIGHT = frozenset({"stop", "except", "with", "negation before", "recommendation", "end"})


def qualifiers(items: list[Item], low: int, high: int, index: int) -> tuple[Attribute, ...]:
    """The attributes of the mention at items[index] inside items[low:high]; the nearest word of a kind wins."""
    found: dict[str, str] = {}
    for item in _before(items, low, index):
        if item.kind in _KINDS:
            found.setdefault(item.kind, str(item.value))
    for item in _after(items, high, index):
        if item.kind in _KINDS:
            found.setdefault(item.kind, str(item.value))
    return tuple(attribute(kind, value) for kind, value in found.items()) if found else ()


@lru_cache(maxsize=4096)
def attribute(kind: str, value: str) -> Attribute:
    """An attribute; few are said again and again, so that they are kept."""
    return Attribute(kind, value)


def _before(items: list[Item], low: int, index: int) -> list[Item]:
    """Modifiers to the left: "increase in the small left" of "increase in the small left effusion"."""
    found: list[Item] = []
    for position in range(index - 1, low - 1, -1):
        item = items[position]
        if item.kind not in _STEP_LEFT:
            break
        if "," in items[position + 1].gap and not (item.kind in _KINDS and items[position + 1].kind in _KINDS):
            break
        found.append(item)
    return found


def _after(items: list[Item], high: int, index: int) -> list[Item]:
    """Predicates to the right: "is small and unchanged"; they end where the next mention's own words begin."""
    found: list[Item] = []
    stop = high
    for position in range(index + 1, high):
        if items[position].kind in _HALT_RIGHT:
            stop = position
            break
        if items[position].kind in MENTIONS and items[position].kind != "quality":
            stop = position
            while stop - 1 > index and items[stop - 1].kind in _STEP_LEFT:
                stop -= 1
            break
    for position in range(index + 1, stop):
        found.append(items[position])
    return found
