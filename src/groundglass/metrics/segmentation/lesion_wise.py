"""Lesion-wise Dice and HD95 as BraTS has scored them since 2023.

Components of the truth (26-connected) whose dilations (18-neighbour element) meet are one lesion. To a lesion belong
all components of the prediction that touch its dilation; Dice and HD95 (by area) compare the lesion with their union.
Components that belong to no lesion are invented. Lesions of the truth up to a least volume do not count, though what
touches them is not held to be invented. A score is the sum over counted lesions, a missed one 0 and the penalty, an
invented one 0 and the penalty, divided by the number of both; without any it is 1 and 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_dilation, find_objects, generate_binary_structure

from groundglass.core.errors import GeometryError
from groundglass.metrics.segmentation.checks import mask_pair
from groundglass.metrics.segmentation.conventions import LesionRules
from groundglass.metrics.segmentation.lesions import components
from groundglass.metrics.segmentation.surface import distances_by_area, hd_percentile_by_weight


@dataclass(frozen=True, slots=True)
class LesionScore:
    """One lesion of the truth: its volume, the components of the prediction that belong to it, Dice, HD95 in mm."""

    volume_mm3: float
    parts: int
    dice: float
    hd95: float


@dataclass(frozen=True, slots=True)
class LesionWise:
    """Scores over lesions; `lesions` are those that count, `invented` the components that belong to none."""

    lesions: tuple[LesionScore, ...]
    invented: int
    penalty_mm: float

    @property
    def dice(self) -> float:
        """Lesion-wise Dice."""
        total = len(self.lesions) + self.invented
        return sum(one.dice for one in self.lesions) / total if total else 1.0

    @property
    def hd95(self) -> float:
        """Lesion-wise HD95 in mm."""
        total = len(self.lesions) + self.invented
        return (sum(one.hd95 for one in self.lesions) + self.invented * self.penalty_mm) / total if total else 0.0

    @property
    def found(self) -> int:
        """Lesions that have a part of the prediction."""
        return sum(one.parts > 0 for one in self.lesions)

    @property
    def missed(self) -> int:
        """Lesions that have none."""
        return len(self.lesions) - self.found


def lesionwise(
    prediction: ArrayLike, truth: ArrayLike, spacing: float | Sequence[float], rules: LesionRules | None = None
) -> LesionWise:
    """Lesion-wise scores of two masks (X, Y, Z); `rules` of BraTS glioma unless given.

    Raises GeometryError (flat masks too), InputError.
    """
    pair, rules = mask_pair(prediction, truth, spacing), rules or LesionRules()
    if pair.truth.ndim != 3:
        raise GeometryError("truth", "is flat", "Lesion-wise scores are defined for volumes.")
    real = pair.truth != 0
    predicted, parts = components(pair.prediction != 0)
    # The dilation of all lesions is that of each, so its components are the lesions' own dilations.
    reach, _ = components(_dilated(real, rules.dilation))
    boxes = find_objects(predicted)
    scores, owners = [], np.zeros(parts + 1, dtype=bool)
    for number, near in enumerate(find_objects(reach), start=1):
        mine = reach[near] == number
        touching = np.setdiff1d(predicted[near][mine], [0])
        owners[touching] = True
        volume = int((real[near] & mine).sum()) * math.prod(pair.spacing)
        if volume > rules.least_mm3:
            box = _around([near, *(boxes[part - 1] for part in touching)])
            lesion = real[box] & (reach[box] == number)
            union = np.isin(predicted[box], touching)
            scores.append(_score(union, lesion, len(touching), volume, pair.spacing, rules.penalty_mm))
    return LesionWise(tuple(scores), parts - int(owners.sum()), rules.penalty_mm)


def _dilated(mask: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    return binary_dilation(mask, generate_binary_structure(3, 2), iterations=steps) if steps else mask


def _around(boxes: list[tuple[slice, ...]]) -> tuple[slice, ...]:
    return tuple(slice(min(s.start for s in axis), max(s.stop for s in axis)) for axis in zip(*boxes, strict=True))


def _score(
    prediction: NDArray[np.bool_],
    lesion: NDArray[np.bool_],
    parts: int,
    volume: float,
    spacing: Sequence[float],
    penalty: float,
) -> LesionScore:
    if parts == 0:
        return LesionScore(volume, 0, 0.0, penalty)
    both, sizes = int((prediction & lesion).sum()), int(prediction.sum()) + int(lesion.sum())
    hd95 = hd_percentile_by_weight(distances_by_area(prediction, lesion, spacing))
    return LesionScore(volume, parts, 2 * both / sizes, hd95)
