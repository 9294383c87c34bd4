"""How badly motion spoilt an MR volume, as measurements: SSIM to a motion-free self, estimated slice by slice.

The estimate comes through a door: any function from prepared slices to scores, as a rule a network of
`motion_net`. Slices with little head are not scored. The advice threshold is a site's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Image, InputError, Line, Measurement, ontology

Scorer = Callable[[NDArray[np.float32]], NDArray[np.floating]]
LEAST_HEAD = 0.10
HEAD_LEVEL = 0.05
RESCAN_BELOW = 0.75


@dataclass(frozen=True, eq=False)
class MotionScore:
    """`slices` (n,): estimated SSIM of each slice along `axis`, NaN where there was too little head. `model` says who
    estimated."""

    slices: NDArray[np.float64]
    axis: int
    model: str

    @property
    def median(self) -> float:
        return float(np.nanmedian(self.slices))

    @property
    def low(self) -> float:
        """The 10th percentile: the worst slices matter most."""
        return float(np.nanpercentile(self.slices, 10))

    def is_rescan_advised(self, below: float = RESCAN_BELOW) -> bool:
        return self.median < below

    def measurements(self, *, below: float = RESCAN_BELOW) -> tuple[Measurement, ...]:
        """Median and 10th percentile, with the lower limit and the slice that each comes nearest to."""
        made = []
        for value, how in ((self.median, "median over slices"), (self.low, "10th percentile over slices")):
            nearest = int(np.nanargmin(np.abs(self.slices - value)))
            place = [0.0, 0.0, 0.0]
            place[self.axis] = float(nearest)
            made.append(
                Measurement(
                    ontology()["motion score"], value, "1", (Line((tuple(place),), "slice"),),
                    method=f"estimated SSIM to the motion-free image, {how}, by {self.model}",
                    low=below, source="threshold of this site",
                )
            )  # fmt: skip
        return tuple(made)


def score_motion(image: Image, scorer: Scorer, *, model: str, size: int, axis: int | None = None) -> MotionScore:
    """Score the slices of a volume along `axis` (None: the one with the widest spacing, as it was acquired).

    `scorer` maps (n, size, size) slices in [0, 1] to (n,). Raises InputError for an image that is no volume, or
    without a slice that holds 10 % of head.
    """
    if not image.is_volume or image.channels != 1:
        raise InputError(image.name, "is not one volume", "Give one MR series.")
    along = int(np.argmax(image.spacing)) if axis is None else axis
    volume = np.moveaxis(np.asarray(image.array[0], dtype=np.float32), along, 0)
    top = float(np.percentile(volume, 99.9))
    scores = np.full(len(volume), np.nan)
    prepared = np.stack([prepare_slice(part, size=size, top=top) for part in volume])
    chosen = (prepared > HEAD_LEVEL).mean(axis=(1, 2)) > LEAST_HEAD
    if not chosen.any():
        raise InputError(image.name, "has no slice with 10 % of head", "Check that this is a head scan.")
    scores[chosen] = np.asarray(scorer(prepared[chosen]), dtype=np.float64)
    return MotionScore(scores, along, model)


def prepare_slice(part: NDArray[np.floating], *, size: int, top: float) -> NDArray[np.float32]:
    """(H, W) to (size, size): `top` becomes 1, the longer side fits the frame, zeros around."""
    from scipy.ndimage import zoom

    value = np.clip(np.asarray(part, dtype=np.float32) / max(top, 1e-12), 0, 1)
    factor = size / max(value.shape)
    if factor < 1:
        value = np.clip(zoom(value, factor, order=1), 0, 1)
    value = value[:size, :size]
    framed = np.zeros((size, size), dtype=np.float32)
    row, column = ((size - n) // 2 for n in value.shape)
    framed[row : row + value.shape[0], column : column + value.shape[1]] = value
    return framed


def score_class(scores: NDArray[np.floating], classes: int, *, low: float = 0.0) -> NDArray[np.int64]:
    """Class 0 (worst) to `classes` - 1 of scores in equal ranges between `low` and 1; ends belong to the outer ones."""
    if classes < 2 or not 0 <= low < 1:
        raise InputError(f"{classes} classes from {low:g}", "are no classes of scores", "Use 2 or more, low below 1.")
    edges = np.linspace(low, 1, classes + 1)[1:-1]
    return np.digitize(scores, edges).astype(np.int64)
