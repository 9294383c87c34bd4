"""Longest in-plane diameter, its perpendicular (RECIST 1.1 calipers), and the three-dimensional Feret diameter.

RECIST 1.1: Eisenhauer et al., Eur J Cancer 2009;45:228, the longest diameter in the plane of acquisition. The
points measured between are those of the mask's contour at level 0.5 (midpoints of voxel faces), the definition of
pyradiomics' Maximum2DDiameterSlice and Maximum3DDiameter: one voxel measures one pixel, not zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform

from groundglass.core import Line, Mask
from groundglass.measurement.geometry import face_points, require_volume, slice_axis

_HULL_POINTS_AT_ONCE = 3000


@dataclass(frozen=True, slots=True)
class Calipers:
    """Long and short axis in one slice. Lengths in mm; lines in voxel coordinates of the image."""

    long_mm: float
    short_mm: float
    long: Line
    short: Line
    axis: int
    slice_index: int


def recist_diameters(mask: Mask, *, axis: int | None = None) -> Calipers:
    """The longest in-plane diameter over all slices, and the widest extent perpendicular to it in the same slice.

    `axis` is the slice axis; by default the acquisition's (see `slice_axis`). The short axis is the caliper width
    of the contour square to the long axis; its line crosses the long axis where the two extremes' mean projects.
    Raises EmptyMaskError, GeometryError.
    """
    require_volume(mask)
    normal = slice_axis(mask.affine) if axis is None else axis
    plane = tuple(a for a in range(3) if a != normal)
    basis = mask.affine[:3, list(plane)]
    best: tuple[float, int, NDArray[np.float64], NDArray[np.float64]] | None = None
    for bound, index in _by_bound(mask.crop, normal, basis):
        if best is not None and bound <= best[0]:
            break
        points = _hull_of_slice(np.moveaxis(mask.crop, normal, 0)[index])
        flat = points @ _in_plane(basis)
        length, one, two = _farthest(flat)
        if best is None or length > best[0]:
            best = (length, index, flat, np.array([one, two]))
    assert best is not None, "a mask with a voxel has a slice with a contour"
    length, index, flat, ends = best
    short_mm, short_ends = _width(flat, *ends)
    back = np.linalg.inv(_in_plane(basis))

    def line(pair: NDArray[np.float64], name: str) -> Line:
        return Line(tuple(_voxel(p @ back, plane, normal, index, mask.offset) for p in pair), name)

    return Calipers(
        long_mm=float(length),
        short_mm=float(short_mm),
        long=line(ends, "long axis"),
        short=line(short_ends, "short axis"),
        axis=normal,
        slice_index=index + mask.offset[normal],
    )


def feret_diameter(mask: Mask) -> tuple[float, Line]:
    """The greatest distance in mm between two points of the surface in three dimensions, with its ends.

    Raises EmptyMaskError, GeometryError.
    """
    require_volume(mask)
    points = face_points(mask.crop, (0, 1, 2))
    world = points @ mask.affine[:3, :3].T
    hull = ConvexHull(world).vertices
    length, one, two = _farthest_rows(world[hull])
    ends = points[hull[[one, two]]] + np.array(mask.offset)
    return length, Line(tuple(tuple(float(v) for v in end) for end in ends), "maximum 3D diameter")


def _in_plane(basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 2) matrix from pixel coordinates (rows) to an orthonormal frame of the slice in mm."""
    return np.linalg.qr(basis)[1].T


def _by_bound(crop: NDArray[np.bool_], normal: int, basis: NDArray[np.float64]) -> list[tuple[float, int]]:
    """Slices with an upper bound of their diameter (their box's diagonal), greatest first."""
    slices = np.moveaxis(crop, normal, 0)
    spans = [_extents(np.asarray(slices.any(axis=gone))) for gone in (2, 1)]
    sides = np.linalg.norm(basis, axis=0)
    along = [spans[0] * sides[0], spans[1] * sides[1]]
    # On a sheared grid the diagonal by Pythagoras is no bound; the sum of the sides always is.
    square = abs(float(basis[:, 0] @ basis[:, 1])) < 1e-9 * float(sides[0] * sides[1])
    bounds = np.hypot(*along) if square else along[0] + along[1]
    return [(float(bounds[i]), int(i)) for i in np.argsort(-bounds, kind="stable") if spans[0][i] > 0]


def _extents(hits: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Per row of (n, m): number of places from the first to the last hit, 0 without one."""
    first = hits.argmax(axis=1)
    last = hits.shape[1] - 1 - hits[:, ::-1].argmax(axis=1)
    return np.where(hits.any(axis=1), last - first + 1, 0)


def _hull_of_slice(pixels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n, 2) corners of the convex hull of the contour at level 0.5."""
    points = face_points(pixels, (0, 1))
    return points[ConvexHull(points).vertices]


def _farthest(points: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    length, one, two = _farthest_rows(points)
    return length, points[one], points[two]


def _farthest_rows(points: NDArray[np.float64]) -> tuple[float, int, int]:
    """Length and the two row numbers of the greatest distance; memory stays bounded for large hulls."""
    if len(points) <= _HULL_POINTS_AT_ONCE:
        distances = squareform(pdist(points))
        one, two = np.unravel_index(int(distances.argmax()), distances.shape)
        return float(distances[one, two]), int(one), int(two)
    best = (-1.0, 0, 0)
    for start in range(0, len(points), _HULL_POINTS_AT_ONCE // 4):
        block = points[start : start + _HULL_POINTS_AT_ONCE // 4]
        squares = ((block[:, None, :] - points[None, :, :]) ** 2).sum(axis=-1)
        row, column = np.unravel_index(int(squares.argmax()), squares.shape)
        length = float(np.sqrt(squares[row, column]))
        best = max(best, (length, start + int(row), int(column)))
    return best


def _width(
    flat: NDArray[np.float64], one: NDArray[np.float64], two: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Extent square to the line one-two, and the two ends of a caliper that shows it."""
    along = (two - one) / np.linalg.norm(two - one)
    across = np.array([-along[1], along[0]])
    heights = flat @ across
    low, high = int(heights.argmin()), int(heights.argmax())
    foot = along * float((flat[low] + flat[high]) @ along) / 2
    ends = np.array([foot + across * heights[low], foot + across * heights[high]])
    return float(heights[high] - heights[low]), ends


def _voxel(
    pixel: NDArray[np.float64], plane: tuple[int, ...], normal: int, index: int, offset: tuple[int, ...]
) -> tuple[float, ...]:
    point = [0.0, 0.0, 0.0]
    point[normal] = float(index + offset[normal])
    for value, axis in zip(pixel, plane, strict=True):
        point[axis] = float(value) + offset[axis]
    return tuple(point)
