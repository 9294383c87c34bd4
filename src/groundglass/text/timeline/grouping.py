"""Entity groups: the same thing under different words, over all studies of a patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from groundglass.core import ontology
from groundglass.text.timeline.rows import Row, data


class Key(NamedTuple):
    """What a group is: concept, side and place (None = not said, or the usual one), and a mention of its own."""

    concept: str
    side: str | None
    place: str | None
    mention: str = ""

    @property
    def name(self) -> str:
        """A name by rule, so that it is the same for every writer: "left lower zone of lung consolidation"."""
        words = (self.side, self.place, self.concept, self.mention and f"({self.mention})")
        return " ".join(word for word in words if word)


def group_keys(rows: Sequence[Row]) -> tuple[Key, ...]:
    """The group of each row.

    Together are synonyms, sizes, and the normal and abnormal of one entity; apart are what is seen and what is
    concluded, other sides, lobes and structures, other devices, nodule and mass. A denial, or a statement of change,
    that names less than one single group of its entity belongs to that group; with two such groups it stays apart. Each
    mention of a symptom is its own, unless it says that it goes on.
    """
    exact = [_key(row) for row in rows]
    known = list(dict.fromkeys(exact))
    return tuple(_widened(row, key, known) for row, key in zip(rows, exact, strict=True))


def covers(wide: Key, narrow: Key) -> bool:
    """Whether what is said of `wide` is said of `narrow`, too."""
    return (
        wide.concept == narrow.concept
        and wide.side in (None, narrow.side)
        and wide.place in (None, narrow.place)
        and wide.mention == narrow.mention
    )


def is_symptom(concept: str) -> bool:
    """Whether a concept is a symptom."""
    return concept in ontology() and ontology().is_a(concept, "symptom")


def is_device(concept: str) -> bool:
    """Whether a concept is a device."""
    found = ontology().find(concept)
    return found is not None and found.kind == "device"


def _key(row: Row) -> Key:
    concept = data()["same entity"].get(row.concept, row.concept)
    place = data()["same place"].get(row.place, row.place)
    if is_device(concept):
        # Where its tip lies changes; the device does not.
        return Key(concept, row.side, None)
    if is_symptom(concept) and row.positive and row.change in (None, "onset"):
        return Key(concept, None, None, row.id)
    return Key(concept, row.side, place)


def _widened(row: Row, key: Key, known: Sequence[Key]) -> Key:
    if row.positive and row.change in (None, "onset"):
        return key
    narrower = [other for other in known if other != key and covers(key, other) and not other.mention]
    return narrower[0] if len(narrower) == 1 else key
