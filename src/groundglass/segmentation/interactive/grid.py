"""From a slice to the grid on which prompts are answered, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

Float = NDArray[np.float32]
# The longest side of the working grid, how far a small image is enlarged, and what both sides are a multiple of.
SIZE = 256
LARGEST_ZOOM = 4.0
STRIDE = 32


@dataclass(frozen=True, slots=True)
class Grid:
    """A slice of `shape` seen on `inner` working pixels, padded at its end to `padded` (multiples of STRIDE)."""

    shape: tuple[int, int]
    inner: tuple[int, int]
    padded: tuple[int, int]

    @classmethod
    def of(cls, shape: tuple[int, int], size: int = SIZE) -> Grid:
        zoom = min(size / max(shape), LARGEST_ZOOM)
        rows, columns = (max(1, round(n * zoom)) for n in shape)
        return cls(shape, (rows, columns), (_padded(rows), _padded(columns)))

    def down(self, plane: Float) -> Float:
        """A slice on the padded working grid, borders repeated."""
        small = resized(plane, self.inner)
        gaps = [(0, p - n) for p, n in zip(self.padded, self.inner, strict=True)]
        return np.pad(small, gaps, mode="edge")

    def up(self, values: Float) -> Float:
        """Working values back on the slice, bilinearly."""
        return resized(values[: self.inner[0], : self.inner[1]], self.shape)

    def place(self, pixels: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Pixels (n, 2) of the slice on the padded working grid: each marks every working pixel that it covers."""
        marked = np.zeros(self.padded, dtype=bool)
        ratio = np.array(self.inner) / np.array(self.shape)
        first = np.floor(pixels * ratio + 1e-9).astype(np.intp)
        last = (
            np.maximum(first + 1, np.ceil((pixels + 1) * ratio - 1e-9).astype(np.intp))
            if (ratio > 1).any()
            else first + 1
        )
        for rows in range(int((last - first)[:, 0].max(initial=0))):
            for columns in range(int((last - first)[:, 1].max(initial=0))):
                at = first + np.array([rows, columns])
                at = at[(at < last).all(axis=1)]
                marked[at[:, 0], at[:, 1]] = True
        return marked


def resized(plane: Float, shape: tuple[int, int]) -> Float:
    """Bilinear, with averaging where it shrinks."""
    if plane.shape == shape:
        return plane
    picture = PIL.Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    return np.asarray(picture.resize((shape[1], shape[0]), PIL.Image.Resampling.BILINEAR))


def _padded(length: int) -> int:
    return -(-length // STRIDE) * STRIDE
