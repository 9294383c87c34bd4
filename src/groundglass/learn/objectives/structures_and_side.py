"""Soft Dice plus cross-entropy over structures, and one channel that tells right from left."""

from __future__ import annotations

from collections.abc import Sequence

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


class StructuresAndSide:
    """Objective for `train`: batches with `image`, `structures` and `right`; the last channel is the side's logit."""

    def __init__(self, paired: Sequence[int], *, side_weight: float = 0.3) -> None:
        self.paired = torch.tensor(list(paired))
        self.side_weight = side_weight

    def __call__(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        output = model(batch["image"])
        loss = dice_and_cross_entropy(output[:, :-1], batch["structures"])
        counted = torch.isin(batch["structures"], self.paired.to(batch["structures"])).float()
        side = functional.binary_cross_entropy_with_logits(
            output[:, -1].float(), batch["right"].float(), weight=counted, reduction="sum"
        )
        return loss + self.side_weight * side / counted.sum().clamp(min=1)
