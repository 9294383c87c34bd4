"""The anatomy masks of one frontal radiograph, as the measurements want them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from groundglass.core import GeometryError

BoolArray = NDArray[np.bool_]
View = Literal["PA", "AP"]

_OTHER_SIDE = {"left": "right", "right": "left"}


@dataclass(frozen=True, eq=False)
class RadiographMasks:
    """Masks (H, W) by structure name, in display orientation: the patient's right at the left of the picture.

    Names are ontology terms with the side in front ("left lung"); numbered ribs are "right rib 9
    posterior". `spacing` is mm per pixel along rows and columns, None where unknown: then only ratios and angles are
    measured. `view` None means unknown. Raises GeometryError when shapes differ or a mask is not 2D.
    """

    masks: Mapping[str, BoolArray]
    spacing: tuple[float, float] | None = None
    view: View | None = None
    _checked: dict[str, BoolArray] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        shapes = {mask.shape for mask in self.masks.values()}
        if len(shapes) != 1 or any(len(shape) != 2 for shape in shapes):
            raise GeometryError("radiograph masks", f"have the shapes {sorted(shapes)}", "Pass 2D masks on one grid.")
        if self.spacing is not None and min(self.spacing) <= 0:
            raise GeometryError("radiograph masks", f"have the spacing {self.spacing}", "Pass None when it is unknown.")

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, columns = next(iter(self.masks.values())).shape
        return rows, columns

    @property
    def aspect(self) -> float:
        """Height of a pixel over its width; 1 where the spacing is unknown."""
        return 1.0 if self.spacing is None else self.spacing[0] / self.spacing[1]

    def has(self, name: str) -> bool:
        """True when there is such a mask with at least one pixel."""
        return name in self.masks and bool(self.masks[name].any())

    def mirrored(self) -> RadiographMasks:
        """Flipped about the vertical axis with the sides' names swapped: the same patient, seen in a mirror."""
        flipped = {_swap_side(name): mask[:, ::-1] for name, mask in self.masks.items()}
        return RadiographMasks(flipped, self.spacing, self.view)


def _swap_side(name: str) -> str:
    first, _, rest = name.partition(" ")
    return f"{_OTHER_SIDE[first]} {rest}" if first in _OTHER_SIDE else name
