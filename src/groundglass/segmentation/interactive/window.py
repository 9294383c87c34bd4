"""A square window of a plane: what a network with a fixed input sees, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.segmentation.interactive.grid import resized

Float = NDArray[np.float32]
Pixels = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Window:
    """`side` x `side` pixels of a plane from row `top` and column `left`; it may reach beyond the plane."""

    top: int
    left: int
    side: int

    @classmethod
    def holding(cls, pixels: Pixels, shape: tuple[int, int], *, room: float, sides: Sequence[int], step: int) -> Window:
        """The smallest of `sides` that is at least `room` times the extent of pixels (n, 2), about their middle, within
        the plane where it fits. Places are multiples of `step`: a mask that hardly changes keeps its window."""
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        wanted = room * float((high - low).max() + 1)
        side = next((s for s in sides if s >= wanted), sides[-1])
        corner = np.round(((low + high + 1) / 2 - side / 2) / step).astype(int) * step
        spare = np.array(shape) - side
        top, left = np.clip(corner, np.minimum(spare, 0) // 2, np.where(spare < 0, spare // 2, spare)).tolist()
        return cls(top, left, side)

    def cut(self, plane: Float, seen: int) -> Float:
        """(seen, seen) of a plane (H, W), whose borders are repeated beyond it; averaged where it shrinks."""
        gaps = [
            (max(0, -start), max(0, start + self.side - length))
            for start, length in zip((self.top, self.left), plane.shape, strict=True)
        ]
        top, left = self.top + gaps[0][0], self.left + gaps[1][0]
        held = np.pad(plane, gaps, mode="edge")[top : top + self.side, left : left + self.side]
        return resized(held, (seen, seen))

    def into(self, pixels: Pixels, seen: int) -> Pixels:
        """Pixels (n, 2) of the plane as those of the window, without the ones beyond it."""
        at = np.floor((pixels - (self.top, self.left) + 0.5) * seen / self.side).astype(np.intp)
        return at[((at >= 0) & (at < seen)).all(axis=1)]

    def paste(self, values: Float, shape: tuple[int, int], *, outside: float) -> Float:
        """Values (seen, seen) on a plane (H, W) that is `outside` beyond the window."""
        plane = np.full(shape, outside, dtype=np.float32)
        rows, columns = (
            slice(max(0, start), min(length, start + self.side))
            for start, length in zip((self.top, self.left), shape, strict=True)
        )
        full = resized(values, (self.side, self.side))
        plane[rows, columns] = full[
            rows.start - self.top : rows.stop - self.top, columns.start - self.left : columns.stop - self.left
        ]
        return plane

    def is_reached(self, mask: NDArray[np.bool_]) -> bool:
        """Whether a mask of the plane goes up to an edge of the window that is not one of the plane."""
        rows, columns = np.nonzero(mask)
        edges = []
        for at, start, length in ((rows, self.top, mask.shape[0]), (columns, self.left, mask.shape[1])):
            edges += [start > 0 and bool((at <= start).any())]
            edges += [start + self.side < length and bool((at >= start + self.side - 1).any())]
        return any(edges)
