"""Sets of boxes on images, and how far two boxes agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core import Box, GeometryError, InputError


@dataclass(frozen=True, slots=True, eq=False)
class BoxSet:
    """N boxes of D dimensions: truths, or detections with `scores`.

    Image and label of each (N,), `start` and `size` (N, D) in array order, `crowd` (N,) for regions of many objects
    that are not told apart, `area` (N,) that the size ranges go by (that of the mask, where known, else of the box).
    Build with `of`, `of_ranges` or `of_xywh`, which check.
    """

    images: NDArray[Any]
    labels: NDArray[Any]
    start: NDArray[np.float64]
    size: NDArray[np.float64]
    scores: NDArray[np.float64] | None
    crowd: NDArray[np.bool_]
    area: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def of(
        cls, images: ArrayLike, labels: ArrayLike, boxes: Sequence[Box], *, scores: ArrayLike | None = None
    ) -> BoxSet:
        """From boxes of the package."""
        start = np.array([box.start for box in boxes], dtype=np.float64)
        stop = np.array([box.stop for box in boxes], dtype=np.float64)
        return cls.of_ranges(images, labels, start, stop, scores=scores)

    @classmethod
    def of_ranges(
        cls,
        images: ArrayLike,
        labels: ArrayLike,
        start: ArrayLike,
        stop: ArrayLike,
        *,
        scores: ArrayLike | None = None,
        crowd: ArrayLike | None = None,
        area: ArrayLike | None = None,
    ) -> BoxSet:
        """From half-open ranges, `start` and `stop` (N, D). Raises GeometryError, InputError as `of_xywh`."""
        low, high = _rows(start), _rows(stop)
        if low.shape != high.shape:
            raise GeometryError("boxes", f"have starts {low.shape} and stops {high.shape}", "Give both as (N, D).")
        return _checked(images, labels, low, high - low, scores, crowd, area)

    @classmethod
    def of_xywh(
        cls,
        images: ArrayLike,
        labels: ArrayLike,
        boxes: ArrayLike,
        *,
        scores: ArrayLike | None = None,
        crowd: ArrayLike | None = None,
        area: ArrayLike | None = None,
    ) -> BoxSet:
        """From COCO's (x, y, width, height) (N, 4): x runs along the last array axis.

        Raises GeometryError for negative sizes and values that are not finite, InputError for lengths that differ and
        for scores that are not finite.
        """
        given = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
        return _checked(images, labels, given[:, 1::-1], given[:, 3:1:-1], scores, crowd, area)


def box_iou(first: BoxSet, second: BoxSet) -> NDArray[np.float64]:
    """Intersection over union (N, M) of every pair. A crowd box of `second` is divided by the first's size alone, as a
    detection inside a crowd is right (COCO). Boxes that only touch, or have no size, give 0."""
    _same_dimensions(first, second)
    if not len(first) or not len(second):
        return np.zeros((len(first), len(second)))
    return overlap_ratio(first.start[:, None], first.size[:, None], second.start, second.size, second.crowd)


def overlap_ratio(
    start: NDArray[np.float64],
    size: NDArray[np.float64],
    other_start: NDArray[np.float64],
    other_size: NDArray[np.float64],
    crowd: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """The same of boxes (..., D) and others (..., D) that broadcast, `crowd` (...) of the others."""
    overlap = overlap_size(start, size, other_start, other_size)
    own = np.prod(size, axis=-1)
    union = np.where(crowd, own, own + np.prod(other_size, axis=-1) - overlap)
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=overlap > 0)


def overlap_size(
    start: NDArray[np.float64],
    size: NDArray[np.float64],
    other_start: NDArray[np.float64],
    other_size: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Area or volume that boxes (..., D) share."""
    edges = np.minimum(start + size, other_start + other_size) - np.maximum(start, other_start)
    return np.prod(np.maximum(edges, 0), axis=-1)


def box_giou(first: BoxSet, second: BoxSet) -> NDArray[np.float64]:
    """Generalised IoU (N, M), -1 to 1 (H. Rezatofighi et al., CVPR 2019); NaN for two boxes without size in a line."""
    _same_dimensions(first, second)
    if not len(first) or not len(second):
        return np.zeros((len(first), len(second)))
    start, stop = first.start[:, None], (first.start + first.size)[:, None]
    overlap = overlap_size(start, first.size[:, None], second.start, second.size)
    union = np.prod(first.size, axis=1)[:, None] + np.prod(second.size, axis=1) - overlap
    hull = np.prod(
        np.maximum(stop, second.start + second.size) - np.minimum(start, second.start),
        axis=2,
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(union > 0, overlap / union, 0.0) - np.where(hull > 0, (hull - union) / hull, np.nan)


def paired_box_iou(first: BoxSet, second: BoxSet) -> NDArray[np.float64]:
    """IoU (N,) of the boxes at the same place in both; its mean is the mIoU of grounding."""
    if first.start.shape != second.start.shape:
        raise InputError("boxes", f"are {first.start.shape} and {second.start.shape}", "Give one box per phrase.")
    return overlap_ratio(first.start, first.size, second.start, second.size, np.zeros(len(second), dtype=bool))


def accuracy_at_iou(first: BoxSet, second: BoxSet, *, iou: float = 0.5) -> float:
    """Share of phrases whose one box reaches the IoU; NaN without a phrase."""
    found = paired_box_iou(first, second) >= iou
    return float(found.mean()) if len(found) else float("nan")


def mean_best_iou(found: BoxSet, truth: BoxSet) -> float:
    """Mean over found boxes of the best IoU with any truth (of one image); NaN when either is empty.

    It rewards repeating a sure box and ignores misses: report `match_boxes` beside it.
    """
    return float(box_iou(found, truth).max(axis=1).mean()) if len(found) and len(truth) else float("nan")


def _same_dimensions(first: BoxSet, second: BoxSet) -> None:
    if len(first) and len(second) and first.start.shape[1] != second.start.shape[1]:
        raise GeometryError(
            "boxes", f"have {first.start.shape[1]} and {second.start.shape[1]} dimensions", "Compare like with like."
        )


def _rows(values: ArrayLike) -> NDArray[np.float64]:
    rows = np.asarray(values, dtype=np.float64)
    if not rows.size:
        return rows.reshape(0, rows.shape[1] if rows.ndim == 2 else 2)
    if rows.ndim != 2:
        raise GeometryError("boxes", f"have shape {rows.shape}", "Give one row per box.")
    return rows


def _checked(
    images: ArrayLike,
    labels: ArrayLike,
    start: NDArray[np.float64],
    size: NDArray[np.float64],
    scores: ArrayLike | None,
    crowd: ArrayLike | None,
    area: ArrayLike | None,
) -> BoxSet:
    count = len(start)
    if not (np.isfinite(start).all() and np.isfinite(size).all() and (size >= 0).all()):
        raise GeometryError("boxes", "have a negative size or values that are not finite", "Order each range.")
    extents = np.prod(size, axis=1)
    columns = {
        "images": np.asarray(images),
        "labels": np.asarray(labels),
        "scores": np.zeros(count) if scores is None else np.asarray(scores, dtype=np.float64),
        "crowd": np.zeros(count, dtype=bool) if crowd is None else np.asarray(crowd).astype(bool),
        "area": extents if area is None else np.asarray(area, dtype=np.float64),
    }
    for name, column in columns.items():
        if column.shape != (count,):
            raise InputError(name, f"have shape {column.shape} for {count} boxes", "Give one per box.")
    for name in ("scores", "area"):
        if not np.isfinite(columns[name]).all():
            raise InputError(name, "are not all finite", "Leave out the boxes without one.")
    return BoxSet(
        columns["images"],
        columns["labels"],
        np.ascontiguousarray(start),
        np.ascontiguousarray(size),
        None if scores is None else columns["scores"],
        columns["crowd"].astype(bool),
        columns["area"],
    )
