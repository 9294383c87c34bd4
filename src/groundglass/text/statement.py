"""One sentence to drafts of findings: everything but the id and the place in the report, so that it can be cached."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from groundglass.core import Attribute, Location, Measurement, Term, ontology
from groundglass.core.finding import Side, Status
from groundglass.text.clauses import MENTIONS, Item, clauses
from groundglass.text.lexicon import Lexicon
from groundglass.text.mentions import Mention, is_tip, mentions
from groundglass.text.places import Place
from groundglass.text.qualifiers import qualifiers
from groundglass.text.references import comparison, recommendation
from groundglass.text.sizes import Size, image_mentions, sizes
from groundglass.text.tokens import tokens

_DIGIT = re.compile(r"\d")
_SPEAKING = MENTIONS | {"recommendation"}
_STATUS: dict[str, Status] = {"present": "present", "absent": "absent"}
_BOTH_WAYS = frozenset(
    pair
    for kind in ("negation", "uncertainty")
    for pair in ((f"{kind} before", f"{kind} after"), (f"{kind} after", f"{kind} before"))
)


class Draft(NamedTuple):
    """A finding without id and section; `start` and `end` are offsets of its words in the sentence."""

    what: Term
    status: Status
    where: Location
    attributes: tuple[Attribute, ...]
    measurements: tuple[Measurement, ...]
    start: int
    end: int
    rule: str
    kind: str


def statements(sentence: str, words: Lexicon) -> tuple[Draft, ...]:
    """The findings that a sentence states, in its order."""
    items = items_of(sentence, words)
    kinds = {item.kind for item in items}
    if kinds.isdisjoint(_SPEAKING):
        return ()
    has_numbers = _DIGIT.search(sentence) is not None
    measured = sizes(sentence) if has_numbers else []
    drafts: list[Draft] = []
    for low, high in clauses(items):
        found = mentions(items, low, high, words)
        drafts += [_draft(items, low, high, mention, words) for mention in found]
    drafts = _without_echoes(drafts)
    if measured:
        drafts = _with_sizes(drafts, measured)
    if "change" in kinds and (compared := comparison(sentence)):
        drafts = [d._replace(attributes=d.attributes + compared) if _has_changed(d) else d for d in drafts]
    pictures = image_mentions(sentence) if has_numbers else ()
    if pictures and drafts:
        extra = tuple(Attribute(kind, value) for kind, value in pictures)
        drafts = [draft._replace(attributes=draft.attributes + extra) for draft in drafts]
    if "recommendation" in kinds:
        drafts.append(_recommended(sentence, items, words))
    return tuple(drafts)


def _without_echoes(drafts: list[Draft]) -> list[Draft]:
    """ "Well expanded and clear": what two words for normal say of one place is said once."""
    if sum(draft.kind == "normal" for draft in drafts) < 2:
        return drafts
    kept: list[Draft] = []
    for draft in drafts:
        if draft.kind != "normal" or not any(k.kind == "normal" and k[:3] == draft[:3] for k in kept):
            kept.append(draft)
    return kept


def _has_changed(draft: Draft) -> bool:
    return any(attribute.kind == "change" for attribute in draft.attributes)


def _recommended(sentence: str, items: list[Item], words: Lexicon) -> Draft:
    """The recommendation itself; what it is meant to find stays a hypothetical finding of its own."""
    cue = next(item for item in items if item.kind == "recommendation")
    name, attributes = recommendation(sentence)
    status: Status = "absent" if any(i.kind == "negation before" and i.end <= cue.start for i in items) else "present"
    return Draft(
        words.term(name), status, Location(), attributes, (), cue.start, cue.end, str(cue.value), "recommendation"
    )


def items_of(sentence: str, words: Lexicon) -> list[Item]:
    """The roles of the sentence's phrases in order; a last item of kind "end" holds the text after them."""
    items: list[Item] = []
    last = 0
    twofold = False
    make = tuple.__new__  # half the price of the named tuple's own constructor, some twenty times per sentence
    for start, end, roles, gap in tokens(sentence, words):
        for kind, value in roles:
            items.append(make(Item, (kind, value, start, end, gap)))
            gap = ""
        twofold = twofold or len(roles) > 1
        last = end
    items.append(Item("end", "", len(sentence), len(sentence), sentence[last:]))
    return _one_direction(items) if twofold else items


def _one_direction(items: list[Item]) -> list[Item]:
    """A cue that works both ways ("possible", "absent") looks ahead when a mention follows, else back."""
    for index in range(len(items) - 1, 0, -1):
        first, second = items[index - 1], items[index]
        if first.start == second.start and (first.kind, second.kind) in _BOTH_WAYS:
            before, after = sorted((first.kind, second.kind), reverse=True)
            items[index - 1] = first._replace(kind=before if _has_mention_ahead(items, index) else after)
            del items[index]
    return items


def _has_mention_ahead(items: list[Item], index: int) -> bool:
    for item in items[index + 1 :]:
        if "," in item.gap or item.kind in ("verb", "and", "stop"):
            return False
        if item.kind in MENTIONS:
            return True
    return False


def _draft(items: list[Item], low: int, high: int, mention: Mention, words: Lexicon) -> Draft:
    item = items[mention.at]
    what = words.term(mention.name)
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
    start, end = item.start, item.end
    if item.kind in ("quality", "normal") and spot is not None:
        start = min(start, items[spot.first].start)
        end = max(end, items[spot.last].end)
    return Draft(
        what,
        _STATUS.get(assertion, "uncertain"),
        _location(mention.name, spot, words),
        attributes,
        (),
        start,
        end,
        mention.ruling.rule,
        item.kind,
    )


def _certainty(cue: str, words: Lexicon) -> str:
    """How much a hedge leans: "likely" is probable, "may represent" possible, "A or B" an alternative."""
    said = set(cue.split())
    if cue in ("or", "and or", "versus", "vs"):
        return "alternative"
    return "probable" if said & words.probable and not said & words.possible else "possible"


def _location(name: str, spot: Place | None, words: Lexicon) -> Location:
    """Named anatomy, else the finding's usual place; a place that is only broader than the usual one gives its side."""
    default = words.usual_anatomy(name)
    anatomy = spot.anatomy if spot else None
    side: Side | None = spot.side if spot else None  # type: ignore[assignment]
    if anatomy is None or (default and anatomy in ("lung", "chest") and "lung" not in words.ancestors(default)):
        anatomy = default
    return _where(words.term(anatomy) if anatomy else None, side)


@lru_cache(maxsize=4096)
def _where(anatomy: Term | None, side: Side | None) -> Location:
    return Location(anatomy=anatomy, side=side)


def _with_sizes(drafts: list[Draft], measured: list[Size]) -> list[Draft]:
    """Each size goes to the nearest mention before it, else to the first one after it."""
    found = list(drafts)
    for size in measured:
        sized = [i for i, draft in enumerate(found) if draft.status != "absent"] or list(range(len(found)))
        if not sized:
            continue
        before = [i for i in sized if found[i].start <= size.start]
        after = [i for i in sized if found[i].start > size.start]
        close = after[0] if after and (not before or found[after[0]].start - size.end < 25) else before[-1]
        draft = found[close]
        if size.is_prior:
            prior = tuple(Attribute(f"prior {m.kind.name}", f"{m.value:g} {m.unit}") for m in size.measurements)
            found[close] = draft._replace(attributes=draft.attributes + prior)
        elif draft.kind == "device":
            apart = tuple(replace(m, kind=ontology()["distance to structure"]) for m in size.measurements[:1])
            found[close] = draft._replace(measurements=draft.measurements + apart)
        else:
            found[close] = draft._replace(measurements=draft.measurements + size.measurements)
    return found
