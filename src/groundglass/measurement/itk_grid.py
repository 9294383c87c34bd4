"""Arrays with a RAS+ affine to SimpleITK images and back, without moving a voxel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import GeometryError

if TYPE_CHECKING:
    import SimpleITK as sitk

# ITK's world is LPS+, ours is RAS+.
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def to_itk(array: NDArray[Any], affine: NDArray[np.float64]) -> sitk.Image:
    """A SimpleITK image of a 3D array (i, j, k) whose index (i, j, k) lies at `affine @ (i, j, k, 1)` RAS+ mm.

    Oblique and left-handed affines are kept as they are. Raises GeometryError for an array that is not 3D.
    """
    import SimpleITK as sitk

    if array.ndim != 3:
        raise GeometryError("array", f"has {array.ndim} axes, a volume has 3", "Pass one 3D volume.")
    held = array.astype(np.uint8) if array.dtype == bool else array
    # ITK stores the first index fastest, numpy the last one.
    image = sitk.GetImageFromArray(np.ascontiguousarray(held.T))
    place_itk(image, affine)
    return image


def place_itk(image: sitk.Image, affine: NDArray[np.float64]) -> None:
    """Set origin, spacing and direction of `image` from a RAS+ affine."""
    lps = LPS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())


def from_itk(image: sitk.Image) -> NDArray[Any]:
    """The array (i, j, k) of a SimpleITK volume, in the index order of `to_itk`."""
    import SimpleITK as sitk

    return np.ascontiguousarray(sitk.GetArrayFromImage(image).T)


def empty_itk(shape: tuple[int, ...], affine: NDArray[np.float64]) -> sitk.Image:
    """A reference grid without content, for resampling onto it."""
    import SimpleITK as sitk

    image = sitk.Image([int(n) for n in shape], sitk.sitkUInt8)
    place_itk(image, affine)
    return image
