"""What is checked before two series of masks are compared."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError, EmptyMaskError, GeometryError, InputError

Series = NDArray[np.bool_]
Variant = Literal["corrected", "script"]


def mask_series(prediction: ArrayLike, truth: ArrayLike) -> tuple[Series, Series]:
    """Both as (T, rows, columns) of booleans: a pixel is in the target where it is not 0.

    Raises GeometryError (shapes, fewer than two frames), InputError (NaN), EmptyMaskError (no target in frame 0).
    """
    ours, theirs = np.asarray(prediction), np.asarray(truth)
    if theirs.ndim != 3 or ours.shape != theirs.shape:
        raise GeometryError(
            "prediction", f"has shape {ours.shape}, the truth {theirs.shape}", "Pass both as (frames, rows, columns)."
        )
    if len(theirs) < 2 or theirs.size == 0:
        raise GeometryError("truth", f"of shape {theirs.shape} has no frame after the first", "Pass the whole series.")
    for series, name in ((ours, "prediction"), (theirs, "truth")):
        if series.dtype.kind == "f" and np.isnan(series).any():
            raise InputError(name, "holds NaN", "Pass masks of 0 and 1.")
    if not np.any(theirs[0]):
        raise EmptyMaskError("truth", "has no target in frame 0", "The first frame's mask is what is tracked.")
    return ours != 0, theirs != 0


def checked_variant(variant: str) -> None:
    """Raises ConfigurationError for an unknown one."""
    if variant not in ("corrected", "script"):
        raise ConfigurationError(f"variant {variant}", "is not known", "Use corrected or script.")
