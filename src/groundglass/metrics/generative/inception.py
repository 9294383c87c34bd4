"""Inception score (T. Salimans et al., arXiv 1606.03498)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.generative.features import feature_set


def inception_score(
    probabilities: ArrayLike, *, splits: int = 10, seed: int | np.random.Generator | None = None
) -> tuple[float, float]:
    """exp of the mean divergence of each image's class probabilities (N, C) from their mean: (mean, sd) over `splits`.

    It wants the probabilities of a classifier, not its features: a softmax of pooled features gives numbers that
    compare with nothing. Splits are runs of rows in the given order, or of a random one with a `seed`; an uneven rest
    is spread over the first. Raises InputError for rows that are no probabilities, ConfigurationError (splits).
    """
    values = feature_set(probabilities, "probabilities", least=1)
    if (values < 0).any() or not np.allclose(values.sum(axis=1), 1, atol=1e-4):
        raise InputError(
            "probabilities", "are below 0 or do not sum to 1 in each row", "Apply softmax to logits first."
        )
    if not 1 <= splits <= len(values):
        raise ConfigurationError(f"splits {splits}", f"do not fit {len(values)} images", "Use fewer.")
    if seed is not None:
        values = np.random.default_rng(seed).permutation(values)
    scores = []
    for part in np.array_split(values, splits):
        mean = part.mean(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(part > 0, part * (np.log(part) - np.log(mean)), 0.0)
        scores.append(float(np.exp(terms.sum(axis=1).mean())))
    return float(np.mean(scores)), float(np.std(scores))
