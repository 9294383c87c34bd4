"""Whether probabilities mean what they say: Brier, log loss, calibration errors, curve and line.

Bins are (a, b], the first with its lower end, as in C. Guo et al., ICML 2017. `width`: equal ranges of probability;
`mass`: equal numbers of cases (cuts at quantiles; equal probabilities stay together).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.statistics.binary_scores import checked_labels, checked_scores
from groundglass.metrics.statistics.proportion import wilson

Scheme = Literal["width", "mass"]


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationCurve:
    """Per occupied bin (B,): mean probability, share of positives with its Wilson interval, and cases."""

    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    cases: NDArray[np.int64]

    @property
    def expected_error(self) -> float:
        """ECE: mean distance of observed from predicted, weighted by cases."""
        return float(np.abs(self.observed - self.predicted) @ self.cases / self.cases.sum())

    @property
    def maximum_error(self) -> float:
        """MCE: the largest distance of a bin."""
        return float(np.abs(self.observed - self.predicted).max())


def brier(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean squared distance: of probabilities (N,) from 0/1 labels (N,), or summed over classes for probabilities
    (N, C) and class indices (N,) (so a two-class (N, 2) gives twice the binary value; G. W. Brier, 1950)."""
    values = np.asarray(probabilities)
    if values.ndim == 1:
        truth, values = _checked(labels, probabilities)
        return float(np.mean((values - truth) ** 2))
    classes, values = _checked_classes(labels, probabilities)
    return float(np.mean(((values - np.eye(values.shape[1])[classes]) ** 2).sum(axis=1)))


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Negative mean log-likelihood (nats), of 0/1 labels (N,) or class indices (N,) with probabilities (N, C).

    Infinite when a case was called impossible. Raises InputError as `brier`.
    """
    values = np.asarray(probabilities)
    if values.ndim == 1:
        truth, values = _checked(labels, probabilities)
        given = np.where(truth, values, 1 - values)
    else:
        classes, values = _checked_classes(labels, probabilities)
        given = values[np.arange(len(classes)), classes]
    with np.errstate(divide="ignore"):
        return float(-np.log(given).mean())


def calibration_curve(
    labels: ArrayLike, probabilities: ArrayLike, *, bins: int = 10, scheme: Scheme = "width"
) -> CalibrationCurve:
    """The reliability diagram of 0/1 labels (N,) and probabilities (N,); bins without a case are left out."""
    truth, values = _checked(labels, probabilities)
    return _curve(truth, values, bins, scheme)


def expected_calibration_error(
    labels: ArrayLike, probabilities: ArrayLike, *, bins: int = 15, scheme: Scheme = "width"
) -> float:
    """ECE of the probability of the positive class, in `bins` bins."""
    return calibration_curve(labels, probabilities, bins=bins, scheme=scheme).expected_error


def top_label_calibration_error(
    classes: ArrayLike, probabilities: ArrayLike, *, bins: int = 15, scheme: Scheme = "width"
) -> float:
    """ECE of the most probable class of (N, C): is it right as often as it is probable? `classes` are indices (N,)."""
    truth, values = _checked_classes(classes, probabilities)
    top = values.argmax(axis=1)
    return _curve(top == truth, values[np.arange(len(top)), top], bins, scheme).expected_error


def classwise_calibration_error(
    classes: ArrayLike, probabilities: ArrayLike, *, bins: int = 15, scheme: Scheme = "width"
) -> float:
    """Mean over the C classes of each one's ECE against the rest (M. Kull et al., NeurIPS 2019)."""
    truth, values = _checked_classes(classes, probabilities)
    return float(
        np.mean([_curve(truth == c, values[:, c], bins, scheme).expected_error for c in range(values.shape[1])])
    )


def calibration_line(labels: ArrayLike, probabilities: ArrayLike) -> tuple[float, float]:
    """(intercept, slope) of the logistic fit of labels on logit(probability): (0, 1) when calibrated, slope < 1
    when too extreme (D. R. Cox, Biometrika 1958; 45: 562).

    Raises InputError for probabilities of exactly 0 or 1, for one class, and when a threshold separates the classes
    (the fit has then no finite slope).
    """
    truth, values = _checked(labels, probabilities)
    if np.any((values == 0) | (values == 1)):
        raise InputError("probabilities", "are exactly 0 or 1, whose logit is infinite", "Clip them first.")
    if truth.all() or not truth.any():
        raise InputError("labels", "hold one class only", "Give cases of both classes.")
    positive, negative = values[truth], values[~truth]
    if positive.min() >= negative.max() or positive.max() <= negative.min():
        raise InputError("probabilities", "separate the classes, so no slope is finite", "Give more cases.")
    logits = np.log(values) - np.log1p(-values)
    design = np.stack([np.ones_like(logits), logits], axis=1)
    if np.ptp(logits) == 0:
        raise InputError("probabilities", "are all equal, so there is no slope", "Give the model's own probabilities.")
    weights = np.zeros(2)
    for _ in range(100):
        fitted = 1 / (1 + np.exp(-design @ weights))
        step = np.linalg.solve((design * (fitted * (1 - fitted))[:, None]).T @ design, design.T @ (truth - fitted))
        # A long Newton step overshoots where the likelihood is flat.
        weights += step / max(1.0, float(np.abs(step).max()) / 2)
        if np.abs(step).max() < 1e-10:
            break
    return float(weights[0]), float(weights[1])


def _curve(truth: NDArray[np.bool_], values: NDArray[np.float64], bins: int, scheme: Scheme) -> CalibrationCurve:
    if bins < 1:
        raise ConfigurationError(f"{bins} bins", "are none", "Pass at least 1.")
    cuts = (
        np.linspace(0, 1, bins + 1) if scheme == "width" else np.percentile(values, 100 * np.linspace(0, 1, bins + 1))
    )
    places = np.searchsorted(cuts[1:-1], values, side="left")
    cases = np.bincount(places, minlength=bins)
    held = cases > 0
    cases = cases[held]
    positives = np.bincount(places, truth, bins)[held]
    intervals = [wilson(int(k), int(n)) for k, n in zip(positives, cases, strict=True)]
    return CalibrationCurve(
        np.bincount(places, values, bins)[held] / cases,
        positives / cases,
        np.array([interval.low for interval in intervals]),
        np.array([interval.high for interval in intervals]),
        cases,
    )


def _checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    truth = checked_labels(labels)
    values = checked_scores(probabilities, len(truth))
    if values.min() < 0 or values.max() > 1:
        raise InputError("probabilities", "lie outside 0 to 1", "Pass probabilities, not logits.")
    return truth, values


def _checked_classes(classes: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    truth, values = np.asarray(classes), np.asarray(probabilities, dtype=np.float64)
    if values.ndim != 2 or truth.shape != values.shape[:1] or not len(truth):
        raise InputError("probabilities", f"have shape {values.shape}, classes {truth.shape}", "Give (cases, classes).")
    if not np.isfinite(values).all() or values.min() < 0 or np.abs(values.sum(axis=1) - 1).max() > 1e-4:
        raise InputError("probabilities", "are not rows that add up to 1", "Apply a softmax first.")
    if truth.dtype.kind not in "iu" or truth.min() < 0 or truth.max() >= values.shape[1]:
        raise InputError("classes", "are not indices of the columns", f"Give 0 to {values.shape[1] - 1}.")
    return truth.astype(np.intp), values
