"""Out of focus, moved, zoomed during the exposure, or softened."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def defocus(picture: Picture, radius_and_alias: Sequence[float], _rng: np.random.Generator) -> Picture:
    """A disc of `radius` pixels whose edge is softened by a Gaussian of sigma `alias` pixels."""
    from scipy.ndimage import correlate

    kernel = disc(*radius_and_alias)
    value = picture / 255.0
    blurred = np.stack([correlate(value[..., c], kernel, mode="mirror") for c in range(value.shape[-1])], axis=-1)
    return (np.clip(blurred, 0, 1) * 255).astype(np.uint8)


def disc(radius: float, alias: float) -> NDArray[np.float64]:
    """The kernel of `defocus`, of sum 1 before its edge is softened (a disc as wide as the kernel loses a little)."""
    from scipy.ndimage import correlate1d

    reach = np.arange(-8.0, 9.0) if radius <= 8 else np.arange(-radius, radius + 1)
    flat = (reach[:, None] ** 2 + reach[None, :] ** 2 <= radius**2).astype(np.float64)
    flat /= flat.sum()
    softener = _gaussian(3 if radius <= 8 else 5, alias)
    for axis in (0, 1):
        flat = correlate1d(flat, softener, axis=axis, mode="mirror")
    return flat


def motion(picture: Picture, radius_and_sigma: Sequence[float], rng: np.random.Generator) -> Picture:
    """A trail in a random direction within 45 degrees of the rows.

    The kernel is a half Gaussian of `sigma` over 2 ceil(radius) + 1 whole-pixel steps along the line, as in
    ImageMagick's motion blur, which the authors call; this is an implementation of its own, edges repeated.
    """
    radius, sigma = radius_and_sigma
    angle = math.radians(rng.uniform(-45, 45))
    steps = np.arange(2 * math.ceil(radius) + 1)
    weights = np.exp(-0.5 * (steps / max(sigma, 1e-6)) ** 2)
    height, width = picture.shape[:2]
    total = np.zeros(picture.shape, dtype=np.float64)
    for step, weight in zip(steps, weights / weights.sum(), strict=True):
        rows = np.clip(np.arange(height) + math.ceil(step * math.sin(angle) - 0.5), 0, height - 1)
        columns = np.clip(np.arange(width) + math.ceil(step * math.cos(angle) - 0.5), 0, width - 1)
        total += weight * picture[rows[:, None], columns[None, :]]
    return np.round(total).astype(np.uint8)


def zoom(picture: Picture, last_and_step: Sequence[float], _rng: np.random.Generator) -> Picture:
    """The mean of the picture and its zooms by 1, 1 + step, ..., last about the centre."""
    last, step = last_and_step
    value = (picture / 255.0).astype(np.float32)
    factors = 1 + step * np.arange(round((last - 1) / step) + 1)
    total = value + np.sum([_enlarged(value, float(factor)) for factor in factors], axis=0)
    return (np.clip(total / (len(factors) + 1), 0, 1) * 255).astype(np.uint8)


def gaussian(picture: Picture, size: float, _rng: np.random.Generator) -> Picture:
    """A Gaussian kernel of an odd number of pixels, sigma 0.15 size + 0.35, edges mirrored."""
    from scipy.ndimage import correlate1d

    weights = _gaussian(int(size), 0.15 * int(size) + 0.35)
    value = picture.astype(np.float64)
    for axis in (0, 1):
        value = correlate1d(value, weights, axis=axis, mode="mirror")
    return np.round(value).astype(np.uint8)


def _gaussian(size: int, sigma: float) -> NDArray[np.float64]:
    line = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    return np.asarray(line / line.sum())


def _enlarged(value: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """The middle, enlarged to the whole, by linear interpolation."""
    from scipy.ndimage import zoom as enlarge

    height, width = value.shape[:2]
    part = [math.ceil(n / factor) for n in (height, width)]
    top, left = ((n - p) // 2 for n, p in zip((height, width), part, strict=True))
    grown = enlarge(value[top : top + part[0], left : left + part[1]], (factor, factor, 1), order=1)
    top, left = ((g - n) // 2 for g, n in zip(grown.shape, (height, width), strict=False))
    return np.asarray(grown[top : top + height, left : left + width])
