"""Soft Dice of each sample's one lesion plus cross-entropy that does not forget it among a body's voxels."""

from __future__ import annotations

import torch
from torch.nn import functional


def lesion_dice_and_cross_entropy(
    logits: torch.Tensor, lesion: torch.Tensor, *, weight: float = 20.0, smooth: float = 1.0
) -> torch.Tensor:
    """Mean over samples of 1 - soft Dice of the lesion, plus mean cross-entropy with `weight` on the lesion's voxels.

    `logits` (B, 2, ...), `lesion` (B, ...) bool. The background has no Dice: a lesion is a few voxels in ten thousand,
    so that of the background is 1 for any answer. Dice is each sample's own: over the batch, the lesion of one sentence
    would make up for that of another.
    """
    log_share = functional.log_softmax(logits.float(), dim=1)
    truth = lesion.flatten(1).to(log_share)
    background, inside = log_share[:, 0].flatten(1), log_share[:, 1].flatten(1)
    entropy = -(weight * truth * inside + (1 - truth) * background).mean()
    share = inside.exp()
    dice = (2 * (share * truth).sum(1) + smooth) / (share.sum(1) + truth.sum(1) + smooth)
    return 1 - dice.mean() + entropy
