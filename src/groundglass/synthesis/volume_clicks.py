"""Corrections of a volume as clicks: anywhere in what is wrong, or at its deepest voxel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.clicks import discrepancy, uniform_clicks

Bool = NDArray[np.bool_]
Click = tuple[NDArray[np.intp], bool]


def error_click(truth: Bool, prediction: Bool, rng: np.random.Generator) -> Click | None:
    """SAM-Med3D's training user: a voxel drawn evenly from all that is wrong, and whether it was missed (positive).
    None where nothing is wrong."""
    missed, spilled = discrepancy(truth, prediction)
    drawn = uniform_clicks(missed | spilled, rng)
    return (drawn[0], bool(missed[tuple(drawn[0])])) if len(drawn) else None


def deepest_click(truth: Bool, prediction: Bool) -> Click | None:
    """The voxel that lies deepest in what was missed or in what was spilled (Euclidean distance; beyond the array is
    outside). Ties: missed before spilled, then raster order. None where nothing is wrong."""
    from scipy.ndimage import distance_transform_edt

    depths = [distance_transform_edt(np.pad(part, 1))[(slice(1, -1),) * part.ndim]
              for part in discrepancy(truth, prediction)]  # fmt: skip
    positive = bool(depths[0].max() >= depths[1].max())
    depth = depths[0] if positive else depths[1]
    if not depth.any():
        return None
    return np.array(np.unravel_index(int(depth.argmax()), depth.shape), dtype=np.intp), positive
