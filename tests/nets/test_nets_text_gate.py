"""The gate against attention written out voxel by voxel, and the network's levels and sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from groundglass.classification import tiny_bert
from groundglass.core import ConfigurationError
from groundglass.nets.sentence_tokens import SentenceEncoder, Tokens
from groundglass.nets.text_gate import TextGate
from groundglass.nets.text_gated_unet import TextGatedUNet

SHAPE = (2, 3, 4, 5, 6)


def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    padding = torch.zeros(2, 7, dtype=torch.bool)
    padding[1, 4:] = True
    return torch.randn(SHAPE), torch.randn(2, 7, 8), padding


def test_an_open_gate_returns_its_input() -> None:
    gate = TextGate(3, 8)
    with torch.no_grad():
        gate.attention.out_proj.weight.zero_()
        gate.attention.out_proj.bias.fill_(20.0)  # tanh(20) is 1 in single precision
    features, tokens, padding = inputs()
    assert torch.equal(gate(features, tokens, padding), features)


def test_the_gate_is_the_attention_of_each_voxel() -> None:
    gate = TextGate(3, 8)
    features, tokens, padding = inputs()
    with torch.no_grad():
        answer = gate(features, tokens, padding).numpy()
        words = gate.project(tokens).numpy()
    (wq, wk, wv), (bq, bk, bv) = (
        np.split(p.detach().numpy(), 3) for p in (gate.attention.in_proj_weight, gate.attention.in_proj_bias)
    )
    out, bias = (p.detach().numpy() for p in (gate.attention.out_proj.weight, gate.attention.out_proj.bias))
    for b, x, y, z in np.ndindex(2, 4, 5, 6):
        voxel = features[b, :, x, y, z].numpy()
        read = words[b][~padding[b].numpy()]
        scores = (read @ wk.T + bk) @ (wq @ voxel + bq) / np.sqrt(3)
        weights = np.exp(scores - scores.max())
        said = (weights / weights.sum()) @ (read @ wv.T + bv)
        assert np.allclose(answer[b, :, x, y, z], voxel * np.tanh(out @ said + bias), atol=1e-5)


def test_padding_is_not_read() -> None:
    gate = TextGate(3, 8)
    features, tokens, padding = inputs()
    other = torch.where(padding[..., None], 100.0, tokens)
    assert torch.equal(gate(features, tokens, padding), gate(features, other, padding))


def test_one_token_gates_all_voxels_alike() -> None:
    features, tokens, padding = inputs()
    vectors, there = Tokens(tokens, padding).pooled()
    assert torch.allclose(vectors[1, 0], tokens[1, :4].mean(0), atol=1e-6)
    ratio = TextGate(3, 8)(features, vectors, there) / features
    assert torch.allclose(ratio, ratio[..., :1, :1, :1].expand_as(ratio), atol=1e-5)


def test_sentences_of_one_image_are_answered_as_if_alone() -> None:
    torch.manual_seed(0)
    network = TextGatedUNet(text_width=8, filters=(4, 6, 8), strides=(1, 2, 2)).eval()
    images, tokens, padding = torch.randn(2, 2, 8, 4, 8), torch.randn(4, 5, 8), torch.zeros(4, 5, dtype=torch.bool)
    with torch.no_grad():
        together = network(images, tokens, padding)
        alone = torch.cat([network(images[n // 2][None], tokens[n][None], padding[n][None]) for n in range(4)])
        levels = network.levels(images, tokens, padding)
        (coarse,) = network.levels(images, tokens, padding, count=1)
    assert together.shape == (4, 2, 8, 4, 8)
    assert torch.allclose(together, alone, atol=1e-5)
    assert [tuple(one.shape[2:]) for one in levels] == [(4, 2, 4), (8, 4, 8)]
    assert torch.equal(coarse, levels[0])
    assert torch.equal(together, levels[1])


def test_five_levels_see_sixty_voxels_each_way() -> None:
    """By convolutions alone, at the border of the volume; norms see all of it."""
    torch.manual_seed(0)
    network = TextGatedUNet(text_width=8, filters=(4, 4, 4, 4, 4)).eval()
    image = torch.randn(1, 2, 16, 16, 96, requires_grad=True)
    for norm in [m for m in network.modules() if isinstance(m, torch.nn.InstanceNorm3d)]:
        norm.forward = lambda x: x  # type: ignore[method-assign]
    answer = network(image, torch.randn(1, 3, 8), torch.zeros(1, 3, dtype=torch.bool))
    answer[0, 1, 8, 8, 0].backward()
    assert image.grad is not None
    assert int(image.grad.abs().sum(dim=(0, 1, 2, 3)).nonzero().max()) >= 60


def test_levels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigurationError):
        TextGatedUNet(text_width=8, filters=(4, 6), strides=(1, 2, 2))
    with pytest.raises(ConfigurationError):
        TextGatedUNet(text_width=8, filters=(4, 6), strides=(2, 2))


def test_an_encoder_reads_a_sentence_alike_in_any_company(tmp_path: Path) -> None:
    texts = ["right hilar node", "nodule in the left lower lobe of the lung"]
    encoder = SentenceEncoder(tiny_bert(tmp_path / "encoder", texts, width=16, layers=2))
    both = encoder.tokens(texts)
    assert encoder.width == both.vectors.shape[2] == 16
    alone = encoder.tokens(texts[:1])
    length = alone.vectors.shape[1]
    assert not alone.padding.any() and both.padding[0, length:].all() and not both.padding[1].any()
    assert torch.allclose(both.vectors[0, :length], alone.vectors[0], atol=1e-5)
    with pytest.raises(ConfigurationError):
        SentenceEncoder(tmp_path / "nothing")
