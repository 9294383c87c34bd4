"""Labelled slices as DeepGrow's network meets them: through a window about a structure, in another pose and look.

Sakinis et al. (arXiv 1903.08205) mirror, turn, bend and recolour their slices; the window stands for the one that
follows the mask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from groundglass.segmentation.interactive.training.samples import sampled_at
from groundglass.synthesis import deep_click, smooth_noise

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
# Pixels that a window may have a side, and how much of the structure's extent it has at least.
SMALLEST, LARGEST, LEAST_SHARE = 56, 280, 0.7
LEAST_PIXELS = 12
TURN, STRETCH, SHIFT = np.radians(20), 0.06, 0.12


@dataclass(frozen=True, eq=False)
class LabelledSlice:
    """A picture (H, W) in 256 grey values and the structures in it, as bits."""

    picture: NDArray[np.uint8]
    bits: Mapping[str, NDArray[np.uint8]]

    @classmethod
    def of(cls, picture: Float, masks: Mapping[str, Bool]) -> LabelledSlice:
        """From a picture in [0, 1] and masks (H, W)."""
        return cls((255 * picture).astype(np.uint8), {name: np.packbits(mask) for name, mask in masks.items()})

    def mask(self, name: str) -> Bool:
        """(H, W) of a structure."""
        shape = self.picture.shape
        return np.unpackbits(self.bits[name], count=self.picture.size).astype(bool).reshape(shape)


@dataclass(frozen=True)
class WindowSampler:
    """Draws a structure by its name, each as often, then a slice that has it, then a window, a pose and a look."""

    slices: Sequence[LabelledSlice]
    _having: dict[str, list[int]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for index, held in enumerate(self.slices):
            for name in held.bits:
                self._having.setdefault(name, []).append(index)

    def draw(self, rng: np.random.Generator, size: int) -> tuple[Float, Bool]:
        """A picture (size, size) in [0, 1] and its target, of at least a dozen pixels."""
        names = sorted(self._having)
        while True:
            name = names[int(rng.integers(len(names)))]
            held = self.slices[self._having[name][int(rng.integers(len(self._having[name])))]]
            picture, target = _seen(held.picture, held.mask(name), rng, size)
            if target.sum() >= LEAST_PIXELS:
                return _looked(picture, rng), target


def _seen(picture: NDArray[np.uint8], mask: Bool, rng: np.random.Generator, size: int) -> tuple[Float, Bool]:
    """A window of random width about a place in the structure, mirrored, turned, stretched and now and then bent."""
    inside = np.argwhere(mask)
    extent = float((inside.max(axis=0) - inside.min(axis=0)).max() + 1)
    least = float(np.clip(LEAST_SHARE * extent, SMALLEST, LARGEST - 1))
    side = float(np.exp(rng.uniform(np.log(least), np.log(LARGEST))))
    centre = inside.mean(axis=0) if rng.random() < 0.5 else deep_click(mask, rng)[0]
    centre = centre + rng.normal(0, SHIFT * side, 2)
    angle = rng.uniform(-TURN, TURN) * (rng.random() < 0.6)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn = turn @ np.diag(np.exp(rng.normal(0, STRETCH, 2)) * rng.choice([-1, 1], 2)) * (side / size)
    at: NDArray[Any] = np.stack(np.meshgrid(*[np.arange(size) - (size - 1) / 2] * 2, indexing="ij"))
    if rng.random() < 0.3:
        bend = rng.uniform(0.005, 0.02) * size
        at = at + bend * np.stack([smooth_noise((size, size), rng, rng.uniform(0.2, 0.5) * size) for _ in range(2)])
    places = np.tensordot(turn, at, axes=1) + centre[:, None, None]
    stack = np.stack([picture.astype(np.float32) / 255, mask.astype(np.float32)])
    if side > 1.3 * size:
        stack = gaussian_filter(stack, (0, *[0.35 * side / size] * 2))
    sampled = sampled_at(stack, places)
    return sampled[0], sampled[1] > 0.5


def _looked(picture: Float, rng: np.random.Generator) -> Float:
    """Another exposure, contrast and noise; in [0, 1]."""
    picture = picture ** float(np.exp(rng.normal(0, 0.15)))
    picture = (picture - 0.5) * float(np.exp(rng.normal(0, 0.12))) + 0.5 + float(rng.normal(0, 0.04))
    if rng.random() < 0.25:
        picture = gaussian_filter(picture, rng.uniform(0.3, 0.9))
    if rng.random() < 0.5:
        picture = picture + rng.uniform(0, 0.04) * rng.standard_normal(picture.shape, dtype=np.float32)
    return np.clip(picture, 0, 1).astype(np.float32)
