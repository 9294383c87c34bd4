"""Decision curves: what a model is worth in true positives, when a false one costs the odds of the threshold.

A. J. Vickers and E. B. Elkin, Medical Decision Making 2006; 26: 565.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.statistics.binary_scores import checked_labels, checked_scores


@dataclass(frozen=True, slots=True, eq=False)
class DecisionCurve:
    """Net benefit (T,) at each threshold probability: of the model, of treating all, of treating none (zero).

    `avoided` is the net reduction in interventions per case against treating all.
    """

    thresholds: NDArray[np.float64]
    model: NDArray[np.float64]
    treat_all: NDArray[np.float64]
    treat_none: NDArray[np.float64]
    avoided: NDArray[np.float64]

    @property
    def useful(self) -> NDArray[np.bool_]:
        """Where the model beats both simple policies."""
        return self.model > np.maximum(self.treat_all, self.treat_none)


def decision_curve(labels: ArrayLike, probabilities: ArrayLike, thresholds: ArrayLike) -> DecisionCurve:
    """NB(t) = TP/N - FP/N * t/(1-t), positive being probability >= t.

    Raises InputError for probabilities outside [0, 1], ConfigurationError for thresholds outside (0, 1).
    """
    truth = checked_labels(labels)
    values = checked_scores(probabilities, len(truth))
    if values.min() < 0 or values.max() > 1:
        raise InputError("probabilities", "lie outside 0 to 1", "Calibrate the scores first.")
    at = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    if not ((at > 0) & (at < 1)).all():
        raise ConfigurationError("thresholds", "lie outside 0 to 1", "Pass probabilities between 0 and 1.")
    positive, negative, cases = np.sort(values[truth]), np.sort(values[~truth]), len(truth)
    odds = at / (1 - at)
    hits = len(positive) - np.searchsorted(positive, at, side="left")
    alarms = len(negative) - np.searchsorted(negative, at, side="left")
    model = hits / cases - alarms / cases * odds
    treat_all = len(positive) / cases - len(negative) / cases * odds
    return DecisionCurve(at, model, treat_all, np.zeros_like(at), (model - treat_all) / odds)
