"""Where a mask lies in millimetres: voxel size, the acquisition plane, face points of its surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundglass.core import EmptyMaskError, GeometryError, Mask


def spacing_of(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) mm per voxel step along each array axis."""
    return np.asarray(np.linalg.norm(affine[:3, :3], axis=0), dtype=np.float64)


def voxel_volume(affine: NDArray[np.float64]) -> float:
    """mm3 of one voxel; right for oblique and sheared (tilted gantry) grids too."""
    return float(abs(np.linalg.det(affine[:3, :3])))


def to_world(points: NDArray[np.float64], affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) voxel coordinates to (n, 3) RAS+ mm."""
    return points @ affine[:3, :3].T + affine[:3, 3]


def to_voxel(points: NDArray[np.float64], affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) RAS+ mm to (n, 3) voxel coordinates."""
    return np.asarray(np.linalg.solve(affine[:3, :3], (points - affine[:3, 3]).T).T, dtype=np.float64)


def require_volume(mask: Mask) -> None:
    """Raises EmptyMaskError without a voxel, GeometryError unless the mask has three axes."""
    if len(mask.shape) != 3:
        raise GeometryError(
            "mask", f"has {len(mask.shape)} axes, three are needed", "Pass a volume, or a slice as (n, m, 1)."
        )
    if mask.is_empty:
        raise EmptyMaskError("mask", "has no voxel, so nothing can be measured on it", "Leave it out or draw it again.")


def slice_axis(affine: NDArray[np.float64]) -> int:
    """The array axis that steps from acquired slice to slice.

    In-plane pixels are square, so the axis whose step differs from the two others' (which agree within 0.1 %) is
    the slice axis, thick or thin. Where no axis stands out so, it is the thickest one if it is 5 % thicker than
    the rest; on an isotropic grid it is the axis closest to head-feet (slices are read as axial).
    """
    steps = spacing_of(affine)
    for axis in range(3):
        one, two = np.delete(steps, axis)
        if abs(one - two) <= 1e-3 * one and abs(steps[axis] - one) > 1e-2 * one:
            return axis
    thickest = int(steps.argmax())
    if steps[thickest] > 1.05 * np.delete(steps, thickest).max():
        return thickest
    return int(np.abs(affine[2, :3] / steps).argmax())


def face_points(inside: NDArray[np.bool_], axes: tuple[int, ...]) -> NDArray[np.float64]:
    """(n, ndim) midpoints between an inside voxel and its outside neighbour along each of `axes`.

    They are the vertices that marching squares or cubes place on a binary mask at level 0.5; their convex hull is
    the hull of that contour or surface.
    """
    padded = np.pad(inside, 1)
    found = []
    for axis in axes:
        step = np.diff(padded.astype(np.int8), axis=axis)
        where = np.argwhere(step != 0).astype(np.float64) - 1.0
        where[:, axis] += 0.5
        found.append(where)
    return np.concatenate(found)


def window_of(mask: Mask, window: tuple[slice, ...]) -> NDArray[np.bool_]:
    """The part of a mask in a window of its grid, without building the whole grid."""
    part = np.zeros([s.stop - s.start for s in window], dtype=bool)
    if mask.is_empty:
        return part
    low = [max(s.start, o) for s, o in zip(window, mask.offset, strict=True)]
    high = [min(s.stop, o + n) for s, o, n in zip(window, mask.offset, mask.crop.shape, strict=True)]
    if all(a < b for a, b in zip(low, high, strict=True)):
        here = tuple(slice(a - s.start, b - s.start) for a, b, s in zip(low, high, window, strict=True))
        there = tuple(slice(a - o, b - o) for a, b, o in zip(low, high, mask.offset, strict=True))
        part[here] = mask.crop[there]
    return part


def grown_window(mask: Mask, margin: float) -> tuple[slice, ...]:
    """The mask's box widened by `margin` mm on each side, cut at the grid."""
    grow = np.ceil(margin / spacing_of(mask.affine)).astype(int)
    start = np.maximum(np.array(mask.box.start) - grow, 0)
    stop = np.minimum(np.array(mask.box.stop) + grow, mask.shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
