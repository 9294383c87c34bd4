"""The picture of the interactive network's card: careful strokes on sets that training never saw, and answers.

    GROUNDGLASS_DATA=DATA python benchmarks/interactive_examples.py [--model NAME_OR_FOLDER] -o FILE.png

Two examples of each set whose licence allows it. Upper row: strokes inside (green) and outside (red). Lower row:
outlines of the truth (yellow) and of the answer (blue).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from groundglass.segmentation.interactive import Engine, Session, torch_engine
from groundglass.segmentation.interactive.evaluation import UNSEEN, Task, careful_strokes

SHOWN = (
    "organs (ct-organ-samples)",
    "lesions (ms-lesions-mni)",
    "cord (spinal-cord-mri)",
    "stroke (brain-mri-samples)",
)
SIDE = 192
GREEN, RED, YELLOW, BLUE = (30, 200, 30), (230, 40, 40), (250, 210, 40), (70, 160, 255)
Mark = tuple[NDArray[np.bool_], tuple[int, int, int]]


def tile(picture: NDArray[np.float32], *marks: Mark) -> NDArray[np.uint8]:
    """(SIDE, SIDE, 3): a picture in [0, 1] with its marks in colour, enlarged to fit."""
    coloured = np.repeat((255 * picture).astype(np.uint8)[..., None], 3, axis=-1)
    whole = _fitted(coloured, PIL.Image.Resampling.BILINEAR)
    for mark, colour in marks:
        whole[_fitted(255 * mark.astype(np.uint8), PIL.Image.Resampling.BOX) > 60] = colour
    return whole


def outlined(picture: NDArray[np.float32], *masks: Mark) -> NDArray[np.uint8]:
    """The same with outlines one pixel wide of masks."""
    whole = tile(picture)
    for mask, colour in masks:
        large = _fitted(255 * mask.astype(np.uint8), PIL.Image.Resampling.BILINEAR) > 127
        whole[large & ~binary_erosion(large)] = colour
    return whole


def _fitted(pixels: NDArray[np.uint8], how: PIL.Image.Resampling) -> NDArray[np.uint8]:
    zoom = SIDE / max(pixels.shape[:2])
    rows, columns = (max(1, round(n * zoom)) for n in pixels.shape[:2])
    large = np.asarray(PIL.Image.fromarray(pixels).resize((columns, rows), how))
    top, left = (SIDE - rows) // 2, (SIDE - columns) // 2
    held = np.zeros((SIDE, SIDE, *pixels.shape[2:]), dtype=np.uint8)
    held[top : top + rows, left : left + columns] = large
    return held


def column(task: Task, engine: Engine) -> NDArray[np.uint8]:
    """Strokes above, outlines below."""
    inside, outside = careful_strokes(task.truth)
    session = Session(task.picture, engine=engine)
    for strokes, is_inside in ((inside, True), (outside, False)):
        if strokes.any():
            session.scribble(strokes, is_inside)
    strokes = tile(task.picture, (outside, RED), (inside, GREEN))
    return np.concatenate([strokes, outlined(task.picture, (task.truth, YELLOW), (session.mask, BLUE))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="interactive")
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    engine, data = torch_engine(options.model), Path(os.environ["GROUNDGLASS_DATA"])
    tasks = [task for name in SHOWN for task in list(UNSEEN[name](data, 4))[::2]]
    picture = np.concatenate([column(task, engine) for task in tasks], axis=1)
    PIL.Image.fromarray(picture).save(options.out, optimize=True)


if __name__ == "__main__":
    main()
