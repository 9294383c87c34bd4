"""Where a classifier of whole films looks: its class activation maps, and how hot they are in given boxes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from groundglass.nets.map_classifier import MapClassifier
from groundglass.nets.residual_encoder import STRIDE
from groundglass.nets.roi_align import roi_align

_POINTS = 6


@torch.no_grad()
def class_activation_maps(network: MapClassifier, images: Tensor) -> Tensor:
    """(N, C, h, w) of standardised images (N, 1, H, W), at the resolution of the network's own maps."""
    network.eval()
    return torch.cat([network.activation_maps(part) for part in images.split(64)])


def min_max(maps: Tensor) -> Tensor:
    """Each map stretched to 0..1; a flat one is 0."""
    low, high = maps.amin((-2, -1), keepdim=True), maps.amax((-2, -1), keepdim=True)
    return (maps - low) / (high - low).clamp(min=1e-9)


def heat_in_boxes(maps: Tensor, boxes: NDArray[np.float32], *, hottest: bool = False) -> NDArray[np.float64]:
    """(N, P, C) mean heat of maps (N, C, H / 8, W / 8) in boxes (N, P, 4) in pixels of the image, or that of the
    `hottest` of 6 x 6 points of each; NaN where the box is."""
    held = torch.from_numpy(boxes).to(maps)
    sampled = roi_align(maps, held, size=_POINTS, scale=1 / STRIDE, samples=1)
    heat = (sampled.amax((-2, -1)) if hottest else sampled.mean((-2, -1))).double().numpy()
    return np.where(np.asarray(np.isnan(boxes).any(axis=-1))[..., None], np.nan, heat)
