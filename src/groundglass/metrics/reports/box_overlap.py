"""How far the boxes of a phrase lie in the boxes of its evidence: precision, recall and IoU of their unions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.core import InputError
from groundglass.metrics.judge.protocol import Corners

GRID = 224
"""Pixels per side of the grid on which RadFact draws boxes."""


@dataclass(frozen=True, slots=True)
class BoxOverlap:
    """Areas in common, over the first union (precision), the second (recall) and both (iou). NaN is 0/0."""

    precision: float
    recall: float
    iou: float


def grid_overlap(boxes: Sequence[Corners], evidence: Sequence[Corners]) -> BoxOverlap:
    """As RadFact draws it: on a grid of 224 x 224, corners rounded down.

    A box thinner than a pixel may be empty there; its precision is then NaN and it counts as not entailed. Where such
    boxes matter use `exact_overlap`. Raises InputError on a box that is not x0 <= x1, y0 <= y1 in [0, 1].
    """
    first, second = _drawn(boxes), _drawn(evidence)
    common = int((first & second).sum())
    return _overlap(common, int(first.sum()), int(second.sum()))


def exact_overlap(boxes: Sequence[Corners], evidence: Sequence[Corners]) -> BoxOverlap:
    """Areas of the unions without a grid: the plane is cut at every corner's coordinate. Errors as `grid_overlap`."""
    _check(boxes)
    _check(evidence)
    both = [*boxes, *evidence]
    if not both:
        return _overlap(0.0, 0.0, 0.0)
    xs = np.unique([value for box in both for value in box[::2]])
    ys = np.unique([value for box in both for value in box[1::2]])
    cells = np.outer(np.diff(xs), np.diff(ys))
    first, second = _cells(boxes, xs, ys), _cells(evidence, xs, ys)
    return _overlap(float(cells[first & second].sum()), float(cells[first].sum()), float(cells[second].sum()))


def _overlap(common: float, first: float, second: float) -> BoxOverlap:
    union = first + second - common
    return BoxOverlap(
        precision=common / first if first else math.nan,
        recall=common / second if second else math.nan,
        iou=common / union if union else math.nan,
    )


def _drawn(boxes: Sequence[Corners]) -> NDArray[np.bool_]:
    _check(boxes)
    grid = np.zeros((GRID, GRID), dtype=bool)
    for x0, y0, x1, y1 in boxes:
        grid[int(y0 * GRID) : int(y1 * GRID), int(x0 * GRID) : int(x1 * GRID)] = True
    return grid


def _cells(boxes: Sequence[Corners], xs: NDArray[np.float64], ys: NDArray[np.float64]) -> NDArray[np.bool_]:
    inside = np.zeros((len(xs) - 1, len(ys) - 1), dtype=bool)
    for x0, y0, x1, y1 in boxes:
        columns = slice(*np.searchsorted(xs, (x0, x1)))
        rows = slice(*np.searchsorted(ys, (y0, y1)))
        inside[columns, rows] = True
    return inside


def _check(boxes: Sequence[Corners]) -> None:
    for box in boxes:
        x0, y0, x1, y1 = box
        # Written so that NaN fails, too.
        if not (0 <= x0 <= x1 <= 1 and 0 <= y0 <= y1 <= 1):
            raise InputError(f"box {box}", "is not x0, y0, x1, y1 within [0, 1]", "Divide pixels by the image's size.")
