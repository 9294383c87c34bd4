"""One scale for synthetic and real brain MR: what the network is fed in training and in use."""

from __future__ import annotations

import torch


def normalise_brain(image: torch.Tensor) -> torch.Tensor:
    """Scale so that the 99.5th percentile of what is not zero is 1, and clip at 2. An empty image stays 0."""
    positive = image[image > 0]
    if positive.numel() == 0:
        return torch.zeros_like(image)
    step = max(1, positive.numel() // 200_000)
    top = torch.quantile(positive[::step].float(), 0.995)
    return (image / top.clamp(min=1e-6)).clamp(-1, 2)
