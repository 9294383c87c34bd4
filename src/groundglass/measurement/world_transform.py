"""Mappings of world points, and volumes resampled through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundglass.measurement.itk_grid import empty_itk, from_itk, to_itk

if TYPE_CHECKING:
    import SimpleITK as sitk


@dataclass(frozen=True, eq=False)
class WorldTransform:
    """A mapping from RAS+ mm to RAS+ mm. `itk` is the same mapping in ITK's LPS+ world."""

    itk: sitk.Transform

    def __call__(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Points (n, 3) in RAS+ mm, mapped."""
        flip = np.array([-1.0, -1.0, 1.0])
        lps = np.asarray(points, dtype=np.float64).reshape(-1, 3) * flip
        return np.array([self.itk.TransformPoint(point) for point in lps.tolist()]).reshape(-1, 3) * flip


@dataclass(frozen=True, slots=True)
class Grid:
    """Where voxels are: the number along each axis and the affine (index to RAS+ mm)."""

    shape: tuple[int, ...]
    affine: NDArray[np.float64]

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in mL."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000


# The 1 mm grid of MNI152 (FSL's storage: x runs from right to left).
MNI_1MM = Grid((182, 218, 182), np.array([[-1.0, 0, 0, 90], [0, 1, 0, -126], [0, 0, 1, -72], [0, 0, 0, 1]]))


def resample(
    array: NDArray[Any], affine: NDArray[np.float64], onto: Grid, through: WorldTransform, *, labels: bool
) -> NDArray[Any]:
    """`array` (i, j, k) sampled on the grid `onto`; `through` maps a world point of `onto` to one of `array`.

    Labels by nearest neighbour (their type is kept), values linearly as float32; 0 outside of `array`.
    """
    import SimpleITK as sitk

    source = to_itk(array if labels else array.astype(np.float32), affine)
    how = sitk.sitkNearestNeighbor if labels else sitk.sitkLinear
    moved = from_itk(sitk.Resample(source, empty_itk(onto.shape, onto.affine), through.itk, how, 0.0))
    return moved.astype(array.dtype) if labels else moved
