"""Pooling between the mean and the maximum, by the logarithm of the mean exponential."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from groundglass.core.errors import ConfigurationError


class LogSumExpPooling(nn.Module):
    """(B, F, H, W) -> (B, F): log(mean(exp(r x))) / r over positions (equation 2 of arXiv 1705.02315).

    `sharpness` is r: towards 0 the mean, towards infinity the maximum; 10 is the paper's best. The gradient over the
    positions is a softmax of r x and sums to 1. The paper takes out the greatest |x| before the exponential, which
    leaves nothing but zeros of strongly negative maps; the greatest x is equal in exact arithmetic and cannot. Raises
    ConfigurationError unless 0 < r < infinity.
    """

    def __init__(self, sharpness: float = 10.0) -> None:
        super().__init__()
        if not 0 < sharpness < math.inf:
            raise ConfigurationError(
                f"sharpness {sharpness}", "is not a positive number", "Use mean_pooling or max_pooling for the limits."
            )
        self.sharpness = sharpness

    def forward(self, features: Tensor) -> Tensor:
        height, width = features.shape[-2:]
        # About their mean, so that at a small r the exponentials do not drown in the digits of the offset.
        centre = features.mean((-2, -1), keepdim=True)
        spread = torch.logsumexp(self.sharpness * (features - centre), dim=(-2, -1)) - math.log(height * width)
        return centre[..., 0, 0] + spread / self.sharpness


def max_pooling(features: Tensor) -> Tensor:
    """(B, F, H, W) -> (B, F)."""
    return features.amax((-2, -1))
