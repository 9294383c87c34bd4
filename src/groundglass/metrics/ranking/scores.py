"""Scores of all algorithms under a scheme, for many weightings of the cases at once.

A bootstrap sample is a weighting: how often each case was drawn. What does not depend on the weights (a rank within a
case, a difference of two algorithms) is computed once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.ranking.scheme import Scheme, Ties
from groundglass.metrics.ranking.signed_ranks import signed_rank_p
from groundglass.metrics.ranking.table import Table

Array = NDArray[np.float64]
# Sums in another order differ in the last digits; such scores are equal.
DIGITS = 10


def score(table: Table, scheme: Scheme, weights: Array) -> Array:
    """Scores (R, A) for case weights (R, C): mean over groups of the cases' scores, by the scheme's group weights."""
    ways: dict[str, Callable[[Table, Scheme, Array], Array]] = {
        "case ranks": _case_ranks,
        "ranks of means": _ranks_of_means,
        "normalised means": _normalised_means,
        "means": _means_score,
        "significance": _significance,
    }
    aggregate = ways[scheme.aggregation]

    def way(part: Table, drawn: Array) -> Array:
        return aggregate(part, scheme, drawn)

    if not scheme.group_weights:
        return way(table, weights)
    groups = list(dict.fromkeys(table.groups.tolist()))
    unknown = [group for group in groups if group not in scheme.group_weights]
    if unknown:
        raise InputError(
            "results", f"have groups {unknown}", f"{scheme.name} knows {[g for g in scheme.group_weights if g]}."
        )
    shares = np.array([scheme.group_weights[group] for group in groups])
    parts = np.stack([way(*_of_group(table, weights, table.groups == group)) for group in groups])
    return np.einsum("g,gra->ra", shares / shares.sum(), parts)


def _of_group(table: Table, weights: Array, own: NDArray[np.bool_]) -> tuple[Table, Array]:
    part = replace(
        table,
        cases=tuple(case for case, kept in zip(table.cases, own, strict=True) if kept),
        groups=table.groups[own],
        patients=table.patients[own],
        values=table.values[:, :, own],
        against=table.against[:, :, own],
    )
    return part, weights[:, own]


def final_ranks(scores: Array, scheme: Scheme) -> NDArray[np.intp]:
    """Places (R, A) from 1; equal scores share the first of their places."""
    return ranked(scores, scheme.high_wins, "min").astype(np.intp)


def ranked(values: Array, higher_is_better: bool, ties: Ties) -> Array:
    """Ranks along the last axis, 1 for the best; NaN is last, and all NaN share their place."""
    from scipy.stats import rankdata

    rounded = significant(values)
    return np.asarray(
        rankdata(np.where(np.isnan(rounded), np.inf, -rounded if higher_is_better else rounded), method=ties, axis=-1)
    )


def significant(values: Array) -> Array:
    """Values rounded to ten significant digits of the greatest of their row."""
    finite = np.where(np.isfinite(values), np.abs(values), 0.0)
    top = finite.max(axis=-1, keepdims=True)
    step = 10.0 ** (np.floor(np.log10(np.where(top > 0, top, 1.0))) - DIGITS)
    return np.round(values / step) * step


def metric_means(table: Table, weights: Array) -> Array:
    """(R, A, M): each metric's weighted mean, or slope, over the cases that have a value. NaN where none has."""
    columns = []
    with np.errstate(invalid="ignore", divide="ignore"):
        for number, metric in enumerate(table.metrics):
            y = table.values[:, number]
            held = ~np.isnan(y)
            size = weights @ held.T
            # An infinite value makes a mean infinite, but not where its case was not drawn: 0 x inf is NaN.
            infinite = np.isinf(y)
            sums = weights @ np.where(held & ~infinite, y, 0.0).T
            drawn = weights @ infinite.T > 0
            if metric.against is None:
                columns.append(np.where(drawn, np.inf, sums / size))
                continue
            x = np.where(held, table.against[:, number], 0.0)
            y = np.where(held, y, 0.0)
            sx, sxx, sxy = weights @ x.T, weights @ (x * x).T, weights @ (x * y).T
            columns.append((size * sxy - sx * sums) / (size * sxx - sx * sx))
    return np.stack(columns, axis=2)


def metric_ranks(table: Table, scheme: Scheme, means: Array) -> Array:
    """(R, A, M): the rank of each algorithm by each metric's mean."""
    return np.stack(
        [ranked(means[:, :, n], metric.higher_is_better, scheme.ties) for n, metric in enumerate(table.metrics)], axis=2
    )


def _shares(table: Table) -> Array:
    weights = np.array([metric.weight for metric in table.metrics])
    return weights / weights.sum()


def _case_ranks(table: Table, scheme: Scheme, weights: Array) -> Array:
    ranks = np.stack(
        [ranked(table.values[:, n].T, metric.higher_is_better, scheme.ties) for n, metric in enumerate(table.metrics)]
    )
    per_case = np.einsum("m,mca->ca", _shares(table), ranks)
    return (weights @ per_case) / weights.sum(axis=1, keepdims=True)


def _ranks_of_means(table: Table, scheme: Scheme, weights: Array) -> Array:
    return metric_ranks(table, scheme, metric_means(table, weights)) @ _shares(table)


def _normalised_means(table: Table, scheme: Scheme, weights: Array) -> Array:
    signed = metric_means(table, weights) * np.array(
        [1.0 if metric.higher_is_better else -1.0 for metric in table.metrics]
    )
    # A sample may hold no case of an algorithm: that is the worst in this sample, as is an infinite distance.
    known = np.isfinite(signed)
    low = np.where(known, signed, np.inf).min(axis=1, keepdims=True)
    high = np.where(known, signed, -np.inf).max(axis=1, keepdims=True)
    spread = high > low
    with np.errstate(invalid="ignore"):
        normal = np.where(spread, (signed - low) / np.where(spread, high - low, 1.0), 0.5)
    normal = np.where(known, normal, 0.0)
    return normal @ np.array([metric.weight for metric in table.metrics])


def _means_score(table: Table, scheme: Scheme, weights: Array) -> Array:
    signs = np.array([1.0 if metric.higher_is_better else -1.0 for metric in table.metrics])
    return metric_means(table, weights) @ (signs * _shares(table))


def _significance(table: Table, scheme: Scheme, weights: Array) -> Array:
    count = len(table.algorithms)
    if count < 2:
        raise InputError("results", "have one algorithm", "Points are won against others.")
    points = np.zeros((len(weights), count))
    for share, number in zip(_shares(table), range(len(table.metrics)), strict=True):
        sign = 1.0 if table.metrics[number].higher_is_better else -1.0
        for first in range(count):
            for second in range(first + 1, count):
                better, worse = signed_rank_p(sign * _difference(table, number, first, second), weights)
                points[:, first] += share * (better < scheme.alpha)
                points[:, second] += share * (worse < scheme.alpha)
    return points / (count - 1)


def _difference(table: Table, metric: int, first: int, second: int) -> Array:
    a, b = table.values[first, metric], table.values[second, metric]
    with np.errstate(invalid="ignore"):
        # Two infinite values are equal.
        return np.where(a == b, 0.0, a - b)
