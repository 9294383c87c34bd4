"""What one item is made with, drawn apart from being applied: a deformation, and for each image its artefacts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.brain_artefacts import Artefacts
from groundglass.synthesis.brain_deformation import HALF_BRAIN_MM, rotation
from groundglass.synthesis.fields import coarse_noise
from groundglass.synthesis.resolution import Resolution, draw_resolution

IMAGES = 4
PHOTO_PROBABILITY = 0.2
# Standard deviation of the log bias, nodes of its grid per voxel, standard deviation of log gamma and of the noise.
_MILD = ((0.0, 0.02), (0.01, 0.02), 0.01, (0.0, 0.02))
_SEVERE = ((0.1, 0.6), (0.02, 0.04), 0.1, (5.0, 15.0))


@dataclass(frozen=True)
class Placement:
    """Where the patch lies in the subject: `matrix` (3x3) and `centre` (MNI mm), then `field` (3, *coarse) voxels.

    With `integrated` the field is a velocity, whose flow is invertible. `flip` mirrors left and right.
    """

    matrix: NDArray[np.float64]
    centre: NDArray[np.float64]
    field: NDArray[np.float32]
    integrated: bool
    flip: bool


@dataclass(frozen=True)
class Acquisition:
    """How one image was taken. `seed` is that of its contrast and of all noise in it."""

    artefacts: Artefacts
    resolution: Resolution
    seed: int
    severe: bool


@dataclass(frozen=True)
class ItemDraw:
    """One item: everything that `render_item` needs beside the subject. `photo`: slabs of a brain out of its skull."""

    shape: tuple[int, int, int]
    placement: Placement
    photo: bool
    acquisitions: tuple[Acquisition, ...]


def draw_item(
    rng: np.random.Generator, shape: tuple[int, int, int], *, images: int = IMAGES, integrated: bool = False
) -> ItemDraw:
    """Draw an item of patches of `shape` voxels of 1 mm. The first half of its `images` is mild, the rest severe."""
    placement = draw_placement(rng, shape, integrated=integrated)
    photo = bool(rng.random() < PHOTO_PROBABILITY)
    spacing = float(rng.uniform(2, 12))
    taken = []
    for number in range(images):
        severe = number >= (images + 1) // 2
        # A photograph shows the face of a slab: thin where it is sharp, far from the next.
        slabs = Resolution((1.0, spacing, 1.0), (1.0, 0.1, 1.0))
        resolution = slabs if photo else draw_resolution(rng, shares=(0.25, 0.25, 0.25, 0.25))
        taken.append(Acquisition(_artefacts(rng, shape, severe), resolution, int(rng.integers(2**63)), severe))
    return ItemDraw(shape, placement, photo, tuple(taken))


def draw_placement(rng: np.random.Generator, shape: tuple[int, int, int], *, integrated: bool = False) -> Placement:
    """Rotation +-15 degrees, shear +-0.2, scale 1 +- 0.2 per axis; a field on a grid of 3 to 6 % of the patch's nodes,
    of up to 4 voxels standard deviation; the centre anywhere that keeps the patch in the brain."""
    shear = np.eye(3)
    shear[~np.eye(3, dtype=bool)] = rng.uniform(-0.2, 0.2, 6)
    matrix = rotation(np.deg2rad(rng.uniform(-15, 15, 3))) @ shear @ np.diag(1 + rng.uniform(-0.2, 0.2, 3))
    away = np.maximum(HALF_BRAIN_MM - 0.5 * np.asarray(shape), 0.0)
    spacing = 1 / rng.uniform(0.03, 0.06)
    return Placement(
        matrix=matrix,
        centre=np.array([0.0, -18.0, 5.0]) + rng.uniform(-away, away),
        field=coarse_noise(rng, 3, shape, spacing=spacing, std=rng.uniform(0, 4)),
        integrated=integrated,
        flip=bool(rng.random() < 0.5),
    )


def unmoved(centre: NDArray[np.float64], *, field: NDArray[np.float32] | None = None) -> Placement:
    """The patch upright about `centre` (MNI mm), bent by `field` (3, *coarse) voxels only."""
    straight = np.zeros((3, 2, 2, 2), np.float32)
    return Placement(np.eye(3), centre, straight if field is None else field, integrated=False, flip=False)


def _artefacts(rng: np.random.Generator, shape: tuple[int, int, int], severe: bool) -> Artefacts:
    bias, nodes, gamma, noise = _SEVERE if severe else _MILD
    return Artefacts(
        gamma=float(np.exp(gamma * rng.standard_normal())),
        bias=coarse_noise(rng, 1, shape, spacing=1 / rng.uniform(*nodes), std=rng.uniform(*bias)),
        noise=float(rng.uniform(*noise)),
    )
