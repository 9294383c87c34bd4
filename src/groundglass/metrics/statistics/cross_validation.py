"""Comparing two methods over repeated cross-validation, whose folds share their training cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from groundglass.core.errors import ConfigurationError, InputError


@dataclass(frozen=True, slots=True)
class ResampledT:
    """Mean difference over folds with its interval and two-sided p."""

    difference: float
    low: float
    high: float
    t: float
    p: float


def corrected_resampled_t(differences: ArrayLike, *, test_share: float, level: float = 0.95) -> ResampledT:
    """Corrected resampled t test of fold-wise differences (J,) (C. Nadeau and Y. Bengio, Mach. Learn. 2003; 52: 239).

    Variance (1/J + test/train) * s^2, as folds are not independent; `test_share` is the share of cases that a fold
    tests (0.1 in ten folds). A plain t test finds differences where there are none. Raises InputError below two folds.
    """
    from scipy.stats import t as student

    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise InputError("differences", "are not at least two finite numbers", "Give one per fold.")
    if not 0 < test_share < 1:
        raise ConfigurationError(f"test_share {test_share}", "is not a share", "Pass 0.1 for ten folds.")
    mean, freedom = float(values.mean()), len(values) - 1
    error = float(np.sqrt((1 / len(values) + test_share / (1 - test_share)) * values.var(ddof=1)))
    if error == 0:
        return ResampledT(mean, mean, mean, float("nan"), 1.0 if mean == 0 else 0.0)
    reach = float(student.ppf(0.5 + level / 2, freedom)) * error
    ratio = mean / error
    return ResampledT(mean, mean - reach, mean + reach, ratio, float(2 * student.sf(abs(ratio), freedom)))
