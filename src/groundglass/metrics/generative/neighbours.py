"""Fidelity and diversity by nearest neighbours: precision, recall, density, coverage.

Around every image of a set lies a ball that reaches to its k-th nearest neighbour in the same set. Precision is the
share of synthetic images inside any real ball, recall the share of real images inside any synthetic ball
(T. Kynkaanniemi et al., arXiv 1904.06991); density counts how many real balls hold a synthetic image, over k, coverage
is the share of real balls that hold one (M. F. Naeem et al., arXiv 2002.09797).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError
from groundglass.metrics.generative.features import feature_sets

Array = NDArray[np.float64]
_ROWS = 1024
# Distances of equal pairs differ in their last digits when they are computed in another order.
_SLACK = 1e-10


@dataclass(frozen=True, slots=True)
class Neighbourhoods:
    """The four figures for balls to the `k`-th neighbour."""

    precision: float
    recall: float
    density: float
    coverage: float
    k: int


def neighbourhoods(
    real: ArrayLike, synthetic: ArrayLike, *, k: int = 5, edge: Literal["open", "closed"] = "open"
) -> Neighbourhoods:
    """The four figures of features (N, D), (M, D).

    `edge` says whether a point at exactly the radius is inside ("closed", as the first paper writes) or not ("open",
    as the package prdc computes); it matters for sets with copies. Memory is that of a few thousand rows of distances.
    Raises InputError for sets of no more than `k` images, ConfigurationError for k below 1.
    """
    if k < 1 or edge not in ("open", "closed"):
        raise ConfigurationError(f"k {k}, edge {edge}", "are not usable", "Use k of 1 or more, edge open or closed.")
    first, second = feature_sets(real, synthetic, least=k + 1)
    # Squares of large offsets would eat the digits of small distances.
    centre = first.mean(axis=0)
    first, second = first - centre, second - centre
    sign = -1 if edge == "open" else 1
    first_reach = _squared_radii(first, k) * (1 + sign * _SLACK)
    second_reach = _squared_radii(second, k) * (1 + sign * _SLACK)
    inside = np.less if edge == "open" else np.less_equal
    precise = recalled = covered = held = 0
    in_synthetic_ball = np.zeros(len(first), dtype=bool)
    covered_balls = np.zeros(len(first), dtype=bool)
    for rows, squares in _squared_distances(second, first):
        in_real = inside(squares, first_reach)
        held += int(in_real.sum())
        precise += int(in_real.any(axis=1).sum())
        covered_balls |= in_real.any(axis=0)
        in_synthetic_ball |= inside(squares, second_reach[rows, None]).any(axis=0)
    recalled, covered = int(in_synthetic_ball.sum()), int(covered_balls.sum())
    return Neighbourhoods(
        precise / len(second), recalled / len(first), held / (k * len(second)), covered / len(first), k
    )


def _squared_radii(points: Array, k: int) -> Array:
    radii = np.empty(len(points))
    for rows, squares in _squared_distances(points, points):
        squares[np.arange(len(squares)), np.arange(rows.start, rows.stop)] = np.inf
        radii[rows] = np.partition(squares, k - 1, axis=1)[:, k - 1]
    return radii


def _squared_distances(points: Array, targets: Array) -> Iterator[tuple[slice, Array]]:
    """Blocks of rows of the matrix of squared distances (N, M)."""
    sizes = np.einsum("ij,ij->i", targets, targets)
    for start in range(0, len(points), _ROWS):
        rows = slice(start, min(start + _ROWS, len(points)))
        block = points[rows]
        squares = block @ targets.T
        squares *= -2
        squares += sizes
        squares += np.einsum("ij,ij->i", block, block)[:, None]
        yield rows, np.maximum(squares, 0, out=squares)
