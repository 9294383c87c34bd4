"""Flat pictures: a grid in small units, discs and ellipses by distance, and a camera's noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, Mask

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Sheet:
    """`size` x `size` pixels of `pixel` units (um for cells, mm for tissue); rows run down, columns to the right."""

    size: int
    pixel: float

    def __post_init__(self) -> None:
        if not 16 <= self.size <= 4096 or not 0 < self.pixel < 1000:
            raise ConfigurationError(
                f"{self.size} pixels of {self.pixel}", "are no picture", "Use 16 to 4096 pixels a side."
            )

    @property
    def affine(self) -> NDArray[np.float64]:
        """Rows down, columns right, in the sheet's units; a picture knows no patient axes."""
        matrix = np.eye(4)
        matrix[:2, :2] = [[0, self.pixel], [self.pixel, 0]]
        return matrix

    def around(self, row: float, column: float, reach: float) -> tuple[tuple[slice, slice], Float, Float]:
        """Window of the pixels within `reach` units of a point (pixels), with their offsets (dy, dx) in units."""
        span = reach / self.pixel + 2
        low = [max(0, int(np.floor(c - span))) for c in (row, column)]
        high = [min(self.size, int(np.ceil(c + span)) + 1) for c in (row, column)]
        dy = ((np.arange(low[0], max(high[0], low[0])) - row) * self.pixel).astype(np.float32)[:, None]
        dx = ((np.arange(low[1], max(high[1], low[1])) - column) * self.pixel).astype(np.float32)[None, :]
        return (slice(low[0], low[0] + dy.shape[0]), slice(low[1], low[1] + dx.shape[1])), dy, dx

    def coverage(self, distance: Float) -> Float:
        return np.clip(0.5 - distance / np.float32(self.pixel), 0, 1)

    def mask(self, window: tuple[slice, slice], inside: NDArray[np.bool_]) -> Mask:
        crop = Mask.of(inside, self.affine)
        offset = tuple(s.start + o for s, o in zip(window, crop.offset, strict=True))
        return Mask(crop.crop, offset, (self.size, self.size), self.affine)


def ellipse(dy: Float, dx: Float, axes: tuple[float, float], turn: float, wobble: Float | float = 0.0) -> Float:
    """Signed distance, to first order, to an ellipse with semi-axes `axes` turned by `turn` radians."""
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    a, b = (cosine * dx + sine * dy) / np.float32(axes[0]), (cosine * dy - sine * dx) / np.float32(axes[1])
    radial = np.sqrt(a**2 + b**2) + 1e-6
    steep = np.sqrt((a / axes[0]) ** 2 + (b / axes[1]) ** 2) / radial + 1e-6
    return ((radial - 1 - wobble) / steep).astype(np.float32)


def shot_noise(rng: np.random.Generator, light: Float, electrons: float, read: float = 4.0) -> Float:
    """A camera: Poisson electrons (full scale `electrons`) and read noise; light and result in [0, 1]."""
    counted = rng.poisson(np.maximum(light, 0) * electrons) + read * rng.standard_normal(light.shape)
    return np.clip(counted / electrons, 0, 1).astype(np.float32)
