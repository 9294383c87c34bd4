"""Exact Euclidean distances from lattice points to the nearest of other lattice points, computed only where asked.

Two ways, one result. Surfaces that lie near each other (the usual case) are put on a small grid: squared distances
are propagated along two axes of equal spacing in 16-bit integers, and along the third only at the points that ask,
with a reach that grows until every point is served (the separable scheme of Saito and Toriwaki, Pattern Recognition
1994; 27: 1551, cut off). Sparse points in a wide box, and grids with three different spacings, go to a k-d tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

FIRST_REACH = 4
LAST_REACH = 64
# Farther than every distance that is kept. It fits 8 bits with LAST_REACH added, its square 16 with LAST_REACH ** 2.
FAR = 2 * LAST_REACH
# Per cell a grid costs about a fiftieth to a hundredth of what the tree costs per point.
CELLS_PER_POINT = 64
MOST_CELLS = 1 << 26
Points = NDArray[np.integer[Any]]


def nearest_distances(points: Points, targets: Points, spacing: Sequence[float]) -> NDArray[np.float64]:
    """Distance in mm from each of `points` (N, D) to the nearest of `targets` (M, D), lattice indices, D 2 or 3.

    Without targets all distances are infinite.
    """
    if len(points) == 0:
        return np.empty(0)
    if len(targets) == 0:
        return np.full(len(points), np.inf)
    axes = _axes(spacing)
    if axes is None:
        return _searched(points, targets, spacing)
    steps = spacing[axes[0]], spacing[axes[2]]
    flat = points.shape[1] == 2
    points3, targets3 = (_three(p) if flat else p[:, axes] for p in (points, targets))
    low = np.minimum(points3.min(axis=0), targets3.min(axis=0))
    high = np.maximum(points3.max(axis=0), targets3.max(axis=0))
    extent = high - low + 1
    shape = int(extent[0]), int(extent[1]), int(extent[2])
    cells = shape[0] * shape[1] * shape[2]
    if cells > min(CELLS_PER_POINT * (len(points) + len(targets)), MOST_CELLS):
        return _searched(points, targets, spacing)
    distances, left = _propagated(points3 - low, targets3 - low, shape, steps)
    if len(left):
        distances[left] = _searched(points[left], targets, spacing)
    return distances


def _axes(spacing: Sequence[float]) -> list[int] | None:
    """Two axes of equal spacing, then the other one; None where no two are equal."""
    if len(spacing) == 2:
        return [0, 0, 1]
    for odd in (2, 1, 0):
        first, second = (axis for axis in range(3) if axis != odd)
        if spacing[first] == spacing[second]:
            return [first, second, odd]
    return None


def _three(points: Points) -> Points:
    """Flat points with an axis of one cell between their two."""
    return np.stack([points[:, 0], np.zeros(len(points), points.dtype), points[:, 1]], axis=1)


def _searched(points: Points, targets: Points, spacing: Sequence[float]) -> NDArray[np.float64]:
    tree = cKDTree(targets * np.asarray(spacing), leafsize=32)
    found: NDArray[np.float64] = tree.query(points * np.asarray(spacing))[0]
    return found


def _propagated(
    points: Points, targets: Points, shape: tuple[int, int, int], steps: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Distances, and the numbers of the points farther than the last reach, whose distances are not set.

    `steps` is the spacing of the first two axes and of the last.
    """
    plane = _along_first(targets, shape)
    near = plane.copy()
    ratio: Any = 1 if steps[0] == steps[1] else (steps[1] / steps[0]) ** 2
    distances = np.empty(len(points))
    left = np.arange(len(points))
    done, reach = 0, FIRST_REACH
    while True:
        _along_second(plane, near, done + 1, reach)
        best = _along_third(near, points[left], int(reach * steps[0] / steps[1]), ratio)
        # Whatever lies outside the reach is at least one step farther, on the first two axes or on the third.
        beyond = min((reach + 1) ** 2, (int(reach * steps[0] / steps[1]) + 1) ** 2 * ratio)
        served = best <= beyond
        distances[left[served]] = np.sqrt(best[served]) * steps[0]
        left = left[~served]
        done, reach = reach, 2 * reach
        if len(left) == 0 or reach > LAST_REACH:
            return distances, left


def _along_first(targets: Points, shape: tuple[int, int, int]) -> NDArray[np.uint16]:
    """Squared distance in voxels to the nearest target on the same line along the first axis, at most FAR ** 2."""
    line = np.full(shape, FAR, dtype=np.uint8)
    line[targets[:, 0], targets[:, 1], targets[:, 2]] = 0
    step = 1
    # After steps 1, 2, ..., s all distances up to 2 s - 1 are exact: along a line they add up.
    while step <= LAST_REACH:
        if step < shape[0]:
            moved = line + np.uint8(step)
            np.minimum(line[step:], moved[:-step], out=line[step:])
            np.minimum(line[:-step], moved[step:], out=line[:-step])
        step *= 2
    plane = line.astype(np.uint16)
    plane *= plane
    return plane


def _along_second(plane: NDArray[np.uint16], near: NDArray[np.uint16], first: int, last: int) -> None:
    """Take into `near` what lies `first` to `last` steps away along the second axis."""
    for step in range(first, min(last, plane.shape[1] - 1) + 1):
        moved = plane + np.uint16(step * step)
        np.minimum(near[:, step:], moved[:, :-step], out=near[:, step:])
        np.minimum(near[:, :-step], moved[:, step:], out=near[:, :-step])


def _along_third(near: NDArray[np.uint16], points: Points, reach: int, ratio: Any) -> NDArray[Any]:
    """Least squared distance at each point over `reach` steps along the third axis, each counting `ratio`.

    At the border a step is cut short and counted in full: that is another cell's distance, never too small.
    """
    depth = near.shape[2]
    row = (points[:, 0].astype(np.intp) * near.shape[1] + points[:, 1]) * depth
    place = points[:, 2].astype(np.intp)
    flat = near.reshape(-1)
    best = flat[row + place].astype(np.int64 if isinstance(ratio, int) else np.float64)
    for step in range(1, min(reach, depth - 1) + 1):
        cost = step * step * ratio
        np.minimum(best, flat[row + np.minimum(place + step, depth - 1)] + cost, out=best)
        np.minimum(best, flat[row + np.maximum(place - step, 0)] + cost, out=best)
    return best
