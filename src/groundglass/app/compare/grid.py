"""Whether two files lie on one grid, and how to turn one of them onto the other's axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import GeometryError

SAME_GRID_MM = 0.01
"""Corners of two grids may lie this far apart: writers round affines to single precision."""


def turned(
    array: NDArray[Any], affine: NDArray[np.float64], onto: NDArray[np.float64]
) -> tuple[NDArray[Any], tuple[int, ...]] | None:
    """`array` (spatial axes) with its axes in the order and direction of the grid `onto`, and its first index there.

    None where its voxels are not voxels of that grid (continued without end): each corner must agree within
    `SAME_GRID_MM`. The array is a view, not a copy.
    """
    axes = array.ndim
    full = np.linalg.inv(affine) @ onto
    steps = np.rint(full[:axes, :axes]).astype(int)
    offset = np.rint(full[:axes, 3]).astype(int)
    if not (np.abs(steps).sum(axis=0) == 1).all() or not (np.abs(steps).sum(axis=1) == 1).all():
        return None
    corners = np.stack(np.meshgrid(*[(0, n - 1) for n in array.shape], indexing="ij"), axis=-1).reshape(-1, axes)
    there = (corners - offset) @ steps
    if np.abs(_placed(affine, corners) - _placed(onto, there)).max() > SAME_GRID_MM:
        return None
    flips = tuple(slice(None, None, -1) if row.sum() < 0 else slice(None) for row in steps)
    order = [int(np.flatnonzero(steps[:, axis])[0]) for axis in range(axes)]
    return array[flips].transpose(order), tuple(int(n) for n in there.min(axis=0))


def framed(array: NDArray[Any], start: tuple[int, ...], shape: tuple[int, ...]) -> NDArray[Any]:
    """`array` in a field of zeros of `shape`, its first voxel at `start`."""
    field = np.zeros(shape, dtype=array.dtype)
    field[tuple(slice(a, a + n) for a, n in zip(start, array.shape, strict=True))] = array
    return field


def _placed(affine: NDArray[np.float64], indices: NDArray[Any]) -> NDArray[np.float64]:
    axes = indices.shape[1]
    return np.asarray(indices @ affine[:3, :axes].T + affine[:3, 3])


def difference(
    first: object, second: object, shapes: tuple[tuple[int, ...], tuple[int, ...]], spacings: tuple[Any, Any]
) -> GeometryError:
    """The error that names both files and says what differs: shape, spacing, or only the place."""
    if sorted(shapes[0]) != sorted(shapes[1]):
        what = f"have different shapes, {_times(shapes[0])} and {_times(shapes[1])} voxels"
        remedy = "Resample one onto the other's grid (nearest neighbour)."
    elif not np.allclose(sorted(spacings[0]), sorted(spacings[1]), rtol=1e-3):
        what = f"have different spacings, {_times(spacings[0])} and {_times(spacings[1])} mm"
        remedy = "If only a header is wrong, name the right one by --spacing-from; else resample one of them."
    else:
        what = "have one shape and spacing, but lie in different places or directions"
        remedy = "If only a header is wrong, name the right one by --spacing-from; else resample one of them."
    return GeometryError(f"{first} and {second}", what, remedy)


def _times(values: tuple[Any, ...]) -> str:
    return " x ".join(f"{value:.4g}" for value in values)
