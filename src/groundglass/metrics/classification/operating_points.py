"""Thresholds: chosen on one set of cases (validation), measured on another (test). Positive is score >= threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from groundglass.core.errors import ConfigurationError
from groundglass.metrics.classification.decisions import Rates, rates
from groundglass.metrics.classification.roc import cumulative_counts, roc_curve
from groundglass.metrics.statistics.binary_scores import checked_binary, checked_labels, checked_scores
from groundglass.metrics.statistics.proportion import clopper_pearson


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold with the rates on the cases that it was chosen on, and the rule that chose it."""

    threshold: float
    sensitivity: float
    specificity: float
    rule: str

    def on(self, labels: ArrayLike, scores: ArrayLike) -> Rates:
        """What the threshold does to other cases: rates with Wilson intervals."""
        truth = checked_labels(labels)
        return rates(truth, checked_scores(scores, len(truth)) >= self.threshold)

    def exact_intervals(
        self, labels: ArrayLike, scores: ArrayLike, *, level: float = 0.95
    ) -> tuple[tuple[float, float], tuple[float, float]]:
        """Clopper-Pearson intervals of sensitivity and specificity on other cases, for small numbers."""
        measured = self.on(labels, scores)
        first, second = (
            clopper_pearson(part.successes, part.trials, level=level)
            for part in (measured.sensitivity, measured.specificity)
        )
        return first, second


def youden(labels: ArrayLike, scores: ArrayLike) -> OperatingPoint:
    """The largest sensitivity + specificity (W. J. Youden, 1950); of equal ones the highest threshold.

    Infinite when no threshold is better than calling nothing. Raises InputError unless both classes occur.
    """
    curve = roc_curve(labels, scores)
    # Equal sums may differ in the last digit.
    best = int(np.argmax(np.round(curve.sensitivity + curve.specificity, 12)))
    return OperatingPoint(
        float(curve.thresholds[best]), float(curve.sensitivity[best]), float(curve.specificity[best]), "Youden"
    )


def at_sensitivity(labels: ArrayLike, scores: ArrayLike, wanted: float) -> OperatingPoint:
    """The highest threshold with at least the wanted sensitivity: the specificity at it is the best that can be had."""
    _share("sensitivity", wanted)
    curve = roc_curve(labels, scores)
    place = int(np.argmax(curve.sensitivity >= wanted - 1e-12))
    return OperatingPoint(
        float(curve.thresholds[place]),
        float(curve.sensitivity[place]),
        float(curve.specificity[place]),
        f"sensitivity >= {wanted:g}",
    )


def at_specificity(labels: ArrayLike, scores: ArrayLike, wanted: float) -> OperatingPoint:
    """The lowest threshold with at least the wanted specificity: the sensitivity at it is the best that can be had."""
    _share("specificity", wanted)
    curve = roc_curve(labels, scores)
    place = int(np.flatnonzero(curve.specificity >= wanted - 1e-12)[-1])
    # Of thresholds that catch the same positives, the one with fewer alarms.
    place = int(np.argmax(curve.sensitivity == curve.sensitivity[place]))
    return OperatingPoint(
        float(curve.thresholds[place]),
        float(curve.sensitivity[place]),
        float(curve.specificity[place]),
        f"specificity >= {wanted:g}",
    )


def best_f1(labels: ArrayLike, scores: ArrayLike) -> tuple[OperatingPoint, float]:
    """(the threshold with the largest F1, that F1); of equal ones the highest threshold.

    Optimistic on the cases that it was chosen on: measure it on others.
    """
    truth, values = checked_binary(labels, scores)
    thresholds, caught, called = cumulative_counts(truth, values)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    f1 = 2 * caught / (called + positives)
    best = int(np.argmax(np.round(f1, 12)))
    point = OperatingPoint(
        float(thresholds[best]),
        float(caught[best] / positives),
        float(1 - (called[best] - caught[best]) / negatives),
        "best F1",
    )
    return point, float(f1[best])


def _share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ConfigurationError(f"{name} {value}", "is not a rate", "Pass a number from 0 to 1.")
