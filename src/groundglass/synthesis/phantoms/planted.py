"""What is planted: a `Plant` asks for it, a `Placed` says where and how it came to lie in the images.

Both are the same for every modality; a `Placed` becomes a `core.Finding` with the measurements of its continuous shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from groundglass.core import (
    Attribute,
    ConfigurationError,
    Evidence,
    Finding,
    Line,
    Location,
    Mask,
    Measurement,
    ontology,
)
from groundglass.core.finding import Side
from groundglass.synthesis.phantoms.phantom import VERSION

CHANGES = ("new", "increased", "decreased", "unchanged")
VISIBLE = 1.5
"""Least contrast-to-noise ratio of a planted finding, mean difference over noise in its mask; below it is refused."""


@dataclass(frozen=True)
class Plant:
    """A finding to be planted. `name` is one of the generator's; what is None is drawn.

    `size` is the long axis in mm (um under a microscope and in the eye), `extent` a share (0..1) of what is filled.
    `key` seeds its place and shape, so that it lies at the same spot in every visit; `room` is the diameter that its
    place leaves free, to which it may grow; `change` is its course since the prior visit.
    """

    name: str
    side: Side | None = None
    place: str | None = None
    size: float | None = None
    extent: float | None = None
    key: int = 0
    room: float | None = None
    change: str | None = None

    def __post_init__(self) -> None:
        if self.size is not None and not 1 <= self.size <= 1000:
            raise ConfigurationError(f"{self.name} of size {self.size}", "cannot be planted", "Use 1 to 1000.")
        if self.extent is not None and not 0 < self.extent <= 1:
            raise ConfigurationError(f"{self.name} of extent {self.extent}", "cannot be planted", "Use 0 to 1.")
        if self.side not in (None, "left", "right", "bilateral", "midline"):
            raise ConfigurationError(str(self.side), "is not a side", "Use left or right.")

    @property
    def space(self) -> float:
        """Diameter in mm that its place must leave free."""
        return max(self.room or 0.0, self.size or 0.0)

    def rng(self) -> np.random.Generator:
        """The draws of this finding's place and shape."""
        return np.random.default_rng([self.key, *self.name.encode()])


class NoRoomError(ConfigurationError):
    """A plant finds no place in this patient; `plant` says which. One that was drawn is then left out."""

    plant: Plant | None = None

    @classmethod
    def of(cls, plant: Plant, where: str) -> NoRoomError:
        error = cls(f"{plant.name} in {where}", "found no room", "Make it smaller or leave its place free.")
        error.plant = plant
        return error


@dataclass(frozen=True)
class Placed:
    """A finding in the images. `contrast` is its contrast-to-noise ratio; `volume` mL of the continuous shape.

    `measures` name -> (value, unit), ready for `Measurement`s.
    """

    term: str
    mask: Mask | None = None
    anatomy: str | None = None
    side: Side | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    measures: tuple[tuple[str, float, str], ...] = ()
    centre: tuple[float, ...] | None = None
    contrast: float | None = None
    image: str | None = None

    @property
    def is_visible(self) -> bool:
        """In the field, and over the noise by `VISIBLE`; what has no contrast of its own (a large heart) is seen."""
        in_field = self.mask is None or not self.mask.is_empty
        return in_field and (self.contrast is None or self.contrast >= VISIBLE)

    def with_attributes(self, *pairs: tuple[str, str | None]) -> Placed:
        """The same with more attributes; pairs without a value are left out."""
        return replace(self, attributes=(*self.attributes, *((k, v) for k, v in pairs if v is not None)))


def findings_of(placed: Iterable[Placed], *, kind: str, image: str) -> tuple[Finding, ...]:
    """Findings f1, f2, ... in the order given. Raises ConfigurationError when one of them cannot be seen."""
    found = []
    for number, item in enumerate(placed, 1):
        if not item.is_visible:
            ratio = f"a contrast-to-noise ratio of {item.contrast or 0:.2f}"
            raise ConfigurationError(
                f"{item.term} in {kind}", f"has {ratio}: it cannot be seen", "Make it larger or the noise lower."
            )
        found.append(_finding(f"f{number}", item, kind=kind, image=item.image or image))
    return tuple(found)


def _finding(name: str, item: Placed, *, kind: str, image: str) -> Finding:
    tree = ontology()
    mask = None if item.mask is None or item.mask.is_empty else item.mask
    detail = "" if item.contrast is None else f"contrast to noise {item.contrast:.1f}"
    method = "continuous shape"
    return Finding(
        id=name,
        what=tree[item.term],
        where=Location(
            anatomy=tree[item.anatomy] if item.anatomy else None,
            side=item.side,
            mask=mask,
            box=mask.box if mask else None,
            points=(Line((item.centre,), "centre"),) if item.centre is not None else (),
            image=image,
        ),
        attributes=tuple(Attribute(k, v) for k, v in item.attributes),
        measurements=tuple(Measurement(tree[k], float(v), unit, method=method) for k, v, unit in item.measures),
        score=1.0,
        evidence=(Evidence("rule", f"phantom {kind}", VERSION, detail),),
    )


def evolve(plants: Sequence[Plant], fresh: Sequence[Plant], rng: np.random.Generator) -> tuple[Plant, ...]:
    """The plants of the next visit: each grows, shrinks, stays or is gone; one of `fresh` may come new.

    Sizes change by at least a quarter when they are called changed (RECIST's fifth and more), by nothing when
    unchanged. What is neither sized nor extended (a heart, a fracture) stays.
    """
    kept: list[Plant] = []
    for plant in plants:
        course = str(rng.choice(["increased", "decreased", "unchanged", "resolved"], p=[0.3, 0.25, 0.35, 0.1]))
        factor = {"increased": rng.uniform(1.3, 1.8), "decreased": rng.uniform(0.5, 0.72)}.get(course, 1.0)
        if plant.size is None and plant.extent is None:
            kept.append(replace(plant, change="unchanged"))
        elif course != "resolved":
            kept.append(_scaled(plant, factor, course))
    known = {(p.name, p.side) for p in plants}
    for plant in fresh:
        if (plant.name, plant.side) not in known and (plant.size is not None or plant.extent is not None):
            kept.append(replace(plant, change="new"))
            break
    return tuple(kept)


def _scaled(plant: Plant, factor: float, course: str) -> Plant:
    """Larger or smaller within its room; called changed only when it is by a fifth or more."""
    if plant.size is not None:
        size = float(np.clip(plant.size * factor, 4.0, max(plant.space, plant.size)))
        real = abs(size / plant.size - 1) >= 0.2
        return replace(plant, size=size if real else plant.size, change=course if real else "unchanged")
    extent = float(np.clip((plant.extent or 0.0) * factor, 0.05, 0.7))
    real = abs(extent / (plant.extent or 1.0) - 1) >= 0.2
    return replace(plant, extent=extent if real else plant.extent, change=course if real else "unchanged")
