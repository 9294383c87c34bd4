"""Wilcoxon's signed-rank test for many weightings of the same differences at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def signed_rank_p(differences: Array, weights: Array) -> tuple[Array, Array]:
    """One-sided p values (R,) that `differences` (C,) lie above 0, and below 0; `weights` (R, C) are whole counts.

    Zeros are dropped, ties share their average rank. Normal approximation with tie correction and without continuity
    correction, as `scipy.stats.wilcoxon(method="approx")`; NaN differences are left out; 1 where nothing is left.
    """
    from scipy.special import ndtr

    held = ~np.isnan(differences) & (differences != 0)
    if not held.any():
        return np.ones(len(weights)), np.ones(len(weights))
    places = np.flatnonzero(held)
    places = places[np.argsort(np.abs(differences[places]), kind="stable")]
    values, counts = differences[places], weights[:, places]
    starts = np.flatnonzero(np.diff(np.abs(values), prepend=-1.0))
    tied = np.add.reduceat(counts, starts, axis=1)
    last = np.cumsum(tied, axis=1)
    above = np.add.reduceat(counts * (values > 0), starts, axis=1)
    total = last[:, -1]
    statistic = np.einsum("rg,rg->r", above, last - (tied - 1) / 2)
    mean = total * (total + 1) / 4
    cubes = np.einsum("rg,rg,rg->r", tied, tied, tied)
    variance = total * (total + 1) * (2 * total + 1) / 24 - (cubes - total) / 48
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(variance > 0, (statistic - mean) / np.sqrt(variance), 0.0)
    nothing = total == 0
    return np.where(nothing, 1.0, ndtr(-z)), np.where(nothing, 1.0, ndtr(z))
