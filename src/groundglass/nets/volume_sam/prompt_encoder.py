"""The prompt encoder: points as Fourier features of their place, the last mask through strided convolutions."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import nn

from groundglass.nets.volume_sam.parts import ChannelNorm

Compat = Literal["correct", "released"]


class FourierPosition(nn.Module):
    """Places in [0, 1]^3, (..., 3), as sine, cosine and sine again of random frequencies, (..., 3 n)."""

    def __init__(self, frequencies: int) -> None:
        super().__init__()
        self.positional_encoding_gaussian_matrix: torch.Tensor
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(3, frequencies))

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        phase = 2 * math.pi * ((2 * places - 1) @ self.positional_encoding_gaussian_matrix)
        return torch.cat([phase.sin(), phase.cos(), phase.sin()], dim=-1)


class PromptEncoder(nn.Module):
    """Points (B, N, 3) in voxels of the crop (array order, voxel centres at whole numbers), labels (B, N) of 1 inside
    and 0 outside, and mask logits (B, 1, 4 g, 4 g, 4 g) of a grid of g -> sparse (B, N + 1, C), dense (B, C, g, g, g).

    `compat` "released" swaps the first two axes of the dense positional grid, as the published code does, so that a
    click and the cell that holds it disagree; the published weights were trained with it.
    """

    def __init__(self, *, width: int, grid: int, side: int, hidden: int = 16, compat: Compat = "correct") -> None:
        super().__init__()
        self.grid, self.side, self.compat = grid, side, compat
        self.pe_layer = FourierPosition(width // 3)
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, width) for _ in range(2))
        self.not_a_point_embed = nn.Embedding(1, width)
        self.mask_downscaling = nn.Sequential(
            nn.Conv3d(1, hidden // 4, 2, stride=2),
            ChannelNorm(hidden // 4),
            nn.GELU(),
            nn.Conv3d(hidden // 4, hidden, 2, stride=2),
            ChannelNorm(hidden),
            nn.GELU(),
            nn.Conv3d(hidden, width, 1),
        )
        self.no_mask_embed = nn.Embedding(1, width)

    def forward(
        self, points: torch.Tensor, labels: torch.Tensor, logits: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return self.sparse(points, labels), self.dense(logits, len(points))

    def sparse(self, points: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(B, N + 1, C); the last vector stands for "no further point"."""
        placed = self.pe_layer((points.float() + 0.5) / self.side)
        kinds = torch.cat(list(self.point_embeddings.parameters()))
        padding = self.not_a_point_embed.weight.expand(len(points), 1, -1)
        return torch.cat([placed + kinds[labels.long()], padding], dim=1)

    def dense(self, logits: torch.Tensor | None, batch: int) -> torch.Tensor:
        """(B, C, g, g, g) of the last mask, or the learned vector for none."""
        if logits is None:
            return self.no_mask_embed.weight[..., None, None, None].expand(batch, -1, *[self.grid] * 3)
        return self.mask_downscaling(logits)

    def grid_position(self) -> torch.Tensor:
        """(1, C, g, g, g): the positions of the cells' centres."""
        centre = (torch.arange(self.grid, device=self.no_mask_embed.weight.device) + 0.5) / self.grid
        places = torch.stack(torch.meshgrid(centre, centre, centre, indexing="ij"), dim=-1)
        if self.compat == "released":
            places = places[..., [1, 0, 2]]
        return self.pe_layer(places).movedim(-1, 0)[None]
