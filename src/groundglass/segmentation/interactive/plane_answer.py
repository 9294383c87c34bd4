"""Engines that look at a slice itself, at its own size, and their answers."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ModelCitation
from groundglass.segmentation.interactive.answer import Answer, Strokes, settled
from groundglass.segmentation.interactive.grid import Grid

Float = NDArray[np.float32]


@runtime_checkable
class PlaneEngine(Protocol):
    """Logits (rows, columns) of a slice (rows, columns) in [0, 1]: above 0 is inside."""

    citation: ModelCitation

    def plane_logits(self, plane: Float, strokes: Strokes) -> Float: ...


def answer_plane(engine: PlaneEngine, plane: Float, strokes: Strokes) -> Answer:
    """The answer to all strokes of a slice, kept as the other engines' are. Pixels under a stroke are as it says."""
    grid = Grid.of((plane.shape[0], plane.shape[1]))
    return settled(grid, grid.down(engine.plane_logits(plane, strokes)), strokes)


def box_about(mask: NDArray[np.bool_]) -> Strokes:
    """The box of a mask that is not empty: what carries it to the next slice."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return Strokes(box=(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1))
