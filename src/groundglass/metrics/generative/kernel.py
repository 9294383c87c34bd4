"""Kernel distance of two sets of features (KID; M. Binkowski et al., arXiv 1801.01401).

The squared maximum mean discrepancy under the kernel (x.y / D + 1)^3, in its unbiased form: it can be below 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError
from groundglass.metrics.generative.features import feature_sets

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kid:
    """`mean` and `sd` (of the population) of the distance over `subsets` pairs of subsets of `subset_size` images."""

    mean: float
    sd: float
    subsets: int
    subset_size: int


def kid(
    real: ArrayLike,
    synthetic: ArrayLike,
    *,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int | np.random.Generator = 0,
) -> Kid:
    """KID of features (N, D), (M, D) as the mean over random subsets, drawn without replacement.

    Subsets as large as a set are all alike: their spread says nothing (for the whole sets use `polynomial_mmd`).
    Raises InputError (features), ConfigurationError (subsets larger than a set, or below 2 images).
    """
    first, second = feature_sets(real, synthetic)
    if subsets < 1 or subset_size < 2:
        raise ConfigurationError("subsets, subset_size", "are too small", "Use at least 1 subset of 2 images.")
    if subset_size > min(len(first), len(second)):
        raise ConfigurationError(
            f"subset_size {subset_size}",
            f"is more than the {min(len(first), len(second))} images of the smaller set",
            "Use smaller subsets (half of the set leaves them a spread).",
        )
    rng = np.random.default_rng(seed)
    values = np.array(
        [
            _mmd(
                first[rng.choice(len(first), subset_size, replace=False)],
                second[rng.choice(len(second), subset_size, replace=False)],
            )
            for _ in range(subsets)
        ]
    )
    return Kid(float(values.mean()), float(values.std()), subsets, subset_size)


def polynomial_mmd(real: ArrayLike, synthetic: ArrayLike) -> float:
    """The unbiased estimate from all images of both sets. Raises InputError."""
    return _mmd(*feature_sets(real, synthetic))


def _mmd(first: Array, second: Array) -> float:
    n, m = len(first), len(second)
    own = _kernel(first, first)
    other = _kernel(second, second)
    return float(
        (own.sum() - np.trace(own)) / (n * (n - 1))
        + (other.sum() - np.trace(other)) / (m * (m - 1))
        - 2 * _kernel(first, second).mean()
    )


def _kernel(first: Array, second: Array) -> Array:
    base = first @ second.T
    base /= first.shape[1]
    base += 1
    return np.asarray(base * base * base)
