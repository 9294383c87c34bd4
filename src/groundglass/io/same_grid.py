"""Whether two files lie on one grid, and how to turn one of them onto the other's axes."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

SAME_GRID_MM = 0.01
"""Corners of two grids may lie this far apart, but no more than a tenth of a voxel: writers round affines."""

_OF_A_VOXEL = 0.1
Voxel = TypeVar("Voxel", bound=np.generic)


def turned(
    array: NDArray[Voxel], affine: NDArray[np.float64], onto: NDArray[np.float64]
) -> tuple[NDArray[Voxel], tuple[int, ...]] | None:
    """`array` (spatial axes) with its axes in the order and direction of the grid `onto`, and its first index there.

    Both affines map indices to RAS+ mm. None where the voxels are not voxels of that grid (continued without end):
    every corner must agree within `SAME_GRID_MM`. The array is a view, not a copy.
    """
    axes = array.ndim
    full = np.linalg.inv(affine) @ onto
    steps = np.rint(full[:axes, :axes]).astype(int)
    offset = np.rint(full[:axes, 3]).astype(int)
    if not (np.abs(steps).sum(axis=0) == 1).all() or not (np.abs(steps).sum(axis=1) == 1).all():
        return None
    corners = np.stack(np.meshgrid(*[(0, n - 1) for n in array.shape], indexing="ij"), axis=-1).reshape(-1, axes)
    there = (corners - offset) @ steps
    voxel = float(np.linalg.norm(onto[:3, :axes], axis=0).min())
    if np.abs(_placed(affine, corners) - _placed(onto, there)).max() > min(SAME_GRID_MM, _OF_A_VOXEL * voxel):
        return None
    flips = tuple(slice(None, None, -1) if row.sum() < 0 else slice(None) for row in steps)
    order = [int(np.flatnonzero(steps[:, axis])[0]) for axis in range(axes)]
    return array[flips].transpose(order), tuple(int(n) for n in there.min(axis=0))


def turned_onto(
    array: NDArray[Voxel], affine: NDArray[np.float64], onto: NDArray[np.float64], shape: tuple[int, ...]
) -> NDArray[Voxel] | None:
    """As `turned`, where the grid `onto` has this `shape` and both hold the very same voxels; else None."""
    found = turned(array, affine, onto) if array.ndim == len(shape) else None
    return found[0] if found is not None and found[0].shape == shape and not any(found[1]) else None


def _placed(affine: NDArray[np.float64], indices: NDArray[np.intp]) -> NDArray[np.float64]:
    axes = indices.shape[1]
    return np.asarray(indices @ affine[:3, :axes].T + affine[:3, 3])
