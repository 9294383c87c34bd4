"""Attention of image features to the words of a sentence, as a gate (ConTEXTual Net, arXiv 2303.01615, 2502.00528).

gate = tanh(attention(queries = voxels, keys = values = projected tokens)), output = features x gate: words let a place
through or close it. Padded tokens are no keys. One token that stands for the whole sentence closes or opens channels
alike everywhere: there is nothing to choose from.
"""

from __future__ import annotations

import torch
from torch import nn

# At first all words weigh alike, and what differs between two sentences is lost in the mean of their words: with usual
# weights gates of different sentences differ by hundredths, and hundreds of steps pass before any word is read.
GAIN = 5.0
SHARPNESS = 2.0


class TextGate(nn.Module):
    """Features (B, `channels`, ...) and tokens (B, T, `text_width`) -> features of the same shape."""

    def __init__(self, channels: int, text_width: int) -> None:
        super().__init__()
        self.project = nn.Linear(text_width, channels)
        self.attention = nn.MultiheadAttention(channels, num_heads=1, batch_first=True)
        with torch.no_grad():
            self.attention.out_proj.weight.mul_(GAIN)
            self.attention.in_proj_weight[: 2 * channels].mul_(SHARPNESS)

    def forward(self, features: torch.Tensor, tokens: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        """`padding` (B, T) is True where there is no token; every row has one at least."""
        words = self.project(tokens)
        voxels = features.flatten(2).transpose(1, 2)
        said, _ = self.attention(voxels, words, words, key_padding_mask=padding, need_weights=False)
        return features * said.tanh().transpose(1, 2).reshape(features.shape)
