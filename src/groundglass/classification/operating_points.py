"""Where a score becomes an answer: Youden's threshold, Platt's calibration, and a band in which nothing is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from groundglass.core.errors import InputError


def youden_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """The threshold t that maximises sensitivity + specificity - 1 when `score >= t` is positive.

    It is put in the middle between the two neighbouring scores; of equal maxima the middle one is taken.
    W. J. Youden, Cancer 1950; 3: 32. Raises InputError unless both classes occur.
    """
    truth, values = _both_classes(labels, scores)
    levels = np.unique(values)
    cuts = np.concatenate([[levels[0]], (levels[1:] + levels[:-1]) / 2])
    positive, negative = np.sort(values[truth]), np.sort(values[~truth])
    sensitivity = 1 - np.searchsorted(positive, cuts, side="left") / len(positive)
    specificity = np.searchsorted(negative, cuts, side="left") / len(negative)
    index = sensitivity + specificity
    best = np.flatnonzero(index >= index.max() - 1e-12)
    return float(cuts[best[len(best) // 2]])


@dataclass(frozen=True, slots=True)
class Platt:
    """p = 1 / (1 + exp(-(slope * logit + offset)))."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, logits: ArrayLike) -> NDArray[np.float64]:
        """Probabilities of logits, same shape."""
        z = self.slope * np.asarray(logits, dtype=np.float64) + self.offset
        return np.asarray(0.5 * (1 + np.tanh(z / 2)))


def fit_platt(labels: ArrayLike, logits: ArrayLike) -> Platt:
    """Logistic calibration with Platt's smoothed targets (J. Platt 1999; the slope is kept positive).

    Raises InputError unless both classes occur.
    """
    truth, values = _both_classes(labels, logits)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    target = np.where(truth, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope, offset = np.exp(parameters[0]), parameters[1]
        z = slope * values + offset
        error = 0.5 * (1 + np.tanh(z / 2)) - target
        value = float(np.mean(np.logaddexp(0, z) - target * z))
        return value, np.array([np.mean(error * values) * slope, np.mean(error)])

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-6, 6), (-50, 50)])
    return Platt(float(np.exp(found.x[0])), float(found.x[1]))


def answer(probability: float, threshold: float, *, band: float = 0.0) -> str:
    """ "1", "0", or "?" where the probability is within `band` of the threshold or is no number."""
    if not np.isfinite(probability) or abs(probability - threshold) < band:
        return "?"
    return "1" if probability >= threshold else "0"


def _both_classes(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    truth, values = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    if truth.shape != values.shape or truth.ndim != 1 or truth.all() or not truth.any():
        raise InputError("labels", "must hold both classes, one label per score", "Validate on cases of both classes.")
    return truth, values
