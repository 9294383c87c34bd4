"""Surface distances: HD, HD95, ASSD, MASD and NSD, by voxels and by area.

Two definitions of a surface are in use, and their numbers differ. By voxels: the surface is the set of voxels of the
mask with a face neighbour outside, each counting the same (MONAI, medpy). By area: it is the set of corner points
of the voxel grid that the surface passes, each counting the area of its piece (DeepMind's surface-distance, BraTS).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.metrics.segmentation.nearest import nearest_distances
from groundglass.metrics.segmentation.surface_elements import surface_elements

# Sums of steps such as 3 x 0.1 mm exceed 0.3 by rounding; a tolerance counts such a distance as within.
ROUNDING = 1e-9
Distances = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SurfaceDistances:
    """Distances in mm from each surface element of the one mask to the other's surface, with what each counts.

    `to_truth` and `prediction_weights` (N,) belong to the prediction's surface, the others (M,) to the truth's.
    An empty mask has no element, and is infinitely far away.
    """

    to_truth: Distances
    to_prediction: Distances
    prediction_weights: Distances
    truth_weights: Distances

    @property
    def hd(self) -> float:
        """Hausdorff distance: the greatest of all distances. NaN without any element."""
        both = np.concatenate([self.to_truth, self.to_prediction])
        return float(both.max()) if len(both) else float("nan")

    @property
    def asd_to_truth(self) -> float:
        """Mean distance from the prediction's surface to the truth's (one-sided)."""
        return _mean(self.to_truth, self.prediction_weights)

    @property
    def asd_to_prediction(self) -> float:
        """Mean distance from the truth's surface to the prediction's (one-sided)."""
        return _mean(self.to_prediction, self.truth_weights)

    @property
    def assd(self) -> float:
        """Average symmetric surface distance: the mean over the elements of both surfaces together."""
        return _mean(
            np.concatenate([self.to_truth, self.to_prediction]),
            np.concatenate([self.prediction_weights, self.truth_weights]),
        )

    @property
    def masd(self) -> float:
        """Mean average surface distance: the mean of the two one-sided means (Metrics Reloaded)."""
        return (self.asd_to_truth + self.asd_to_prediction) / 2

    def nsd(self, tolerance_mm: float) -> float:
        """Normalised surface Dice: the share of both surfaces that lies within the tolerance of the other one."""
        reach = tolerance_mm * (1 + ROUNDING)
        total = self.prediction_weights.sum() + self.truth_weights.sum()
        near = (
            self.prediction_weights[self.to_truth <= reach].sum()
            + self.truth_weights[self.to_prediction <= reach].sum()
        )
        return float(near / total) if total else float("nan")


def hd_percentile(distances: SurfaceDistances, percent: float = 95.0) -> float:
    """The greater of the two directed percentiles, each interpolated linearly between elements (MONAI; HD95)."""
    return max(_percentile(distances.to_truth, percent), _percentile(distances.to_prediction, percent))


def hd_percentile_pooled(distances: SurfaceDistances, percent: float = 95.0) -> float:
    """The percentile of the distances of both directions together (medpy's `hd95`)."""
    return _percentile(np.concatenate([distances.to_truth, distances.to_prediction]), percent)


def hd_percentile_by_weight(distances: SurfaceDistances, percent: float = 95.0) -> float:
    """The greater of the two distances within which `percent` of each surface's area lies (surface-distance)."""
    return max(
        _weighted_percentile(distances.to_truth, distances.prediction_weights, percent),
        _weighted_percentile(distances.to_prediction, distances.truth_weights, percent),
    )


def distances_by_voxel(
    prediction: NDArray[np.intp], truth: NDArray[np.intp], spacing: Sequence[float]
) -> SurfaceDistances:
    """From the surface voxels (N, D) and (M, D) of two masks (indices), each counting one."""
    return SurfaceDistances(
        nearest_distances(prediction, truth, spacing),
        nearest_distances(truth, prediction, spacing),
        np.ones(len(prediction)),
        np.ones(len(truth)),
    )


def distances_by_area(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], spacing: Sequence[float]
) -> SurfaceDistances:
    """From two masks of one shape: corner points on the surfaces, each counting its area (in 2D its length)."""
    ours, our_areas = surface_elements(prediction, spacing)
    theirs, their_areas = surface_elements(truth, spacing)
    return SurfaceDistances(
        nearest_distances(ours, theirs, spacing), nearest_distances(theirs, ours, spacing), our_areas, their_areas
    )


def _mean(values: Distances, weights: Distances) -> float:
    return float((values * weights).sum() / weights.sum()) if len(values) else float("nan")


def _percentile(values: Distances, percent: float) -> float:
    if len(values) == 0:
        return float("nan")
    # numpy interpolates between infinities to NaN.
    return float("inf") if np.isinf(values).any() else float(np.percentile(values, percent))


def _weighted_percentile(values: Distances, weights: Distances, percent: float) -> float:
    if len(values) == 0:
        return float("nan")
    order = np.argsort(values, kind="stable")
    shares = np.cumsum(weights[order]) / weights.sum()
    place = int(np.searchsorted(shares, percent / 100 * (1 - ROUNDING)))
    return float(values[order[min(place, len(values) - 1)]])
