"""FROC: sensitivity for lesions against false positives per image, and its mean at agreed rates (LUNA16's score).

A. A. A. Setio et al., Medical Image Analysis 2017; 42: 1. A lesion is found at the highest score of a candidate that
hits it; further hits of it are neither right nor wrong, and so are hits of lesions that do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core import ConfigurationError, InputError
from groundglass.metrics.detection.boxes import BoxSet, box_iou
from groundglass.metrics.detection.matching import point_distances

LUNA_RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True, eq=False)
class FrocCase:
    """One image: the score (L,) at which each lesion is found (-inf: never), and scores (F,) of false candidates."""

    lesions: NDArray[np.float64]
    false: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FrocCurve:
    """Thresholds falling from infinity (T,), sensitivity (T,) and false positives per image (T,) at or above each."""

    thresholds: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    false_per_image: NDArray[np.float64]

    def at(
        self, rates: Sequence[float] = LUNA_RATES, *, between: Literal["line", "step"] = "line"
    ) -> NDArray[np.float64]:
        """Sensitivity (R,) at these rates of false positives per image: linear between points as LUNA16 does, or
        that of the last point that keeps the rate. Beyond the last point it stays."""
        if not rates or min(rates) < 0:
            raise ConfigurationError(f"rates {rates}", "are empty or negative", "Pass false positives per image.")
        if between == "step":
            return self.sensitivity[np.searchsorted(self.false_per_image, rates, side="right") - 1]
        return np.interp(rates, self.false_per_image, self.sensitivity)

    def score(self, rates: Sequence[float] = LUNA_RATES, *, between: Literal["line", "step"] = "line") -> float:
        """Mean sensitivity at the rates."""
        return float(self.at(rates, between=between).mean())


def point_froc_case(
    candidates: ArrayLike,
    scores: ArrayLike,
    lesions: ArrayLike,
    *,
    within: ArrayLike,
    counts: ArrayLike | None = None,
    spacing: ArrayLike | None = None,
) -> FrocCase:
    """One image of candidate points (N, D) and lesion centres (L, D): a hit is nearer than `within`, one radius for
    all or one per lesion (L,). `counts` (L,) marks the lesions that count (all)."""
    distances = point_distances(candidates, lesions, spacing)
    radii = np.broadcast_to(np.asarray(within, dtype=np.float64), distances.shape[1:])
    return _case(distances < radii, scores, counts)


def box_froc_case(found: BoxSet, truth: BoxSet, *, iou: float = 0.1, counts: ArrayLike | None = None) -> FrocCase:
    """One image of boxes: a hit reaches the IoU."""
    if found.scores is None:
        raise InputError("detections", "have no scores", "Give one per box.")
    return _case(box_iou(found, truth) >= iou, found.scores, counts)


def froc_curve(cases: Sequence[FrocCase]) -> FrocCurve:
    """The curve over all images (also those without a lesion: they add false positives).

    Raises InputError without an image or without a lesion that counts.
    """
    lesions = np.concatenate([case.lesions for case in cases]) if cases else np.zeros(0)
    if not len(lesions):
        raise InputError("cases", "hold no lesion that counts, so sensitivity is not defined", "Give at least one.")
    false = np.concatenate([case.false for case in cases])
    found = np.sort(lesions[lesions > -np.inf])
    thresholds = np.concatenate([[np.inf], np.unique(np.concatenate([found, false]))[::-1]])
    return FrocCurve(
        thresholds,
        (len(found) - np.searchsorted(found, thresholds, side="left")) / len(lesions),
        (len(false) - np.searchsorted(np.sort(false), thresholds, side="left")) / len(cases),
    )


def _case(hits: NDArray[np.bool_], scores: ArrayLike, counts: ArrayLike | None) -> FrocCase:
    values = np.asarray(scores, dtype=np.float64)
    if values.shape != hits.shape[:1]:
        raise InputError("scores", f"have shape {values.shape} for {len(hits)} candidates", "Give one per candidate.")
    if not np.isfinite(values).all():
        raise InputError("scores", "are not all finite", "Leave out the candidates without a score.")
    counting = np.ones(hits.shape[1], dtype=bool) if counts is None else np.asarray(counts).astype(bool)
    if counting.shape != hits.shape[1:]:
        raise InputError("counts", f"have shape {counting.shape} for {hits.shape[1]} lesions", "Give one per lesion.")
    best = np.where(hits, values[:, None], -np.inf).max(axis=0, initial=-np.inf)
    return FrocCase(best[counting], values[~hits.any(axis=1)])
