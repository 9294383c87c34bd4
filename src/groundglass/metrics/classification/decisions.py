"""Figures of decisions: counts, rates with intervals, accuracy, Matthews correlation, predictive values."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.statistics.binary_scores import checked_labels
from groundglass.metrics.statistics.proportion import Proportion, wilson


@dataclass(frozen=True, slots=True)
class BinaryCounts:
    """The four cells of a decision."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates at a threshold, each with its Wilson interval; NaN where nothing can be divided by."""

    sensitivity: Proportion
    specificity: Proportion
    accuracy: Proportion
    ppv: Proportion
    npv: Proportion
    counts: BinaryCounts

    @property
    def prevalence(self) -> float:
        return self.sensitivity.trials / self.accuracy.trials


def rates(labels: ArrayLike, decisions: ArrayLike) -> Rates:
    """Sensitivity, specificity, accuracy and predictive values of 0/1 `decisions` (N,).

    Raises InputError for different lengths, no case, and values other than 0 and 1.
    """
    truth, said = checked_labels(labels), checked_labels(decisions, name="decisions")
    if truth.shape != said.shape:
        raise InputError("decisions", f"have shape {said.shape}, labels {truth.shape}", "Give one decision per case.")
    hits, alarms = int((truth & said).sum()), int((~truth & said).sum())
    misses, rest = int((truth & ~said).sum()), int((~truth & ~said).sum())
    return Rates(
        wilson(hits, hits + misses),
        wilson(rest, rest + alarms),
        wilson(hits + rest, len(truth)),
        wilson(hits, hits + alarms),
        wilson(rest, rest + misses),
        BinaryCounts(hits, alarms, misses, rest),
    )


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float, float]:
    """(PPV, NPV) at another prevalence by Bayes' rule; NaN where no case would be called so.

    Raises ConfigurationError for a rate outside [0, 1].
    """
    for name, value in (("sensitivity", sensitivity), ("specificity", specificity), ("prevalence", prevalence)):
        if not 0 <= value <= 1:
            raise ConfigurationError(f"{name} {value}", "is not a rate", "Pass a number from 0 to 1.")
    hits, alarms = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    rest, misses = specificity * (1 - prevalence), (1 - sensitivity) * prevalence
    ppv = hits / (hits + alarms) if hits + alarms > 0 else float("nan")
    npv = rest / (rest + misses) if rest + misses > 0 else float("nan")
    return ppv, npv


def confusion_matrix(
    truth: ArrayLike, said: ArrayLike, *, classes: Sequence[Hashable] | None = None
) -> tuple[NDArray[np.int64], list[Any]]:
    """(counts (C, C) with truth in rows, the C classes in order). `classes`: all that occur, sorted, unless given.

    Raises InputError for different shapes, no case, NaN, or a value that is not among `classes`.
    """
    a, b = np.asarray(truth), np.asarray(said)
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise InputError("classes said", f"have shape {b.shape}, the truth {a.shape}", "Give one class per case.")
    for name, values in (("truth", a), ("classes said", b)):
        if np.any(values != values) or (values.dtype.kind == "O" and any(value is None for value in values)):
            raise InputError(name, "hold NaN or None", "Leave out the cases without a class.")
    named = np.unique(np.concatenate([a, b])) if classes is None else np.asarray(classes)
    order = np.argsort(named, kind="stable")
    ordered = named[order]
    if len(np.unique(ordered)) != len(ordered):
        raise InputError("classes", "name one twice", "Name each class once.")
    places = [np.minimum(np.searchsorted(ordered, values), len(ordered) - 1) for values in (a, b)]
    for values, place in zip((a, b), places, strict=True):
        strange = values[ordered[place] != values]
        if len(strange):
            raise InputError(str(strange[0]), "is not among the classes", "Name all classes, or none.")
    rows, columns = order[places[0]], order[places[1]]
    size = len(named)
    return np.bincount(rows * size + columns, minlength=size * size).reshape(size, size), named.tolist()


def accuracy(truth: ArrayLike, said: ArrayLike) -> Proportion:
    """Share of cases (N,) that are right, with Wilson's interval."""
    counts, _ = confusion_matrix(truth, said)
    return wilson(int(np.trace(counts)), int(counts.sum()))


def balanced_accuracy(truth: ArrayLike, said: ArrayLike) -> float:
    """Mean recall over the classes that occur in the truth (also: average class accuracy, ACA)."""
    counts, _ = confusion_matrix(truth, said)
    cases = counts.sum(axis=1)
    return float(np.mean(np.diag(counts)[cases > 0] / cases[cases > 0]))


def matthews(truth: ArrayLike, said: ArrayLike) -> float:
    """Matthews correlation of any number of classes (R_K; J. Gorodkin, 2004); 0 when one side says one class only."""
    counts, _ = confusion_matrix(truth, said)
    total, right = float(counts.sum()), float(np.trace(counts))
    real, claimed = counts.sum(axis=1).astype(np.float64), counts.sum(axis=0).astype(np.float64)
    spread = (total**2 - claimed @ claimed) * (total**2 - real @ real)
    return float((right * total - real @ claimed) / np.sqrt(spread)) if spread > 0 else 0.0
