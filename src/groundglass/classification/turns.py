"""How a picture lies: quarter turns, mirror, inverted grey; and the way back for arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Turn:
    """What happened to an upright picture: first mirrored left to right, then turned by `quarters` x 90 degrees
    counter-clockwise. `apply` does it to the last two axes, `undo` takes it back."""

    quarters: int = 0
    mirrored: bool = False

    def apply(self, array: NDArray[Any]) -> NDArray[Any]:
        turned = np.flip(array, axis=-1) if self.mirrored else array
        return np.ascontiguousarray(np.rot90(turned, self.quarters, axes=(-2, -1)))

    def undo(self, array: NDArray[Any]) -> NDArray[Any]:
        back = np.rot90(array, -self.quarters, axes=(-2, -1))
        return np.ascontiguousarray(np.flip(back, axis=-1) if self.mirrored else back)


TURNS = tuple(Turn(quarters, mirrored) for mirrored in (False, True) for quarters in range(4))
