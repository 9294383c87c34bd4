"""Wilson's interval against statsmodels and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from groundglass.core import ConfigurationError
from groundglass.metrics.statistics import wilson


def test_equals_statsmodels_and_scipy_everywhere():
    worst = 0.0
    for trials in (1, 2, 3, 7, 25, 100, 1200):
        for successes in sorted({*np.linspace(0, trials, 23).astype(int).tolist()}):
            ours = wilson(successes, trials)
            low, high = proportion_confint(successes, trials, alpha=0.05, method="wilson")
            worst = max(worst, abs(ours.low - low), abs(ours.high - high))
            peer = binomtest(successes, trials).proportion_ci(method="wilson")
            worst = max(worst, abs(ours.low - peer.low), abs(ours.high - peer.high))
    assert worst < 1e-9


def test_laplace_and_adjusted():
    p = wilson(3, 10)
    assert p.laplace == pytest.approx(4 / 12)
    assert p.naive == pytest.approx(0.3)
    assert p.adjusted == pytest.approx(p.centre - 1.959963984540054 * (p.high - p.low) / 2)


def test_nothing_tried_is_nan_not_zero():
    assert math.isnan(wilson(0, 0).low)


@pytest.mark.parametrize(("k", "n"), [(-1, 3), (4, 3)])
def test_not_a_proportion(k, n):
    with pytest.raises(ConfigurationError):
        wilson(k, n)
