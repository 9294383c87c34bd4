"""Centres: distance between centres of mass, and VerSe's identification rate with the mean localisation distance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.segmentation.checks import checked_spacing, label_array


@dataclass(frozen=True, slots=True)
class Identification:
    """Named centroids against the reference. `hits` are the labels identified, `distances` those in mm of all labels
    that both name, `missing` the labels of the reference without a prediction, `extra` those predicted beyond it.
    """

    hits: tuple[int, ...]
    distances: Mapping[int, float]
    missing: tuple[int, ...]
    extra: tuple[int, ...]

    @property
    def rate(self) -> float:
        """Identification rate: hits / labels of the reference. Labels predicted beyond it do not lower it."""
        total = len(self.distances) + len(self.missing)
        return len(self.hits) / total if total else math.nan

    @property
    def precision(self) -> float:
        """Hits / labels predicted, which labels beyond the reference do lower."""
        total = len(self.distances) + len(self.extra)
        return len(self.hits) / total if total else math.nan

    def mean_distance(self, missing_mm: float | None = None) -> float:
        """Mean localisation distance (d_mean) over the labels that both name; with `missing_mm` over all of the
        reference, a missing one at that distance (VerSe 2019: 1000 mm)."""
        values = list(self.distances.values())
        if missing_mm is not None:
            values += [missing_mm] * len(self.missing)
        return sum(values) / len(values) if values else math.nan


def identify(
    prediction: Mapping[int, Sequence[float]], truth: Mapping[int, Sequence[float]], *, tolerance_mm: float = 20.0
) -> Identification:
    """Identification by VerSe's rule (Sekuboyina et al., Medical Image Analysis 2021; 102166).

    Centroids are points in mm by label. A label of the reference is a hit when it was predicted, the reference
    centroid nearest to its prediction (among the labels that both name; at a tie the lower label) is its own, and it
    lies within `tolerance_mm`. Pool `hits` over scans for VerSe 2019. Raises InputError for points that are not
    finite or of different dimensions.
    """
    said, real = _points(prediction, "prediction"), _points(truth, "truth")
    both = sorted(said.keys() & real.keys())
    hits, distances = [], {}
    if both:
        ours, theirs = np.stack([said[k] for k in both]), np.stack([real[k] for k in both])
        if ours.shape != theirs.shape:
            raise InputError("prediction", "has points of another dimension than the truth", "Pass both in mm.")
        gaps = np.linalg.norm(ours[:, None] - theirs[None], axis=2)
        distances = {k: float(gaps[i, i]) for i, k in enumerate(both)}
        hits = [k for i, k in enumerate(both) if gaps[i].argmin() == i and gaps[i, i] <= tolerance_mm]
    return Identification(
        tuple(hits), distances, tuple(sorted(real.keys() - said.keys())), tuple(sorted(said.keys() - real.keys()))
    )


def centroids(labels: ArrayLike, spacing: float | Sequence[float]) -> dict[int, NDArray[np.float64]]:
    """Centre of mass in mm (voxel index times spacing) of every label of a map. Raises GeometryError, InputError."""
    array = label_array(labels, "labels")
    steps = checked_spacing(spacing, array.ndim)
    places = np.nonzero(array)
    numbers, inverse, sizes = np.unique(array[places], return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(inverse, p, len(numbers)) / sizes for p in places], axis=1) * steps
    return {int(number): mean for number, mean in zip(numbers, means, strict=True)}


def centre_of_mass(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean voxel index of a mask that is not empty."""
    profiles = [mask.sum(axis=tuple(a for a in range(mask.ndim) if a != axis)) for axis in range(mask.ndim)]
    return np.array([float((p * np.arange(len(p))).sum() / p.sum()) for p in profiles])


def _points(points: Mapping[int, Sequence[float]], name: str) -> dict[int, NDArray[np.float64]]:
    found = {int(k): np.asarray(p, dtype=np.float64) for k, p in points.items()}
    for number, point in found.items():
        if point.ndim != 1 or not np.isfinite(point).all():
            raise InputError(name, f"has no finite point for label {number}", "Leave out what was not found.")
    if len({len(p) for p in found.values()}) > 1:
        raise InputError(name, "has points of different dimensions", "Pass (x, y) or (x, y, z) for all.")
    return found
