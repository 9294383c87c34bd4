"""Boxes out of a heat map: two thresholds, connected regions, the tight box of each (arXiv 1705.02315)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from torch import from_numpy
from torch.nn.functional import interpolate

from groundglass.core import Box
from groundglass.core.errors import InputError

# Of a map that is stretched to 0..255. Both sets of boxes are candidates.
THRESHOLDS = (60, 180)


def heat_boxes(heat: ArrayLike, shape: tuple[int, int], *, thresholds: tuple[float, ...] = THRESHOLDS) -> list[Box]:
    """Candidate boxes in pixels of an image of `shape` from one class's map (h, w), threshold by threshold.

    The map is brought to the image by bilinear interpolation and stretched to 0..255; regions above a threshold are
    joined over edges and corners. A flat map says nothing and gives no box. Raises InputError for a map that is not a
    plane of finite numbers.
    """
    from scipy.ndimage import find_objects, label

    held = np.asarray(heat, dtype=np.float32)
    if held.ndim != 2 or not np.isfinite(held).all():
        raise InputError(
            "heat map", f"has shape {held.shape} or values that are not finite", "Give (h, w) of one class."
        )
    large = interpolate(from_numpy(held)[None, None], size=shape, mode="bilinear", align_corners=False)[0, 0].numpy()
    low, high = float(large.min()), float(large.max())
    if high <= low:
        return []
    stretched = 255 * (large - low) / (high - low)
    boxes = []
    for threshold in thresholds:
        regions, _ = label(stretched > threshold, structure=np.ones((3, 3), dtype=int))
        for rows, columns in find_objects(regions):
            boxes.append(Box((rows.start, columns.start), (rows.stop, columns.stop)))
    return boxes
