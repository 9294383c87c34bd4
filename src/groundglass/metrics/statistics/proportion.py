"""Intervals of proportions: Wilson's score interval and what a ranking by it needs, and the exact one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from groundglass.core import ConfigurationError

Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Proportion:
    """`successes` of `trials` with Wilson's score interval [low, high].

    `naive` is k/n, `centre` the interval's centre, `laplace` (k+1)/(n+2), the mean of the posterior under a
    uniform prior. All are NaN when nothing was tried.
    """

    successes: int
    trials: int
    naive: float
    centre: float
    low: float
    high: float
    laplace: float
    z: float = Z_95

    @property
    def adjusted(self) -> float:
        """Centre - z * half width, by which the released CXReasonBench ranks; below `low`, as z > 1."""
        return self.centre - self.z * (self.high - self.low) / 2


def wilson(successes: int, trials: int, *, z: float = Z_95) -> Proportion:
    """Wilson's score interval of a binomial proportion (Wilson, JASA 1927; 22: 209-212).

    `z` is the normal quantile: 1.96 is what the benchmark of card 67 uses; the default is exact for 95 %.
    Raises ConfigurationError unless 0 <= successes <= trials.
    """
    if not 0 <= successes <= trials:
        raise ConfigurationError(f"{successes} of {trials}", "is not a proportion", "Pass 0 <= successes <= trials.")
    if trials == 0:
        nan = math.nan
        return Proportion(0, 0, nan, nan, nan, nan, nan, z)
    rate = successes / trials
    scale = 1 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / scale
    half = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials)) / scale
    # At 0 and n the bound is exactly 0 or 1; rounding must not push it past.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == trials else centre + half
    return Proportion(successes, trials, rate, centre, low, high, (successes + 1) / (trials + 2), z)


def clopper_pearson(successes: int, trials: int, *, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a binomial proportion: never covers less than `level` (Biometrika 1934; 26: 404-413).

    (NaN, NaN) when nothing was tried. Raises ConfigurationError unless 0 <= successes <= trials.
    """
    from scipy.special import betaincinv

    if not 0 <= successes <= trials:
        raise ConfigurationError(f"{successes} of {trials}", "is not a proportion", "Pass 0 <= successes <= trials.")
    if trials == 0:
        return math.nan, math.nan
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, trials - successes + 1, tail))
    high = 1.0 if successes == trials else float(betaincinv(successes + 1, trials - successes, 1 - tail))
    return low, high
