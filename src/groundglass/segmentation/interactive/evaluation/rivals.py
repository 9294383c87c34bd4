"""Classical methods with the same strokes: random walker, GrabCut, region growing.

Where there is no negative stroke yet, the picture's border stands in for one: without it a random walker and GrabCut
call everything inside.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]


def random_walker(picture: Float, positive: Bool, negative: Bool) -> Bool:
    """scikit-image's random walker (Grady 2006) with its own settings."""
    from skimage.segmentation import random_walker as walk

    seeds = np.where(positive, 1, np.where(_outside(positive, negative), 2, 0))
    return np.asarray(walk(picture, seeds, beta=130, mode="cg_j", tol=1e-3) == 1)


def grab_cut(picture: Float, positive: Bool, negative: Bool) -> Bool:
    """OpenCV's GrabCut (Rother et al. 2004), five rounds, from the strokes as certain pixels; what lies in the strokes'
    bounding box is probably inside."""
    import cv2

    marks = np.full(picture.shape, cv2.GC_PR_BGD, np.uint8)
    if positive.any():
        rows, columns = np.flatnonzero(positive.any(axis=1)), np.flatnonzero(positive.any(axis=0))
        marks[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = cv2.GC_PR_FGD
    marks[_outside(positive, negative)] = cv2.GC_BGD
    marks[positive] = cv2.GC_FGD
    if not positive.any():
        return np.zeros_like(positive)
    cv2.setRNGSeed(0)
    bytes_ = (255 * picture).astype(np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.repeat(bytes_[..., None], 3, axis=2), marks, None, *models, 5, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    return np.asarray((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD))


def region_growing(picture: Float, positive: Bool, negative: Bool) -> Bool:
    """Connected pixels within 2.5 standard deviations (at least 5 % of the range) of the positive strokes' mean, up to
    the pixels that are nearer in grey value to the negative strokes' mean."""
    from scipy.ndimage import label

    if not positive.any():
        return np.zeros_like(positive)
    centre, spread = float(picture[positive].mean()), max(float(picture[positive].std()), 0.02)
    near = np.abs(picture - centre) <= max(2.5 * spread, 0.05)
    if negative.any():
        near &= np.abs(picture - centre) <= np.abs(picture - float(picture[negative].mean()))
    near = (near & ~negative) | positive
    parts, _ = label(near)
    kept = np.unique(parts[positive])
    return np.asarray(np.isin(parts, kept[kept > 0]))


def _outside(positive: Bool, negative: Bool) -> Bool:
    if negative.any():
        return negative & ~positive
    border = np.ones_like(positive)
    border[1:-1, 1:-1] = False
    return border & ~positive


RIVALS: dict[str, Callable[[Float, Bool, Bool], Bool]] = {
    "random walker": random_walker,
    "GrabCut": grab_cut,
    "region growing": region_growing,
}
