"""SAM in 3D: the published layout, positions, and the whole forward pass against a second writing of it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch.nn.functional import conv3d, conv_transpose3d, gelu, layer_norm, linear, pad, relu

from groundglass.nets.volume_sam import VolumeSam, published_layout

SMALL = {
    "side": 32, "patch": 8, "width": 24, "depth": 2, "heads": 2, "window": 3, "whole": (1,), "prompt_width": 48,
    "decoder_hidden": 32,
}  # fmt: skip
State = dict[str, torch.Tensor]


def small(compat: str = "correct") -> VolumeSam:
    torch.manual_seed(3)
    network = VolumeSam(**SMALL, compat=compat).eval()
    for parameter in network.parameters():
        parameter.data.normal_(0, 0.2)
    return network


def test_names_and_shapes_are_the_published_checkpoints() -> None:
    with torch.device("meta"):
        state = VolumeSam().state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == published_layout()
    assert len(state) == 324


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_click_is_most_alike_to_the_cell_that_holds_it(axis: int) -> None:
    torch.manual_seed(axis)
    network = VolumeSam(**{**SMALL, "side": 64, "prompt_width": 384})
    grid = network.prompt_encoder.grid_position()[0].flatten(1)
    rng = np.random.default_rng(axis)
    for _ in range(20):
        voxel = rng.integers(0, 8, 3) * 8 + 4
        voxel[axis] = rng.integers(0, 64) // 8 * 8 + 3
        assert _nearest_cell(network, grid, voxel) == tuple(voxel // 8)


def test_the_released_grid_swaps_two_axes() -> None:
    torch.manual_seed(0)
    network = VolumeSam(**{**SMALL, "side": 64, "prompt_width": 384}, compat="released")
    grid = network.prompt_encoder.grid_position()[0].flatten(1)
    assert _nearest_cell(network, grid, np.array([12, 36, 52])) == (4, 1, 6)


def _nearest_cell(network: VolumeSam, grid: torch.Tensor, voxel: np.ndarray) -> tuple[int, ...]:
    place = network.prompt_encoder.pe_layer((torch.tensor(voxel)[None].float() + 0.5) / 64)[0]
    return tuple(int(v) for v in np.unravel_index(int(torch.cosine_similarity(grid.T, place[None]).argmax()), (8,) * 3))


@pytest.mark.parametrize("fed_back", [False, True])
@pytest.mark.parametrize("compat", ["correct", "released"])
def test_the_forward_pass_agrees_with_a_second_writing(fed_back: bool, compat: str) -> None:
    network = small(compat)
    volume = torch.randn(1, 1, 32, 32, 32)
    points, labels = torch.tensor([[[3.0, 20.0, 9.0], [30.0, 1.0, 16.0]]]), torch.tensor([[1, 0]])
    previous = torch.randn(1, 1, 16, 16, 16) if fed_back else None
    with torch.no_grad():
        got = network(volume, points, labels, previous)
        state = dict(network.state_dict())
        wanted = reference_decoder(state, reference_encoder(state, volume), points, labels, previous, compat)
    assert wanted.abs().max() > 0.1
    assert torch.allclose(got, wanted, atol=2e-4, rtol=1e-4)


def of(state: State, prefix: str) -> tuple[torch.Tensor, torch.Tensor]:
    return state[f"{prefix}.weight"], state[f"{prefix}.bias"]


def norm(state: State, prefix: str, x: torch.Tensor, eps: float) -> torch.Tensor:
    return layer_norm(x, x.shape[-1:], *of(state, prefix), eps)


def channels_norm(state: State, prefix: str, x: torch.Tensor) -> torch.Tensor:
    mean, variance = x.mean(1, keepdim=True), x.var(1, keepdim=True, unbiased=False)
    weight, bias = (v[:, None, None, None] for v in of(state, prefix))
    return (x - mean) / torch.sqrt(variance + 1e-6) * weight + bias


def reference_encoder(state: State, volume: torch.Tensor) -> torch.Tensor:
    """The layers of Sec. 3 of the paper, pair by pair in plain loops."""
    s = {k.removeprefix("image_encoder."): v for k, v in state.items()}
    x = conv3d(volume, *of(s, "patch_embed.proj"), stride=8).permute(0, 2, 3, 4, 1) + s["pos_embed"]
    for k, size in ((0, 3), (1, 4)):
        name = f"blocks.{k}"
        y = norm(s, f"{name}.norm1", x, 1e-6)
        gap = -4 % size
        y = pad(y, (0, 0, 0, gap, 0, gap, 0, gap))
        out = torch.zeros_like(y)
        for corner in product(range(0, 4 + gap, size), repeat=3):
            at = (0, *(slice(c, c + size) for c in corner))
            out[at] = cube_attention(s, f"{name}.attn", y[at], size)
        x = x + out[:, :4, :4, :4]
        y = linear(norm(s, f"{name}.norm2", x, 1e-6), *of(s, f"{name}.mlp.lin1"))
        x = x + linear(gelu(y), *of(s, f"{name}.mlp.lin2"))
    x = channels_norm(s, "neck.1", conv3d(x.permute(0, 4, 1, 2, 3), s["neck.0.weight"]))
    return channels_norm(s, "neck.3", conv3d(x, s["neck.2.weight"], padding=1))


def cube_attention(s: State, name: str, cube: torch.Tensor, size: int) -> torch.Tensor:
    places = list(product(range(size), repeat=3))
    qkv = linear(cube.reshape(-1, 24), *of(s, f"{name}.qkv")).reshape(-1, 3, 2, 12)
    offsets = torch.tensor([[[a - b + size - 1 for a, b in zip(p, q, strict=True)] for q in places] for p in places])
    tables = [s[f"{name}.rel_pos_{axis}"] for axis in "dhw"]
    vectors = sum(table[offsets[..., k]] for k, table in enumerate(tables))
    heads = []
    for h in range(2):
        q, k, v = (qkv[:, part, h] for part in range(3))
        scores = q @ k.T / 12**0.5 + (q[:, None] * vectors).sum(-1)
        heads.append(scores.softmax(-1) @ v)
    return linear(torch.cat(heads, dim=-1), *of(s, f"{name}.proj")).reshape(size, size, size, 24)


def reference_decoder(
    state: State, image: torch.Tensor, points: torch.Tensor, labels: torch.Tensor, previous: torch.Tensor | None,
    compat: str,
) -> torch.Tensor:  # fmt: skip
    p = {k.removeprefix("prompt_encoder."): v for k, v in state.items()}
    d = {k.removeprefix("mask_decoder."): v for k, v in state.items()}
    matrix = p["pe_layer.positional_encoding_gaussian_matrix"]

    def fourier(place: torch.Tensor) -> torch.Tensor:
        angle = 2 * torch.pi * (2 * place - 1) @ matrix
        return torch.cat([angle.sin(), angle.cos(), angle.sin()], -1)

    own = [d["iou_token.weight"], d["mask_tokens.weight"]]
    for point, label in zip(points[0], labels[0], strict=True):
        own.append(fourier((point + 0.5) / 32)[None] + p[f"point_embeddings.{int(label)}.weight"])
    prompts = torch.cat([*own, p["not_a_point_embed.weight"]])
    if previous is None:
        dense = p["no_mask_embed.weight"].reshape(1, 48, 1, 1, 1)
    else:
        dense = gelu(channels_norm(p, "mask_downscaling.1", conv3d(previous, *of(p, "mask_downscaling.0"), stride=2)))
        dense = gelu(channels_norm(p, "mask_downscaling.4", conv3d(dense, *of(p, "mask_downscaling.3"), stride=2)))
        dense = conv3d(dense, *of(p, "mask_downscaling.6"))
    order = (1, 0, 2) if compat == "released" else (0, 1, 2)
    cells = [torch.tensor([(c[a] + 0.5) / 4 for a in order]) for c in product(range(4), repeat=3)]
    place = torch.stack([fourier(c) for c in cells])
    keys = (image + dense).reshape(48, -1).T

    def attend(name: str, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        q, k, v = (linear(x, *of(d, f"{name}.{n}_proj")) for x, n in ((q, "q"), (k, "k"), (v, "v")))
        width = q.shape[-1] // 8
        parts = [slice(h * width, h * width + width) for h in range(8)]
        heads = [(q[:, h] @ k[:, h].T / width**0.5).softmax(-1) @ v[:, h] for h in parts]
        return linear(torch.cat(heads, -1), *of(d, f"{name}.out_proj"))

    tokens = prompts
    for layer in range(2):
        name = f"transformer.layers.{layer}"
        if layer == 0:
            tokens = attend(f"{name}.self_attn", tokens, tokens, tokens)
        else:
            tokens = tokens + attend(f"{name}.self_attn", tokens + prompts, tokens + prompts, tokens)
        tokens = norm(d, f"{name}.norm1", tokens, 1e-5)
        tokens = tokens + attend(f"{name}.cross_attn_token_to_image", tokens + prompts, keys + place, keys)
        tokens = norm(d, f"{name}.norm2", tokens, 1e-5)
        hidden = relu(linear(tokens, *of(d, f"{name}.mlp.lin1")))
        tokens = norm(d, f"{name}.norm3", tokens + linear(hidden, *of(d, f"{name}.mlp.lin2")), 1e-5)
        keys = keys + attend(f"{name}.cross_attn_image_to_token", keys + place, tokens + prompts, tokens)
        keys = norm(d, f"{name}.norm4", keys, 1e-5)
    tokens = tokens + attend("transformer.final_attn_token_to_image", tokens + prompts, keys + place, keys)
    chosen = norm(d, "transformer.norm_final_attn", tokens, 1e-5)[1]
    for k in range(3):
        chosen = linear(chosen, *of(d, f"output_hypernetworks_mlps.0.layers.{k}"))
        chosen = relu(chosen) if k < 2 else chosen
    features = conv_transpose3d(keys.T.reshape(1, 48, 4, 4, 4), *of(d, "output_upscaling.0"), stride=2)
    features = gelu(channels_norm(d, "output_upscaling.1", features))
    features = gelu(conv_transpose3d(features, *of(d, "output_upscaling.3"), stride=2))
    return (chosen[None, :, None, None, None] * features).sum(1, keepdim=True)
