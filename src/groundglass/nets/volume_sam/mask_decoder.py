"""The mask decoder: prompts and image attend to each other; a token's hypernetwork weighs the features to a mask."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from groundglass.nets.volume_sam.parts import ChannelNorm, FeedForward, Perceptron

MASKS = 4


class MaskDecoder(nn.Module):
    """Image features, positions and dense prompts (B, C, g, g, g), sparse prompts (B, N, C) -> mask logits
    (B, 4, 4 g, 4 g, 4 g) and quality (B, 4). The first mask is the answer to unambiguous prompts."""

    def __init__(self, *, width: int, heads: int = 8, depth: int = 2, hidden: int = 2048) -> None:
        super().__init__()
        self.transformer = TwoWayTransformer(width, heads, depth, hidden)
        self.iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(MASKS, width)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose3d(width, width // 4, 2, stride=2),
            ChannelNorm(width // 4),
            nn.GELU(),
            nn.ConvTranspose3d(width // 4, width // 8, 2, stride=2),
            nn.GELU(),
        )
        self.output_hypernetworks_mlps = nn.ModuleList(
            Perceptron([width, width, width, width // 8]) for _ in range(MASKS)
        )
        self.iou_prediction_head = Perceptron([width, 256, 256, MASKS])

    def forward(
        self, image: torch.Tensor, position: torch.Tensor, sparse: torch.Tensor, dense: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight]).expand(len(sparse), -1, -1)
        source = image + dense
        tokens, cells = self.transformer(source, position, torch.cat([own, sparse], dim=1))
        features = self.output_upscaling(cells.transpose(1, 2).unflatten(2, source.shape[2:]))
        weights = [net(tokens[:, 1 + k]) for k, net in enumerate(self.output_hypernetworks_mlps)]
        masks = torch.einsum("bmc,bcxyz->bmxyz", torch.stack(weights, dim=1), features)
        return masks, self.iou_prediction_head(tokens[:, 0])


class TwoWayTransformer(nn.Module):
    """Tokens and cells, refined by each other: (B, N, C) and (B, g^3, C)."""

    def __init__(self, width: int, heads: int, depth: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TwoWayBlock(width, heads, hidden, first=k == 0) for k in range(depth))
        self.final_attn_token_to_image = Attention(width, heads, shrink=2)
        self.norm_final_attn = nn.LayerNorm(width)

    def forward(
        self, image: torch.Tensor, position: torch.Tensor, prompts: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        cells, place = (x.flatten(2).transpose(1, 2) for x in (image, position))
        tokens = prompts
        for layer in self.layers:
            tokens, cells = layer(tokens, cells, prompts, place)
        answer = self.final_attn_token_to_image(tokens + prompts, cells + place, cells)
        return self.norm_final_attn(tokens + answer), cells


class TwoWayBlock(nn.Module):
    """Tokens among themselves, tokens to cells, an MLP, cells to tokens; a norm after each."""

    def __init__(self, width: int, heads: int, hidden: int, *, first: bool) -> None:
        super().__init__()
        self.first = first
        self.self_attn = Attention(width, heads)
        self.norm1 = nn.LayerNorm(width)
        self.cross_attn_token_to_image = Attention(width, heads, shrink=2)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = FeedForward(width, hidden, nn.ReLU())
        self.norm3 = nn.LayerNorm(width)
        self.norm4 = nn.LayerNorm(width)
        self.cross_attn_image_to_token = Attention(width, heads, shrink=2)

    def forward(
        self, tokens: torch.Tensor, cells: torch.Tensor, prompts: torch.Tensor, place: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if self.first:
            # The tokens are the prompts themselves: nothing to add to, and nothing to place.
            tokens = self.norm1(self.self_attn(tokens, tokens, tokens))
        else:
            placed = tokens + prompts
            tokens = self.norm1(tokens + self.self_attn(placed, placed, tokens))
        tokens = self.norm2(tokens + self.cross_attn_token_to_image(tokens + prompts, cells + place, cells))
        tokens = self.norm3(tokens + self.mlp(tokens))
        cells = self.norm4(cells + self.cross_attn_image_to_token(cells + place, tokens + prompts, tokens))
        return tokens, cells


class Attention(nn.Module):
    """Multi-head attention (B, N, C), (B, M, C), (B, M, C) -> (B, N, C) whose inner width is C / `shrink`."""

    def __init__(self, width: int, heads: int, *, shrink: int = 1) -> None:
        super().__init__()
        self.heads = heads
        inner = width // shrink
        self.q_proj = nn.Linear(width, inner)
        self.k_proj = nn.Linear(width, inner)
        self.v_proj = nn.Linear(width, inner)
        self.out_proj = nn.Linear(inner, width)

    def forward(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        layers = ((self.q_proj, query), (self.k_proj, key), (self.v_proj, value))
        q, k, v = (layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer, x in layers)
        return self.out_proj(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
