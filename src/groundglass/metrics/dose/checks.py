"""What is checked before doses are measured or compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError, EmptyMaskError, GeometryError, InputError

Array = NDArray[np.float64]


def dose_array(dose: ArrayLike, name: str) -> Array:
    """In double precision. Raises InputError when it is empty, holds NaN or infinity, or is below 0."""
    array = np.asarray(dose)
    if array.size == 0 or array.ndim == 0 or array.dtype.kind not in "buif":
        raise InputError(name, f"of shape {array.shape} is not a dose", "Pass an array of Gy.")
    values = array.astype(np.float64)
    if not np.isfinite(values).all() or (values < 0).any():
        raise InputError(name, "holds NaN, infinity or doses below 0", "Correct the dose calculation.")
    return values


def dose_pair(prediction: ArrayLike, truth: ArrayLike) -> tuple[Array, Array]:
    """Both doses on one grid. Raises InputError, GeometryError."""
    ours, theirs = dose_array(prediction, "predicted dose"), dose_array(truth, "true dose")
    if ours.shape != theirs.shape:
        raise GeometryError("predicted dose", f"has shape {ours.shape}, the true {theirs.shape}", "Use one dose grid.")
    return ours, theirs


def structure(mask: ArrayLike, shape: tuple[int, ...], name: str) -> NDArray[np.bool_]:
    """True where the mask is not 0. Raises GeometryError, EmptyMaskError."""
    inside = np.asarray(mask) != 0
    if inside.shape != shape:
        raise GeometryError(name, f"has shape {inside.shape}, the dose {shape}", "Resample it to the dose grid.")
    if not inside.any():
        raise EmptyMaskError(name, "has no voxel", "Leave the structure out.")
    return inside


def above_zero(value: float, name: str) -> float:
    """Raises ConfigurationError unless it is a finite number above 0."""
    if not np.isfinite(value) or value <= 0:
        raise ConfigurationError(f"{name} {value}", "is not above 0", "Pass a dose, distance or share above 0.")
    return float(value)
