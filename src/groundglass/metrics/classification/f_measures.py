"""The F1 family: per class, micro, macro, weighted, and per case for label sets."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.classification.decisions import confusion_matrix
from groundglass.metrics.classification.multilabel import checked_bits


@dataclass(frozen=True, slots=True)
class FScores:
    """Precision, recall and F per class, and F averaged: over all decisions (micro), over classes (macro), over classes
    by their cases (weighted), over cases (samples; label sets only, else NaN)."""

    classes: tuple[Any, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f: tuple[float, ...]
    support: tuple[int, ...]
    micro: float
    macro: float
    weighted: float
    samples: float = float("nan")


def f_scores(
    truth: ArrayLike,
    said: ArrayLike,
    *,
    classes: Sequence[Hashable] | None = None,
    beta: float = 1.0,
    zero_division: float = 0.0,
) -> FScores:
    """F scores of one class per case (N,). `beta` > 1 favours recall.

    `zero_division` is the value of a ratio with nothing in its denominator (a class never said, or that does not
    occur); NaN leaves such classes out of the averages. `classes`: all that occur in either, unless given.
    """
    counts, named = confusion_matrix(truth, said, classes=classes)
    hits = np.diag(counts)
    return _scores(tuple(named), hits, counts.sum(axis=0) - hits, counts.sum(axis=1) - hits, beta, zero_division)


def multilabel_f_scores(
    truth: ArrayLike,
    said: ArrayLike,
    *,
    classes: Sequence[Hashable] | None = None,
    beta: float = 1.0,
    zero_division: float = 0.0,
) -> FScores:
    """F scores of 0/1 label sets (N, L). Raises InputError for different shapes or other values."""
    real, claimed = checked_bits(truth, said)
    names = tuple(range(real.shape[1])) if classes is None else tuple(classes)
    if len(names) != real.shape[1]:
        raise InputError("classes", f"are {len(names)}, labels {real.shape[1]}", "Name each column.")
    hits, alarms, misses = real & claimed, ~real & claimed, real & ~claimed
    by_case = _f(hits.sum(axis=1), alarms.sum(axis=1), misses.sum(axis=1), beta, zero_division)
    return _scores(
        names,
        hits.sum(axis=0),
        alarms.sum(axis=0),
        misses.sum(axis=0),
        beta,
        zero_division,
        samples=_mean(by_case),
    )


def _scores(
    classes: tuple[Any, ...],
    hits: NDArray[np.int64],
    alarms: NDArray[np.int64],
    misses: NDArray[np.int64],
    beta: float,
    zero_division: float,
    samples: float = float("nan"),
) -> FScores:
    f, support = _f(hits, alarms, misses, beta, zero_division), hits + misses
    return FScores(
        classes,
        tuple(_ratio(hits, hits + alarms, zero_division).tolist()),
        tuple(_ratio(hits, support, zero_division).tolist()),
        tuple(f.tolist()),
        tuple(support.tolist()),
        float(_f(hits.sum(), alarms.sum(), misses.sum(), beta, zero_division)),
        _mean(f),
        _mean(f, support),
        samples,
    )


def _f(hits: Any, alarms: Any, misses: Any, beta: float, zero_division: float) -> NDArray[np.float64]:
    square = beta * beta
    return _ratio((1 + square) * hits, (1 + square) * hits + square * misses + alarms, zero_division)


def _ratio(over: Any, under: Any, zero_division: float) -> NDArray[np.float64]:
    under = np.asarray(under, dtype=np.float64)
    return np.divide(over, under, out=np.full(under.shape, float(zero_division)), where=under > 0)


def _mean(values: NDArray[np.float64], weights: NDArray[np.int64] | None = None) -> float:
    """Mean without the NaN; NaN when nothing is left, 0 when the weights are (no case of any class)."""
    held = ~np.isnan(values)
    if not held.any():
        return float("nan")
    if weights is None:
        return float(values[held].mean())
    total = float(weights[held].sum())
    return float((values * weights)[held].sum() / total) if total else 0.0
