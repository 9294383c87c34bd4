"""What a user points at: clicks, scribbles, boxes. One frozen value per step, the same in 2D and 3D and on the wire."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from groundglass.core import InputError

Kind = Literal["click", "scribble", "pixels", "box", "propagate"]
Pixels = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One step of a session.

    `points` are (x, y) = (column, row) of the slice, pixel centres at whole numbers: one point of a click, the
    corners of a polyline for a scribble, loose pixels of a painted stroke ("pixels"), two opposite corners of a box.
    `slice` is the index along `axis`, both None in a flat image. "propagate" carries the prompts of all slices
    through the volume and has no points.
    """

    kind: Kind
    points: tuple[tuple[float, float], ...] = ()
    positive: bool = True
    slice: int | None = None
    axis: int | None = None

    def __post_init__(self) -> None:
        least = {"click": 1, "scribble": 1, "pixels": 1, "box": 2, "propagate": 0}
        if self.kind not in get_args(Kind):
            raise InputError(f"prompt {self.kind}", "is no kind of prompt", f"Use one of {', '.join(get_args(Kind))}.")
        if len(self.points) < least[self.kind]:
            raise InputError(f"prompt {self.kind}", f"has {len(self.points)} points", "Give its points as x, y.")
        if not all(len(point) == 2 and all(math.isfinite(v) for v in point) for point in self.points):
            raise InputError(f"prompt {self.kind}", "has a point that is not a finite x, y", "Give x, y in pixels.")


def pixels_of(prompt: Prompt, shape: tuple[int, int]) -> Pixels:
    """(n, 2) rows and columns of a click or stroke inside of a slice of `shape`, each once, in raster order.

    What lies outside is cut off, so n may be 0. A box gives its filled pixels.
    """
    if prompt.kind == "box":
        box = box_of(prompt, shape)
        grid = np.indices((max(0, box[2] - box[0]), max(0, box[3] - box[1]))).reshape(2, -1).T
        return (grid + np.array(box[:2])).astype(np.intp)
    points = np.asarray(prompt.points, dtype=np.float64).reshape(-1, 2)[:, ::-1]
    if prompt.kind == "scribble" and len(points) > 1:
        points = np.concatenate([_segment(a, b, shape) for a, b in pairwise(points)])
    whole = np.floor(points + 0.5)
    inside = ((whole >= 0) & (whole < shape)).all(axis=1)
    return np.unique(whole[inside].astype(np.intp), axis=0)


def box_of(prompt: Prompt, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Half-open (row, column, row end, column end) of a box, corners included, cut to the slice."""
    (x0, y0), (x1, y1) = prompt.points[:2]
    rows, columns = sorted((y0, y1)), sorted((x0, x1))
    top, left = (int(np.clip(np.floor(v[0] + 0.5), 0, n)) for v, n in ((rows, shape[0]), (columns, shape[1])))
    bottom, right = (int(np.clip(np.floor(v[1] + 0.5) + 1, 0, n)) for v, n in ((rows, shape[0]), (columns, shape[1])))
    return top, left, max(bottom, top), max(right, left)


def _segment(start: NDArray[np.float64], stop: NDArray[np.float64], shape: Sequence[int]) -> NDArray[np.float64]:
    """Points at most a pixel apart on the part of a line that lies within a pixel of the slice."""
    low, high = 0.0, 1.0
    way = stop - start
    for axis in range(2):
        bounds = np.array([-1.0, shape[axis]])
        if way[axis] == 0:
            if not bounds[0] <= start[axis] <= bounds[1]:
                return np.empty((0, 2))
            continue
        enter, leave = sorted((bounds - start[axis]) / way[axis])
        low, high = max(low, enter), min(high, leave)
    if low > high:
        return np.empty((0, 2))
    count = int(np.ceil(np.abs(way).max() * (high - low))) + 1
    return start + way * np.linspace(low, high, max(count, 2))[:, None]
