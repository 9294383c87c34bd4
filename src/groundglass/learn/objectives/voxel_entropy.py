"""Cross-entropy of every voxel: shares learnt by it are calibrated, so that their sum is an unbiased volume."""

from __future__ import annotations

import torch
from torch.nn import functional


def voxel_entropy(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Objective for `train`: batches with `image`, `expected` shares and `structures` (B, X, Y, Z)."""
    logits = model(batch["image"], batch["expected"])
    return functional.cross_entropy(logits.float(), batch["structures"].long())
