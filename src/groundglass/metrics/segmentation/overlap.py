"""Overlap and volume from voxel counts: Dice, IoU, volume similarity and differences. What is 0 / 0 is NaN."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from groundglass.core.errors import InputError
from groundglass.metrics.segmentation.scan import Counts


def dice(counts: Counts) -> float:
    """2 |A and B| / (|A| + |B|)."""
    return _ratio(2 * counts.both, counts.prediction + counts.truth)


def iou(counts: Counts) -> float:
    """|A and B| / |A or B| (Jaccard)."""
    return _ratio(counts.both, counts.prediction + counts.truth - counts.both)


def sensitivity(counts: Counts) -> float:
    """Share of the truth's voxels that the prediction holds (recall)."""
    return _ratio(counts.both, counts.truth)


def precision(counts: Counts) -> float:
    """Share of the prediction's voxels that the truth holds."""
    return _ratio(counts.both, counts.prediction)


def specificity(counts: Counts) -> float:
    """Share of the voxels outside of the truth that are outside of the prediction: it grows with the image."""
    outside = counts.image - counts.truth
    return _ratio(outside - (counts.prediction - counts.both), outside)


def volume_similarity(counts: Counts) -> float:
    """1 - | |A| - |B| | / (|A| + |B|) (Taha and Hanbury, BMC Medical Imaging 2015; 15: 29)."""
    return 1 - _ratio(abs(counts.prediction - counts.truth), counts.prediction + counts.truth)


def relative_volume_difference(counts: Counts) -> float:
    """(prediction - truth) / truth: positive where the prediction is too large."""
    return _ratio(counts.prediction - counts.truth, counts.truth)


def volume_difference_ml(counts: Counts, spacing: Sequence[float]) -> float:
    """Prediction minus truth in mL; NaN for flat masks, which have no volume."""
    return (counts.prediction - counts.truth) * math.prod(spacing) / 1000 if len(spacing) == 3 else math.nan


def cumulative_iou(counts: Iterable[Counts]) -> float:
    """Sum of all intersections over the sum of all unions: large objects count more."""
    both, either = 0, 0
    for one in counts:
        both, either = both + one.both, either + one.prediction + one.truth - one.both
    return _ratio(both, either)


def precision_at_iou(ious: ArrayLike, thresholds: Sequence[float] = (0.5, 0.6, 0.7, 0.8, 0.9)) -> dict[float, float]:
    """Share of the objects whose IoU (N,) exceeds each threshold. Raises InputError for none, or NaN among them."""
    values = np.asarray(ious, dtype=np.float64)
    if values.ndim != 1 or len(values) == 0 or np.isnan(values).any():
        raise InputError("ious", "are not a list of numbers", "Score each object first, and settle the empty ones.")
    return {threshold: float((values > threshold).mean()) for threshold in thresholds}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
