"""Lesions as objects: how many were found, missed and invented, by touch or matched one to one.

Two figures are called "lesion F1". ISLES 2022 counts a lesion of the truth as found when one voxel of it is predicted,
so that one blob over two lesions finds both; ISLES 2024 and panoptic quality match components one to one by IoU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import generate_binary_structure, label
from scipy.optimize import linear_sum_assignment

from groundglass.core.errors import InputError
from groundglass.metrics.segmentation.checks import mask_pair

Connectivity = Literal["full", "faces"]
Matcher = Literal["greedy", "optimal"]


@dataclass(frozen=True, slots=True)
class LesionCounts:
    """Lesions found, invented and missed, and all of either mask. By touch, `found` are lesions of the truth."""

    found: int
    invented: int
    missed: int
    prediction: int
    truth: int

    @property
    def f1(self) -> float:
        """found / (found + (invented + missed) / 2): the recognition quality, where matched. NaN without any lesion."""
        total = self.found + (self.invented + self.missed) / 2
        return self.found / total if total else math.nan

    @property
    def sensitivity(self) -> float:
        """Share of the truth's lesions that were found."""
        return self.found / self.truth if self.truth else math.nan

    @property
    def precision(self) -> float:
        """found / (found + invented)."""
        return self.found / (self.found + self.invented) if self.found + self.invented else math.nan

    @property
    def count_difference(self) -> int:
        """| lesions of the truth - lesions of the prediction | (ALD)."""
        return abs(self.truth - self.prediction)


@dataclass(frozen=True, slots=True)
class Match:
    """A pair of instances and their IoU."""

    prediction: int
    truth: int
    iou: float


@dataclass(frozen=True, slots=True)
class Matching:
    """Instances matched one to one. Panoptic quality: Kirillov et al., CVPR 2019, arXiv 1801.00868."""

    pairs: tuple[Match, ...]
    counts: LesionCounts

    @property
    def recognition_quality(self) -> float:
        """F1 of the matching; NaN without any instance."""
        return self.counts.f1

    @property
    def segmentation_quality(self) -> float:
        """Mean IoU of the pairs; NaN without any."""
        return sum(pair.iou for pair in self.pairs) / len(self.pairs) if self.pairs else math.nan

    @property
    def panoptic_quality(self) -> float:
        """Sum of the pairs' IoU / (pairs + (invented + missed) / 2); NaN without any instance."""
        total = len(self.pairs) + (self.counts.invented + self.counts.missed) / 2
        return sum(pair.iou for pair in self.pairs) / total if total else math.nan


def components(mask: NDArray[np.bool_], connectivity: Connectivity = "full") -> tuple[NDArray[np.int32], int]:
    """Connected components of a mask, numbered from 1, and how many; `full` is 8 in 2D and 26 in 3D."""
    structure = generate_binary_structure(mask.ndim, mask.ndim if connectivity == "full" else 1)
    return label(mask, structure=structure)


def touch_counts(prediction: ArrayLike, truth: ArrayLike, connectivity: Connectivity = "full") -> LesionCounts:
    """Lesions of two masks by touch (ISLES 2022). Raises GeometryError, InputError."""
    pair = mask_pair(prediction, truth, 1.0)
    (ours, said), (theirs, real) = (components(m != 0, connectivity) for m in (pair.prediction, pair.truth))
    both = (ours > 0) & (theirs > 0)
    hit, touching = len(np.unique(theirs[both])), len(np.unique(ours[both]))
    return LesionCounts(hit, said - touching, real - hit, said, real)


def match_lesions(
    prediction: ArrayLike,
    truth: ArrayLike,
    *,
    iou: float = 0.5,
    matcher: Matcher = "greedy",
    connectivity: Connectivity = "full",
) -> Matching:
    """The connected components of two masks, matched one to one. Raises GeometryError, InputError."""
    pair = mask_pair(prediction, truth, 1.0)
    ours, theirs = (components(m != 0, connectivity)[0] for m in (pair.prediction, pair.truth))
    return match_instances(ours, theirs, iou=iou, matcher=matcher)


def match_instances(
    prediction: ArrayLike, truth: ArrayLike, *, iou: float = 0.5, matcher: Matcher = "greedy"
) -> Matching:
    """Instances of two instance maps (0 = background) matched one to one where their IoU is at least `iou` (> 0).

    `greedy` takes pairs by falling IoU, at a tie the lower number in the truth, then in the prediction; `optimal`
    takes the assignment with the highest sum of IoU. From 0.5 up both give the same (but for ties at 0.5).
    Raises GeometryError, InputError.
    """
    if not 0 < iou <= 1:
        raise InputError(f"iou {iou}", "is not within (0, 1]", "Use the threshold of the protocol, such as 0.5.")
    pair = mask_pair(prediction, truth, 1.0)
    candidates, said, real = _candidates(pair.prediction, pair.truth)
    candidates = [c for c in candidates if c.iou >= iou]
    chosen = _greedy(candidates) if matcher == "greedy" else _optimal(candidates)
    return Matching(chosen, LesionCounts(len(chosen), said - len(chosen), real - len(chosen), said, real))


def uptake_counts(prediction: ArrayLike, truth: ArrayLike, uptake: ArrayLike, tolerance: float = 0.1) -> LesionCounts:
    """Lesions of a PET by their SUVmax (arXiv 2502.00528): a component of the prediction finds the component of the
    truth whose SUVmax is the same within `tolerance`; each lesion of the truth is found once, the nearest value first.

    `uptake` (SUV) has the masks' shape. Raises GeometryError, InputError (shape; values that are not finite).
    """
    pair = mask_pair(prediction, truth, 1.0)
    values = np.asarray(uptake, dtype=np.float64)
    if values.shape != pair.truth.shape or not np.isfinite(values).all():
        raise InputError("uptake", "has another shape than the masks or is not finite", "Pass the SUV on their grid.")
    ours, theirs = (_peaks(values, m != 0) for m in (pair.prediction, pair.truth))
    gaps = np.abs(ours[:, None] - theirs[None, :])
    close = [Match(int(p), int(t), -float(gaps[p, t])) for p, t in np.argwhere(gaps <= tolerance * (1 + 1e-9))]
    found = len(_greedy(close))
    return LesionCounts(found, len(ours) - found, len(theirs) - found, len(ours), len(theirs))


def _peaks(values: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    numbers, count = components(mask)
    peaks = np.full(count + 1, -np.inf)
    np.maximum.at(peaks, numbers[mask], values[mask])
    return peaks[1:]


def _candidates(prediction: NDArray[Any], truth: NDArray[Any]) -> tuple[list[Match], int, int]:
    """Every overlapping pair with its IoU, and the number of instances on either side."""
    ours, our_sizes = np.unique(prediction[prediction != 0], return_counts=True)
    theirs, their_sizes = np.unique(truth[truth != 0], return_counts=True)
    both = (prediction != 0) & (truth != 0)
    places = np.searchsorted(ours, prediction[both]) * max(len(theirs), 1) + np.searchsorted(theirs, truth[both])
    keys, overlaps = np.unique(places, return_counts=True)
    rows, columns = np.divmod(keys, max(len(theirs), 1))
    unions = our_sizes[rows] + their_sizes[columns] - overlaps
    pairs = [
        Match(int(ours[p]), int(theirs[t]), float(overlap / union))
        for p, t, overlap, union in zip(rows, columns, overlaps, unions, strict=True)
    ]
    return pairs, len(ours), len(theirs)


def _greedy(candidates: list[Match]) -> tuple[Match, ...]:
    chosen, ours, theirs = [], set(), set()
    for pair in sorted(candidates, key=lambda c: (-c.iou, c.truth, c.prediction)):
        if pair.prediction not in ours and pair.truth not in theirs:
            chosen.append(pair)
            ours.add(pair.prediction)
            theirs.add(pair.truth)
    return tuple(chosen)


def _optimal(candidates: list[Match]) -> tuple[Match, ...]:
    if not candidates:
        return ()
    ours = sorted({c.prediction for c in candidates})
    theirs = sorted({c.truth for c in candidates})
    table = {(c.prediction, c.truth): c for c in candidates}
    gain = np.zeros((len(ours), len(theirs)))
    for (p, t), pair in table.items():
        gain[ours.index(p), theirs.index(t)] = pair.iou
    rows, columns = linear_sum_assignment(gain, maximize=True)
    picked = (table.get((ours[r], theirs[c])) for r, c in zip(rows, columns, strict=True))
    return tuple(pair for pair in picked if pair is not None)
