"""The network of ScribblePrompt (Wong et al., ECCV 2024, arXiv 2312.07381): a plain U-Net of one width.

Four levels of one 3 x 3 convolution with PReLU, max-pooling, a bottleneck, bilinear enlargement, skips by
concatenation, a 1 x 1 head; no normalisation. With 192 channels it is the published UNet of about 4 M parameters
(`published_names` tells its parameters).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import interpolate, max_pool2d


class ScribbleUNet(nn.Module):
    """(B, 5, H, W): image, box, positive, negative, previous logits -> logits (B, 1, H, W); sides multiples of 16."""

    def __init__(self, *, in_channels: int = 5, out_channels: int = 1, width: int = 192, levels: int = 4) -> None:
        super().__init__()
        self.down = nn.ModuleList(_block(in_channels if k == 0 else width, width) for k in range(levels))
        self.bottleneck = _block(width, width)
        self.up = nn.ModuleList(_block(2 * width, width) for _ in range(levels))
        self.head = nn.Conv2d(width, out_channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = []
        for block in self.down:
            x = block(x)
            kept.append(x)
            x = max_pool2d(x, 2)
        x = self.bottleneck(x)
        for block, skip in zip(self.up, reversed(kept), strict=True):
            x = interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=True)
            x = block(torch.cat([skip, x], dim=1))
        return self.head(x)


def published_names(levels: int = 4) -> dict[str, str]:
    """Name in the published `ScribblePrompt_unet_v1_nf192_res128.pt` -> name of the same parameter here."""
    blocks = {"bottleneck": "bottleneck"}
    for k in range(levels):
        blocks[f"downs.{k}"] = f"down.{k}"
        # Every second entry there is an enlargement, without parameters.
        blocks[f"ups.{2 * k + 1}"] = f"up.{k}"
    tensors = ("0.weight", "0.bias", "1.weight")
    names = {f"{theirs}.conv.{t}": f"{ours}.{t}" for theirs, ours in blocks.items() for t in tensors}
    return names | {f"final_conv.conv.0.{t}": f"head.{t}" for t in ("weight", "bias")}


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.PReLU())
