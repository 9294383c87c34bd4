"""Augmentations that know no modality, to compare with: TrivialAugment and AugMix.

Müller and Hutter, TrivialAugment, ICCV 2021 (wide space); Hendrycks et al., AugMix, ICLR 2020 (without its consistency
loss). Pictures are 8-bit (H, W) or (H, W, 3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

Picture = NDArray[np.uint8]
Operation = Callable[[Image.Image, float], Image.Image]


def _turn(matrix: Callable[[float, Image.Image], tuple[float, ...]]) -> Operation:
    def apply(image: Image.Image, strength: float) -> Image.Image:
        return image.transform(image.size, Image.Transform.AFFINE, matrix(strength, image), Image.Resampling.BILINEAR)

    return apply


# Strength in [-1, 1]; geometry goes to the wide space's ends (shear 0.99, shift 32 of 224 pixels, 135 degrees).
GEOMETRY: Mapping[str, Operation] = {
    "shear x": _turn(lambda s, _i: (1, 0.99 * s, 0, 0, 1, 0)),
    "shear y": _turn(lambda s, _i: (1, 0, 0, 0.99 * s, 1, 0)),
    "shift x": _turn(lambda s, i: (1, 0, s * i.width / 7, 0, 1, 0)),
    "shift y": _turn(lambda s, i: (1, 0, 0, 0, 1, s * i.height / 7)),
    "rotate": lambda image, s: image.rotate(135 * s, Image.Resampling.BILINEAR),
}
TONE: Mapping[str, Operation] = {
    "posterise": lambda image, s: ImageOps.posterize(image, round(8 - 6 * abs(s))),
    "solarise": lambda image, s: ImageOps.solarize(image, int(256 - 256 * abs(s))),
    "autocontrast": lambda image, _s: ImageOps.autocontrast(image),
    "equalise": lambda image, _s: ImageOps.equalize(image),
}
ENHANCE: Mapping[str, Operation] = {
    "brightness": lambda image, s: ImageEnhance.Brightness(image).enhance(1 + 0.99 * s),
    "contrast": lambda image, s: ImageEnhance.Contrast(image).enhance(1 + 0.99 * s),
    "sharpness": lambda image, s: ImageEnhance.Sharpness(image).enhance(1 + 0.99 * s),
}
TRIVIAL = tuple({**GEOMETRY, **TONE, **ENHANCE}.values())
# AugMix leaves out what its test set contains: brightness, contrast and sharpness.
MIXED = tuple({**GEOMETRY, **TONE}.values())
MIX_STRENGTH = 0.3


def trivial_augment(picture: Picture, rng: np.random.Generator) -> Picture:
    """One operation, or none, at a strength drawn uniformly."""
    number = int(rng.integers(len(TRIVIAL) + 1))
    strength = float(rng.uniform(-1, 1))
    if number == len(TRIVIAL):
        return picture
    return np.asarray(TRIVIAL[number](Image.fromarray(picture), strength))


def augmix(picture: Picture, rng: np.random.Generator, *, chains: int = 3, depth: int = 3) -> Picture:
    """A mixture of `chains` chains of 1 to `depth` mild operations (Dirichlet(1) weights), mixed with the picture
    (Beta(1, 1))."""
    weights, share = rng.dirichlet(np.ones(chains)), float(rng.beta(1, 1))
    total = np.zeros(picture.shape)
    for weight in weights:
        image = Image.fromarray(picture)
        for _ in range(int(rng.integers(1, depth + 1))):
            image = MIXED[int(rng.integers(len(MIXED)))](image, float(rng.uniform(-MIX_STRENGTH, MIX_STRENGTH)))
        total += weight * np.asarray(image)
    return np.round((1 - share) * picture + share * total).astype(np.uint8)
