"""Test users: policies that training does not use, deterministic, so that every method gets the same strokes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
LONGEST = 40  # pixels of one stroke


def next_click(truth: Bool, prediction: Bool) -> tuple[Bool, bool] | None:
    """The deepest pixel of the largest wrong part (Sofiiuk et al., RITM, arXiv 2102.06583), and whether it belongs to
    the structure; None when nothing is wrong."""
    found = _worst(truth, prediction)
    if found is None:
        return None
    part, positive = found
    clicked = np.zeros_like(truth)
    clicked[np.unravel_index(int(_depth(part).argmax()), truth.shape)] = True
    return clicked, positive


def next_stroke(truth: Bool, prediction: Bool) -> tuple[Bool, bool] | None:
    """A stroke along the middle of the largest wrong part, at most LONGEST pixels about its deepest one, and whether it
    belongs to the structure; None when nothing is wrong."""
    found = _worst(truth, prediction)
    if found is None:
        return None
    part, positive = found
    return _middle_line(part), positive


def careful_strokes(truth: Bool) -> tuple[Bool, Bool]:
    """One set of strokes as an annotator leaves it before seeing an answer: along the middle of each larger part of the
    structure; around the structure at a distance that grows with it; and across the rest of the picture."""
    from scipy.ndimage import distance_transform_edt, label
    from skimage.morphology import skeletonize

    parts, count = label(truth)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    inside = np.zeros_like(truth)
    for part in np.flatnonzero(sizes >= max(4, 0.05 * truth.sum())):
        if part:
            inside |= _middle_line(parts == part, longest=4 * LONGEST)
    away = distance_transform_edt(~truth)
    depth = float(distance_transform_edt(truth).max())
    ring = away > np.clip(0.6 * depth, 4, 16)
    around = np.asarray(skeletonize(ring & (away <= np.clip(0.6 * depth, 4, 16) + 1.5)))
    rows, columns = np.indices(truth.shape)
    # A third of the circle is left open: nobody closes every outline.
    middle = np.argwhere(truth).mean(axis=0)
    around &= np.arctan2(rows - middle[0], columns - middle[1]) < np.pi / 3
    far = np.zeros_like(truth)
    far[np.unravel_index(int(_depth(~truth).argmax()), truth.shape)[0], truth.shape[1] // 8 : -truth.shape[1] // 8] = 1
    return inside, (around | far) & (away > 3)


def _middle_line(part: Bool, *, longest: int = LONGEST) -> Bool:
    """The `longest` pixels of the part's middle line that are nearest to its deepest pixel, and that pixel."""
    from skimage.morphology import skeletonize

    depth = _depth(part)
    start = np.array(np.unravel_index(int(depth.argmax()), part.shape))
    line = np.argwhere(np.asarray(skeletonize(part)) & (depth >= 0.4 * depth.max()))
    near = line[np.argsort(((line - start) ** 2).sum(axis=1), kind="stable")[:longest]]
    drawn = np.zeros_like(part)
    drawn[near[:, 0], near[:, 1]] = drawn[start[0], start[1]] = True
    return drawn


def _worst(truth: Bool, prediction: Bool) -> tuple[Bool, bool] | None:
    from scipy.ndimage import label

    best: tuple[int, Bool, bool] | None = None
    for wrong, positive in ((truth & ~prediction, True), (prediction & ~truth, False)):
        parts, count = label(wrong)
        if count:
            sizes = np.bincount(parts.ravel())
            sizes[0] = 0
            if best is None or sizes.max() > best[0]:
                best = int(sizes.max()), parts == sizes.argmax(), positive
    return None if best is None else best[1:]


def _depth(part: Bool) -> NDArray[np.float64]:
    from scipy.ndimage import distance_transform_edt

    return np.asarray(distance_transform_edt(np.pad(part, 1)))[1:-1, 1:-1]
