"""Where one statement ends and the next begins inside a sentence.

A comma or an "and" divides only when both sides state something of their own: "No effusion, pneumothorax or
consolidation is seen" is one clause, "No effusion, and the heart is enlarged" are two. "But", "however", "except for"
and semicolons always divide. In Chinese, whose lists have a mark of their own, a comma divides wherever both sides
mention something.
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
_DIVIDERS = frozenset({"stop", "except", "and", "comma"})
_BARE = frozenset({"finding", "and", "or", "comma", "end"})
_PLAIN = frozenset({" ", ""})
_MARKS = (",", ":", " - ", ")", ".")
_HARD = frozenset({"stop", "except"})
_STATES = frozenset({"finding", "device", "quality", "normal", "anatomy"})
# A new statement begins with one of these, though no verb follows.
_OPENERS = frozenset({"determiner", "change", "there", "number"})
_OPENING_SEVERITY = frozenset({"trace", "small", "mild", "moderate"})
_VERBS = frozenset({"verb", "seen", "there", "negation after"})
_PREDICATES = frozenset({"verb", "seen", "negation after", "uncertainty after"})
_NEW_SCOPES = frozenset({"negation before", "pseudo-negation", "there", "history before"})
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
    for index, (kind, _, _, _, gap) in enumerate(items):
        if kind == "end":
            continue
        if gap in _PLAIN and kind not in _DIVIDERS:
            if kind == "determiner" and _runs_on(items, index):
                found.append((index, True))
            continue
        if kind in _HARD or (";" in gap and index) or ("(" in gap and index and items[index - 1].kind == "seen"):
            found.append((index, True))
        elif kind in ("and", "comma") or (
            index and items[index - 1].kind != "and" and any(mark in gap for mark in _MARKS)
        ):
            found.append((index, False))
    return found


def _runs_on(items: list[Item], index: int) -> bool:
    """ "No pneumothorax the lungs are hyperinflated": dictated without a stop, a new subject with its verb."""
    kinds = [item.kind for item in items[index - 1 : index + 3]] if index else []
    return len(kinds) == 4 and kinds[0] in MENTIONS and kinds[2] == "anatomy" and kinds[3] in ("verb", "normal")


def _divides(items: list[Item], low: int, index: int, high: int) -> bool:
    """Whether the border before `index` parts two statements: left is items[low:index], right items[index:high]."""
    left = {item.kind for item in items[low:index]}
    if left.isdisjoint(_STATES):
        return False
    if items[index].kind == "comma":
        return _comma_divides(items, index, high, left)
    joined_by_and = items[index].kind == "and"
    start = index + 1 if joined_by_and else index
    if start >= high or items[start].kind in ("or", "versus", "end"):
        return False
    first = items[start]
    right = {item.kind for item in items[start:high]}
    left_mentions = not left.isdisjoint(MENTIONS)
    if first.kind in _NEW_SCOPES:
        return left_mentions and not right.isdisjoint(_STATES)
    if first.kind == "uncertainty before":
        return left_mentions and "negation before" not in left
    scoped = not left.isdisjoint(_SCOPES)
    if scoped and left_mentions and not right.isdisjoint(MENTIONS) and _opens(first):
        return joined_by_and or high >= len(items) or items[high].kind != "or"
    if right.isdisjoint(_PREDICATES):
        return False
    return _states_apart(items, low, index, start, high, scoped and left.isdisjoint(_VERBS), left)


def _comma_divides(items: list[Item], index: int, high: int, left: set[str]) -> bool:
    """Where lists have a mark of their own (Chinese), a comma parts statements; but bare words go on a denied list."""
    right = {item.kind for item in items[index + 1 : high]}
    if left.isdisjoint(MENTIONS) or right.isdisjoint(MENTIONS):
        return False
    return left.isdisjoint(_SCOPES) or not right <= _BARE


def _states_apart(
    items: list[Item], low: int, index: int, start: int, high: int, is_scoped_list: bool, left: set[str]
) -> bool:
    """Whether the right side, which has a predicate, is a statement of its own."""
    verb = next(i for i in range(start, high) if items[i].kind in _PREDICATES)
    if not any(item.kind in _STATES for item in items[start:verb]):
        return False
    if is_scoped_list and items[verb].kind == "seen":
        # "No A, B, and C is seen" is a list; "No A, and C is seen in the left base" is not.
        lone = sum(item.kind in MENTIONS for item in items[low:index]) == 1
        return items[index].kind == "and" and lone and "," in items[index].gap
    if left.isdisjoint(_VERBS) and left.isdisjoint(_SCOPES):
        # "Heart, mediastinum and hila are normal": one predicate for a list of subjects.
        return "normal" in left
    return True


def _opens(first: Item) -> bool:
    """Whether a side without a verb begins like a statement: "a small effusion", "unchanged cardiomegaly"."""
    if first.kind in _OPENERS:
        return first.value not in ("that", "those", "any", "new", "these")
    return first.kind == "severity" and first.value in _OPENING_SEVERITY
