"""A 2-D U-Net for strokes: it starts from classical cues and corrects them.

Ronneberger et al., MICCAI 2015 (arXiv 1505.04597); the input of ScribblePrompt (Wong et al., ECCV 2024), with two
changes for a CPU. The trunk works at half resolution, where blocks of 2 x 2 pixels are channels, and its head gives
each of the four pixels a logit of its own (Shi et al., CVPR 2016): thin structures keep their width, at a quarter of
the time. What a random walk made of the strokes enters as a channel and, scaled, is added to the answer, so that an
untrained network answers as the random walk does.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import interpolate, max_pool2d, pixel_shuffle, pixel_unshuffle


class StrokeUNet(nn.Module):
    """`full` (B, in_full, H, W) and `half` (B, in_half, H / 2, W / 2) -> logits (B, 1, H, W).

    H and W are multiples of `stride`. `walk` is the channel of `half` that holds a probability to start from. Channels
    of `half` after the first `in_half` are left out: cues that came later than the network.
    """

    def __init__(
        self, *, in_full: int = 5, in_half: int = 7, walk: int = 2, filters: Sequence[int] = (32, 48, 64, 96, 128)
    ) -> None:
        super().__init__()
        self.stride = 2 ** len(filters)
        self.in_full, self.in_half, self.walk, self.filters = in_full, in_half, walk, tuple(filters)
        widths = [4 * in_full + in_half, *filters]
        self.down = nn.ModuleList(_block(a, b) for a, b in pairwise(widths))
        pairs = list(pairwise(filters))[::-1]
        self.up = nn.ModuleList(_block(shallow + deep, shallow) for shallow, deep in pairs)
        self.head = nn.Conv2d(filters[0], 4, 1)
        self.trust = nn.Parameter(torch.tensor(4.0))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, full: torch.Tensor, half: torch.Tensor) -> torch.Tensor:
        x = torch.cat([pixel_unshuffle(full, 2), half[:, : self.in_half]], dim=1)
        kept = []
        for level, block in enumerate(self.down):
            x = block(max_pool2d(x, 2) if level else x)
            kept.append(x)
        for block, skip in zip(self.up, kept[-2::-1], strict=True):
            x = block(torch.cat([interpolate(x, scale_factor=2.0, mode="nearest"), skip], dim=1))
        start = self.trust * (half[:, self.walk : self.walk + 1] - 0.5)
        return pixel_shuffle(self.head(x).float() + start, 2)

    def widened(self) -> StrokeUNet:
        """A network that sees one more cue, which at first counts for nothing: its answers are the same."""
        wider = StrokeUNet(in_full=self.in_full, in_half=self.in_half + 1, walk=self.walk, filters=self.filters)
        weights = self.state_dict()
        first = weights["down.0.0.weight"]
        weights["down.0.0.weight"] = torch.cat([first, torch.zeros_like(first[:, :1])], dim=1)
        wider.load_state_dict(weights)
        return wider


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        layers += [nn.Conv2d(width, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
