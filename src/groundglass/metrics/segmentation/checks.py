"""What a pair of masks must be before it is scored: label numbers on one grid with one spacing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import GeometryError, InputError


@dataclass(frozen=True, slots=True)
class MaskPair:
    """Prediction and truth of one shape (X, Y) or (X, Y, Z), integers or booleans, 0 = background; spacing in mm."""

    prediction: NDArray[Any]
    truth: NDArray[Any]
    spacing: tuple[float, ...]


def mask_pair(prediction: ArrayLike, truth: ArrayLike, spacing: float | Sequence[float]) -> MaskPair:
    """The checked pair. A single `spacing` holds for all axes.

    Raises GeometryError for shapes that differ, have not 2 or 3 axes or no voxel, and for a spacing that is not
    finite, positive and one number per axis; InputError for values that are no label numbers (floats, NaN).
    """
    said, real = label_array(prediction, "prediction"), label_array(truth, "truth")
    if said.shape != real.shape:
        raise GeometryError(
            "prediction",
            f"has shape {said.shape}, the truth {real.shape}",
            "Resample the prediction to the grid of the truth.",
        )
    return MaskPair(said, real, checked_spacing(spacing, real.ndim))


def label_array(values: ArrayLike, name: str) -> NDArray[Any]:
    """`values` as an integer or boolean array of 2 or 3 axes. Raises GeometryError, InputError."""
    array = np.asarray(values)
    if array.dtype.kind == "f":
        what = "has values that are not finite" if not np.isfinite(array).all() else f"holds {array.dtype} values"
        raise InputError(name, f"{what}, not label numbers", "Pass an integer label map or a boolean mask.")
    if array.dtype.kind not in "biu":
        raise InputError(name, f"holds values of type {array.dtype}", "Pass an integer label map or a boolean mask.")
    if array.ndim not in (2, 3) or array.size == 0:
        raise GeometryError(
            name, f"has shape {array.shape}", "Pass one image of 2 or 3 axes, without channel or batch axis."
        )
    return array


def checked_spacing(spacing: float | Sequence[float], ndim: int) -> tuple[float, ...]:
    """One positive, finite number of mm per axis. Raises GeometryError."""
    steps = np.atleast_1d(np.asarray(spacing, dtype=np.float64))
    if steps.size == 1:
        steps = np.repeat(steps, ndim)
    if steps.shape != (ndim,) or not np.isfinite(steps).all() or (steps <= 0).any():
        raise GeometryError(
            "spacing", f"{spacing!r} is not a size in mm for each of {ndim} axes", "Pass the voxel size of the truth."
        )
    return tuple(float(step) for step in steps)


def agreed_spacing(prediction: Sequence[float], truth: Sequence[float]) -> tuple[float, ...]:
    """The truth's spacing, when the prediction's is the same to one part in a thousand. Raises GeometryError."""
    ours, theirs = checked_spacing(truth, len(truth)), checked_spacing(prediction, len(prediction))
    if len(ours) != len(theirs) or not np.allclose(ours, theirs, rtol=1e-3, atol=0):
        raise GeometryError(
            "prediction", f"has spacing {theirs} mm, the truth {ours} mm", "Resample it to the grid of the truth."
        )
    return ours
