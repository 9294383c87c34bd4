"""Is it there? Present, absent, uncertain, historical, hypothetical, or someone else's: decided clause by clause.

A cue before a mention holds from the cue to the end of its clause, a cue after it for the mentions before it in the
clause; `clauses` says where scopes end. The idea of triggers with directions is NegEx's (W. W. Chapman et al.,
J Biomed Inform 2001; 34: 301); scopes by clause instead of word windows, exceptions, and six classes are ours.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, NamedTuple

from groundglass.text.clauses import MODIFIERS, Item

Assertion = Literal["present", "absent", "uncertain", "historical", "hypothetical", "other person"]
RESOLUTION = frozenset(
    {"resolved", "resolution", "cleared", "clearing", "disappeared", "gone", "longer", "removed", "removal"}
    | {"regressed", "evacuated", "remaining"}
)
_BEFORE = {
    "negation before": "absent",
    "uncertainty before": "uncertain",
    "history before": "historical",
    "hypothesis before": "hypothetical",
    "other person": "other person",
}
_AFTER = {
    "negation after": "absent",
    "uncertainty after": "uncertain",
    "history after": "historical",
    "hypothesis after": "hypothetical",
}
_CONCEPTS = frozenset({"finding", "device", "quality", "normal"})
_LINKS = MODIFIERS | {"side", "anatomy", "place preposition"}


class Ruling(NamedTuple):
    """The class of a mention, the cue that decided it ("" when there was none), and whether it says "gone"."""

    assertion: Assertion
    rule: str
    resolved: bool = False


PRESENT = Ruling("present", "")


def rulings(items: list[Item], low: int, high: int) -> dict[int, Ruling]:
    """Item index -> ruling, for every mention of the clause items[low:high]."""
    active: dict[str, str] = {}
    found: dict[int, Ruling] = {}
    order: list[int] = []
    for index in range(low, high):
        kind, value = items[index].kind, str(items[index].value)
        if kind in _CONCEPTS:
            found[index] = _ruling(active, items[index].gap)
            order.append(index)
        elif kind in _BEFORE:
            _open(active, _BEFORE[kind], value, items, index)
        elif kind == "history adjacent":
            target = _next_mention(items, index, high)
            if target is not None and items[target].kind == "finding":
                active["historical once"] = value
        elif kind == "with" and index + 1 < high and items[index + 1].kind in MODIFIERS:
            active.pop("absent", None)
            active.pop("uncertain", None)
        elif kind in _AFTER:
            _look_back(found, order, _AFTER[kind], value)
        if kind in _CONCEPTS:
            active.pop("historical once", None)
    _alternatives(items, order, found)
    _question_marks(items, order, found)
    return found


def _open(active: dict[str, str], assertion: str, cue: str, items: list[Item], index: int) -> None:
    if assertion == "absent" and "uncertain" in active and items[index - 1].kind == "uncertainty before":
        return  # "possibly no effusion" leaves it open
    active[assertion] = cue


def _ruling(active: dict[str, str], gap: str) -> Ruling:
    if not active:
        return Ruling("uncertain", "?") if "?" in gap else PRESENT
    if "hypothetical" in active:
        return Ruling("hypothetical", active["hypothetical"])
    if "absent" in active:
        cue = active["absent"]
        return Ruling("absent", cue, not RESOLUTION.isdisjoint(cue.split()))
    if "other person" in active:
        return Ruling("other person", active["other person"])
    if "historical once" in active:
        return Ruling("historical", active["historical once"])
    if "historical" in active:
        return Ruling("historical", active["historical"])
    return Ruling("uncertain", active["uncertain"])


def _next_mention(items: list[Item], index: int, high: int) -> int | None:
    for after in range(index + 1, high):
        if items[after].kind in _CONCEPTS:
            return after
        if items[after].kind not in _LINKS or items[after].kind == "place preposition":
            return None
    return None


def _look_back(found: dict[int, Ruling], order: list[int], assertion: str, cue: str) -> None:
    """A cue after its mentions: it decides those that nothing before them has decided."""
    resolved = assertion == "absent" and not RESOLUTION.isdisjoint(cue.split())
    for index in order:
        known = found[index].assertion
        if known == "present" or (assertion == "absent" and known in ("uncertain", "historical")):
            found[index] = Ruling(assertion, cue, resolved)  # type: ignore[arg-type]


def _alternatives(items: list[Item], order: list[int], found: dict[int, Ruling]) -> None:
    """ "A or B", "A versus B": neither is certain unless the sentence says more."""
    for first, second in pairwise(order):
        if items[first].kind != "finding" or items[second].kind != "finding":
            continue
        between = items[first + 1 : second]
        linked = next((item for item in between if item.kind in ("or", "versus")), None)
        if linked is None or any(item.kind not in _LINKS and item is not linked for item in between):
            continue
        for index in (first, second):
            if found[index].assertion == "present":
                found[index] = Ruling("uncertain", str(linked.value))


def _question_marks(items: list[Item], order: list[int], found: dict[int, Ruling]) -> None:
    for index in order:
        if index + 1 < len(items) and items[index + 1].gap.lstrip().startswith("?"):
            found[index] = Ruling("uncertain", "?")
