"""Soft Dice plus binary cross-entropy of structures that may overlap."""

from __future__ import annotations

import torch
from torch.nn import functional

from groundglass.core.errors import InputError


def dice_and_binary_cross_entropy(
    logits: torch.Tensor,
    target: torch.Tensor,
    *,
    weight: torch.Tensor | None = None,
    smooth: float = 20.0,
    entropy: float = 2.0,
) -> torch.Tensor:
    """(K,): for each structure 1 - soft Dice over the batch, plus `entropy` times its mean binary cross-entropy.

    `logits` and `target` (B, K, ...); `weight` broadcasts to them, 0 where the truth is not known. `smooth` pixels in
    the Dice keep a structure of few pixels from deciding. Raises InputError for different shapes.
    """
    if logits.shape != target.shape:
        raise InputError("target", f"is {tuple(target.shape)}", f"Give {tuple(logits.shape)}, as the logits.")
    over = (0, *range(2, logits.ndim))
    known = torch.ones_like(logits) if weight is None else weight.expand_as(logits)
    each = functional.binary_cross_entropy_with_logits(logits, target, weight=known, reduction="none").mean(over)
    share = logits.sigmoid() * known
    overlap, total = (share * target).sum(over), share.sum(over) + (target * known).sum(over)
    return 1 - (2 * overlap + smooth) / (total + smooth) + entropy * each
