"""What is checked before sets of features are compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import InputError

Array = NDArray[np.float64]


def feature_set(features: ArrayLike, name: str, least: int = 2) -> Array:
    """(N, D) in double precision. Raises InputError for another shape, fewer than `least` rows, NaN or infinity."""
    array = np.asarray(features)
    if array.ndim != 2 or array.shape[1] == 0 or array.dtype.kind not in "buif":
        raise InputError(name, f"of shape {array.shape} are not features", "Pass one row of numbers per image.")
    if len(array) < least:
        raise InputError(name, f"are {len(array)} rows", f"This figure needs at least {least}.")
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        rows = np.flatnonzero(~np.isfinite(values).all(axis=1))[:5].tolist()
        raise InputError(name, f"hold NaN or infinity in rows {rows}", "Look at those images, and leave them out.")
    return values


def feature_sets(real: ArrayLike, synthetic: ArrayLike, least: int = 2) -> tuple[Array, Array]:
    """Both sets, of one width. Raises InputError."""
    first, second = feature_set(real, "real features", least), feature_set(synthetic, "synthetic features", least)
    if first.shape[1] != second.shape[1]:
        raise InputError(
            "synthetic features", f"have {second.shape[1]} columns, the real {first.shape[1]}", "Use one encoder."
        )
    return first, second
