"""Regions of an image and phrases as vectors of one space: a convolutional encoder pooled in masks, a bag of words."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

SHARPNESS = 8.0


class RegionPhraseNet(nn.Module):
    """`regions` and `phrases` give vectors of `size` values that are to be compared by their cosine.

    The features of the image lie on a quarter of its grid and lie in (0, 1). A region's value of a feature is
    log(mean over its mask of exp(k f)) / k, between the mean and the maximum, so that a small lesion counts in a large
    region. Position is an input of the encoder (CoordConv, arXiv 1807.03247): without it a region has no side.
    """

    def __init__(self, words: int, *, features: int = 32, size: int = 32) -> None:
        super().__init__()
        widths = (3, features // 2, features, features, features)
        layers: list[nn.Module] = []
        for number, (inputs, outputs) in enumerate(pairwise(widths)):
            stride = 2 if number in (1, 2) else 1
            layers += [nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(outputs),
                       nn.ReLU(inplace=True)]  # fmt: skip
        self.encoder = nn.Sequential(*layers, nn.Conv2d(features, features, 1), nn.Sigmoid())
        self.of_region = nn.Sequential(nn.Linear(features, 2 * size), nn.GELU(), nn.Linear(2 * size, size))
        self.words = nn.EmbeddingBag(words, 2 * size, mode="mean", padding_idx=0)
        self.of_phrase = nn.Sequential(nn.GELU(), nn.Linear(2 * size, size))

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 1, H, W) -> (B, F, H / 4, W / 4)."""
        height, width = images.shape[-2:]
        rows = torch.linspace(-1, 1, height)[:, None].expand(height, width)
        columns = torch.linspace(-1, 1, width)[None].expand(height, width)
        place = torch.stack([rows, columns])[None].to(images).expand(len(images), -1, -1, -1)
        found: torch.Tensor = self.encoder(torch.cat([images, place], dim=1))
        return found

    def regions(self, images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        """Images (B, 1, H, W) and masks (B, R, H / 4, W / 4) -> (B, R, size); an empty mask gets zeros' vector."""
        grown = (SHARPNESS * self.features(images)).exp().flatten(2)
        area = masks.flatten(2)
        mean = area @ grown.transpose(1, 2) / area.sum(dim=2, keepdim=True).clamp(min=1e-6)
        found: torch.Tensor = self.of_region(mean.clamp(min=1.0).log() / SHARPNESS)
        return found

    def phrases(self, ids: torch.Tensor) -> torch.Tensor:
        """Words' numbers (P, T), 0 where there is none -> (P, size)."""
        found: torch.Tensor = self.of_phrase(self.words(ids))
        return found
