"""A small 2-D U-Net that works at half resolution: blocks of 2 x 2 pixels become channels.

Ronneberger et al., MICCAI 2015 (arXiv 1505.04597), with batch normalisation and nearest-neighbour enlargement.
The full-resolution level takes most of a U-Net's time on a CPU and adds nothing to smooth organ borders;
here the logits come on the half-resolution grid and the caller enlarges them bilinearly.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import interpolate, max_pool2d, pixel_unshuffle


class PlanarUNet(nn.Module):
    """(B, in_channels, H, W) -> (B, out_channels, H / 2, W / 2); sides a multiple of `stride`."""

    def __init__(
        self, *, in_channels: int = 1, out_channels: int, filters: Sequence[int] = (24, 48, 96, 128, 160)
    ) -> None:
        super().__init__()
        self.stride = 2 ** len(filters)
        widths = [4 * in_channels, *filters]
        self.down = nn.ModuleList(_block(a, b) for a, b in pairwise(widths))
        pairs = list(pairwise(filters))[::-1]
        self.up = nn.ModuleList(_block(shallow + deep, shallow) for shallow, deep in pairs)
        self.head = nn.Conv2d(filters[0], out_channels, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = pixel_unshuffle(image, 2)
        kept = []
        for level, block in enumerate(self.down):
            x = block(max_pool2d(x, 2) if level else x)
            kept.append(x)
        for block, skip in zip(self.up, kept[-2::-1], strict=True):
            x = block(torch.cat([interpolate(x, scale_factor=2.0, mode="nearest"), skip], dim=1))
        return self.head(x)


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        layers += [nn.Conv2d(width, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
