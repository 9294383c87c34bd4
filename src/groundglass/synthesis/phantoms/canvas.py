"""A voxel grid in the patient, and a scene that closed shapes are painted into, anti-aliased from their distance.

Shapes live in mm with x to the patient's left, y anterior and z cranial (the axes of `synthesis.thorax`). The grid's
first index runs to the patient's right, so that its affine to RAS+ mm is diagonal and positive. A shape is a
function whose value is negative inside and grows by about 1 per mm across its surface; it is evaluated on the window
of the grid that can hold it, never on the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, Mask

Float = NDArray[np.float32]
Window = tuple[slice, slice, slice]
Corner = tuple[float, float, float]
Shape = Callable[[Float, Float, Float], Float]
"""Signed distance in mm at x, y, z (arrays that broadcast), negative inside."""


@dataclass(frozen=True)
class Canvas:
    """`shape` voxels of `spacing` mm; `corner` is the RAS+ position in mm of the centre of voxel (0, 0, 0)."""

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    corner: tuple[float, float, float]

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 8 or max(self.shape) > 1024:
            raise ConfigurationError(f"shape {self.shape}", "is not a grid to paint on", "Use 8 to 1024 voxels a side.")
        if len(self.spacing) != 3 or not all(0.05 <= s <= 20 for s in self.spacing):
            raise ConfigurationError(f"spacing {self.spacing}", "is no voxel size in mm", "Use 0.05 to 20 mm.")

    @classmethod
    def covering(
        cls, low: Corner, high: Corner, shape: tuple[int, int, int], spacing: tuple[float, float, float] | None = None
    ) -> Canvas:
        """The grid of `shape` whose outer faces are the corners (x left, y anterior, z cranial); `spacing` keeps the
        middle and sets the voxels."""
        size = spacing or tuple((b - a) / n for a, b, n in zip(low, high, shape, strict=True))
        middle = [-(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2]
        corner = tuple(float(m - (n - 1) / 2 * s) for m, n, s in zip(middle, shape, size, strict=True))
        return cls(tuple(int(n) for n in shape), tuple(float(s) for s in size), corner)  # type: ignore[arg-type]

    @property
    def affine(self) -> NDArray[np.float64]:
        """(4, 4), indices to RAS+ mm."""
        matrix = np.diag([*self.spacing, 1.0])
        matrix[:3, 3] = self.corner
        return matrix

    @property
    def voxel(self) -> float:
        """Side in mm of a cube of the voxels' volume."""
        return float(np.prod(self.spacing)) ** (1 / 3)

    @property
    def voxel_ml(self) -> float:
        return float(np.prod(self.spacing)) / 1000

    @cached_property
    def axes(self) -> tuple[Float, Float, Float]:
        """x (n, 1, 1), y (1, n, 1) and z (1, 1, n) of the voxel centres in mm."""
        rows = [c + s * np.arange(n) for c, s, n in zip(self.corner, self.spacing, self.shape, strict=True)]
        x, y, z = (row.astype(np.float32) for row in (-rows[0], rows[1], rows[2]))
        return x[:, None, None], y[None, :, None], z[None, None, :]

    def index(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., 3) mm -> voxel coordinates."""
        ras = np.asarray(points, dtype=np.float64) * [-1, 1, 1]
        return (ras - self.corner) / self.spacing

    def window(self, low: NDArray[np.float64] | Corner, high: NDArray[np.float64] | Corner) -> Window:
        """The voxels whose centres lie within half a voxel diagonal of the box between two corners in mm."""
        one, two = self.index(np.asarray(low)), self.index(np.asarray(high))
        start = np.clip(np.floor(np.minimum(one, two) - 1), 0, self.shape).astype(int)
        stop = np.clip(np.ceil(np.maximum(one, two) + 2), 0, self.shape).astype(int)
        return tuple(slice(int(a), max(int(a), int(b))) for a, b in zip(start, stop, strict=True))  # type: ignore[return-value]

    def coordinates(self, window: Window) -> tuple[Float, Float, Float]:
        """x, y, z of a window, each along its own axis alone, for broadcasting."""
        x, y, z = self.axes
        return x[window[0]], y[:, window[1]], z[:, :, window[2]]

    @property
    def whole(self) -> Window:
        return tuple(slice(0, n) for n in self.shape)  # type: ignore[return-value]


def rounded_maximum(one: Float, two: Float, width: float) -> Float:
    """The maximum of two distances, its edge rounded over `width` mm: the overlap of two shapes without a crease."""
    crease = np.maximum(np.float32(width) - np.abs(one - two), 0)
    return np.maximum(one, two) + crease * crease / np.float32(4 * width)


@dataclass
class Scene:
    """What is painted so far: `values` (HU, uptake, ...) and the number of the structure on top of each voxel.

    Layers are painted from the back to the front; a structure's mask holds the voxels whose centre lies in it and on
    which nothing was painted later, so that the masks of structures do not overlap.
    """

    canvas: Canvas
    background: float
    values: Float = field(init=False)
    labels: NDArray[np.uint8] = field(init=False)
    names: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values = np.full(self.canvas.shape, self.background, dtype=np.float32)
        self.labels = np.zeros(self.canvas.shape, dtype=np.uint8)

    def number(self, name: str) -> int:
        """The label of a structure, made at its first use."""
        if name not in self.names:
            if len(self.names) == 255:
                raise ConfigurationError(name, "is the 256th structure of a scene", "Paint fewer.")
            self.names[name] = len(self.names) + 1
        return self.names[name]

    def coverage(self, distance: Float) -> Float:
        """Share of each voxel that lies inside, from the distance of its centre."""
        return np.clip(0.5 - distance / np.float32(self.canvas.voxel), 0, 1)

    def paint(self, window: Window, distance: Float, value: float | Float, name: str | None = None) -> Float:
        """Mix `value` into a window by coverage and put the structure `name` on top; the coverage."""
        share = self.coverage(distance)
        self.blend(window, share, value)
        if name is not None:
            self.labels[window][distance < 0] = self.number(name)
        return share

    def blend(self, window: Window, share: Float, value: float | Float) -> None:
        """Mix `value` into a window by given shares; labels stay."""
        held = self.values[window]
        held += share * (value - held)

    def mask(self, *names: str) -> Mask:
        """The visible voxels of one structure, or of several together (empty when none was painted)."""
        numbers = [self.names[name] for name in names if name in self.names]
        wanted = np.zeros(256, dtype=bool)
        wanted[numbers] = True
        return Mask.of(wanted[self.labels], self.canvas.affine)

    def masks(self) -> dict[str, Mask]:
        """Every structure with at least one visible voxel, by name, each found in one pass over its box."""
        from scipy.ndimage import find_objects

        found: dict[str, Mask] = {}
        boxes = find_objects(self.labels, max_label=len(self.names)) if self.names else []
        for name, number in self.names.items():
            box = boxes[number - 1]
            if box is not None:
                crop = self.labels[box] == number
                found[name] = Mask(crop, tuple(s.start for s in box), self.canvas.shape, self.canvas.affine)
        return found
