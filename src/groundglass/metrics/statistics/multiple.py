"""Correction for asking several questions of one experiment."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import InputError


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down adjusted p values (S. Holm, Scand. J. Statist. 1979; 6: 65), in the order of `p` (M,).

    NaN stands for a test that could not be made: it stays NaN and is not counted. Raises InputError outside [0, 1].
    """
    given = np.asarray(p, dtype=np.float64)
    asked = np.flatnonzero(~np.isnan(given))
    values = given[asked]
    if np.any((values < 0) | (values > 1)):
        raise InputError("p values", "lie outside 0 to 1", "Pass probabilities.")
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.full(given.shape, np.nan)
    adjusted[asked[order]] = np.minimum(steps, 1.0)
    return adjusted
