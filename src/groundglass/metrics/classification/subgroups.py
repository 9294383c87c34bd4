"""How far a figure differs between subgroups (sex, age band, site, scanner) or between two sets of cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.classification.roc import AurocDifference, difference_test
from groundglass.metrics.statistics.binary_scores import checked_binary
from groundglass.metrics.statistics.bootstrap import Interval, bootstrap_statistic, check_options
from groundglass.metrics.statistics.delong import delong


@dataclass(frozen=True, slots=True)
class SubgroupGap:
    """The figure in each subgroup, and the largest minus the smallest of them.

    The interval of the gap is of this pair of groups as first seen (`best` minus `worst`): it can include 0, which an
    interval of max minus min cannot. `left_out` are groups in which the figure is not defined.
    """

    groups: dict[Any, Interval]
    best: Any
    worst: Any
    gap: Interval
    left_out: tuple[Any, ...]


def subgroup_gap(
    statistic: Callable[[NDArray[np.intp]], float],
    groups: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> SubgroupGap:
    """Gap of a `statistic` of row indices over `groups` (N,); whole `clusters` (N,) (patients) are drawn.

    Raises InputError when fewer than two groups define the statistic. Higher is called better.
    """
    check_options(level, resamples)
    names = np.asarray(groups)
    units = np.arange(len(names)) if clusters is None else np.asarray(clusters)
    if names.ndim != 1 or units.shape != names.shape:
        raise InputError("groups", f"have shape {names.shape}, clusters {units.shape}", "Name one of each per case.")
    found: dict[Any, Interval] = {}
    left_out = []
    for name in np.unique(names):
        rows = np.flatnonzero(names == name)
        try:
            found[name.item()] = bootstrap_statistic(
                lambda drawn, rows=rows: statistic(rows[drawn]),  # type: ignore[misc]
                units[rows],
                level=level,
                resamples=resamples,
                seed=seed,
            )
        except InputError:
            left_out.append(name.item())
    if len(found) < 2:
        raise InputError("groups", f"leave {len(found)} with the figure defined", "Give cases of at least two groups.")
    best = max(found, key=lambda name: found[name].estimate)
    worst = min(found, key=lambda name: found[name].estimate)
    both = np.flatnonzero((names == best) | (names == worst))

    def difference(drawn: NDArray[np.intp]) -> float:
        rows = both[drawn]
        return statistic(rows[names[rows] == best]) - statistic(rows[names[rows] == worst])

    gap = bootstrap_statistic(difference, units[both], level=level, resamples=resamples, seed=seed)
    return SubgroupGap(found, best, worst, gap, tuple(left_out))


def auroc_gap(
    labels_first: ArrayLike,
    scores_first: ArrayLike,
    labels_second: ArrayLike,
    scores_second: ArrayLike,
    *,
    clusters_first: ArrayLike | None = None,
    clusters_second: ArrayLike | None = None,
    level: float = 0.95,
) -> AurocDifference:
    """First minus second AUROC of two sets that share no patient (general against challenge set, site against site).

    DeLong's variances add up. For one set scored by two models use `auroc_difference`.
    """
    parts = [
        delong(*_rows(labels, scores), clusters)
        for labels, scores, clusters in (
            (labels_first, scores_first, clusters_first),
            (labels_second, scores_second, clusters_second),
        )
    ]
    value = float(parts[0][0][0] - parts[1][0][0])
    return difference_test(value, float(parts[0][1][0, 0] + parts[1][1][0, 0]), level)


def _rows(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    truth, values = checked_binary(labels, scores)
    return truth, values[None]
