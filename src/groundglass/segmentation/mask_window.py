"""The part of a grid about a mask: all that something of a known reach has to look at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def window_about(mask: NDArray[np.bool_], margin: int) -> tuple[slice, ...]:
    """The box of a mask (any axes) that is not empty, `margin` pixels wider on every side, cut at the grid."""
    from scipy.ndimage import find_objects

    box = find_objects(mask.astype(np.uint8))[0]
    return tuple(
        slice(max(0, side.start - margin), min(length, side.stop + margin))
        for side, length in zip(box, mask.shape, strict=True)
    )
