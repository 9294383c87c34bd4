"""Many thin tubes at once: round cones between pairs of points, evaluated together on small windows of a canvas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.phantoms.canvas import Canvas, Scene

Points = NDArray[np.float64]
_VOXELS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Capsules:
    """Segments from `start` to `end` (n, 3) in mm, with the radii (n,) at both ends; x left, y anterior, z cranial."""

    start: Points
    end: Points
    start_radius: NDArray[np.float64]
    end_radius: NDArray[np.float64]

    @classmethod
    def along(cls, points: Points, radii: NDArray[np.float64] | float) -> Capsules:
        """The segments of one polyline (n, 3)."""
        radius = np.broadcast_to(np.asarray(radii, dtype=float), len(points))
        return cls(points[:-1], points[1:], radius[:-1], radius[1:])

    def __len__(self) -> int:
        return len(self.start)

    def __add__(self, other: Capsules) -> Capsules:
        pairs = [(getattr(self, f), getattr(other, f)) for f in self.__dataclass_fields__]
        return Capsules(*(np.concatenate(pair) for pair in pairs))

    def thicker(self, wall: float) -> Capsules:
        """The same segments with `wall` mm more around them."""
        return Capsules(self.start, self.end, self.start_radius + wall, self.end_radius + wall)


@dataclass(frozen=True)
class Touched:
    """Voxels that tubes reach: flat `index` (unique), `distance` to the nearest wall in mm, `radius` there."""

    index: NDArray[np.int64]
    distance: NDArray[np.float32]
    radius: NDArray[np.float32]


def touched(canvas: Canvas, tubes: Capsules, *, margin: float | None = None) -> Touched:
    """The voxels within `margin` mm (half a voxel) outside of any tube."""
    reach = canvas.voxel / 2 if margin is None else margin
    parts = list(_evaluate(canvas, _short(tubes, 8 * canvas.voxel), reach))
    if not parts:
        return Touched(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.float32))
    index, distance, radius = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((distance, index))
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.diff(index[order]) != 0
    kept = order[first]
    return Touched(index[kept], distance[kept], radius[kept])


def paint_tubes(scene: Scene, tubes: Capsules, value: float | NDArray[np.float32], name: str | None = None) -> Touched:
    """Mix `value` into the voxels of the tubes; a tube thinner than a voxel fills the share of its section."""
    found = touched(scene.canvas, tubes)
    share = scene.coverage(found.distance) * _section(found.radius, np.float32(scene.canvas.voxel))
    values = scene.values.reshape(-1)
    values[found.index] += share * (value - values[found.index])
    if name is not None:
        scene.labels.reshape(-1)[found.index[found.distance < 0]] = scene.number(name)
    return found


def _section(radius: NDArray[np.float32], voxel: np.float32) -> NDArray[np.float32]:
    """What the linear ramp of one voxel adds to a disc's area, taken out again: its integral is then pi r^2."""
    thin = 3 * radius**2 * voxel / (radius + voxel / 2) ** 3
    thick = radius**2 / (radius**2 + voxel**2 / 12)
    return np.where(radius < voxel / 2, thin, np.where(radius < 2 * voxel, thick, 1)).astype(np.float32)


def _short(tubes: Capsules, longest: float) -> Capsules:
    """Segments cut to at most `longest` mm, so that their windows hold little else."""
    parts = np.maximum(np.ceil(np.linalg.norm(tubes.end - tubes.start, axis=1) / longest), 1).astype(int)
    which = np.repeat(np.arange(len(tubes)), parts)
    number = np.arange(len(which)) - np.repeat(np.cumsum(parts) - parts, parts)
    low, high = number / parts[which], (number + 1) / parts[which]

    def between(a: NDArray[np.float64], b: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
        weight = t.reshape(-1, *(1,) * (a.ndim - 1))
        return a[which] * (1 - weight) + b[which] * weight

    ends = [between(tubes.start, tubes.end, t) for t in (low, high)]
    radii = [between(tubes.start_radius, tubes.end_radius, t) for t in (low, high)]
    return Capsules(ends[0], ends[1], radii[0], radii[1])


def _evaluate(
    canvas: Canvas, tubes: Capsules, reach: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]]:
    one, two = canvas.index(tubes.start), canvas.index(tubes.end)
    around = (np.maximum(tubes.start_radius, tubes.end_radius) + reach)[:, None] / np.array(canvas.spacing)
    low = np.floor(np.minimum(one, two) - around).astype(int)
    size = np.ceil(np.maximum(one, two) + around).astype(int) - low + 1
    seen = ((low + size > 0) & (low < canvas.shape)).all(axis=1)
    # Windows of like size are evaluated together; sizes grow by steps, so that little is computed in vain.
    edge = np.maximum(4 * np.ceil(size.max(axis=1) / 4).astype(int), 4)
    for side in np.unique(edge[seen]):
        chosen = np.flatnonzero(seen & (edge == side))
        for first in range(0, len(chosen), max(1, _VOXELS_AT_ONCE // int(side) ** 3)):
            some = chosen[first : first + max(1, _VOXELS_AT_ONCE // int(side) ** 3)]
            yield _batch(canvas, tubes, one[some], some, low[some], size[some].max(axis=0), reach)


def _batch(
    canvas: Canvas,
    tubes: Capsules,
    first: NDArray[np.float64],
    some: NDArray[np.int64],
    low: NDArray[np.int64],
    side: NDArray[np.int64],
    reach: float,
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    ways = ((tubes.end - tubes.start)[some] * [-1, 1, 1]).astype(np.float32)
    count = len(some)
    square = np.zeros((count, *side), dtype=np.float32)
    along = np.zeros((count, *side), dtype=np.float32)
    flat = np.zeros((count, *side), dtype=np.int64)
    inside = np.ones((count, *side), dtype=bool)
    for axis in range(3):
        index = low[:, axis, None] + np.arange(side[axis])
        form = [count, 1, 1, 1]
        form[axis + 1] = int(side[axis])
        apart = ((index - first[:, axis, None]) * canvas.spacing[axis]).astype(np.float32)
        square += (apart**2).reshape(form)
        along += (apart * ways[:, axis, None]).reshape(form)
        inside &= ((index >= 0) & (index < canvas.shape[axis])).reshape(form)
        flat = flat * canvas.shape[axis] + index.reshape(form)
    length = np.maximum((ways**2).sum(axis=1), 1e-6).reshape(-1, 1, 1, 1)
    place = np.clip(along / length, 0, 1)
    apart = np.sqrt(np.maximum(square - 2 * place * along + place**2 * length, 0))
    start, end = (r[some].astype(np.float32).reshape(-1, 1, 1, 1) for r in (tubes.start_radius, tubes.end_radius))
    radius = start + place * (end - start)
    distance = apart - radius
    kept = inside & (distance < reach)
    return flat[kept], distance[kept], radius[kept]
