"""The three parts as one network."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn

from groundglass.nets.volume_sam.image_encoder import ImageEncoder
from groundglass.nets.volume_sam.mask_decoder import MaskDecoder
from groundglass.nets.volume_sam.prompt_encoder import Compat, PromptEncoder


class VolumeSam(nn.Module):
    """A volume (B, 1, side, side, side) and clicks in it -> mask logits on a grid of 4 side / patch.

    The defaults are the published model's. `compat`: see `PromptEncoder`.
    """

    def __init__(
        self,
        *,
        side: int = 128,
        patch: int = 16,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        window: int = 14,
        whole: Collection[int] = (2, 5, 8, 11),
        prompt_width: int = 384,
        decoder_hidden: int = 2048,
        compat: Compat = "correct",
    ) -> None:
        super().__init__()
        self.side = side
        self.image_encoder = ImageEncoder(
            side=side, patch=patch, width=width, depth=depth, heads=heads, window=window, whole=whole, out=prompt_width
        )
        self.prompt_encoder = PromptEncoder(width=prompt_width, grid=side // patch, side=side, compat=compat)
        self.mask_decoder = MaskDecoder(width=prompt_width, hidden=decoder_hidden)

    def answer(
        self, features: torch.Tensor, points: torch.Tensor, labels: torch.Tensor, previous: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Low-resolution logits (B, 1, 4 g, 4 g, 4 g) from encoded images, clicks and the logits before."""
        sparse, dense = self.prompt_encoder(points, labels, previous)
        masks, _ = self.mask_decoder(features, self.prompt_encoder.grid_position(), sparse, dense)
        return masks[:, :1]

    def forward(
        self, volume: torch.Tensor, points: torch.Tensor, labels: torch.Tensor, previous: torch.Tensor | None = None
    ) -> torch.Tensor:
        return self.answer(self.image_encoder(volume), points, labels, previous)
