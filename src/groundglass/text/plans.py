"""What a sentence states, worked out once per shape of a sentence and then only filled in.

The grammar looks at what words do, not at which they are: "There is a small effusion in the left base, measuring 4 mm"
and "There is a small consolidation in the left base, measuring 9 mm" take the same way through clauses, scopes and
places. The shape of a sentence is the sequence of its words' meanings, in which findings and devices that no rule
treats apart stand for each other, with the punctuation between them. A `Plan` says what is stated by positions in that
sequence. Whether two words may stand for each other is decided here alone (`_class_of`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, cast

from groundglass.core import Attribute, Location, Term
from groundglass.core.finding import Side, Status
from groundglass.text.clauses import MENTIONS, Item, clauses
from groundglass.text.items import items_from
from groundglass.text.lexicon import Lexicon
from groundglass.text.mentions import ADJECTIVES, BARE, BREAK, Mention, is_tip, mentions, refined
from groundglass.text.qualifiers import qualifiers
from groundglass.text.tokens import Token

MOST = 100_000
"""Shapes that are remembered; when there are more, all are forgotten (real reports have far fewer)."""

LEANING = frozenset({"probable", "alternative"})
"""Certainties that lean to yes."""

_SPEAKING = MENTIONS | {"recommendation"}
_STATUS: dict[str, Status] = {"present": "present", "absent": "absent"}
_SILENT_TEXT = re.compile(r"[^\s,:;().?？は-]+")
_SHORT_GAPS = 4096
_TWOFOLD = "finding and anatomy"
_PLAIN = frozenset({"finding", "device"})


class Named(NamedTuple):
    """A finding's term and place."""

    what: Term
    where: Location


class Planned(NamedTuple):
    """A finding to be; its words run from token `first` to `last`.

    `named` is None where token `at` names it, at `anatomy` and `side`: see `named_by`.
    """

    named: Named | None
    at: int
    anatomy: str | None
    side: Side | None
    status: Status
    attributes: tuple[Attribute, ...]
    first: int
    last: int
    rule: str
    kind: str


class Counted(NamedTuple):
    """What labels need of a `Planned` that speaks of the patient now; `leans`: a doubtful one that leans to yes."""

    named: Named | None
    at: int
    anatomy: str | None
    side: Side | None
    status: Status
    leans: bool


class Plan(NamedTuple):
    """What sentences of one shape state, and what counts for labels; whether they speak of a change, or recommend."""

    stated: tuple[Planned, ...]
    counted: tuple[Counted, ...]
    changes: bool
    recommends: bool


def plan_of(found: Sequence[Token], sentence: str, words: Lexicon) -> Plan:
    """The plan for a sentence with these tokens; worked out when its shape is met for the first time."""
    classes = words.classes or _classes(words)
    gaps = words.gaps
    shape: list[object] = []
    for _, _, number, gap in found:
        shape.append(classes[number])
        if gap == " ":
            continue
        shape.append(gaps[gap] if gap in gaps else _short(gap, gaps))
    tail = sentence[found[-1][1] :]
    shape.append(gaps[tail] if tail in gaps else _short(tail, gaps))
    if _TWOFOLD in shape:
        # What stands beside a word that is a place and a finding decides which of them it is.
        shape.append(tuple(token[2] for token in found))
    key = tuple(shape)
    plan = words.plans.get(key)
    if plan is None:
        if len(words.plans) >= MOST:
            words.plans.clear()
        plan = words.plans[key] = _planned(found, sentence, words)
    return plan


def _short(gap: str, gaps: dict[str, str]) -> str:
    """A gap without its words: no rule looks at what is not in the lexicon."""
    short = "|" + _SILENT_TEXT.sub("x", gap)
    if len(gaps) < _SHORT_GAPS:
        gaps[gap] = short
    return short


def _classes(words: Lexicon) -> list[object]:
    """What stands for each meaning of a lexicon, worked out at its first sentence."""
    # At once: another thread must never see a part of the list.
    words.classes[:] = [_class_of(number, words) for number in range(len(words.meanings))]
    return words.classes


def _class_of(number: int, words: Lexicon) -> object:
    """What stands for a meaning in a shape: itself, but for findings and devices that no rule looks at, their kind."""
    roles = words.meanings[number][1]
    kinds = [kind for kind, _ in roles]
    if "finding" in kinds and "anatomy" in kinds:
        return _TWOFOLD
    if len(roles) == 1 and kinds[0] in _PLAIN:
        name = roles[0][1]
        if not (name in (BARE, BREAK) or name in words.neutral or name in words.lasting or name in ADJECTIVES):
            return kinds[0]
    return number


def named_by(number: int, anatomy: str | None, side: Side | None, words: Lexicon) -> Named | None:
    """The finding or device that a meaning names at a place, None where together they say nothing; remembered."""
    key = (number, anatomy, side)
    if key not in words.named:
        ((kind, name),) = words.meanings[number][1]
        words.named[key] = _named(kind, name, anatomy, side, words)
    return words.named[key]


def _named(kind: str, name: str, anatomy: str | None, side: Side | None, words: Lexicon) -> Named | None:
    name = refined(name, anatomy, words) if kind == "finding" else name
    return Named(words.term(name), _location(name, anatomy, side, words)) if name else None


def _planned(found: Sequence[Token], sentence: str, words: Lexicon) -> Plan:
    items = items_from(found, sentence, words)
    kinds = {item.kind for item in items}
    stated: list[Planned] = []
    if not kinds.isdisjoint(_SPEAKING):
        token_at = {token[0]: position for position, token in enumerate(found)}
        own = {position for position, token in enumerate(found) if _class_of(token[2], words) in _PLAIN}
        for low, high in clauses(items):
            for mention in mentions(items, low, high, words):
                planned = _draft(items, low, high, mention, words, token_at, own)
                if planned is not None:
                    stated.append(planned)
    stated = _without_echoes(stated)
    return Plan(tuple(stated), tuple(_counted(stated)), "change" in kinds, "recommendation" in kinds)


def _counted(stated: list[Planned]) -> Iterator[Counted]:
    for one in stated:
        said = {attribute.kind: attribute.value for attribute in one.attributes}
        if "assertion" not in said:
            leans = one.status == "uncertain" and said.get("certainty") in LEANING
            yield Counted(one.named, one.at, one.anatomy, one.side, one.status, leans)


def _without_echoes(stated: list[Planned]) -> list[Planned]:
    """ "Well expanded and clear": what two words for normal say of one place is said once."""
    kept: list[Planned] = []
    for one in stated:
        same = (one.named, one.status)
        if one.kind != "normal" or not any(k.kind == "normal" and (k.named, k.status) == same for k in kept):
            kept.append(one)
    return kept


def _draft(
    items: list[Item], low: int, high: int, mention: Mention, words: Lexicon, token_at: dict[int, int], own: set[int]
) -> Planned | None:
    item = items[mention.at]
    spot = mention.spots[0] if mention.spots else None
    attributes = qualifiers(items, low, high, mention.at)
    assertion = mention.ruling.assertion
    if assertion == "historical" and (item.kind == "device" or mention.name in words.lasting):
        assertion = "present"
    if item.kind == "device" and spot is not None and spot.anatomy and is_tip(items, mention.at, spot):
        attributes = (*attributes, Attribute("position", spot.anatomy))
    if assertion not in ("present", "absent", "uncertain"):
        attributes = (Attribute("assertion", assertion), *attributes)
    if assertion == "uncertain":
        attributes = (*attributes, Attribute("certainty", _certainty(mention.ruling.rule, words)))
    if mention.ruling.resolved and not any(a.kind == "change" for a in attributes):
        attributes = (*attributes, Attribute("change", "resolved"))
    at = token_at[item.start]
    first = last = at
    if item.kind in ("quality", "normal") and spot is not None:
        first = min(first, token_at[items[spot.first].start])
        last = max(last, token_at[items[spot.last].start])
    anatomy = spot.anatomy if spot else None
    side = cast("Side | None", spot.side if spot else None)
    named = None if at in own else _named(item.kind, mention.name, anatomy, side, words)
    if named is None and at not in own:
        return None
    status = _STATUS.get(assertion, "uncertain")
    return Planned(named, at, anatomy, side, status, attributes, first, last, mention.ruling.rule, item.kind)


def _certainty(cue: str, words: Lexicon) -> str:
    """How much a hedge leans: "likely" is probable, "may represent" possible, "A or B" an alternative."""
    said = set(cue.split())
    if cue in ("or", "and or", "versus", "vs"):
        return "alternative"
    return "probable" if said & words.probable and not said & words.possible else "possible"


def _location(name: str, anatomy: str | None, side: Side | None, words: Lexicon) -> Location:
    """Named anatomy, else the finding's usual place; a place that is only broader than the usual one gives its side."""
    default = words.usual_anatomy(name)
    if anatomy is None or (default and anatomy in ("lung", "chest") and "lung" not in words.ancestors(default)):
        anatomy = default
    return _where(words.term(anatomy) if anatomy else None, side)


@lru_cache(maxsize=4096)
def _where(anatomy: Term | None, side: Side | None) -> Location:
    return Location(anatomy=anatomy, side=side)
