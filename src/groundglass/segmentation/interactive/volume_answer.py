"""The whole volume at once: prompts as clicks, logits as the answers of the slices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from groundglass.core import Image, UnsupportedError
from groundglass.segmentation.interactive.answer import Answer, Strokes, settled
from groundglass.segmentation.interactive.grid import Grid
from groundglass.segmentation.interactive.planes import Planes
from groundglass.segmentation.interactive.prompt import Prompt
from groundglass.segmentation.interactive.volume_engine import Click, VolumeEngine


def answer_volume(
    engine: VolumeEngine, image: Image, planes: Planes, prompts: Iterable[Prompt], strokes: Mapping[int, Strokes]
) -> dict[int, Answer]:
    """Answers of every slice that the mask or a stroke touches. A stroke counts as one click, at its middle.

    Raises UnsupportedError for a flat image, and for boxes.
    """
    if planes.axis is None or not image.is_volume:
        raise UnsupportedError(image.name, "is no volume, and the model answers volumes", "Use another model.")
    logits = engine.volume_logits(image, [click_of(prompt, planes) for prompt in prompts if prompt.kind != "propagate"])
    slices = np.moveaxis(logits, planes.axis, 0)
    touched = {int(k) for k in np.flatnonzero((slices > 0).any(axis=(1, 2)))} | set(strokes)
    grid = Grid.of(planes.shape)
    return {k: settled(grid, grid.down(slices[k]), strokes.get(k, Strokes())) for k in sorted(touched)}


def click_of(prompt: Prompt, planes: Planes) -> Click:
    """The marked voxel nearest to the middle of a prompt, and whether it is inside."""
    if prompt.kind == "box":
        raise UnsupportedError("box", "is not understood by this model", "Click or draw strokes.")
    assert planes.axis is not None
    voxels = np.concatenate([np.insert(at, planes.axis, k, axis=1) for k, at in planes.pixels(prompt).items()])
    middle = voxels[((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    return (int(middle[0]), int(middle[1]), int(middle[2])), prompt.positive
