"""A U-Net that gives features, not answers: its last decoder map, at full resolution, in two or three dimensions.

Brain-ID (Liu et al., ECCV 2024, arXiv 2311.16914): double blocks of GroupNorm, convolution and LeakyReLU, nearest
enlargement. The paper's has five levels of 64 to 1,024 features in three dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import interpolate

GROUPS = 8


class FeatureUNet(nn.Module):
    """(B, in_channels, *S) -> (B, filters[0], *S); sides a multiple of 2^(levels - 1), a side of 1 needs `dims` 2."""

    def __init__(
        self, *, dims: int = 3, in_channels: int = 1, filters: Sequence[int] = (64, 128, 256, 512, 1024)
    ) -> None:
        super().__init__()
        self._dims = dims
        self.down = nn.ModuleList(_block(dims, a, b) for a, b in pairwise((in_channels, *filters)))
        self.up = nn.ModuleList(
            _block(dims, deep + shallow, shallow) for shallow, deep in list(pairwise(filters))[::-1]
        )
        self.pool = (nn.MaxPool2d if dims == 2 else nn.MaxPool3d)(2)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x, kept = image, []
        for level, block in enumerate(self.down):
            x = block(self.pool(x) if level else x)
            kept.append(x)
        for block, skip in zip(self.up, kept[-2::-1], strict=True):
            x = block(torch.cat([interpolate(x, size=skip.shape[2:], mode="nearest"), skip], dim=1))
        return x


def _block(dims: int, inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.Conv2d if dims == 2 else nn.Conv3d
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        # The input has too few channels to be normalised in groups.
        layers += [nn.GroupNorm(GROUPS if width % GROUPS == 0 else 1, width)]
        layers += [convolution(width, outputs, 3, padding=1), nn.LeakyReLU(inplace=True)]
    return nn.Sequential(*layers)
