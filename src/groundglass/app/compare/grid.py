"""Grids that differ: one framed in another, and the error that says what differs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import GeometryError


def framed(array: NDArray[Any], start: tuple[int, ...], shape: tuple[int, ...]) -> NDArray[Any]:
    """`array` in a field of zeros of `shape`, its first voxel at `start`."""
    field = np.zeros(shape, dtype=array.dtype)
    field[tuple(slice(a, a + n) for a, n in zip(start, array.shape, strict=True))] = array
    return field


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
