"""Exposure and colour: brightness, contrast, saturation, gamma."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

Picture = NDArray[np.uint8]


def brightness(picture: Picture, factor: float, _rng: np.random.Generator) -> Picture:
    """Blend with black: 0 is black, 1 the picture, above 1 brighter."""
    return np.asarray(ImageEnhance.Brightness(Image.fromarray(picture)).enhance(factor))


def contrast(picture: Picture, factor: float, _rng: np.random.Generator) -> Picture:
    """Blend with the mean grey: 0 is grey, 1 the picture, above 1 harder."""
    return np.asarray(ImageEnhance.Contrast(Image.fromarray(picture)).enhance(factor))


def saturation(picture: Picture, added: float, _rng: np.random.Generator) -> Picture:
    """`added` to the saturation in HSV."""
    from skimage.color import hsv2rgb, rgb2hsv

    hsv = rgb2hsv(picture / 255.0)
    hsv[..., 1] = np.clip(hsv[..., 1] + added, 0, 1)
    return (np.clip(hsv2rgb(hsv), 0, 1) * 255).astype(np.uint8)


def gamma(picture: Picture, exponent: float, _rng: np.random.Generator) -> Picture:
    """x ^ exponent by a table of 256 values, each the whole number below 255.999 x ^ exponent."""
    table = ((256 - 1e-3) * (np.arange(256) / 255.0) ** exponent).astype(np.uint8)
    return np.asarray(table[picture])
