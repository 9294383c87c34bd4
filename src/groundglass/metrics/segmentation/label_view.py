"""One label of a scanned pair: what its measures need, each computed once and only if asked for."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from groundglass.metrics.segmentation.conventions import LesionRules
from groundglass.metrics.segmentation.lesion_wise import LesionWise, lesionwise
from groundglass.metrics.segmentation.lesions import LesionCounts, Matching, match_lesions, touch_counts
from groundglass.metrics.segmentation.scan import Counts, Scan
from groundglass.metrics.segmentation.surface import SurfaceDistances, distances_by_area, distances_by_voxel


class LabelView:
    """Counts, surface distances, crops and lesions of one label. `tolerance_mm` is that of NSD."""

    def __init__(self, scan: Scan, label: int, tolerance_mm: float, rules: LesionRules) -> None:
        self._scan = scan
        self._code = scan.codes.get(label)
        self.counts = scan.counts.get(label, Counts(0, 0, 0, scan.truth.size))
        self.tolerance_mm = tolerance_mm
        self.rules = rules

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole image, axes in memory order."""
        return self._scan.truth.shape

    @property
    def spacing(self) -> tuple[float, ...]:
        """Spacing in mm, axes in memory order."""
        return self._scan.spacing

    @property
    def extent_mm(self) -> tuple[float, ...]:
        """Size of the whole image."""
        return tuple(n * s for n, s in zip(self.shape, self.spacing, strict=True))

    @cached_property
    def surface_points(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Surface voxels (N, D) of prediction and truth."""
        said, real = self._scan.prediction_surfaces, self._scan.truth_surfaces
        if said is None or real is None:
            raise ValueError("scanned without surfaces")
        if self._code is None:
            nothing = np.empty((0, len(self.shape)), np.intp)
            return nothing, nothing
        index = said.of(self._code), real.of(self._code)
        first, second = (np.stack(np.unravel_index(i, self.shape), axis=1) for i in index)
        return first, second

    @cached_property
    def crops(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Both masks within their common box, axes in memory order."""
        points = np.concatenate(self.surface_points)
        if len(points) == 0:
            nothing = np.zeros((1,) * len(self.shape), dtype=bool)
            return nothing, nothing
        box = tuple(slice(int(a), int(b) + 1) for a, b in zip(points.min(axis=0), points.max(axis=0), strict=True))
        return self._scan.prediction[box] == self._code, self._scan.truth[box] == self._code

    @property
    def crops_as_given(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """The crops with the axes of the input, for what depends on their order (skeletons)."""
        order = np.argsort(self._scan.axes)
        first, second = (np.ascontiguousarray(crop.transpose(order)) for crop in self.crops)
        return first, second

    @cached_property
    def by_voxel(self) -> SurfaceDistances:
        """Distances between surface voxels."""
        return distances_by_voxel(*self.surface_points, self.spacing)

    @cached_property
    def by_area(self) -> SurfaceDistances:
        """Distances between surface elements that have an area."""
        return distances_by_area(*self.crops, self.spacing)

    @cached_property
    def touched(self) -> LesionCounts:
        """Lesions by touch."""
        return touch_counts(*self.crops, self.rules.connectivity)

    @cached_property
    def matched(self) -> Matching:
        """Lesions matched by IoU."""
        return match_lesions(
            *self.crops, iou=self.rules.iou, matcher=self.rules.matcher, connectivity=self.rules.connectivity
        )

    @cached_property
    def lesionwise(self) -> LesionWise:
        """BraTS's lesion-wise scores."""
        reach = [(self.rules.dilation, self.rules.dilation)] * len(self.shape)
        prediction, truth = (np.pad(crop, reach) for crop in self.crops)
        return lesionwise(prediction, truth, self.spacing, self.rules)
