"""One-to-one matching of what was found with what is there: as many pairs as possible, of those the closest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core import ConfigurationError, InputError
from groundglass.metrics.detection.boxes import BoxSet, box_iou


@dataclass(frozen=True, slots=True)
class Matching:
    """`pairs` are (found, truth) places; precision, recall and F1 are 1 when there is nothing to find and nothing was
    found, and a ratio of nothing is otherwise 0."""

    pairs: tuple[tuple[int, int], ...]
    found: int
    truths: int

    @property
    def precision(self) -> float:
        return _ratio(len(self.pairs), self.found, self.truths)

    @property
    def recall(self) -> float:
        return _ratio(len(self.pairs), self.truths, self.found)

    @property
    def f1(self) -> float:
        return _ratio(2 * len(self.pairs), self.found + self.truths, 0)


def match_points(found: ArrayLike, truth: ArrayLike, *, within: float, spacing: ArrayLike | None = None) -> Matching:
    """Match points (N, D) and (M, D) of one image that lie no further apart than `within` (in units of `spacing` (D,),
    pixels unless given). Values in one dimension (SUVmax within 0.1) are points with D = 1.

    Raises InputError for NaN and for dimensions that differ, ConfigurationError for a negative distance.
    """
    if not within >= 0:
        raise ConfigurationError(f"within {within}", "is not a distance", "Pass 10 for ten pixels.")
    distances = point_distances(found, truth, spacing)
    # Decimal values one tenth apart are a hair more than 0.1 apart in binary.
    return _assigned(distances, distances <= within * (1 + 1e-9))


def match_boxes(found: BoxSet, truth: BoxSet, *, iou: float = 0.5) -> Matching:
    """Match boxes of one image that reach the IoU."""
    if not 0 < iou <= 1:
        raise ConfigurationError(f"iou {iou}", "is not an overlap", "Pass 0.5.")
    overlaps = box_iou(found, truth)
    return _assigned(1 - overlaps, overlaps >= iou)


def pool(matchings: Iterable[Matching]) -> Matching:
    """All images as one: counts add up, so that images weigh by their objects (pairs lose their image)."""
    every = list(matchings)
    return Matching(
        tuple(pair for matching in every for pair in matching.pairs),
        sum(matching.found for matching in every),
        sum(matching.truths for matching in every),
    )


def point_distances(found: ArrayLike, truth: ArrayLike, spacing: ArrayLike | None) -> NDArray[np.float64]:
    """Distances (N, M) between points (N, D) and (M, D)."""
    from scipy.spatial.distance import cdist

    first, second = _points(found, "points found"), _points(truth, "true points")
    if not len(first) or not len(second):
        return np.zeros((len(first), len(second)))
    if first.shape[1] != second.shape[1]:
        raise InputError("points", f"have {first.shape[1]} and {second.shape[1]} dimensions", "Give (N, D) and (M, D).")
    if spacing is not None:
        scale = np.asarray(spacing, dtype=np.float64)
        if scale.shape != (first.shape[1],) or not (scale > 0).all():
            raise InputError("spacing", f"is {scale.tolist()}", f"Give {first.shape[1]} positive numbers.")
        first, second = first * scale, second * scale
    return cdist(first, second)


def _points(points: ArrayLike, name: str) -> NDArray[np.float64]:
    rows = np.asarray(points, dtype=np.float64)
    if not rows.size:
        return rows.reshape(0, 1)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise InputError(
            name, f"have shape {rows.shape} or values that are not finite", "Give one finite row per point."
        )
    return rows


def _assigned(costs: NDArray[np.float64], allowed: NDArray[np.bool_]) -> Matching:
    from scipy.optimize import linear_sum_assignment

    if not allowed.any():
        return Matching((), *costs.shape)
    # One pair more is worth any distance.
    forbidden = (costs[allowed].max() + 1) * (min(costs.shape) + 1)
    rows, columns = linear_sum_assignment(np.where(allowed, costs, forbidden))
    kept = allowed[rows, columns]
    return Matching(tuple(zip(rows[kept].tolist(), columns[kept].tolist(), strict=True)), *costs.shape)


def _ratio(over: int, under: int, other: int) -> float:
    if under:
        return over / under
    return 0.0 if other else 1.0
