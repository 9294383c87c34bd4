"""One sentence to drafts of findings: everything but the id and the place in the report, so that it can be cached."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, cast

from groundglass.core import Attribute, Location, Measurement, Term, ontology
from groundglass.core.finding import Side, Status
from groundglass.text.assertion import Ruling, rulings
from groundglass.text.clauses import MENTIONS, MODIFIERS, Item, clauses
from groundglass.text.lexicon import Lexicon
from groundglass.text.places import Place, places_of
from groundglass.text.qualifiers import qualifiers
from groundglass.text.references import comparison, recommendation
from groundglass.text.sizes import Size, image_mentions, sizes
from groundglass.text.tokens import tokens

_ADJECTIVES = frozenset({"calcification", "atherosclerosis"})
_BETWEEN = MODIFIERS - {"quality", "determiner"} | {"anatomy", "side", "finding"}
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


class Mention(NamedTuple):
    """A concept in a clause with the places that belong to it."""

    name: str
    at: int
    spots: tuple[Place, ...]
    ruling: Ruling


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
        found = _mentions(items, low, high, words)
        drafts += [_draft(items, low, high, mention, words) for mention in found]
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


def _mentions(items: list[Item], low: int, high: int, words: Lexicon) -> list[Mention]:
    items = _said_once(items, low, high, words)
    decided = rulings(items, low, high)
    if not decided:
        return []
    is_normal = any(items[index].kind == "normal" for index in decided)
    if is_normal:
        decided = {i: _as_subject(items, i, high, ruling) for i, ruling in decided.items()}
    spots = places_of(items, low, high, words)
    found: list[Mention] = []
    for index, ruling in decided.items():
        item = items[index]
        own = spots[index]
        if item.kind in ("finding", "device"):
            found += _of_concept(str(item.value), index, own, ruling, words, is_normal)
        elif item.kind == "quality":
            found += _of_quality(items, str(item.value), index, high, own, ruling, words)
        else:
            found += _of_normal(items, index, low, high, own, ruling, words)
    return found


def _said_once(items: list[Item], low: int, high: int, words: Lexicon) -> list[Item]:
    """ "Lymph node" is a place and, alone, a finding: where another word speaks of it, it is the place."""
    twins = [i for i in range(low, high - 1) if items[i].kind == "finding" and _is_twin(items[i], items[i + 1])]
    if not twins:
        return items
    others = [items[i] for i in range(low, high) if items[i].kind in MENTIONS and i not in twins]
    changed = list(items)
    for twin in twins:
        anatomy = cast("tuple[str, str | None]", items[twin + 1].value)[0]
        if any(_speaks_of(other, anatomy, words) for other in others):
            changed[twin] = items[twin]._replace(kind="determiner", value="")
    return changed


def _as_subject(items: list[Item], index: int, high: int, ruling: Ruling) -> Ruling:
    """ "Vascular engorgement is within normal limits": what is called normal is not there."""
    if items[index].kind != "finding" or ruling.assertion != "present":
        return ruling
    for item in items[index + 1 : high]:
        if item.kind == "normal" and "," not in item.gap:
            return Ruling("absent", str(item.value))
        if item.kind != "verb" and item.kind not in MODIFIERS:
            return ruling
    return ruling


def _is_twin(first: Item, second: Item) -> bool:
    return second.kind == "anatomy" and first.start == second.start


def _speaks_of(other: Item, anatomy: str, words: Lexicon) -> bool:
    if other.kind == "normal":
        return True
    table = words.quality_findings if other.kind == "quality" else words.refined
    return anatomy in table.get(str(other.value), {})


def _of_concept(
    name: str, index: int, spots: list[Place], ruling: Ruling, words: Lexicon, is_normal: bool
) -> list[Mention]:
    """One mention per named place: a nodule in two lobes is two findings."""
    if is_normal and name in words.neutral:
        return []
    if not spots:
        return [Mention(name, index, (), ruling)]
    named = [spot for spot in spots if spot.anatomy]
    if not named:
        return [Mention(name, index, (spots[0],), ruling)]
    loose = next((spot.side for spot in spots if spot.anatomy is None), None)
    if len(named) > 1:
        # "Septal thickening in both lungs": the wider place only gives its side to the narrower one.
        wide = [spot for spot in named if any(_holds(spot, other, words) for other in named)]
        loose = loose or next((spot.side for spot in wide), None)
        named = [spot for spot in named if spot not in wide]
    found = []
    for spot in named:
        refined = _refined(name, spot, words)
        if refined:
            placed = spot if spot.side or loose is None else spot._replace(side=loose)
            found.append(Mention(refined, index, (placed,), ruling))
    return found


def _holds(wide: Place, narrow: Place, words: Lexicon) -> bool:
    if wide.anatomy is None or narrow.anatomy is None or wide.anatomy == narrow.anatomy:
        return False
    return wide.anatomy in words.ancestors(narrow.anatomy)


def _refined(name: str, spot: Place, words: Lexicon) -> str:
    table = words.refined.get(name)
    if table and spot.anatomy:
        for anatomy in words.ancestors(spot.anatomy):
            if anatomy in table:
                return table[anatomy]
    return name


def _of_quality(
    items: list[Item], quality: str, index: int, high: int, spots: list[Place], ruling: Ruling, words: Lexicon
) -> list[Mention]:
    """ "The heart is enlarged": a quality states a finding only together with an anatomy that the table knows."""
    if _is_only_an_adjective(items, index, high):
        return []
    table = words.quality_findings.get(quality, {})
    found = []
    for spot in spots:
        if spot.anatomy:
            name = next((table[a] for a in words.ancestors(spot.anatomy) if a in table), None)
            if name:
                found.append(Mention(name, index, (spot,), ruling))
    return found


def _is_only_an_adjective(items: list[Item], index: int, high: int) -> bool:
    """ "Prominent hilar lymphadenopathy", "increased opacity": the finding that follows says it."""
    for item in items[index + 1 : high]:
        if "," in item.gap:
            return False
        if item.kind in ("finding", "device") and item.value not in _ADJECTIVES:
            return True
        if item.kind not in _BETWEEN:
            return False
    return False


def _of_normal(
    items: list[Item], index: int, low: int, high: int, spots: list[Place], ruling: Ruling, words: Lexicon
) -> list[Mention]:
    """ "The heart is normal" states that what would be abnormal there is absent; "not normal" the opposite."""
    if ruling.assertion == "present":
        said: Ruling = Ruling("absent", str(items[index].value))
    elif ruling.assertion == "absent":
        said = Ruling("present", ruling.rule) if _is_negated(items, index, low) else Ruling("absent", "normal")
    else:
        said = ruling
    named = [spot for spot in spots if spot.anatomy]
    if not named:
        alone = not any(i.kind in ("finding", "device", "anatomy", "quality") for i in items[low:high])
        return [Mention("abnormality", index, (), said)] if alone else []
    table = words.normal_findings
    found = []
    for spot in named:
        anatomy = str(spot.anatomy)
        name = next((table[a] for a in words.ancestors(anatomy) if a in table), "abnormality")
        found.append(Mention(name, index, (spot,), said))
    return found


def _is_negated(items: list[Item], index: int, low: int) -> bool:
    """ "Not entirely normal": the negation stands at the word itself."""
    before = index - 1
    while before >= low and items[before].kind in MODIFIERS:
        before -= 1
    return before >= low and items[before].kind == "negation before"


def _draft(items: list[Item], low: int, high: int, mention: Mention, words: Lexicon) -> Draft:
    item = items[mention.at]
    what = words.term(mention.name)
    spot = mention.spots[0] if mention.spots else None
    attributes = qualifiers(items, low, high, mention.at)
    assertion = mention.ruling.assertion
    if assertion == "historical" and (item.kind == "device" or mention.name in words.lasting):
        assertion = "present"
    if item.kind == "device" and spot is not None and spot.anatomy and _is_tip(items, mention.at, spot):
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


def _is_tip(items: list[Item], at: int, spot: Place) -> bool:
    return any(item.kind == "tip" for item in items[at + 1 : spot.first])


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
