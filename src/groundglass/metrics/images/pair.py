"""What is checked before two images are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError, EmptyMaskError, GeometryError, InputError

Values = NDArray[np.float64] | NDArray[np.complex128]


def values_of(image: ArrayLike, name: str) -> Values:
    """The image in double precision. Raises InputError when it is empty, not numeric, or holds NaN or infinity."""
    array: NDArray[Any] = np.asarray(image)
    if array.dtype.kind not in "buifc":
        raise InputError(name, f"holds {array.dtype}, not numbers", "Pass pixel values.")
    if array.size == 0:
        raise InputError(name, "is empty", "Pass an image with pixels.")
    values: Values = array.astype(np.complex128) if array.dtype.kind == "c" else array.astype(np.float64)
    if not np.isfinite(values).all():
        raise InputError(name, "holds NaN or infinity", "Replace them (CT: -1024 HU outside of the scan).")
    return values


def image_pair(prediction: ArrayLike, truth: ArrayLike) -> tuple[Values, Values]:
    """Both images. Raises InputError as `values_of`, GeometryError when their shapes differ."""
    ours, theirs = values_of(prediction, "prediction"), values_of(truth, "truth")
    if ours.shape != theirs.shape:
        raise GeometryError(
            "prediction", f"has shape {ours.shape}, the truth {theirs.shape}", "Resample it to the grid of the truth."
        )
    return ours, theirs


def real_pair(
    prediction: ArrayLike, truth: ArrayLike, dimensions: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both images, real and with a number of axes that is among `dimensions`. Raises InputError, GeometryError."""
    ours, theirs = image_pair(prediction, truth)
    if ours.dtype.kind == "c" or theirs.dtype.kind == "c":
        raise InputError("images", "are complex", "Compare magnitudes, or real and imaginary parts one by one.")
    if theirs.ndim not in dimensions:
        wanted = " or ".join(str(n) for n in dimensions)
        raise GeometryError("images", f"have {theirs.ndim} axes, not {wanted}", "Pass one channel at a time.")
    return np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)


def mask_of(mask: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """True where the mask is not 0. Raises GeometryError (shape), InputError (NaN), EmptyMaskError."""
    array = np.asarray(mask)
    if array.shape != shape:
        raise GeometryError("mask", f"has shape {array.shape}, the images {shape}", "Resample it to their grid.")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise InputError("mask", "holds NaN", "Pass 0 outside and 1 inside.")
    inside = array != 0
    if not inside.any():
        raise EmptyMaskError("mask", "has no voxel", "Pass a mask that covers what is to be compared.")
    return inside


def checked_range(data_range: float) -> float:
    """Raises ConfigurationError unless it is a finite number above 0."""
    if not np.isfinite(data_range) or data_range <= 0:
        raise ConfigurationError(
            f"data_range {data_range}", "is not a range", "Pass highest minus lowest possible value, such as 255."
        )
    return float(data_range)
