"""Intervals of figures that are a function of sums over cases: a resample of patients is then a matrix product."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from groundglass.app.compare.settings import Settings
from groundglass.metrics.statistics import Interval, draw_counts, expanded_bca

Floats = NDArray[np.float64]


def intervals_of_sums(
    function: Callable[[Floats], Floats], table: Floats, patients: Sequence[str], settings: Settings
) -> list[Interval]:
    """95 % intervals of F figures, clustered by patient.

    `table` (N, C) holds what each case adds, `function` turns R rows of sums (R, C) into figures (R, F); a figure that
    a resample does not define is NaN there and left out.
    """
    names, codes = np.unique(np.asarray(patients), return_inverse=True)
    sums = np.zeros((len(names), table.shape[1]))
    np.add.at(sums, codes, table)
    total = sums.sum(axis=0)
    whole = function(total[None])[0]
    drawn = np.concatenate([function(d @ sums) for d in draw_counts(len(names), settings.resamples, settings.seed)])
    without = function(total - sums)
    return [expanded_bca(float(whole[n]), drawn[:, n], without[:, n]) for n in range(len(whole))]
