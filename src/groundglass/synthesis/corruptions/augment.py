"""Training with the corruptions of a data set: one of them, or none, at a strength between mildest and severest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError
from groundglass.synthesis.corruptions.apply import Corruption, corrupt
from groundglass.synthesis.corruptions.table import CorruptionSet, Parameter, group_of

WHOLE = frozenset({"jpeg_compression", "gaussian_blur", "stain_deposit", "bubble"})


class TargetedAugmentation:
    """AugMedMNIST-C: `draw` picks uniformly among the set's kinds and identity; `corrupt` applies what was drawn.

    `without` leaves out the kinds of these groups, for tests on corruptions that training has not seen.
    """

    def __init__(self, table: CorruptionSet, *, without: Iterable[str] = ()) -> None:
        self.table = table
        left_out = set(without)
        self.kinds = tuple(kind for kind in table.kinds if group_of(kind) not in left_out)
        if not self.kinds:
            raise ConfigurationError(f"groups {sorted(left_out)}", "leave no corruption", "Leave out fewer.")

    def draw(self, rng: np.random.Generator) -> Corruption | None:
        """The corruption of one picture; None is identity."""
        number = int(rng.integers(len(self.kinds) + 1))
        if number == len(self.kinds):
            return None
        kind = self.kinds[number]
        values = self.table.kinds[kind]
        return Corruption(kind, _between(kind, values[0], values[-1], rng), int(rng.integers(2**32)))

    def __call__(self, picture: NDArray[Any], rng: np.random.Generator) -> NDArray[np.uint8]:
        drawn = self.draw(rng)
        return picture if drawn is None else corrupt(picture, drawn)


def _between(kind: str, mild: Parameter, severe: Parameter, rng: np.random.Generator) -> Parameter:
    """Uniform between the ends; whole numbers where the kind wants them, odd ones for kernels."""
    ends = np.atleast_1d(mild), np.atleast_1d(severe)
    drawn = rng.uniform(np.minimum(*ends), np.maximum(*ends))
    if kind == "zoom_blur":
        drawn[0] = rng.uniform(1.0 + drawn[1], ends[1][0])
    if kind in WHOLE:
        drawn = np.floor(drawn)
    if kind == "gaussian_blur":
        drawn -= (drawn + 1) % 2
    return float(drawn[0]) if drawn.size == 1 else tuple(map(float, drawn))
