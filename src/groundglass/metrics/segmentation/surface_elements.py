"""Surfaces whose elements have an area: where they are and how large, from each 2 x 2 (x 2) neighbourhood of voxels.

Nikolov et al., J Med Internet Res 2021; 23: e26151 (arXiv 1809.04430) weight surface distances by the area (the length
in 2D) of the surface through each corner point of the voxel grid. What that surface is follows from one rule: of the
voxels around a corner take the fewer (inside or outside); those that share faces form one piece, and each piece is cut
off by the polygon through the midpoints of the edges that leave it. All 256 areas agree with the published table.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from groundglass.metrics.segmentation.scan import where

_Vectors = list[NDArray[np.float64]]


def surface_elements(
    inside: NDArray[np.bool_], spacing: Sequence[float]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Corner points (N, D) on the surface of a mask, D 2 or 3, and their areas in mm2 (lengths in mm) (N,).

    Corner k of an axis lies between voxels k - 1 and k; outside of the array is background.
    """
    padded = np.pad(inside, 1).view(np.uint8)
    corners = tuple(n + 1 for n in inside.shape)
    code = np.zeros(corners, dtype=np.uint8)
    for bit, offset in enumerate(product((0, 1), repeat=inside.ndim)):
        code |= padded[tuple(slice(o, o + n) for o, n in zip(offset, corners, strict=True))] << np.uint8(bit)
    flat = code.reshape(-1)
    # Neither 0 (all outside, which wraps round) nor the greatest code (all inside).
    index = where(flat - np.uint8(1) < 2 ** (2**inside.ndim) - 2)
    areas = element_areas(tuple(float(s) for s in spacing))
    return np.stack(np.unravel_index(index, corners), axis=1), areas[flat[index]]


@lru_cache(maxsize=64)
def element_areas(spacing: tuple[float, ...]) -> NDArray[np.float64]:
    """Area in mm2 (2D: length in mm) of the surface in a neighbourhood, by its code (256,) (2D: (16,)).

    Bit i of a code is voxel i of the neighbourhood in C order.
    """
    ndim = len(spacing)
    face = np.array([np.prod([s for other, s in enumerate(spacing) if other != axis]) for axis in range(ndim)])
    areas = np.zeros(2 ** (2**ndim))
    for code in range(len(areas)):
        inside = np.array([code >> bit & 1 for bit in range(2**ndim)]).reshape((2,) * ndim)
        fewer = inside if 2 * inside.sum() <= inside.size else 1 - inside
        pieces, count = label(fewer)
        for piece in range(1, count + 1):
            areas[code] += sum(float(np.linalg.norm(v * face)) for v in _polygon(np.argwhere(pieces == piece)))
    areas.setflags(write=False)
    return areas


def _polygon(voxels: NDArray[np.intp]) -> _Vectors:
    """Area vectors (for a spacing of 1, without sign) of the flat parts of the surface that cuts off one piece.

    In 2D a piece is a pixel or a pair; in 3D a voxel, a pair, an L of three, or a square, corner or chain of four.
    """
    ndim = voxels.shape[1]
    extent = np.ptp(voxels, axis=0).astype(np.float64)
    across, whole = 1 - extent, np.ones(ndim)
    if ndim == 2:
        return [0.5 * whole if len(voxels) == 1 else across]
    if len(voxels) == 1:
        return [whole / 8]
    if len(voxels) == 2:
        return [across / 2]
    if len(voxels) == 3:
        return [across / 2, whole * 3 / 8]
    if extent.sum() == 2:
        return [across]
    neighbours = (np.abs(voxels[:, None] - voxels[None]).sum(axis=2) == 1).sum(axis=1)
    if neighbours.max() == 3:
        return [whole * 3 / 4]
    return _chain(voxels[neighbours == 2])


def _chain(middle: NDArray[Any]) -> _Vectors:
    """A skew chain of four voxels, given its two middle ones."""
    along = np.abs(middle[0] - middle[1]).astype(np.float64)
    ends = np.eye(3)[along == 0]
    return [np.full(3, 0.5), *((along + end) / 4 for end in ends)]
