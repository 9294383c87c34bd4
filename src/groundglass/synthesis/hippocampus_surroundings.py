"""The tissue around one hippocampus, from the MNI152 tissue maps: what a hippocampal label map alone does not say.

A manual label map of the hippocampus knows nothing of the temporal horn above it, the white matter below it or the
amygdala before it. Here the mean of the label maps at hand is laid on the grey matter map of ICBM 2009a (about the left
hippocampus, at MNI -27, -23, -14), that structure is taken out and its place filled from its surroundings, and each
label map gets these surroundings turned to its own axis. No image of a patient is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.optimize import minimize

from groundglass.synthesis.brain_atlases import BrainAtlas, brain_atlas

# Where the search begins: MNI mm of the left hippocampus' middle, pitch in degrees, size against the label maps.
START = (-17.0, 1.1, -27.0, -23.0, -13.0)
# Half sides of the piece of the atlas that is kept, in mm: a crop in any turn lies within it.
REACH = (44, 50, 44)


@dataclass(frozen=True)
class HippocampusSurroundings:
    """Tissue shares about one hippocampus without it.

    `tissue` (3, X, Y, Z) float32: fluid, grey, white, in voxels of 1 mm of the label maps' own scale, the mean label
    map's centre in the middle; `lean` is the mean label map's pitch (radians), from which `tissue` is turned.
    """

    tissue: torch.Tensor
    lean: float

    def around(self, labels: NDArray[np.uint8], field: torch.Tensor, *, turn: NDArray[np.float64]) -> torch.Tensor:
        """(3, *shape) shares about one label map (non-zero: hippocampus), whose place is filled, too.

        `field` (3, *shape) moves the surroundings by so many voxels, `turn` (3x3) rotates and scales them.
        """
        inside = np.argwhere(labels > 0)
        centre = inside.mean(axis=0)
        pitch = lean_of(labels) - self.lean
        matrix = torch.from_numpy((_about_x(-pitch) @ turn).astype(np.float32))
        axes = torch.meshgrid(*[torch.arange(n, dtype=torch.float32) for n in labels.shape], indexing="ij")
        offsets = torch.stack(axes, -1) - torch.tensor(centre, dtype=torch.float32)
        moved = offsets @ matrix.T + field.movedim(0, -1)
        half = (torch.tensor(self.tissue.shape[1:], dtype=torch.float32) - 1) / 2
        grid = (moved / half).flip(-1)[None]
        sampled = torch.nn.functional.grid_sample(self.tissue[None], grid, padding_mode="border", align_corners=True)
        return sampled[0]


def surroundings_of(label_maps: Sequence[NDArray[np.uint8]]) -> HippocampusSurroundings:
    """Lay the mean of RAS label maps of left hippocampi (1 mm, one shape) on the atlas, and take it out there."""
    atlas = brain_atlas()
    mean = mean_label_map(label_maps)
    lean = lean_of((mean > 0.5).astype(np.uint8))
    pitch, scale, *middle = _placed(mean, atlas)
    matrix = _about_x(np.deg2rad(pitch)) * scale
    axes = [np.arange(-r, r + 1, dtype=np.float64) for r in REACH]
    offsets = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    index = (offsets @ matrix.T + middle - atlas.affine[:3, 3]).reshape(-1, 3).T
    shape = offsets.shape[:3]
    grey, white = (ndi.map_coordinates(m, index, order=1).reshape(shape) for m in (atlas.grey, atlas.white))
    tissue = np.stack([np.clip(1 - grey - white, 0, 1), grey, white]).astype(np.float32)
    return HippocampusSurroundings(torch.from_numpy(_without(tissue, mean)), lean)


def mean_label_map(label_maps: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """Share of label maps that hold each voxel, their centres of mass moved to the middle."""
    shape = np.array(label_maps[0].shape)
    total = np.zeros(tuple(shape))
    for labels in label_maps:
        inside = (labels > 0).astype(np.float64)
        total += ndi.shift(inside, (shape - 1) / 2 - np.argwhere(inside).mean(axis=0), order=1)
    return total / len(label_maps)


def lean_of(labels: NDArray[np.uint8]) -> float:
    """Pitch (radians about x) of the line from the hind third of a label map to its front third; level is 0."""
    index = np.argwhere(labels > 0)
    hind, front = np.quantile(index[:, 1], (0.33, 0.67))
    along = index[index[:, 1] > front].mean(axis=0) - index[index[:, 1] < hind].mean(axis=0)
    return float(np.arctan2(along[2], along[1]))


def _placed(mean: NDArray[np.float64], atlas: BrainAtlas) -> NDArray[np.float64]:
    """(pitch in degrees, scale, MNI mm of the middle) with most grey matter inside and least in a shell outside."""
    inner = mean > 0.5
    shell = ndi.binary_dilation(inner, iterations=2) & ~ndi.binary_dilation(inner)
    middle = (np.array(mean.shape) - 1) / 2
    points = [np.argwhere(region) - middle for region in (inner, shell)]

    def cost(guess: NDArray[np.float64]) -> float:
        matrix = _about_x(np.deg2rad(guess[0])) * guess[1]
        inside, outside = (
            ndi.map_coordinates(atlas.grey, (p @ matrix.T + guess[2:] - atlas.affine[:3, 3]).T, order=1).mean()
            for p in points
        )
        return float(outside - inside)

    return np.asarray(minimize(cost, np.array(START), method="Nelder-Mead", options={"xatol": 0.05, "fatol": 1e-4}).x)


def _without(tissue: NDArray[np.float32], mean: NDArray[np.float64]) -> NDArray[np.float32]:
    """The structure taken out of `tissue`: where it was, the shares of the nearest voxel outside, softened.

    All that any label map holds goes, and a voxel more: a rim of grey left behind would hide the border that is drawn.
    """
    held = np.zeros(tissue.shape[1:], dtype=bool)
    corner = [(n - m) // 2 for n, m in zip(held.shape, mean.shape, strict=True)]
    held[tuple(slice(c, c + m) for c, m in zip(corner, mean.shape, strict=True))] = mean > 0.05
    held = ndi.binary_dilation(held)
    nearest = ndi.distance_transform_edt(held, return_distances=False, return_indices=True)
    filled = tissue[(slice(None), *nearest)]
    soft = np.stack([ndi.gaussian_filter(share, 1.0) for share in filled])
    return np.where(held, soft, tissue).astype(np.float32)


def _about_x(angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
