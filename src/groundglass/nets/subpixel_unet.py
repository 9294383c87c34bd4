"""A U-Net that computes at half resolution and answers at full resolution.

The input's 2x2x2 blocks become channels (space to depth), MONAI's DynUNet works on the eight times smaller grid,
and its output channels are spread over the blocks again (sub-pixel convolution, Shi et al., CVPR 2016,
arXiv 1609.05158). On a CPU the full-resolution levels of a U-Net take most of its time; here there are none.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.nets.dynunet import DynUNet
from monai.networks.utils import pixelshuffle, pixelunshuffle
from torch import nn


class SubpixelUNet(nn.Module):
    """(B, in_channels, X, Y, Z) -> (B, out_channels, X, Y, Z); each side a multiple of `stride`."""

    def __init__(
        self,
        *,
        in_channels: int = 1,
        out_channels: int,
        filters: Sequence[int] = (32, 64, 96, 128),
        factor: int = 2,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        levels = len(filters)
        self.factor = factor
        self.stride = factor * 2 ** (levels - 1)
        self.body = DynUNet(
            spatial_dims=3,
            in_channels=in_channels * factor**3,
            out_channels=out_channels * factor**3,
            kernel_size=[3] * levels,
            strides=[1] + [2] * (levels - 1),
            upsample_kernel_size=[2] * (levels - 1),
            filters=list(filters),
            norm_name=("INSTANCE", {"affine": True}),
            act_name=activation,
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        blocks = pixelunshuffle(image, spatial_dims=3, scale_factor=self.factor)
        return pixelshuffle(self.body(blocks), spatial_dims=3, scale_factor=self.factor)
