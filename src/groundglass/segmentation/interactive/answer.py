"""One slice: strokes in, logits and a mask out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from groundglass.segmentation.interactive.engine import Engine, View
from groundglass.segmentation.interactive.grid import Grid
from groundglass.segmentation.interactive.prompt import Pixels, Prompt, box_of

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
_NONE = np.empty((0, 2), dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Strokes:
    """What was drawn on a slice: pixels (n, 2) inside and outside of the structure, and the last box (row, column,
    row end, column end). Where strokes contradict each other the later one holds."""

    positive: Pixels = field(default_factory=lambda: _NONE)
    negative: Pixels = field(default_factory=lambda: _NONE)
    box: tuple[int, int, int, int] | None = None

    def with_prompt(self, prompt: Prompt, pixels: Pixels, shape: tuple[int, int]) -> Strokes:
        """These strokes and one more."""
        if prompt.kind == "box":
            return replace(self, box=box_of(prompt, shape))
        if prompt.positive:
            return replace(self, positive=_joined(self.positive, pixels), negative=_without(self.negative, pixels))
        return replace(self, negative=_joined(self.negative, pixels), positive=_without(self.positive, pixels))


@dataclass(frozen=True, eq=False)
class Answer:
    """Logits on the working grid (in half precision: every slice of a volume may keep them), and the mask as bits."""

    grid: Grid
    coarse: NDArray[np.float16]
    bits: NDArray[np.uint8]

    @property
    def logits(self) -> Float:
        """(H, W) on the padded working grid."""
        return self.coarse.astype(np.float32)

    @property
    def mask(self) -> Bool:
        """(rows, columns) of the slice."""
        rows, columns = self.grid.shape
        return np.unpackbits(self.bits, count=rows * columns).astype(bool).reshape(rows, columns)

    @property
    def probability(self) -> Float:
        """(rows, columns) of the slice, in [0, 1]."""
        return np.asarray(1 / (1 + np.exp(-self.grid.up(self.logits))), dtype=np.float32)


def answer_slice(engine: Engine, plane: Float, strokes: Strokes, *, before: Answer | None = None) -> Answer:
    """The engine's answer to all strokes of a slice (rows, columns), given the answer before.

    Pixels under a stroke are as the stroke says: a click on a structure of one pixel gives that pixel.
    """
    grid = Grid.of(plane.shape)
    positive, negative = grid.place(strokes.positive), grid.place(strokes.negative)
    box = np.zeros(grid.padded, dtype=np.float32)
    if strokes.box is not None:
        rows = np.zeros(plane.shape, dtype=np.float32)
        top, left, bottom, right = strokes.box
        rows[top:bottom, left:right] = 1
        box[: grid.inner[0], : grid.inner[1]] = grid.down(rows)[: grid.inner[0], : grid.inner[1]]
    previous = np.zeros(grid.padded, dtype=np.float32) if before is None else before.logits
    view = View(grid.down(plane), positive & ~negative, negative & ~positive, box, previous)
    return settled(grid, engine.logits(view), strokes)


def settled(grid: Grid, logits: Float, strokes: Strokes) -> Answer:
    """Logits as an answer, with the strokes in force."""
    coarse = np.clip(logits, -30, 30).astype(np.float16)
    mask = grid.up(coarse.astype(np.float32)) > 0
    mask[strokes.negative[:, 0], strokes.negative[:, 1]] = False
    mask[strokes.positive[:, 0], strokes.positive[:, 1]] = True
    return Answer(grid, coarse, np.packbits(mask))


def _joined(one: Pixels, other: Pixels) -> Pixels:
    return np.unique(np.concatenate([one, other]), axis=0)


def _without(one: Pixels, other: Pixels) -> Pixels:
    """Rows of `one` that are not rows of `other`."""
    if not len(one) or not len(other):
        return one
    width = int(max(one[:, 1].max(), other[:, 1].max())) + 1
    return one[~np.isin(one[:, 0] * width + one[:, 1], other[:, 0] * width + other[:, 1])]
