"""The places of a chest radiograph: a tree with sides, and which of them a finding speaks of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from groundglass.core import Finding, Location, ontology
from groundglass.core.errors import ConfigurationError
from groundglass.core.finding import Side

UNKNOWN = "unknown"
"""The place of what has none; it is in no tree."""


@dataclass(frozen=True, slots=True)
class Place:
    """A named place: its parent's name, its anatomy (terms of the ontology; none: no finding leads here by itself), its
    side, whether boxes are trusted."""

    name: str
    parent: str | None
    anatomy: tuple[str, ...]
    side: Side | None
    boxed: bool

    @property
    def location(self) -> Location:
        """The place as core says it."""
        return Location(anatomy=ontology()[self.anatomy[0]] if self.anatomy else None, side=self.side)


class PlaceTree:
    """All places by name, in the order of the data file."""

    def __init__(self, places: tuple[Place, ...]) -> None:
        self.places = {place.name: place for place in places}
        for place in places:
            if place.parent is not None and place.parent not in self.places:
                raise ConfigurationError(place.name, f"has the unknown parent {place.parent!r}", "Mend places.json.")

    def __contains__(self, name: str) -> bool:
        return name in self.places or name == UNKNOWN

    def ancestors(self, name: str) -> tuple[str, ...]:
        """The places that hold this one, nearest first."""
        found: list[str] = []
        place = self.places.get(name)
        while place is not None and place.parent is not None:
            found.append(place.parent)
            place = self.places[place.parent]
        return tuple(found)

    def descendants(self, name: str) -> tuple[str, ...]:
        """The places within this one, in the order of the file."""
        return tuple(other for other in self.places if name in self.ancestors(other))

    def rank(self, name: str) -> int:
        """Position in the file; the unknown place is last."""
        return list(self.places).index(name) if name in self.places else len(self.places)


@cache
def place_tree() -> PlaceTree:
    """The tree that ships."""
    return PlaceTree(
        tuple(Place(row["name"], row["parent"], _anatomy(row), row["side"], row["boxed"]) for row in _data()["places"])
    )


def _anatomy(row: dict[str, Any]) -> tuple[str, ...]:
    return () if row["anatomy"] is None else (row["anatomy"], *row.get("also", ()))


def boxed_places() -> tuple[str, ...]:
    """The 29 places that carry boxes in the published data."""
    return tuple(place.name for place in place_tree().places.values() if place.boxed)


def places_of_finding(finding: Finding) -> tuple[str, ...]:
    """The places that a finding speaks of.

    Its anatomy (the one named, else the finding's usual one) leads to the nearest place of the tree. "Bilateral" is
    both sides. Where no side is said, what is denied is denied on both, and so is what takes both lungs by nature;
    anything else stays in the narrowest place without a side ("lungs"). The attribute `place` overrides all of this.
    """
    given = finding.attribute("place")
    if given is not None:
        return (given,)
    anatomy = finding.where.anatomy.name if finding.where.anatomy else None
    if anatomy in (None, "pleura"):
        anatomy = _data()["default anatomy"].get(finding.what.name, anatomy)
    if anatomy is None:
        return (UNKNOWN,)
    both = finding.status == "absent" or finding.what.name in _data()["both when no side is said"]
    return _places(anatomy, finding.where.side, both)


@lru_cache(maxsize=4096)
def _places(anatomy: str, side: Side | None, both: bool) -> tuple[str, ...]:
    near = _nearest(anatomy)
    paired = [place for place in near if place.side in ("left", "right")]
    whole = [place for place in near if place.side not in ("left", "right")]
    if not near:
        return (UNKNOWN,)
    if not paired or len(near) == 1:
        return (near[0].name,)
    if side in ("left", "right"):
        return tuple(place.name for place in paired if place.side == side) or (paired[0].name,)
    if side == "bilateral" or both:
        return tuple(place.name for place in paired)
    if whole:
        return (whole[0].name,)
    above = [
        name for name in place_tree().ancestors(paired[0].name) if place_tree().places[name].side != paired[0].side
    ]
    return (above[0],) if above else tuple(place.name for place in paired)


def _nearest(anatomy: str) -> list[Place]:
    tree = ontology()
    if anatomy not in tree:
        return []
    for name in (anatomy, *(term.name for term in tree.ancestors(anatomy))):
        found = [place for place in place_tree().places.values() if name in place.anatomy]
        if found:
            return found
    return []


@cache
def _data() -> dict[str, Any]:
    file = resources.files("groundglass.text.graph") / "data" / "places.json"
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return data
