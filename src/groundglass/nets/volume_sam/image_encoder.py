"""The image encoder: a vision transformer on patches of a volume, with windows and relative positions on three axes."""

from __future__ import annotations

from collections.abc import Collection
from itertools import product

import torch
from torch import nn
from torch.nn.functional import pad, scaled_dot_product_attention

from groundglass.nets.volume_sam.parts import ChannelNorm, FeedForward


class ImageEncoder(nn.Module):
    """(B, 1, side, side, side) -> (B, out, side / patch, ...).

    Blocks named in `whole` attend to every token, the others within windows of `window` tokens a side; a grid that is
    no multiple of it is padded with zeros at its end, which take part in the attention as they do in the paper's.
    """

    def __init__(
        self,
        *,
        side: int,
        patch: int,
        width: int,
        depth: int,
        heads: int,
        window: int,
        whole: Collection[int],
        out: int,
    ) -> None:
        super().__init__()
        grid = side // patch
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv3d(1, width, patch, stride=patch)})
        self.pos_embed = nn.Parameter(torch.zeros(1, grid, grid, grid, width))
        self.blocks = nn.ModuleList(
            Block(width, heads, grid=grid, window=0 if k in whole else window) for k in range(depth)
        )
        self.neck = nn.Sequential(
            nn.Conv3d(width, out, 1, bias=False),
            ChannelNorm(out),
            nn.Conv3d(out, out, 3, padding=1, bias=False),
            ChannelNorm(out),
        )

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        x = self.patch_embed["proj"](volume).movedim(1, -1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.neck(x.movedim(-1, 1))


class Block(nn.Module):
    """Attention and MLP, each behind a norm and added, on tokens (B, D, H, W, C). `window` 0: all tokens at once."""

    def __init__(self, width: int, heads: int, *, grid: int, window: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = RelativeAttention(width, heads, window or grid)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = FeedForward(width, 4 * width, nn.GELU())
        self.window = window

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normed = self.norm1(x)
        x = x + (self._windowed(normed) if self.window else self.attn(normed))
        return x + self.mlp(self.norm2(x))

    def _windowed(self, x: torch.Tensor) -> torch.Tensor:
        """Attention within windows; each window's answer goes back to its place."""
        size, shape = self.window, x.shape[1:4]
        gaps = [-n % size for n in shape]
        padded = pad(x, (0, 0, 0, gaps[2], 0, gaps[1], 0, gaps[0]))
        out = torch.empty_like(padded)
        for corner in product(*(range(0, n + gap, size) for n, gap in zip(shape, gaps, strict=True))):
            at = (slice(None), *(slice(c, c + size) for c in corner))
            out[at] = self.attn(padded[at])
        return out[:, : shape[0], : shape[1], : shape[2]]


class RelativeAttention(nn.Module):
    """Self-attention of a cube of tokens; the bias of a pair is the query's product with one learned vector for its
    offset along each axis (Li et al., MViTv2, arXiv 2112.01526)."""

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        for axis in "dhw":
            setattr(self, f"rel_pos_{axis}", nn.Parameter(torch.zeros(2 * side - 1, width // heads)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, *shape, width = x.shape
        split = self.qkv(x).reshape(batch, -1, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        bias = self._bias(query, shape)
        out = scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return self.proj(out.transpose(1, 2).reshape(batch, *shape, width))

    def _bias(self, query: torch.Tensor, shape: list[int]) -> torch.Tensor:
        """(B, heads, N, N) of queries (B, heads, N, C)."""
        on_grid = query.unflatten(2, shape)
        total: torch.Tensor | float = 0.0
        for axis, (name, form) in enumerate((("d", "bnxyzc,xkc->bnxyzk"), ("h", "bnxyzc,ykc->bnxyzk"),
                                             ("w", "bnxyzc,zkc->bnxyzk"))):  # fmt: skip
            at = torch.arange(shape[axis], device=query.device)
            vectors = getattr(self, f"rel_pos_{name}")[at[:, None] - at[None, :] + shape[axis] - 1]
            spread = [1, 1, 1]
            spread[axis] = shape[axis]
            total = total + torch.einsum(form, on_grid, vectors).unflatten(-1, spread)
        assert isinstance(total, torch.Tensor)
        return total.flatten(5, 7).flatten(2, 4)
