"""Batch normalisation folded into convolutions."""

from __future__ import annotations

import torch
from torch import nn

from groundglass.nets.folding import folded
from groundglass.nets.stroke_unet import StrokeUNet


def test_a_folded_network_answers_as_before():
    torch.manual_seed(0)
    network = StrokeUNet(filters=(8, 12, 16))
    nn.init.normal_(network.head.weight)
    inputs = torch.randn(4, 5, 32, 48), torch.randn(4, 7, 16, 24)
    for _ in range(3):  # statistics that are not those of a new layer
        network(*inputs)
    network.eval()
    fewer = folded(network)
    with torch.no_grad():
        before, after = network(*inputs), fewer(*inputs)
    assert before.std() > 0.1
    assert torch.allclose(before, after, atol=1e-5, rtol=1e-4)
    norms = [sum(isinstance(m, nn.BatchNorm2d) for m in n.modules()) for n in (network, fewer)]
    assert norms[0] == 10 and norms[1] == 0
