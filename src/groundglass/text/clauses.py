"""Where one statement ends and the next begins inside a sentence.

A comma or an "and" divides only when both sides state something of their own: "No effusion, pneumothorax or
consolidation is seen" is one clause, "No effusion, and the heart is enlarged" are two. "But", "however", "except for"
and semicolons always divide.
"""

from __future__ import annotations

from typing import NamedTuple


class Item(NamedTuple):
    """One role of one token: `kind` and `value` as the lexicon says, sentence[start:end], `gap` is the text before."""

    kind: str
    value: object
    start: int
    end: int
    gap: str


MENTIONS = frozenset({"finding", "device", "quality", "normal"})
MODIFIERS = frozenset(
    {"severity", "change", "texture", "margin", "distribution", "number", "chronicity", "determiner", "quality"}
)
_MARKS = (",", ":", " - ", ")", ".")
_HARD = frozenset({"stop", "except"})
_STATES = frozenset({"finding", "device", "quality", "normal", "anatomy"})
# A new statement begins with one of these, though no verb follows.
_OPENERS = frozenset({"determiner", "change", "there", "number"})
_OPENING_SEVERITY = frozenset({"trace", "small", "mild", "moderate"})
_SCOPES = frozenset({"negation before", "uncertainty before", "history before", "hypothesis before", "other person"})


def clauses(items: list[Item]) -> list[tuple[int, int]]:
    """Ranges of items, one per clause, in order; together they hold every item."""
    bounds = _candidates(items)
    if not bounds:
        return [(0, len(items))]
    found: list[tuple[int, int]] = []
    low = 0
    for position, (index, is_hard) in enumerate(bounds):
        high = bounds[position + 1][0] if position + 1 < len(bounds) else len(items)
        if index > low and (is_hard or _divides(items, low, index, high)):
            found.append((low, index))
            low = index
    found.append((low, len(items)))
    return found


def _candidates(items: list[Item]) -> list[tuple[int, bool]]:
    """(index of the first item after it, whether it always divides) of every possible border."""
    found: list[tuple[int, bool]] = []
    for index, item in enumerate(items):
        kind, gap = item.kind, item.gap
        if kind in _HARD or (";" in gap and index):
            found.append((index, True))
        elif kind == "and" or (index and items[index - 1].kind != "and" and any(mark in gap for mark in _MARKS)):
            found.append((index, False))
    return found


def _divides(items: list[Item], low: int, index: int, high: int) -> bool:
    """Whether the border before `index` parts two statements: left is items[low:index], right items[index:high]."""
    left, right = items[low:index], items[index:high]
    if not any(item.kind in _STATES for item in left):
        return False
    left_mentions = any(item.kind in MENTIONS for item in left)
    if right[0].kind == "and":
        joined_by_and, right = True, right[1:]
    else:
        joined_by_and = False
    if not right or right[0].kind in ("or", "versus"):
        return False
    first = right[0]
    if first.kind in ("negation before", "pseudo-negation", "there", "history before"):
        return left_mentions and any(item.kind in _STATES for item in right)
    if first.kind == "uncertainty before":
        return left_mentions and not any(item.kind == "negation before" for item in left)
    verbless = not any(item.kind in ("verb", "seen", "there", "negation after") for item in left)
    scoped = any(item.kind in _SCOPES for item in left)
    verb = next((item for item in right if item.kind in ("verb", "seen", "negation after", "uncertainty after")), None)
    if scoped and _opens(first, right) and left_mentions:
        in_list = not joined_by_and and any(item.kind == "or" for item in items[high : high + 1])
        return not in_list
    if verb is not None:
        if not any(item.kind in _STATES for item in right[: right.index(verb)]):
            return False
        if verbless and scoped and verb.kind == "seen":
            # "No A, B, and C is seen" is a list; "No A, and C is seen in the left base" is not.
            lone = sum(item.kind in MENTIONS for item in left) == 1
            return joined_by_and and lone and "," in items[index].gap
        if verbless and not scoped:
            # "Heart, mediastinum and hila are normal": one predicate for a list of subjects.
            return left_mentions and any(item.kind in ("normal",) for item in left)
        return True
    return False


def _opens(first: Item, right: list[Item]) -> bool:
    if not any(item.kind in MENTIONS for item in right):
        return False
    if first.kind in _OPENERS:
        return first.value not in ("that", "those", "any", "new", "these")
    return first.kind == "severity" and first.value in _OPENING_SEVERITY
