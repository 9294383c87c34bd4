"""A classifier of whole images whose weights, laid on its last map, show where each answer comes from."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from groundglass.nets.residual_encoder import ResidualEncoder

Pooling = Callable[[Tensor], Tensor]


def mean_pooling(features: Tensor) -> Tensor:
    """(B, F, H, W) -> (B, F)."""
    return features.mean((-2, -1))


class MapClassifier(nn.Module):
    """Logits (B, C) of images (B, 1, H, W): encoder, pooling over positions, one linear layer.

    `activation_maps` gives each class's weights on the map before the pooling (B. Zhou et al., CVPR 2016). With mean
    pooling the mean of a map and the bias are the logit.
    """

    def __init__(self, classes: int, *, pooling: Pooling = mean_pooling) -> None:
        super().__init__()
        self.encoder = ResidualEncoder()
        self.pooling = pooling
        self.outer = nn.Linear(self.encoder.features, classes)

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.outer(self.pooling(self.encoder(images)))
        return found

    def activation_maps(self, images: Tensor) -> Tensor:
        """(B, C, h, w): the encoder's resolution."""
        return torch.einsum("bfhw,cf->bchw", self.encoder(images), self.outer.weight)
