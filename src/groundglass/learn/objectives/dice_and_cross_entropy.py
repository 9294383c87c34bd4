"""Soft Dice plus cross-entropy over structures."""

from __future__ import annotations

import torch
from torch.nn import functional


def dice_and_cross_entropy(logits: torch.Tensor, target: torch.Tensor, *, smooth: float = 1e-5) -> torch.Tensor:
    """1 - mean soft Dice over the classes that `target` holds, plus mean cross-entropy (nnU-Net's sum).

    `logits` (B, C, ...), `target` (B, ...) of class numbers. Classes absent from the batch have no Dice, since their
    gradient would only push small probabilities down, as cross-entropy already does.
    """
    classes = logits.shape[1]
    log_share = functional.log_softmax(logits.float(), dim=1)
    entropy = functional.nll_loss(log_share, target.long())
    share = log_share.exp().flatten(2)
    flat = target.flatten().long()
    # A sum by class over the true class's share alone: one-hot targets would cost ten times the memory.
    hit = share.gather(1, target.flatten(1)[:, None].long()).flatten()
    overlap = torch.zeros(classes, dtype=share.dtype, device=share.device).index_add(0, flat, hit)
    size = torch.bincount(flat, minlength=classes).to(share.dtype)
    dice = (2 * overlap + smooth) / (share.sum((0, 2)) + size + smooth)
    return 1 - dice[size > 0].mean() + entropy
