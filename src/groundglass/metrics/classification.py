"""Binary classification: AUROC with DeLong's variance, comparison of two AUROCs, rates at a threshold, code scores.

E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 1988; 44: 837; in the fast form by midranks of X. Sun and
W. Xu, IEEE Signal Processing Letters 2014; 21: 1389.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, rankdata

from groundglass.core.errors import InputError
from groundglass.metrics.statistics import Proportion, wilson


@dataclass(frozen=True, slots=True)
class Auroc:
    """Area under the ROC curve with its DeLong standard error and interval (clipped to [0, 1])."""

    value: float
    standard_error: float
    low: float
    high: float
    positives: int
    negatives: int


@dataclass(frozen=True, slots=True)
class AurocDifference:
    """First minus second AUROC on the same cases, with interval and two-sided p value."""

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates at a threshold, each with its Wilson interval."""

    sensitivity: Proportion
    specificity: Proportion
    accuracy: Proportion


def auroc(labels: ArrayLike, scores: ArrayLike, *, level: float = 0.95) -> Auroc:
    """AUROC of `scores` (N,) for 0/1 `labels` (N,), ties one half. Raises InputError unless both classes occur."""
    truth, values = _checked(labels, scores)
    areas, covariance = _delong(truth, values[None])
    error = float(np.sqrt(max(covariance[0, 0], 0.0)))
    reach = float(norm.ppf(0.5 + level / 2)) * error
    area = float(areas[0])
    positives = int(truth.sum())
    return Auroc(area, error, max(0.0, area - reach), min(1.0, area + reach), positives, len(truth) - positives)


def auroc_difference(labels: ArrayLike, first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> AurocDifference:
    """DeLong's test of two correlated AUROCs. Raises InputError unless both classes occur."""
    truth, a = _checked(labels, first)
    _, b = _checked(labels, second)
    areas, covariance = _delong(truth, np.stack([a, b]))
    value = float(areas[0] - areas[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    if variance <= 0:
        return AurocDifference(value, value, value, 1.0 if value == 0 else 0.0)
    error = variance**0.5
    reach = float(norm.ppf(0.5 + level / 2)) * error
    return AurocDifference(value, value - reach, value + reach, float(2 * norm.sf(abs(value) / error)))


def rates(labels: ArrayLike, decisions: ArrayLike) -> Rates:
    """Sensitivity, specificity and accuracy of 0/1 `decisions` (N,); a class that does not occur gives NaN rates."""
    truth, said = np.asarray(labels).astype(bool), np.asarray(decisions).astype(bool)
    if truth.shape != said.shape or truth.ndim != 1:
        raise InputError("decisions", f"have shape {said.shape}, labels {truth.shape}", "Give one decision per case.")
    return Rates(
        wilson(int((truth & said).sum()), int(truth.sum())),
        wilson(int((~truth & ~said).sum()), int((~truth).sum())),
        wilson(int((truth == said).sum()), len(truth)),
    )


def exact_match(truth: ArrayLike, said: ArrayLike) -> float:
    """Share of rows (N, bits) that agree in every bit."""
    return float((np.asarray(truth) == np.asarray(said)).all(axis=1).mean())


def hamming_loss(truth: ArrayLike, said: ArrayLike) -> float:
    """Share of single bits (N, bits) that differ."""
    return float((np.asarray(truth) != np.asarray(said)).mean())


def micro_f1(truth: ArrayLike, said: ArrayLike) -> float:
    """F1 over all bits (N, bits) together; 1 when there is nothing to find and nothing was said."""
    real, claimed = np.asarray(truth).astype(bool), np.asarray(said).astype(bool)
    hits = int((real & claimed).sum())
    total = int(real.sum() + claimed.sum())
    return 2 * hits / total if total else 1.0


def _checked(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    truth, values = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != values.shape:
        raise InputError("scores", f"have shape {values.shape}, labels {truth.shape}", "Give one score per case.")
    if not np.isfinite(values).all():
        raise InputError("scores", "are not all finite", "Leave out the cases without a score.")
    if truth.all() or not truth.any():
        raise InputError("labels", "hold one class only, so an ROC curve is not defined", "Give cases of both classes.")
    return truth, values


def _delong(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(areas (K,), covariance (K, K)) of K score rows (K, N) by midranks."""
    positive, negative = scores[:, truth], scores[:, ~truth]
    m, n = positive.shape[1], negative.shape[1]
    within_positive = np.stack([rankdata(row) for row in positive])
    within_negative = np.stack([rankdata(row) for row in negative])
    together = np.stack([rankdata(row) for row in np.concatenate([positive, negative], axis=1)])
    areas = (together[:, :m].sum(axis=1) - m * (m + 1) / 2) / (m * n)
    v10 = (together[:, :m] - within_positive) / n
    v01 = 1 - (together[:, m:] - within_negative) / m
    s10 = np.atleast_2d(np.cov(v10)) if m > 1 else np.zeros((len(areas), len(areas)))
    s01 = np.atleast_2d(np.cov(v01)) if n > 1 else np.zeros((len(areas), len(areas)))
    return areas, s10 / m + s01 / n
