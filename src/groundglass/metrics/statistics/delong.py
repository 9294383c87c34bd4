"""The variance of correlated AUROCs in O(N log N), for independent and for clustered cases.

E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 1988; 44: 837; by midranks after X. Sun and W. Xu, IEEE
Signal Processing Letters 2014; 21: 1389; for cases in clusters N. A. Obuchowski, Biometrics 1997; 53: 567.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.metrics.statistics.bootstrap import cluster_codes


def components(
    truth: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(areas (S,), V10 (S, m), V01 (S, n)) of S score rows (S, N) with m positives and n negatives.

    V10 is the share of negatives that a positive exceeds (ties one half), V01 that of positives that exceed a negative.
    """
    from scipy.stats import rankdata

    positive, negative = scores[:, truth], scores[:, ~truth]
    m, n = positive.shape[1], negative.shape[1]
    together = rankdata(np.concatenate([positive, negative], axis=1), axis=1)
    v10 = (together[:, :m] - rankdata(positive, axis=1)) / n
    v01 = 1 - (together[:, m:] - rankdata(negative, axis=1)) / m
    return v10.mean(axis=1), v10, v01


def delong(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], clusters: ArrayLike | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(areas (S,), covariance (S, S)) of S score rows (S, N); `clusters` (N,) names the patient of each case.

    NaN covariance when a class has one case (or one cluster): its variance cannot be had.
    """
    areas, v10, v01 = components(truth, scores)
    m, n = v10.shape[1], v01.shape[1]
    if clusters is None:
        return areas, _covariance(v10, v10.shape[1]) / m + _covariance(v01, v01.shape[1]) / n
    codes, _ = cluster_codes(clusters)
    positive = _deviations(v10 - areas[:, None], codes[truth], codes)
    negative = _deviations(v01 - areas[:, None], codes[~truth], codes)
    with_positive, with_negative = len(np.unique(codes[truth])), len(np.unique(codes[~truth]))
    cross = positive @ negative.T * _correction(positive.shape[1]) / (m * n)
    return areas, (
        positive @ positive.T * _correction(with_positive) / m**2
        + negative @ negative.T * _correction(with_negative) / n**2
        + cross
        + cross.T
    )


def _correction(count: int) -> float:
    return count / (count - 1) if count > 1 else float("nan")


def _covariance(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    if count < 2:
        return np.full((len(values), len(values)), np.nan)
    return np.atleast_2d(np.cov(values))


def _deviations(
    values: NDArray[np.float64], codes: NDArray[np.intp], all_codes: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Sums (S, K) of values (S, M) over the clusters."""
    return np.stack([np.bincount(codes, row, int(all_codes.max()) + 1) for row in values])
