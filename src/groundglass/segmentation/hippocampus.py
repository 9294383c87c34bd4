"""Anterior and posterior hippocampus in a T1 crop around it, by the shipped network.

The network knows crops like those of the Medical Segmentation Decathlon (about 36 x 48 x 36 mm with one hippocampus in
the middle, either side). It does not search for the hippocampus in a whole brain.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.core import GeometryError, Image
from groundglass.models import load_model
from groundglass.segmentation.working_grid import working_grid
from groundglass.synthesis import normalise_brain

LABELS = ("background", "anterior hippocampus", "posterior hippocampus")
# Sides in voxels that the network was trained on (crops padded with zeros).
SHAPE = (40, 56, 48)
# Sides are multiples of this many voxels: the network halves them three times.
STRIDE = 8
# The longest side of a crop in mm; a whole head is no crop.
LONGEST_MM = 100.0


def segment_hippocampus(image: Image, *, model: str = "hippocampus") -> NDArray[np.uint8]:
    """Labels (i, j, k) on the image's grid: 0, 1 anterior, 2 posterior. Raises GeometryError for no crop."""
    if not image.is_volume or max(n * s for n, s in zip(image.shape, image.spacing, strict=True)) > LONGEST_MM:
        raise GeometryError(image.name, "is no crop around one hippocampus", f"Crop it to at most {LONGEST_MM:.0f} mm.")
    grid = working_grid(np.asarray(image.array[0], dtype=np.float32), image.affine)
    shares = hippocampus_shares(load_model(model).network, torch.from_numpy(grid.pixels))
    return np.stack([grid.back(share) for share in shares.numpy()]).argmax(axis=0).astype(np.uint8)


def hippocampus_shares(network: torch.nn.Module, pixels: torch.Tensor) -> torch.Tensor:
    """(3, X, Y, Z) mean softmax of upright 1 mm pixels (X, Y, Z) over both mirror images."""
    # Instance norms count the empty margin, so a crop is padded to the size of training at least.
    sides = [-(-max(n, s) // STRIDE) * STRIDE for n, s in zip(pixels.shape, SHAPE, strict=True)]
    before = [(side - n) // 2 for side, n in zip(sides, pixels.shape, strict=True)]
    inner = tuple(slice(b, b + n) for b, n in zip(before, pixels.shape, strict=True))
    canvas = torch.zeros(sides)
    canvas[inner] = normalise_brain(pixels)
    with torch.inference_mode():
        both = torch.stack([canvas, canvas.flip(0)])[:, None]
        shares = torch.softmax(network(both), 1)
    return ((shares[0] + shares[1].flip(1)) / 2)[(slice(None), *inner)]
