"""RoIAlign (arXiv 1703.06870): features of boxes, by bilinear samples on a regular grid in each bin."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def roi_align(features: Tensor, boxes: Tensor, *, size: int, scale: float, samples: int = 2) -> Tensor:
    """Features (B, C, H, W) in boxes (B, P, 4) -> (B, P, C, size, size).

    Boxes are top, left, bottom, right in pixels of the image, whose grid is 1 / `scale` times as fine as the features';
    continuous, so that pixel n covers n to n + 1. Each of the size x size bins is the mean of samples x samples points.
    A point beyond the last feature's centre takes that feature's value. A box with NaN gives zeros.
    """
    batch, count = boxes.shape[:2]
    height, width = features.shape[-2:]
    usable = ~boxes.isnan().any(dim=-1)
    top, left, bottom, right = (scale * boxes).nan_to_num(0.0).unbind(-1)
    steps = (torch.arange(size * samples, device=boxes.device, dtype=boxes.dtype) + 0.5) / (size * samples)
    rows = 2 * (top[..., None] + (bottom - top)[..., None] * steps) / height - 1
    columns = 2 * (left[..., None] + (right - left)[..., None] * steps) / width - 1
    points = size * samples
    grid = torch.stack(
        [
            columns[:, :, None].expand(batch, count, points, points),
            rows[..., None].expand(batch, count, points, points),
        ],
        dim=-1,
    )
    sampled = nn.functional.grid_sample(
        features,
        grid.reshape(batch, count * points, points, 2).to(features),
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    bins = nn.functional.avg_pool2d(sampled, samples).reshape(batch, -1, count, size, size).transpose(1, 2)
    return bins * usable[..., None, None, None]
