"""A small U-Net that corrects what an atlas and the intensities say together, in any contrast.

With its last layer at zero the answer is a Gaussian mixture with the atlas as its prior, and training starts from
there. Without the mixture's evidence the loss stays flat for long: random contrasts make bright and dark grey matter
equally frequent, so on average no first-order change of the weights helps. The image is seen at full resolution, the
smooth expectation joins at half. Convolutions before instance normalisation have no bias: scale does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from groundglass.nets.tissue_evidence import GROUPS, tissue_evidence

# Below this share an atlas says no more than "unlikely": the image may still overrule it.
LEAST_SHARE = 1e-3


class PriorUNet(nn.Module):
    """Image (B, 1, X, Y, Z) and shares (B, classes, X/2, Y/2, Z/2) -> logits (B, classes, X, Y, Z).

    `tissue` names the group of each class (`tissue_evidence`). Each side is a multiple of `stride`; `filters` are
    the channels of each level, the first at full resolution.
    """

    tissue: torch.Tensor

    def __init__(self, *, tissue: Sequence[int], filters: Sequence[int] = (16, 32, 64, 96)) -> None:
        super().__init__()
        classes = len(tissue)
        self.register_buffer("tissue", torch.tensor(list(tissue)), persistent=False)
        self.weight = nn.Parameter(torch.full((classes, 1, 1, 1), 0.7))
        self.stride = 2 ** (len(filters) - 1)
        pairs = list(pairwise(filters))
        self.stem = _block(1 + GROUPS, filters[0])
        self.expect = nn.Conv3d(classes, filters[1], 1)
        self.down = nn.ModuleList(_block(a, b, stride=2) for a, b in pairs)
        self.deepen = nn.ModuleList(_block(b, b) for _, b in pairs)
        self.up = nn.ModuleList(nn.ConvTranspose3d(b, a, 2, 2) for a, b in pairs)
        self.mix = nn.ModuleList(_block(2 * a, a) for a, _ in pairs)
        self.head = nn.Conv3d(filters[0], classes, 1)
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)

    def forward(self, image: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        expected = (shares + LEAST_SHARE).log()
        evidence = tissue_evidence(image, shares, self.tissue)
        kept = [self.stem(torch.cat([image, evidence], dim=1))]
        for level, (down, deepen) in enumerate(zip(self.down, self.deepen, strict=True)):
            coarse = down(kept[-1])
            kept.append(deepen(coarse + self.expect(expected) if level == 0 else coarse))
        found = kept.pop()
        for up, mix, skip in zip(reversed(self.up), reversed(self.mix), reversed(kept), strict=True):
            found = mix(torch.cat([up(found), skip], dim=1))
        wide = nn.functional.interpolate(expected, scale_factor=2, mode="trilinear")
        return self.head(found) + wide + self.weight * evidence[:, self.tissue]


def _block(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(inputs, outputs, 3, stride, 1, bias=False),
        nn.InstanceNorm3d(outputs, affine=True),
        nn.LeakyReLU(0.01, inplace=True),
    )
