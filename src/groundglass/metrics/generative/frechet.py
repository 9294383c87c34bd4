"""Frechet distance of two sets of features, each seen as a Gaussian (FID; M. Heusel et al., arXiv 1706.08500).

    FID = |m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2))

The last trace needs no root of a matrix: with S = F' F it is the sum of the singular values of F1 F2', where F is the
centred data itself, or where there are more images than features its triangular factor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.generative.features import feature_set

Array = NDArray[np.float64]
# Squares keep their roots to 1e-6 of themselves when they are this share of the greatest one.
SAFE = 1e-10


@dataclass(frozen=True, slots=True)
class Gaussian:
    """`mean` (D,) and `factor` (K, D) of `n` images: the covariance (of the sample, n - 1) is factor' factor."""

    mean: Array
    factor: Array
    n: int

    @property
    def covariance(self) -> Array:
        """(D, D)."""
        return np.asarray(self.factor.T @ self.factor)


def fit_gaussian(features: ArrayLike) -> Gaussian:
    """The Gaussian of features (N, D), N at least 2; keep it to compare many sets with one. Raises InputError."""
    values = feature_set(features, "features")
    mean = values.mean(axis=0)
    centred = (values - mean) / math.sqrt(len(values) - 1)
    # A triangular factor is no larger than the data only when there are more rows than columns.
    return Gaussian(mean, _triangular(centred) if len(values) > values.shape[1] else centred, len(values))


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """Distance of two Gaussians in squared feature units, 0 for equal ones. Raises InputError for other widths."""
    if first.mean.shape != second.mean.shape:
        raise InputError(
            "features", f"have {len(second.mean)} columns against {len(first.mean)}", "Use one encoder for both."
        )
    shift = float(np.sum((first.mean - second.mean) ** 2))
    spread = float(np.sum(first.factor**2) + np.sum(second.factor**2))
    shared = _sum_of_singular_values(first.factor @ second.factor.T)
    # Of equal sets rounding leaves a few 1e-16 of the spread on either side of 0.
    return max(shift + spread - 2 * shared, 0.0)


def fid(real: ArrayLike, synthetic: ArrayLike) -> float:
    """Frechet distance of two sets of features (N, D), (M, D). It is biased upward for few images: equalise n."""
    return frechet_distance(fit_gaussian(real), fit_gaussian(synthetic))


def _sum_of_singular_values(matrix: Array) -> float:
    """By the eigenvalues of its square, several times faster, where none is so small that squaring drowns it."""
    from scipy.linalg import eigh, svdvals

    if matrix.shape[0] == matrix.shape[1]:
        squares = eigh(matrix @ matrix.T, eigvals_only=True, driver="evd", check_finite=False)
        if squares[0] > SAFE * squares[-1]:
            return float(np.sqrt(squares).sum())
    return float(svdvals(matrix, check_finite=False).sum())


def _triangular(centred: Array) -> Array:
    """A factor (D, D) of the covariance of centred data (N, D)."""
    from scipy.linalg import LinAlgError, cholesky, qr

    try:
        return np.asarray(cholesky(centred.T @ centred, check_finite=False))
    except LinAlgError:
        # Columns that depend on each other: slower, but it needs no positive pivot.
        return np.asarray(qr(centred, mode="r", check_finite=False)[0][: centred.shape[1]])
