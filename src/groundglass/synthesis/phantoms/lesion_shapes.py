"""Closed shapes of lesions whose measures are known without a grid: ellipsoids, spicules, wavy surfaces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.phantoms.canvas import Canvas, Corner, Float, Window
from groundglass.synthesis.phantoms.capsules import Capsules, Points


@dataclass(frozen=True)
class Ellipsoid:
    """Semi-axes `axes` (mm) along the columns of `turn`; `centre` in mm, x left, y anterior, z cranial."""

    centre: Corner
    axes: Corner
    turn: NDArray[np.float64]

    @classmethod
    def random(
        cls, rng: np.random.Generator, centre: Points, long_axis: float, *, roundness: float = 0.68
    ) -> Ellipsoid:
        """An ellipsoid whose longest axial diameter is `long_axis` mm, the others from `roundness` to 1 times that."""
        axes = np.array([1.0, rng.uniform(roundness, 1), rng.uniform(roundness, 1)])
        turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        made = cls(tuple(map(float, centre)), tuple(map(float, axes)), turn)  # type: ignore[arg-type]
        grown = tuple(float(a * long_axis / made.axial[0]) for a in axes)
        return cls(made.centre, grown, turn)  # type: ignore[arg-type]

    @cached_property
    def axial(self) -> tuple[float, float]:
        """Longest diameter in an axial plane, and the widest extent square to it, in mm.

        Parallel sections of an ellipsoid are alike, so the central one is the largest: x'Qx = 1 with the upper left
        block of Q.
        """
        form = self.turn @ np.diag(1 / np.square(self.axes)) @ self.turn.T
        values = np.linalg.eigvalsh(form[:2, :2])
        return 2 / float(np.sqrt(values[0])), 2 / float(np.sqrt(values[1]))

    @property
    def volume(self) -> float:
        """mL."""
        return float(4 / 3 * np.pi * np.prod(self.axes) / 1000)

    @property
    def reach(self) -> NDArray[np.float64]:
        """Half the side of the box along x, y and z, mm."""
        return np.sqrt(((self.turn * np.array(self.axes)) ** 2).sum(axis=1))

    def window(self, canvas: Canvas, *, margin: float = 3.0) -> Window:
        reach = self.reach + margin
        return canvas.window(np.array(self.centre) - reach, np.array(self.centre) + reach)

    def distance(self, x: Float, y: Float, z: Float) -> Float:
        """To first order in mm: r (r - 1) / |grad|, exact on the surface and at its normal."""
        shift = (x - np.float32(self.centre[0]), y - np.float32(self.centre[1]), z - np.float32(self.centre[2]))
        square, steep = np.float32(0), np.float32(0)
        for axis in range(3):
            column = self.turn[:, axis].astype(np.float32)
            along = column[0] * shift[0] + column[1] * shift[1] + column[2] * shift[2]
            scaled = along / np.float32(self.axes[axis])
            square = square + scaled**2
            steep = steep + (scaled / np.float32(self.axes[axis])) ** 2
        radial = np.sqrt(square)
        return (radial * (radial - 1) / np.sqrt(np.maximum(steep, 1e-12))).astype(np.float32)

    def spicules(self, rng: np.random.Generator, *, count: int = 14) -> Capsules:
        """Fine strands from the surface outwards; they belong to the picture, not to the diameter."""
        ways = rng.standard_normal((count, 3))
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        foot = np.array(self.centre) + (ways * np.array(self.axes)) @ self.turn.T
        length = rng.uniform(0.35, 0.8, (count, 1)) * min(self.axes)
        out = (foot - self.centre) / np.linalg.norm(foot - self.centre, axis=1, keepdims=True)
        return Capsules(foot - 1.0 * out, foot + length * out, np.full(count, 0.9), np.full(count, 0.2))


def waves(rng: np.random.Generator, x: Float, y: Float, z: Float, *, length: float, height: float) -> Float:
    """A smooth wavy field of about +-`height` mm: five plane waves of about `length` mm; the same on every grid."""
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), dtype=np.float32)
    for _ in range(5):
        way = rng.standard_normal(3)
        way *= 2 * np.pi / (length * rng.uniform(0.7, 1.4)) / np.linalg.norm(way)
        phase = np.float32(rng.uniform(0, 2 * np.pi))
        total += np.sin(np.float32(way[0]) * x + np.float32(way[1]) * y + np.float32(way[2]) * z + phase)
    return np.float32(height / 1.6) * total
