"""Average precision, which depends on prevalence and is therefore given with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.classification.roc import cumulative_counts
from groundglass.metrics.statistics.binary_scores import checked_labels, checked_scores
from groundglass.metrics.statistics.bootstrap import (
    Interval,
    check_options,
    cluster_codes,
    expanded_bca,
    jackknife_groups,
)
from groundglass.metrics.statistics.draws import draw_counts


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """`value` with the `prevalence` it was had at; `normalised` is 0 for a random ranking and 1 for a perfect one."""

    value: float
    prevalence: float
    normalised: float
    positives: int
    cases: int


def average_precision(labels: ArrayLike, scores: ArrayLike) -> AveragePrecision:
    """AP = sum of (recall step) * precision over falling distinct scores: no interpolation, ties taken together.

    normalised = (AP - prevalence) / (1 - prevalence), NaN when every case is positive. Raises InputError without a
    positive case and for scores that are not finite.
    """
    truth, values = _checked(labels, scores)
    _, caught, total = cumulative_counts(truth, values)
    value = float(np.sum(np.diff(caught, prepend=0) * (caught / total)) / truth.sum())
    prevalence = float(truth.mean())
    normalised = (value - prevalence) / (1 - prevalence) if prevalence < 1 else float("nan")
    return AveragePrecision(value, prevalence, normalised, int(truth.sum()), len(truth))


def bootstrap_average_precision(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """AP with its bootstrap interval (BCa at expanded levels); cases, or whole `clusters` (N,), are drawn.

    Prevalence varies from resample to resample as it would from sample to sample. Raises InputError as above.
    """
    check_options(level, resamples)
    truth, values = _checked(labels, scores)
    codes, count = cluster_codes(np.arange(len(truth)) if clusters is None else clusters)
    if len(codes) != len(truth):
        raise InputError("clusters", f"are {len(codes)}, labels {len(truth)}", "Name one patient per case.")
    order = np.argsort(-values, kind="stable")
    ordered_truth, units = truth[order], codes[order]
    ends = np.append(np.flatnonzero(np.diff(values[order])), len(order) - 1)
    replicates = np.concatenate(
        [_precisions(drawn.take(units, axis=1), ordered_truth, ends) for drawn in draw_counts(count, resamples, seed)]
    )
    groups = jackknife_groups(count, seed)
    left_out = [_precisions((groups[units] != group)[None], ordered_truth, ends) for group in range(groups.max() + 1)]
    positive_units = len(np.unique(codes[truth]))
    return expanded_bca(
        average_precision(truth, values).value, replicates, np.concatenate(left_out), level=level, units=positive_units
    )


def _precisions(
    counts: NDArray[np.uint8] | NDArray[np.bool_], truth: NDArray[np.bool_], ends: NDArray[np.intp]
) -> NDArray[np.float64]:
    """APs (R,) of counts (R, N) in falling order of score; `ends` are the last of each group of equal scores."""
    caught = np.cumsum(counts * truth, axis=1, dtype=np.int32).take(ends, axis=1)
    total = np.cumsum(counts, axis=1, dtype=np.int32).take(ends, axis=1)
    precision = np.divide(caught, total, out=np.zeros(caught.shape), where=total > 0)
    won = np.einsum("rt,rt->r", np.diff(caught, axis=1, prepend=0), precision, dtype=np.float64)
    positives = caught[:, -1]
    return np.divide(won, positives, out=np.full(len(won), np.nan), where=positives > 0)


def _checked(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    truth = checked_labels(labels)
    values = checked_scores(scores, len(truth))
    if not truth.any():
        raise InputError("labels", "hold no positive case, so precision has no recall", "Give at least one.")
    return truth, values
