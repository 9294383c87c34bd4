"""Frame by frame agreement of a tracked target (TrackRAD2025), and the means of a case.

Frames without a target in the truth do not count. Where the prediction is empty, Dice is 0 and each distance the longer
side of the image. Frame 0 is given to the tracker and left out of the means.

The organisers' script differs in three ways.
(a) Its "MASD" is one-sided, the mean distance from the predicted edge to the true one: here `asd_to_truth`, beside the
symmetric `masd` of Metrics Reloaded.
(b) It appends the penalties of empty predictions at the end and then drops the first entry: with an empty prediction in
frame 0 that penalty is counted, and the first frame that is not empty is lost.
(c) For surface distances it crops both axes to the number of rows: of an image wider than high the rest is not seen,
and distances are infinite for a target there.
`variant="script"` reproduces (b) and (c).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.metrics.segmentation.centres import centre_of_mass
from groundglass.metrics.segmentation.surface import distances_by_voxel, hd_percentile
from groundglass.metrics.tracking.mask_series import Series, Variant, checked_variant, mask_series
from groundglass.metrics.tracking.target_dose import relative_d98

Array = NDArray[np.float64]
NAMES = ("dsc", "hd95", "asd_to_truth", "masd", "centre_distance")


@dataclass(frozen=True, slots=True)
class FrameScores:
    """Scores (F,) of the `frames` (F,) that have a target, frame 0 among them; distances in mm. `empty` (F,) are those
    whose prediction is empty, with penalties for scores."""

    frames: NDArray[np.intp]
    empty: NDArray[np.bool_]
    dsc: Array
    hd95: Array
    asd_to_truth: Array
    masd: Array
    centre_distance: Array


def frame_scores(
    prediction: ArrayLike, truth: ArrayLike, *, pixel_mm: float = 1.0, variant: Variant = "corrected"
) -> FrameScores:
    """Scores of masks (T, rows, columns) with square pixels of `pixel_mm`.

    Raises GeometryError (shapes), InputError (NaN), EmptyMaskError (frame 0 of the truth), ConfigurationError.
    """
    checked_variant(variant)
    ours, theirs = mask_series(prediction, truth)
    kept = np.flatnonzero(theirs.any(axis=(1, 2)))
    empty: NDArray[np.bool_] = np.logical_not(ours.any(axis=(1, 2)))[kept]
    worst = max(theirs.shape[1:]) * pixel_mm
    rows = [
        (0.0, worst, worst, worst, worst) if lost else _scores(ours[t], theirs[t], pixel_mm, variant)
        for t, lost in zip(kept, empty, strict=True)
    ]
    return FrameScores(kept, empty, *np.array(rows).T)


def trackrad_scores(
    prediction: ArrayLike,
    truth: ArrayLike,
    *,
    sigma: float = 4.0,
    pixel_mm: float = 1.0,
    variant: Variant = "corrected",
) -> dict[str, float]:
    """A case's means of the frame scores, and `relative_d98` (with `sigma`, see `relative_d98`).

    Means are NaN when no frame but the first has a target. Raises as `frame_scores`.
    """
    scores = frame_scores(prediction, truth, pixel_mm=pixel_mm, variant=variant)
    if variant == "script":
        order = np.concatenate([np.flatnonzero(~scores.empty), np.flatnonzero(scores.empty)])[1:]
    else:
        order = np.flatnonzero(scores.frames > 0)
    means = {name: float(getattr(scores, name)[order].mean()) if len(order) else float("nan") for name in NAMES}
    return {**means, "relative_d98": relative_d98(prediction, truth, sigma=sigma / pixel_mm)}


def _scores(ours: Series, theirs: Series, pixel_mm: float, variant: Variant) -> tuple[float, ...]:
    both = int((ours & theirs).sum())
    dice = 2 * both / int(ours.sum() + theirs.sum())
    apart = float(np.linalg.norm(centre_of_mass(ours) - centre_of_mass(theirs))) * pixel_mm
    if variant == "script":
        ours, theirs = ours[:, : len(ours)], theirs[:, : len(theirs)]
        if not ours.any() or not theirs.any():
            return dice, math.inf, math.inf, math.inf, apart
    distances = distances_by_voxel(_edge(ours), _edge(theirs), (pixel_mm, pixel_mm))
    return dice, hd_percentile(distances), distances.asd_to_truth, distances.masd, apart


def _edge(mask: Series) -> NDArray[np.intp]:
    """Pixels (N, 2) of the mask with one of four neighbours outside of it, or on the border of the image."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.argwhere(mask & ~inner)
