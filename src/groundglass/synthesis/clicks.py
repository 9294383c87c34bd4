"""Clicks as people set them, from a mask: anywhere, in the middle, along the border; and DeepGrow's simulated user."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
Points = NDArray[np.intp]
Metric = Literal["chessboard", "taxicab"]


def uniform_clicks(mask: Bool, rng: np.random.Generator, *, count: int = 1) -> Points:
    """(count, 2) rows and columns of random pixels of the mask; (0, 2) when it is empty."""
    inside = np.argwhere(mask)
    return inside[rng.integers(len(inside), size=count)] if len(inside) else inside


def centre_clicks(mask: Bool, rng: np.random.Generator, *, count: int = 1) -> Points:
    """(<= count, 2) the deepest pixel of components, which are drawn by their area without repetition."""
    from scipy.ndimage import distance_transform_edt, label, maximum_position

    parts, number = label(mask)
    if not number:
        return np.empty((0, 2), dtype=np.intp)
    sizes = np.bincount(parts.ravel(), minlength=number + 1)[1:]
    drawn = rng.choice(number, min(count, number), replace=False, p=sizes / sizes.sum()) + 1
    depth = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    return np.array(maximum_position(depth, parts, drawn), dtype=np.intp).reshape(-1, 2)


def border_clicks(mask: Bool, rng: np.random.Generator, *, count: int = 1, apart: float = 8.0) -> Points:
    """(<= count, 2) pixels of a random band along the inside of the border, at least `apart` pixels from each other."""
    from scipy.ndimage import gaussian_filter

    if not mask.any():
        return np.empty((0, 2), dtype=np.intp)
    outside = np.pad(~mask, 1, constant_values=True).astype(np.float32)
    blurred = np.maximum(gaussian_filter(outside, rng.uniform(5, 20), radius=16, mode="nearest"), outside)[1:-1, 1:-1]
    level = rng.uniform(blurred[mask].min(), blurred[mask].max())
    band = np.argwhere(mask & (blurred >= level))
    chosen: list[NDArray[np.intp]] = []
    for point in band[rng.permutation(len(band))]:
        if all(((point - other) ** 2).sum() >= apart**2 for other in chosen):
            chosen.append(point)
        if len(chosen) == count:
            break
    return np.array(chosen, dtype=np.intp).reshape(-1, 2)


def click_weights(mask: Bool, *, metric: Metric = "chessboard") -> NDArray[np.float64]:
    """(H, W) probability of each pixel of the mask to be clicked: proportional to exp(d) - 1, d its distance to the
    border in chamfer steps, as Sakinis et al. (arXiv 1903.08205) and MONAI's DeepGrow have it (chessboard).

    The image's edge is no border. Zeros for an empty mask. Computed relative to the deepest pixel: exp overflows past
    d = 709.
    """
    from scipy.ndimage import distance_transform_cdt

    if not mask.any():
        return np.zeros(mask.shape)
    depth = distance_transform_cdt(mask, metric=metric).astype(np.float64)
    # A mask without any outside has no border; every pixel is then as good.
    depth = np.where(depth < 0, 1.0, depth)
    deepest = depth.max()
    weight = np.where(mask, np.exp(depth - deepest) - np.exp(-deepest), 0.0)
    return weight / weight.sum()


def deep_click(mask: Bool, rng: np.random.Generator, *, metric: Metric = "chessboard") -> Points:
    """(1, 2) a click drawn by `click_weights`; (0, 2) when the mask is empty."""
    weight = click_weights(mask, metric=metric).ravel()
    if not weight.any():
        return np.empty((0, 2), dtype=np.intp)
    at = rng.choice(weight.size, p=weight)
    return np.array([np.unravel_index(at, mask.shape)], dtype=np.intp)


def first_deep_clicks(mask: Bool, rng: np.random.Generator, *, most: int = 5) -> Points:
    """(<= most, 2) DeepGrow's first clicks: one in each part, in raster order; corners join pixels."""
    from scipy.ndimage import label

    parts, count = label(mask, np.ones((3, 3)))
    clicks = [deep_click(parts == k, rng) for k in range(1, min(count, most) + 1)]
    return np.concatenate(clicks) if clicks else np.empty((0, 2), dtype=np.intp)


def discrepancy(truth: Bool, prediction: Bool) -> tuple[Bool, Bool]:
    """(missed, spilled): what a correction is about."""
    return truth & ~prediction, prediction & ~truth


def correcting_click(
    truth: Bool,
    prediction: Bool,
    rng: np.random.Generator,
    *,
    probability: float = 1.0,
    metric: Metric = "chessboard",
) -> tuple[Points, bool]:
    """DeepGrow's simulated user: one click in the larger of missed and spilled (by pixels), drawn by `click_weights`,
    and whether it is positive. With 1 - `probability`, and where nothing is wrong, no click: (0, 2).
    """
    missed, spilled = discrepancy(truth, prediction)
    positive = bool(missed.sum() >= spilled.sum())
    if rng.random() >= probability:
        return np.empty((0, 2), dtype=np.intp), positive
    return deep_click(missed if positive else spilled, rng, metric=metric), positive
