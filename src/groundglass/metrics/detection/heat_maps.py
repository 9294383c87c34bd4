"""Heat maps against the region that a phrase speaks of: contrast, overlap, pointing. NaN marks what was not seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core import EmptyMaskError, GeometryError, InputError


def contrast_to_noise(heat: ArrayLike, region: ArrayLike) -> float:
    """CNR = |mean inside - mean outside| / sqrt(variance inside + variance outside) (B. Boecking et al., ECCV 2022).

    Variances are of the population; NaN pixels are left out. A map that is constant on both sides gives infinity, or 0
    where both constants are equal. Raises EmptyMaskError when one side has no seen pixel.
    """
    values, inside = _checked(heat, region)
    seen = ~np.isnan(values)
    within, without = values[seen & inside], values[seen & ~inside]
    if not len(within) or not len(without):
        raise EmptyMaskError("region", "leaves no seen pixel inside or none outside", "Leave the phrase out.")
    contrast = abs(float(within.mean()) - float(without.mean()))
    noise = float(np.sqrt(within.var() + without.var()))
    if noise == 0:
        return float("inf") if contrast > 0 else 0.0
    return contrast / noise


def heat_map_iou(
    heat: ArrayLike, region: ArrayLike, *, thresholds: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5)
) -> float:
    """Mean over thresholds of the IoU of {heat > threshold} with the region, heat clipped to [0, 1]; NaN pixels are
    left out of both. An IoU of nothing with nothing is 1."""
    values, inside = _checked(heat, region)
    seen = ~np.isnan(values)
    clipped, truth = np.clip(values[seen], 0, 1), inside[seen]
    scores = []
    for threshold in thresholds:
        said = clipped > threshold
        union = int((said | truth).sum())
        scores.append(int((said & truth).sum()) / union if union else 1.0)
    return float(np.mean(scores))


def pointing_game(
    heat: ArrayLike, region: ArrayLike, *, tolerance: float = 0.0, spacing: ArrayLike | None = None
) -> float:
    """Whether the hottest pixel lies in the region or no further from it than `tolerance` (J. Zhang et al., ECCV 2016).

    1 or 0; of several hottest pixels the share that hits, so that a flat map scores as chance. Raises EmptyMaskError
    for an empty region or a map without a seen pixel.
    """
    values, inside = _checked(heat, region)
    if not inside.any() or np.isnan(values).all():
        raise EmptyMaskError("region or heat map", "is empty", "Leave the phrase out.")
    target = inside
    if tolerance > 0:
        from scipy.ndimage import distance_transform_edt

        sampling = None if spacing is None else np.asarray(spacing, dtype=np.float64)
        target = distance_transform_edt(~inside, sampling=sampling) <= tolerance
    return float(target[values == np.nanmax(values)].mean())


def cumulative_iou(pairs: Iterable[tuple[ArrayLike, ArrayLike]]) -> float:
    """Sum of intersections over sum of unions of (mask, truth) of many phrases; large objects weigh more. NaN without
    any voxel."""
    shared = united = 0
    for mask, truth in pairs:
        first, second = np.asarray(mask) != 0, np.asarray(truth) != 0
        if first.shape != second.shape:
            raise GeometryError("mask", f"has shape {first.shape}, its truth {second.shape}", "Use one grid.")
        shared, united = shared + int((first & second).sum()), united + int((first | second).sum())
    return shared / united if united else float("nan")


def _checked(heat: ArrayLike, region: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values, inside = np.asarray(heat, dtype=np.float64), np.asarray(region) != 0
    if values.shape != inside.shape:
        raise GeometryError("heat map", f"has shape {values.shape}, the region {inside.shape}", "Use one grid.")
    if np.isinf(values).any():
        raise InputError("heat map", "holds infinity", "Mark pixels that were not seen with NaN.")
    return values, inside
