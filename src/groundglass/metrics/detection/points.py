"""Pointing by the nearest true point, as pointing papers report it; see `match_points` for the one-to-one figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from groundglass.metrics.detection.matching import point_distances


@dataclass(frozen=True, slots=True)
class NearestPoints:
    """Means over images: of the mean (`mae`) and root mean square (`rmse`) distance of found points to the nearest true
    one, and of the share nearer than the limit (`matching_accuracy`). `zero_cases` images had no point found or none
    true and are left out. NaN when all are."""

    mae: float
    rmse: float
    matching_accuracy: float
    images: int
    zero_cases: int


def nearest_points(
    images: Iterable[tuple[ArrayLike, ArrayLike]], *, within: float = 10.0, spacing: ArrayLike | None = None
) -> NearestPoints:
    """From (found (N, D), true (M, D)) points of each image.

    These figures reward repeating one sure point and do not see misses. Raises InputError as `match_points`.
    """
    lines = []
    count = 0
    for found, truth in images:
        count += 1
        distances = point_distances(found, truth, spacing)
        if distances.size:
            nearest = distances.min(axis=1)
            lines.append((nearest.mean(), np.sqrt((nearest**2).mean()), (nearest < within).mean()))
    means = np.mean(lines, axis=0) if lines else np.full(3, np.nan)
    return NearestPoints(float(means[0]), float(means[1]), float(means[2]), len(lines), count - len(lines))
