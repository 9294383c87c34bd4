"""The projection of CXR-BERT (arXiv 2204.09817) from a sentence's first token to the space shared with images."""

from __future__ import annotations

import torch
from torch import nn


class ProjectionHead(nn.Module):
    """(N, width) -> (N, size): linear, GELU, LayerNorm, linear, as CXR-BERT-specialized has it (768 -> 128)."""

    def __init__(self, width: int = 768, size: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, size), nn.GELU(), nn.LayerNorm(size), nn.Linear(size, size))

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        projected: torch.Tensor = self.layers(vectors)
        return projected
