"""A narrow residual network for films of a hundred pixels or two, without a head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

STRIDE = 8


class ResidualEncoder(nn.Module):
    """(B, 1, H, W) -> (B, F, H / 8, W / 8): a narrow residual network (arXiv 1512.03385), two convolutions a block."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 64)) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        )
        strides = (1, 2, *(1 for _ in widths[3:]))
        self.blocks = nn.Sequential(*map(_Block, widths, widths[1:], strides))
        self.features = widths[-1]
        # On a CPU the convolutions are a third faster with channels last.
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.blocks(self.stem(images.contiguous(memory_format=torch.channels_last)))
        return found


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.skip = (
            nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))
            if stride > 1 or inputs != outputs
            else nn.Identity()
        )

    def forward(self, images: Tensor) -> Tensor:
        return torch.relu(self.main(images) + self.skip(images))
