"""What every generator is: how its findings are drawn, and how a case of it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from groundglass.core import Image, Mask
from groundglass.synthesis.phantoms.planted import Placed, Plant


@dataclass(frozen=True)
class Case:
    """Which patient and which visit: all that a case's draws depend on."""

    kind: str
    seed: int
    index: int
    visit: int = 0

    def patient(self, purpose: str) -> np.random.Generator:
        """Draws that belong to the patient: the same in every visit."""
        return np.random.default_rng([self.seed, self.index, *purpose.encode()])

    def scan(self, purpose: str) -> np.random.Generator:
        """Draws that belong to one visit: position, noise, words."""
        return np.random.default_rng([self.seed, self.index, self.visit + 1, *purpose.encode()])


@dataclass(frozen=True, eq=False)
class Drawn:
    """What a generator made. `placed` in the order of the images' reading; `structures` masks by name;
    `facts` figures of the simulation; `technique` the words of the report's technique section, `landmarks` points by
    name in voxels of the first image."""

    images: tuple[Image, ...]
    placed: tuple[Placed, ...]
    structures: Mapping[str, Mask] = field(default_factory=dict)
    facts: Mapping[str, float | str] = field(default_factory=dict)
    technique: str = ""
    landmarks: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """A generator. `draw(rng)` the findings of one patient, `make(case, plants, **options)` the images.

    `denials` names what a report may deny when it is not there: (term, anatomy or None). `has_report` is False
    where no radiologist would dictate one (cells in a field of view). `exam` are the words for the examination,
    `region` the part of the grammar's data that speaks of what is normal there (chest, abdomen, body, breast, brain,
    spine).
    """

    name: str
    exam: str
    modality: str
    names: tuple[str, ...]
    draw: Callable[[np.random.Generator], tuple[Plant, ...]]
    make: Callable[..., Drawn]
    denials: tuple[tuple[str, str | None], ...] = ()
    region: str = "chest"
    has_report: bool = True
