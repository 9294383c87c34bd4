"""Graph convolution (T. Kipf and M. Welling, arXiv 1609.02907) over a fixed graph of few nodes."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GraphConvolution(nn.Module):
    """(B, P, F) -> (B, P, G): D^-1/2 (A + I) D^-1/2 X W, with A the adjacency and D the degrees of A + I."""

    def __init__(self, inputs: int, outputs: int, adjacency: Tensor) -> None:
        super().__init__()
        looped = adjacency + torch.eye(len(adjacency))
        scale = looped.sum(dim=1).rsqrt()
        self.register_buffer("weights", scale[:, None] * looped * scale)
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, nodes: Tensor) -> Tensor:
        return self.weights @ self.linear(nodes)
