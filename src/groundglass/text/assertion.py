"""Is it there? Present, absent, uncertain, historical, hypothetical, or someone else's: decided clause by clause.

A cue before a mention holds from the cue to the end of its clause, a cue after it for the mentions before it in the
clause; `clauses` says where scopes end. The idea of triggers with directions is NegEx's (W. W. Chapman et al.,
J Biomed Inform 2001; 34: 301); scopes by clause instead of word windows, exceptions, and six classes are ours.
"""

from __future__ import annotations

from itertools import pairwise, takewhile
from typing import Literal, NamedTuple

from groundglass.text.clauses import MODIFIERS, Item

Assertion = Literal["present", "absent", "uncertain", "historical", "hypothetical", "other person"]
RESOLUTION = frozenset(
    {"resolved", "resolution", "cleared", "clearing", "disappeared", "gone", "longer", "removed", "removal"}
    | {"regressed", "evacuated", "remaining"}
)
_BEFORE: dict[str, Assertion] = {
    "negation before": "absent",
    "uncertainty before": "uncertain",
    "history before": "historical",
    "hypothesis before": "hypothetical",
    "other person": "other person",
}
_AFTER: dict[str, Assertion] = {
    "negation after": "absent",
    "uncertainty after": "uncertain",
    "history after": "historical",
    "hypothesis after": "hypothetical",
}
_DENIALS = frozenset({"no", "none"})
_CLOSERS = {
    "with": ("absent", "uncertain"),
    "relative": ("absent", "uncertain"),
    "now": ("historical", "hypothetical", "other person"),
}
_CONCEPTS = frozenset({"finding", "device", "quality", "normal"})
_STARTS = MODIFIERS | {"side"}
_NOW_VERBS = frozenset({"is", "are", "has", "have"})
_PAIRED_DENIALS = frozenset({"neither", "nor"})
_WEIGHTY = frozenset(
    {"history adjacent", "denial", "earlier exam", "altered", "change", *_BEFORE, *_AFTER, *_CLOSERS, *_CONCEPTS}
)
_QUESTIONS = frozenset("?？")
_TOPIC = "は"
"""Japanese: what stands before it is spoken of ("as for the nodule, cancer is suspected"); it is no item of a list."""
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
        kind = items[index].kind
        if kind not in _WEIGHTY:
            continue
        value = str(items[index].value)
        if kind in ("altered", "change") or (kind == "quality" and value == "enlarged"):
            _deny_change_only(items, found, order, index)
        if kind in _CONCEPTS:
            found[index] = _ruling(active, items, index, low)
            order.append(index)
            active.pop("historical once", None)
        elif value in _DENIALS and order and _is_answer(items, index):
            found[order[-1]] = Ruling("absent", value)
        elif kind in _BEFORE:
            _open(active, _BEFORE[kind], value, items, index)
        elif kind == "earlier exam":
            if index == 0 and not _tells_now(items[low:high]):
                active["historical"] = value
        elif kind == "history adjacent":
            if _is_past(items, index, high):
                active["historical once"] = value
        elif kind in _CLOSERS:
            if kind == "with" and active.get("historical") in ("status post", "s p"):
                del active["historical"]
            if kind != "with" or (index + 1 < high and items[index + 1].kind in _STARTS):
                for closed in _CLOSERS[kind]:
                    active.pop(closed, None)
        elif kind in _AFTER:
            _look_back(items, found, order, index, _AFTER[kind])
    _alternatives(items, order, found)
    _question_marks(items, order, found)
    return found


def _tells_now(clause: list[Item]) -> bool:
    """ "On the prior CT there is ..." looks back from now; "there was" tells of then."""
    return any(item.kind in ("there", "verb") and str(item.value).split()[-1] in _NOW_VERBS for item in clause)


def _deny_change_only(items: list[Item], found: dict[int, Ruling], order: list[int], index: int) -> None:
    """ "Neither the nodule nor the effusion has changed": the change is denied, not what has not changed."""
    if order and found[order[-1]].rule in _PAIRED_DENIALS and items[index - 1].kind in ("verb", *_CONCEPTS):
        for earlier in order:
            if found[earlier].rule in _PAIRED_DENIALS:
                found[earlier] = PRESENT


def _is_answer(items: list[Item], index: int) -> bool:
    """ "Effusion: none", "edema (none)", "pneumothorax no": the denial stands behind what it denies."""
    gap = items[index].gap.strip()
    return gap.endswith((":", "(")) or (gap in ("", "-") and index + 1 < len(items) and items[index + 1].kind == "end")


def _open(active: dict[str, str], assertion: str, cue: str, items: list[Item], index: int) -> None:
    if assertion == "absent" and "uncertain" in active and items[index - 1].kind == "uncertainty before":
        return  # "possibly no effusion" leaves it open
    if assertion == "uncertain" and cue.startswith("to ") and _is_denied(items, index):
        active["absent"] = cue  # "no increase in markings to suggest edema"
        return
    if assertion == "uncertain" and ("exclude" in cue or "rule out" in cue):
        active.pop("absent", None)  # "absence of a line does not exclude a fracture"
    active[assertion] = cue


def _is_denied(items: list[Item], index: int) -> bool:
    for item in reversed(items[:index]):
        if item.kind in ("stop", "except", "verb", "seen"):
            return False
        if item.kind == "pseudo-negation":
            return True
    return False


def _ruling(active: dict[str, str], items: list[Item], index: int, low: int) -> Ruling:
    if not active:
        return Ruling("uncertain", "?") if _is_questioned(items, index, low) else PRESENT
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


def _is_questioned(items: list[Item], index: int, low: int) -> bool:
    """ "? left basal pneumonia": a question mark before the mention and its modifiers."""
    while index >= low:
        if not _QUESTIONS.isdisjoint(items[index].gap):
            return True
        index -= 1
        if index >= low and items[index].kind not in _LINKS:
            return False
    return False


def _is_past(items: list[Item], index: int, high: int) -> bool:
    """ "Prior pneumonia" is history; "the prior, the effusion" and "previous nodule is larger" are not."""
    for after in range(index + 1, high):
        item = items[after]
        if "," in item.gap or (item.kind == "determiner" and items[index].value != "had"):
            return False
        if item.kind == "finding":
            said = takewhile(lambda later: later.kind not in ("and", *_CONCEPTS), items[after + 1 : high])
            return not any(later.kind == "change" for later in said)
        if item.kind not in _LINKS or item.kind == "place preposition":
            return False
    return False


def _look_back(items: list[Item], found: dict[int, Ruling], order: list[int], cue: int, assertion: Assertion) -> None:
    """A cue after its mentions: it decides the nearest one, and back along a list those that nothing else has decided.

    A list is held together by "and" or "or"; commas alone join bare words only ("effusion, pneumothorax not seen").
    """
    value = str(items[cue].value)
    ruling = Ruling(assertion, value, assertion == "absent" and not RESOLUTION.isdisjoint(value.split()))
    later = cue
    joined = False
    for index in reversed(order):
        between = items[index + 1 : later]
        if any(item.kind == "change" and item.start != items[cue].start for item in between):
            return
        if later != cue:
            if _TOPIC in items[index + 1].gap:
                return
            joined = joined or any(item.kind in ("and", "or", "versus") for item in between)
            bare = assertion == "absent" and not between and (index == 0 or items[index - 1].kind in _CONCEPTS)
            if "," in items[index + 1].gap and not joined and not bare:
                return
        known = found[index].assertion
        if known == "present" or (assertion == "absent" and known in ("uncertain", "historical")):
            found[index] = ruling
        later = index


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
        if index + 1 < len(items) and items[index + 1].gap.lstrip().startswith(("?", "？")):
            found[index] = Ruling("uncertain", "?")
