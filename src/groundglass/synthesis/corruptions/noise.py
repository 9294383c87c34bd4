"""Noise on values in [0, 1], each channel by itself, cut off to 8 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def gaussian(picture: Picture, spread: float, rng: np.random.Generator) -> Picture:
    """x + N(0, spread)."""
    value = picture / 255.0
    return _stored(value + rng.normal(0, spread, value.shape))


def speckle(picture: Picture, spread: float, rng: np.random.Generator) -> Picture:
    """x + x N(0, spread)."""
    value = picture / 255.0
    return _stored(value + value * rng.normal(0, spread, value.shape))


def salt_and_pepper(picture: Picture, amount: float, rng: np.random.Generator) -> Picture:
    """A share `amount` of the values becomes 0 or 1, evenly."""
    value = picture / 255.0
    hit, white = rng.random(value.shape) <= amount, rng.random(value.shape) <= 0.5
    return _stored(np.where(hit, white, value))


def shot(picture: Picture, photons: float, rng: np.random.Generator) -> Picture:
    """Poisson(x photons) / photons."""
    return _stored(rng.poisson(picture / 255.0 * photons) / photons)


def _stored(value: NDArray[np.floating]) -> Picture:
    return (np.clip(value, 0, 1) * 255).astype(np.uint8)
