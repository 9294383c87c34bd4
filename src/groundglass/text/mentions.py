"""What a clause mentions: findings and devices, an anatomy with a quality, an anatomy that is called normal."""

from __future__ import annotations

from typing import NamedTuple, cast

from groundglass.text.assertion import Ruling, rulings
from groundglass.text.clauses import MENTIONS, MODIFIERS, Item
from groundglass.text.lexicon import Lexicon
from groundglass.text.places import Place, places_of

ADJECTIVES = frozenset({"calcification", "atherosclerosis"})
BARE = "finding"
"""The one name that says nothing by itself."""
BREAK = "fracture"
"""The finding that devices have, too."""
_BETWEEN = MODIFIERS - {"quality", "determiner"} | {"anatomy", "side", "finding"}


class Mention(NamedTuple):
    """A concept in a clause with the places that belong to it."""

    name: str
    at: int
    spots: tuple[Place, ...]
    ruling: Ruling


def mentions(items: list[Item], low: int, high: int, words: Lexicon) -> list[Mention]:
    """The mentions of items[low:high] in order, each with its ruling; one per place where there are several."""
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
        if item.kind == "device":
            found.append(_of_device(items, str(item.value), index, own, ruling))
        elif item.kind == "finding" and item.value == BREAK and _is_of_device(items, index, low, high):
            continue
        elif item.kind == "finding":
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
        enlarged = _enlarged_before(items, low, twin)
        if enlarged is not None:
            # "Enlarged right hilar lymph node": enlarged is the node, the hilum only its place.
            changed[enlarged] = items[enlarged]._replace(kind="determiner", value="")
            changed[twin] = items[twin]._replace(value=words.quality_findings["enlarged"][anatomy])
            changed[twin + 1] = items[twin + 1]._replace(kind="determiner", value="")
        elif any(_speaks_of(other, anatomy, words) for other in others):
            changed[twin] = items[twin]._replace(kind="determiner", value="")
    return changed


def _enlarged_before(items: list[Item], low: int, twin: int) -> int | None:
    for index in range(twin - 1, low - 1, -1):
        item = items[index]
        if item.kind == "quality" and item.value == "enlarged" and index + 1 < twin:
            return index
        if "," in items[index + 1].gap or item.kind not in _BETWEEN or item.kind == "finding":
            return None
    return None


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


def _is_of_device(items: list[Item], index: int, low: int, high: int) -> bool:
    """ "Fractured lead", "the lead is fractured": no bone is broken."""
    after = next((i for i in range(index + 1, high) if items[i].kind not in MODIFIERS | {"side"}), high)
    if after < high and items[after].kind == "device" and items[after].gap == " ":
        return True
    before = next((i for i in range(index - 1, low - 1, -1) if items[i].kind not in MODIFIERS | {"verb"}), low - 1)
    return before >= low and items[before].kind == "device" and "," not in items[before + 1].gap


def _of_device(items: list[Item], name: str, index: int, spots: list[Place], ruling: Ruling) -> Mention:
    """One mention per device: where its tip is, else the first place that is named; the side of any of them."""
    named = [spot for spot in spots if spot.anatomy]
    tip = next((spot for spot in named if is_tip(items, index, spot)), None)
    if not spots:
        return Mention(name, index, (), ruling)
    spot = tip or (named or spots)[0]
    side = spot.side or next((other.side for other in spots if other.side), None)
    return Mention(name, index, (spot._replace(side=side),), ruling)


def _of_concept(
    name: str, index: int, spots: list[Place], ruling: Ruling, words: Lexicon, is_normal: bool
) -> list[Mention]:
    """One mention per named place: a nodule in two lobes is two findings."""
    if (is_normal and name in words.neutral) or (name == BARE and ruling.assertion != "absent"):
        return []  # "Findings were discussed" says nothing of the patient; "no finding" does
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
    placed = (spot if spot.side or loose is None else spot._replace(side=loose) for spot in named)
    return [Mention(name, index, (spot,), ruling) for spot in placed]


def _holds(wide: Place, narrow: Place, words: Lexicon) -> bool:
    if wide.anatomy is None or narrow.anatomy is None or wide.anatomy == narrow.anatomy:
        return False
    return wide.anatomy in words.ancestors(narrow.anatomy)


def refined(name: str, anatomy: str | None, words: Lexicon) -> str:
    """The narrower name that a place gives ("calcification" of the aorta); "" where together they say nothing."""
    table = words.refined.get(name)
    if table and anatomy:
        for broader in words.ancestors(anatomy):
            if broader in table:
                return table[broader]
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
        if item.kind in ("finding", "device") and item.value not in ADJECTIVES:
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
    # "The trachea is patent" denies that it is narrowed, and nothing else of it.
    denied = words.normal_of.get(str(items[index].value))
    table = words.quality_findings[denied] if denied else words.normal_findings
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


def is_tip(items: list[Item], at: int, spot: Place) -> bool:
    """Whether the words lead from a device to this place by its tip ("terminates in")."""
    return any(item.kind == "tip" for item in items[at + 1 : spot.first])
