"""Anatomy and side: which places a clause names, and which of them belongs to which mention."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple, cast

from groundglass.text.clauses import MENTIONS, MODIFIERS, Item
from groundglass.text.lexicon import Lexicon


class Place(NamedTuple):
    """A named region with its side; items[first:last + 1]; `after_preposition` when "in", "of", ... leads to it."""

    anatomy: str | None
    side: str | None
    first: int
    last: int
    after_preposition: bool


_BARRIERS = frozenset({"negation before", "stop", "except", "recommendation"})
_JOINTS = frozenset({"determiner", "side", "distribution"})
_LIST = frozenset({"and", "or", "versus", "determiner"}) | MODIFIERS


def places(items: list[Item], low: int, high: int, words: Lexicon) -> list[Place]:
    """The places of items[low:high], with "right" + "lower lobe" or "base of the left lung" as one place each."""
    found: list[Place] = []
    index = low
    while index < high:
        kind, value, _, _, gap = items[index]
        if kind == "side":
            following = items[index + 1] if index + 1 < high else None
            if following is not None and following.kind == "anatomy" and not _parted(following.gap):
                anatomy, own = _named(following)
                found.append(Place(anatomy, own or str(value), index, index + 1, _led(items, index, low)))
                index += 2
                _merge_last(found, items, words)
                continue
            before = found[-1] if found else None
            if before is not None and before.last == index - 1 and before.side is None and not _parted(gap):
                found[-1] = before._replace(side=str(value), last=index)
            else:
                found.append(Place(None, str(value), index, index, _led(items, index, low)))
        elif kind == "second anatomy" and found:
            # "Right upper and lower lobes": the side before the first holds for both.
            anatomy, _ = _named(items[index])
            found.append(Place(anatomy, found[-1].side, index, index, found[-1].after_preposition))
        elif kind == "anatomy":
            anatomy, own = _named(items[index])
            found.append(Place(anatomy, own, index, index, _led(items, index, low)))
            _merge_last(found, items, words)
        index += 1
    return found


def _named(item: Item) -> tuple[str, str | None]:
    """Anatomy and the side that its word implies ("bibasilar")."""
    return cast("tuple[str, str | None]", item.value)


def _parted(gap: str) -> bool:
    return "," in gap or ";" in gap or ":" in gap or "(" in gap or ")" in gap


def _led(items: list[Item], index: int, low: int) -> bool:
    before = index - 1
    while before >= low and items[before].kind in _JOINTS:
        before -= 1
    return before >= low and items[before].kind == "place preposition"


def _merge_last(found: list[Place], items: list[Item], words: Lexicon) -> None:
    """ "lower lobe of the right lung", "right lung lower lobe", "lower lobe on the right": one place, not two."""
    if len(found) < 2:
        return
    first, second = found[-2], found[-1]
    between = items[first.last + 1 : second.first]
    if any(
        item.kind not in ("place preposition", "determiner", "distribution") or _parted(item.gap) for item in between
    ):
        return
    if _parted(items[second.first].gap):
        return
    if first.anatomy is None or second.anatomy is None:
        anatomy = first.anatomy or second.anatomy
    elif second.anatomy in words.ancestors(first.anatomy):
        anatomy = first.anatomy
    elif first.anatomy in words.ancestors(second.anatomy):
        anatomy = second.anatomy
    else:
        return
    if first.side and second.side and first.side != second.side:
        return
    found[-2:] = [Place(anatomy, first.side or second.side, first.first, second.last, first.after_preposition)]


def places_of(items: list[Item], low: int, high: int, words: Lexicon) -> dict[int, list[Place]]:
    """Item index of every mention in items[low:high] -> its places, nearest rule first.

    Before it with nothing but modifiers between ("left basilar opacity"); after it up to the next mention ("opacity in
    the left base"); the subject or place that opens the clause ("In the left base there is an opacity"); and for a list
    that shares one place, the place of the mention after it ("atelectasis and effusion at the left base").
    """
    mentions = [index for index in range(low, high) if items[index].kind in MENTIONS]
    spots = places(items, low, high, words)
    found: dict[int, list[Place]] = {}
    if not spots:
        return {index: [] for index in mentions}
    covered = {i for spot in spots for i in range(spot.first, spot.last + 1)}
    edges = [low - 1, *mentions, high]
    # Every spot lies between two mentions (or an edge): it may belong to the one after it, else to the one before.
    between: list[list[Place]] = [[] for _ in range(len(mentions) + 1)]
    position = 0
    for spot in spots:
        while spot.first > edges[position + 1]:
            position += 1
        between[position].append(spot)
    taken: set[int] = set()
    for position, index in enumerate(mentions):
        near = between[position]
        own = [s for s in near if s.last < index and _only_modifiers(items, s.last + 1, index, covered)]
        if items[index].kind == "quality" and position and items[mentions[position - 1]].kind in ("finding", "device"):
            # "The cavity in the left lung has increased": the place is the finding's, and so is what follows.
            own = [spot for spot in own if not spot.after_preposition]
        if own:
            own = [*_joined(items, near[: near.index(own[0])], own[0]), *own]
        found[index] = own
        taken.update(spot.first for spot in own)
    for position, index in enumerate(mentions):
        for spot in between[position + 1]:
            if items[spot.last].start == items[index].start:
                continue  # the mention's own words
            if spot.first not in taken and (
                _belongs_after(items, index, spot, covered) or _goes_on(items, index, found[index], spot, words)
            ):
                found[index].append(spot)
                taken.add(spot.first)
    _from_the_front(items, low, mentions, spots, taken, found)
    for first, second in pairwise(mentions):
        both_normal = items[first].kind == items[second].kind == "normal"
        if both_normal and not found[second] and all(item.kind in _LIST for item in items[first + 1 : second]):
            # "The trachea is midline and patent": one subject for two words for normal.
            found[second] = [spot for spot in found[first] if spot.last < first]
    for first, second in zip(reversed(mentions[:-1]), reversed(mentions[1:]), strict=True):
        if not found[first] and all(item.kind in _LIST for item in items[first + 1 : second]):
            # But "widening of the mediastinum or enlargement of the heart": the heart belongs to "enlargement of".
            found[first] = [
                spot
                for spot in found[second]
                if spot.first > second and (spot.after_preposition or not _is_said_of(items[second], spot, words))
            ]
    return found


def _joined(items: list[Item], before: list[Place], nearest: Place) -> list[Place]:
    """ "Septal and interstitial thickening": places in a list that all stand before one mention."""
    found: list[Place] = []
    if items[nearest.first - 1].kind not in ("and", "or"):
        return found
    later = nearest
    for spot in reversed(before):
        links = items[spot.last + 1 : later.first]
        if spot.after_preposition or any(item.kind not in ("and", "or") for item in links):
            break
        found.insert(0, spot)
        later = spot
    return found


def _only_modifiers(items: list[Item], start: int, stop: int, covered: set[int]) -> bool:
    for index in range(start, stop):
        item = items[index]
        if index not in covered and (item.kind not in MODIFIERS or item.kind == "determiner"):
            return False
        if _parted(item.gap):
            return False
    return not _parted(items[stop].gap)


def _belongs_after(items: list[Item], index: int, spot: Place, covered: set[int]) -> bool:
    led = spot.after_preposition
    for between in range(index + 1, spot.first):
        item = items[between]
        if item.kind in ("place preposition", "tip", "with"):
            led = True
        elif item.kind in _BARRIERS:
            return False
    return (
        led
        or spot.side == "bilateral"
        or not any(items[i].kind not in MODIFIERS and i not in covered for i in range(index + 1, spot.first))
    )


def _goes_on(items: list[Item], index: int, own: list[Place], spot: Place, words: Lexicon) -> bool:
    """ "Enlargement of the heart or the mediastinum": a further place of a list that a quality can be said of."""
    if not own or own[-1].last < index or not _is_said_of(items[index], spot, words):
        return False
    links = items[own[-1].last + 1 : spot.first]
    return (bool(links) or "," in items[spot.first].gap) and all(item.kind in _LIST for item in links)


def _is_said_of(item: Item, spot: Place, words: Lexicon) -> bool:
    """Whether the item is a quality that states a finding of this place."""
    if item.kind != "quality" or spot.anatomy is None:
        return False
    table = words.quality_findings.get(str(item.value), {})
    return any(name in table for name in words.ancestors(spot.anatomy))


def _from_the_front(
    items: list[Item], low: int, mentions: list[int], spots: list[Place], taken: set[int], found: dict[int, list[Place]]
) -> None:
    """Places that open the clause go to the first mention, and along a plain list to the next ones."""
    if not mentions:
        return
    front = [spot for spot in spots if spot.last < mentions[0] and spot.first not in taken]
    if not front:
        return
    for position, index in enumerate(mentions):
        if position and any(item.kind not in _LIST for item in items[mentions[position - 1] + 1 : index]):
            return
        between = [item.kind for item in items[front[-1].last + 1 : index]]
        if "verb" in between and "with" in between[between.index("verb") :]:
            return  # "The mediastinum is stable with a calcified aorta": the subject's own statement is over
        if not found[index] or all(spot.anatomy is None for spot in found[index]):
            found[index] = _filled(found[index], front, items[index].kind)


def _filled(own: list[Place], front: list[Place], kind: str) -> list[Place]:
    if not own:
        return list(front)
    named = next((spot for spot in front if spot.anatomy), None)
    if named is None:
        return own
    if kind == "quality":
        # "The trachea is deviated to the left": the words of the subject belong to the finding.
        return [named._replace(side=named.side or own[0].side)]
    return [spot._replace(anatomy=named.anatomy) for spot in own]
