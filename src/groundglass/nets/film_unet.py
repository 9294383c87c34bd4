"""A small 2-D U-Net for thin structures: most work at half resolution, the answer on the picture's own grid.

Ronneberger et al., MICCAI 2015 (arXiv 1505.04597), as in `planar_unet`; its half-resolution features are spread over
blocks of 2 x 2 pixels (sub-pixel convolution, Shi et al., CVPR 2016, arXiv 1609.05158) and meet the picture in one
convolution at full resolution. A rib of three pixels is lost on half the grid, and a U-Net that has every channel on
the whole grid takes several times as long on a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import pixel_shuffle

from groundglass.nets.planar_unet import PlanarUNet


class FilmUNet(nn.Module):
    """(B, 1, H, W) -> (B, out_channels, H, W); sides a multiple of `stride`."""

    def __init__(self, *, out_channels: int, filters: Sequence[int] = (32, 64, 96, 128)) -> None:
        super().__init__()
        width = filters[0]
        self.coarse = PlanarUNet(out_channels=4 * width, filters=filters)
        self.stride = self.coarse.stride
        self.fine = nn.Sequential(
            nn.Conv2d(width + 1, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        self.head = nn.Conv2d(width, out_channels, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        spread = pixel_shuffle(self.coarse(image), 2)
        logits: torch.Tensor = self.head(self.fine(torch.cat([spread, image], dim=1)))
        return logits
