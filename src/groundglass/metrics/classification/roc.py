"""The ROC curve, its area with DeLong's interval, and the comparison of two areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from groundglass.metrics.statistics.binary_scores import checked_binary
from groundglass.metrics.statistics.delong import delong


@dataclass(frozen=True, slots=True)
class Auroc:
    """Area under the ROC curve with its DeLong standard error and interval (clipped to [0, 1]); these are NaN when a
    class has a single case or patient."""

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


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """Rates (T,) when cases with score >= threshold are called positive, thresholds falling from infinity."""

    thresholds: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    specificity: NDArray[np.float64]


def auroc(labels: ArrayLike, scores: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95) -> Auroc:
    """AUROC of `scores` (N,) for 0/1 `labels` (N,), ties one half; `clusters` (N,) names the patient of each case.

    Raises InputError unless both classes occur and all scores are finite.
    """
    truth, values = checked_binary(labels, scores)
    areas, covariance = delong(truth, values[None], clusters)
    error = float(np.sqrt(np.maximum(covariance[0, 0], 0.0)))
    reach = float(norm.ppf(0.5 + level / 2)) * error
    area = float(areas[0])
    positives = int(truth.sum())
    low, high = np.clip([area - reach, area + reach], 0.0, 1.0)
    return Auroc(area, error, float(low), float(high), positives, len(truth) - positives)


def auroc_difference(
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> AurocDifference:
    """DeLong's test of two correlated AUROCs. Raises InputError unless both classes occur."""
    truth, a = checked_binary(labels, first)
    _, b = checked_binary(labels, second)
    areas, covariance = delong(truth, np.stack([a, b]), clusters)
    value = float(areas[0] - areas[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    return difference_test(value, variance, level)


def difference_test(value: float, variance: float, level: float) -> AurocDifference:
    """Interval and p of a difference that is normal with this variance; without variance only 0 is likely."""
    # Two scores that rank alike have no variance but for rounding.
    if variance <= 1e-15:
        return AurocDifference(value, value, value, 1.0 if abs(value) < 1e-12 else 0.0)
    error = variance**0.5
    reach = float(norm.ppf(0.5 + level / 2)) * error
    return AurocDifference(value, value - reach, value + reach, float(2 * norm.sf(abs(value) / error)))


def roc_curve(labels: ArrayLike, scores: ArrayLike) -> RocCurve:
    """All points of the curve, one per distinct score and (0, 0). Raises InputError unless both classes occur."""
    truth, values = checked_binary(labels, scores)
    thresholds, caught, total = cumulative_counts(truth, values)
    positives = int(truth.sum())
    return RocCurve(
        np.concatenate([[np.inf], thresholds]),
        np.concatenate([[0.0], caught / positives]),
        np.concatenate([[1.0], 1 - (total - caught) / (len(truth) - positives)]),
    )


def cumulative_counts(
    truth: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """(distinct scores falling (T,), positives at or above each (T,), cases at or above each (T,))."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    return ordered[last], np.cumsum(truth[order])[last], last + 1
