"""Sub-pixel outlines of masks: row edges, extents, fitted lines.

A pixel p covers [p - 0.5, p + 0.5], so a run of n pixels is n wide, whatever the picture's scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Line
from groundglass.measurement.radiographic.masks import BoolArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outline:
    """Left and right edge of a mask on each of its rows (N,): columns at pixel borders, rows at pixel centres."""

    rows: Floats
    left: Floats
    right: Floats

    @property
    def width(self) -> Floats:
        return self.right - self.left

    @property
    def centre(self) -> Floats:
        return (self.left + self.right) / 2

    def between(self, first: float, last: float) -> Outline:
        """The rows within [first, last]."""
        keep = (self.rows >= first) & (self.rows <= last)
        return Outline(self.rows[keep], self.left[keep], self.right[keep])

    @property
    def leftmost(self) -> tuple[float, float]:
        """(row, column) of the edge farthest left; the middle one of several."""
        i = middle_of(self.left == self.left.min())
        return float(self.rows[i]), float(self.left[i])

    @property
    def rightmost(self) -> tuple[float, float]:
        """(row, column) of the edge farthest right; the middle one of several."""
        i = middle_of(self.right == self.right.max())
        return float(self.rows[i]), float(self.right[i])

    @property
    def top(self) -> float:
        """The upper pixel border of the first row."""
        return float(self.rows[0]) - 0.5

    @property
    def bottom(self) -> float:
        """The lower pixel border of the last row."""
        return float(self.rows[-1]) + 0.5


def outline(mask: BoolArray) -> Outline:
    """The outline of a mask (H, W) that has at least one pixel."""
    rows = np.flatnonzero(mask.any(axis=1))
    inside = mask[rows]
    left = inside.argmax(axis=1) - 0.5
    right = mask.shape[1] - inside[:, ::-1].argmax(axis=1) - 0.5
    return Outline(rows.astype(np.float64), left.astype(np.float64), right.astype(np.float64))


def middle_of(hits: NDArray[np.bool_]) -> int:
    """The index of the middle True."""
    where = np.flatnonzero(hits)
    return int(where[len(where) // 2])


def horizontal(row: float, start: float, stop: float, name: str) -> Line:
    """A caliper along a row."""
    return Line(((row, start), (row, stop)), name)


@dataclass(frozen=True, slots=True)
class Upright:
    """The line column = offset + slope * row."""

    offset: float
    slope: float

    def column(self, row: float) -> float:
        return self.offset + self.slope * row

    def line(self, first: float, last: float, name: str) -> Line:
        return Line(((first, self.column(first)), (last, self.column(last))), name)


def fit_upright(rows: Floats, columns: Floats) -> Upright:
    """Least squares of the columns on at least two different rows."""
    slope, offset = np.polyfit(rows - rows.mean(), columns, 1)
    return Upright(float(offset - slope * rows.mean()), float(slope))
