"""Residual 3D U-Net with a text gate in every decoder level (ConTEXTual Net 3D, arXiv 2502.00528).

The published file of the network is empty: blocks are nnU-Net's (MONAI's), and the order within a level is that of its
two-dimensional ancestor (arXiv 2303.01615): upsampled features, gate, skip joined, convolutions. Ours is that every
level answers, for deep supervision, by correcting the answer of the coarser one: which lesion is meant is learnt where
a voxel is a region of the body, and need not be learnt again where it is a millimetre.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise

import torch
from torch import nn
from torch.nn.functional import interpolate

from groundglass.core.errors import ConfigurationError
from groundglass.nets.text_gate import TextGate

FILTERS, STRIDES = (64, 96, 128, 192, 256), (1, 2, 2, 2, 2)
_NORM = ("INSTANCE", {"affine": True})


class TextGatedUNet(nn.Module):
    """Images (B, `in_channels`, X, Y, Z) and sentences (B x K, T, `text_width`) -> logits (B x K, `classes`, X, Y, Z).

    The K sentences of an image follow each other; the image is encoded once. Sides are multiples of `stride`. Raises
    ConfigurationError when filters and strides differ in number or the first stride is not 1.
    """

    def __init__(
        self,
        *,
        text_width: int,
        in_channels: int = 2,
        classes: int = 2,
        filters: Sequence[int] = FILTERS,
        strides: Sequence[int] = STRIDES,
    ) -> None:
        from monai.networks.blocks.dynunet_block import UnetResBlock

        super().__init__()
        if len(filters) != len(strides) or len(filters) < 2 or strides[0] != 1:
            raise ConfigurationError(
                f"filters {tuple(filters)}, strides {tuple(strides)}", "are no levels", "Give one stride each, first 1."
            )
        self.stride = int(torch.tensor(list(strides)).prod())
        levels = list(zip(pairwise((in_channels, *filters)), strides, strict=True))
        self.down = nn.ModuleList(UnetResBlock(3, a, b, 3, stride, _NORM) for (a, b), stride in levels)
        upward = [(b, a, stride) for (a, b), stride in reversed(levels[1:])]
        self.up = nn.ModuleList(nn.ConvTranspose3d(b, a, stride, stride, bias=False) for b, a, stride in upward)
        self.gates = nn.ModuleList(TextGate(a, text_width) for _, a, _ in upward)
        self.mix = nn.ModuleList(UnetResBlock(3, 2 * a, a, 3, 1, _NORM) for _, a, _ in upward)
        self.heads = nn.ModuleList(nn.Conv3d(a, classes, 1) for _, a, _ in upward)

    def forward(self, images: torch.Tensor, tokens: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        """`padding` (B x K, T) is True where there is no token."""
        return self.levels(images, tokens, padding)[-1]

    def levels(
        self, images: torch.Tensor, tokens: torch.Tensor, padding: torch.Tensor, *, count: int | None = None
    ) -> list[torch.Tensor]:
        """Logits of the first `count` decoder levels (all unless given), the coarsest first: for deep supervision."""
        kept, seen = [], images
        for level in self.down:
            seen = level(seen)
            kept.append(seen)
        each = len(tokens) // len(images)
        found = kept.pop().repeat_interleave(each, dim=0)
        answers: list[torch.Tensor] = []
        parts = zip(self.up, self.gates, self.mix, self.heads, reversed(kept), strict=True)
        for up, gate, mix, head, skip in islice(parts, count):
            gated = gate(up(found), tokens, padding)
            found = mix(torch.cat([gated, skip.repeat_interleave(each, dim=0)], dim=1))
            answer = head(found)
            if answers:
                answer = answer + interpolate(answers[-1], size=answer.shape[2:], mode="trilinear")
            answers.append(answer)
        return answers
