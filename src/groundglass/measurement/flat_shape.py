"""How regular a flat shape is: box ratio, convex ratio, inverse rotational inertia.

Zhao et al., Nature Methods 2025;22:166 (BiomedParse): text beats boxes where shapes are irregular, and these
three numbers say how irregular a shape is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from groundglass.core import EmptyMaskError, GeometryError


@dataclass(frozen=True, slots=True)
class Regularity:
    """Each in (0, 1]: |M| / |box|, |M| / |hull|, |M|^2 / (2 pi I); a disc has pi/4, 1 and 1."""

    box_ratio: float
    convex_ratio: float
    inverse_inertia: float


def regularity(inside: NDArray[np.bool_], *, spacing: tuple[float, float] = (1.0, 1.0)) -> Regularity:
    """Regularity of a flat mask (rows, columns) with pixels of `spacing` mm.

    The hull is that of the pixels' corners; I sums the squared distances of all area (each pixel's own inertia
    included) to the centroid, so that a square gives 3/pi exactly. Raises EmptyMaskError, GeometryError.
    """
    mask = np.asarray(inside) != 0
    if mask.ndim != 2:
        raise GeometryError("mask", f"has {mask.ndim} axes, two are needed", "Pass one slice.")
    pixels = np.argwhere(mask)
    if len(pixels) == 0:
        raise EmptyMaskError("mask", "has no pixel, so it has no shape", "Leave it out or draw it again.")
    step = np.asarray(spacing, dtype=np.float64)
    pixel_area = float(step.prod())
    area = len(pixels) * pixel_area
    box = float(((pixels.max(axis=0) - pixels.min(axis=0) + 1) * step).prod())
    corners = np.unique((pixels[:, None] + np.array([[0, 0], [0, 1], [1, 0], [1, 1]])).reshape(-1, 2), axis=0)
    hull = float(ConvexHull(corners * step).volume)
    centred = (pixels - pixels.mean(axis=0)) * step
    inertia = pixel_area * float((centred**2).sum() + len(pixels) * (step**2).sum() / 12)
    return Regularity(area / box, area / hull, area**2 / (2 * math.pi * inertia))
