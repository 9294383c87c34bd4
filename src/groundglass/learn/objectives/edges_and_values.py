"""L1 of the values plus L1 of the forward differences: a picture with the edges of its target."""

from __future__ import annotations

import torch


def edges_and_values(prediction: torch.Tensor, target: torch.Tensor, *, edge_weight: float = 1.0) -> torch.Tensor:
    """Mean |p - t| + `edge_weight` times the sum over spatial axes of the mean |dp - dt| (Brain-ID, arXiv 2311.16914).

    Both (B, C, *spatial); `target` may be one that all of the batch share. An axis of one voxel has no edges.
    """
    difference = prediction.float() - target.float()
    loss = difference.abs().mean()
    for axis in range(2, difference.ndim):
        if difference.shape[axis] > 1:
            loss = loss + edge_weight * difference.diff(dim=axis).abs().mean()
    return loss
