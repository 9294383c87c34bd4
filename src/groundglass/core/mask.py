"""Where something was seen: a voxel mask, kept as its bounding box, and half-open boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core.errors import EmptyMaskError, GeometryError


@dataclass(frozen=True, slots=True)
class Box:
    """Half-open voxel ranges, one (start, stop) per spatial axis in array order."""

    start: tuple[int, ...]
    stop: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.start) != len(self.stop) or any(a > b for a, b in zip(self.start, self.stop, strict=True)):
            raise GeometryError("box", f"start {self.start} and stop {self.stop} do not span a range", "Swap the ends.")

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(b - a for a, b in zip(self.start, self.stop, strict=True))

    @property
    def centre(self) -> tuple[float, ...]:
        """Centre in voxel coordinates (voxel centres at integers)."""
        return tuple((a + b - 1) / 2 for a, b in zip(self.start, self.stop, strict=True))

    @property
    def slices(self) -> tuple[slice, ...]:
        return tuple(slice(a, b) for a, b in zip(self.start, self.stop, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """A boolean mask on a grid of `shape`, stored as the crop that holds its voxels.

    `offset` is the first voxel of `crop` in the grid. `affine` is that of the grid (array axes to RAS+ mm).
    Build with `Mask.of(array, affine)`; `mask.array` is the full boolean array.
    """

    crop: NDArray[np.bool_]
    offset: tuple[int, ...]
    shape: tuple[int, ...]
    affine: NDArray[np.float64]

    @classmethod
    def of(cls, array: NDArray[Any], affine: NDArray[Any]) -> Mask:
        """Crop a full-grid array (spatial axes only, non-zero = inside)."""
        inside = np.asarray(array) != 0
        start, stop = [], []
        for axis in range(inside.ndim):
            others = tuple(a for a in range(inside.ndim) if a != axis)
            hits = np.flatnonzero(inside.any(axis=others))
            start.append(int(hits[0]) if hits.size else 0)
            stop.append(int(hits[-1]) + 1 if hits.size else 0)
        crop = np.ascontiguousarray(inside[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))])
        return cls(crop, tuple(start), tuple(inside.shape), np.asarray(affine, dtype=np.float64))

    @property
    def is_empty(self) -> bool:
        return self.crop.size == 0

    @property
    def box(self) -> Box:
        """The bounding box. Raises EmptyMaskError when there is no voxel."""
        if self.is_empty:
            raise EmptyMaskError("mask", "has no voxel, so it has no bounding box", "Check the mask before measuring.")
        return Box(self.offset, tuple(o + n for o, n in zip(self.offset, self.crop.shape, strict=True)))

    @property
    def array(self) -> NDArray[np.bool_]:
        """The full-grid boolean array (a new one on each call)."""
        full = np.zeros(self.shape, dtype=bool)
        if not self.is_empty:
            full[self.box.slices] = self.crop
        return full

    @property
    def voxel_count(self) -> int:
        return int(self.crop.sum())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask):
            return NotImplemented
        return (
            self.shape == other.shape
            and self.offset == other.offset
            and np.array_equal(self.crop, other.crop)
            and np.array_equal(self.affine, other.affine)
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.offset, self.crop.tobytes()))
