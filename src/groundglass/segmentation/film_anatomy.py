"""Anatomy of a radiograph learnt from projected CT: structures that overlap, each with a probability of its own.

Seibold et al., BMVC 2022 (arXiv 2210.03416), with a small U-Net (`nets.film_unet`) instead of a ResNet-50's.
Structures that the scan cut are unknown on a film, not absent, and take no part in the loss there. The exclusive form,
one class a pixel, is what the method is measured against: of structures that overlap it can show only one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import affine_grid, grid_sample

from groundglass.core.errors import InputError
from groundglass.learn import NumberedBatches, Plan
from groundglass.learn import train as fit
from groundglass.learn.objectives.dice_and_binary_cross_entropy import dice_and_binary_cross_entropy
from groundglass.learn.objectives.dice_and_cross_entropy import dice_and_cross_entropy
from groundglass.nets.film_unet import FilmUNet

Bool = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FilmSet:
    """`pictures` (N, S, S) in [0, 1], S a multiple of 16; `planes` (N, K, S, S); `known` (N, K): on which films the
    structure is labelled."""

    pictures: NDArray[np.float32]
    planes: Bool
    known: Bool

    def __post_init__(self) -> None:
        n, k = self.known.shape
        if self.planes.shape != (n, k, *self.pictures.shape[1:]) or len(self.pictures) != n:
            raise InputError("films", f"have planes {self.planes.shape}, known {self.known.shape}", "Give one grid.")

    def __len__(self) -> int:
        return len(self.pictures)

    def part(self, films: Any) -> FilmSet:
        """The films with these numbers."""
        return FilmSet(self.pictures[films], self.planes[films], self.known[films])

    def structures(self, which: Bool) -> FilmSet:
        """The same films with the structures of `which` (K,) alone."""
        return FilmSet(self.pictures, self.planes[:, which], self.known[:, which])


def train_film_anatomy(
    films: FilmSet, *, folder: Path, steps: int, batch: int = 4, exclusive: bool = False, seed: int = 0
) -> torch.nn.Module:
    """A network of K outputs, or K + 1 where they are `exclusive` (the last: none of them)."""
    torch.manual_seed(seed)
    labels = films.planes.shape[1]
    model = FilmUNet(out_channels=labels + exclusive).to(memory_format=torch.channels_last)
    plan = Plan(steps, 3e-3, weight_decay=1e-4, warmup=max(1, steps // 20), average=0.995, precision="bf16",
                checkpoint_every=10**6, seed=seed)  # fmt: skip
    fit(model, _Batches(films, batch, seed, exclusive), _one_class if exclusive else _overlapping, plan, folder=folder)
    return model


@torch.no_grad()
def film_anatomy(model: torch.nn.Module, pictures: NDArray[np.float32], *, exclusive: bool = False) -> Bool:
    """(N, S, S) -> (N, K, S, S): probability of at least 0.5, or the likeliest class."""
    model.eval()
    found = []
    for part in torch.from_numpy(pictures)[:, None].split(16):
        logits = model(_standardised(part))
        if exclusive:
            best, labels = logits.argmax(dim=1), torch.arange(logits.shape[1] - 1)
            found.append((best[:, None] == labels[None, :, None, None]).numpy())
        else:
            found.append((logits >= 0).numpy())
    return np.concatenate(found)


def mean_iou(found: Bool, films: FilmSet) -> NDArray[np.float64]:
    """(K,): IoU of each structure, mean over the films where it is labelled; NaN for one that never is."""
    both = (found & films.planes).sum(axis=(2, 3))
    either = (found | films.planes).sum(axis=(2, 3))
    each = np.where(films.known & (either > 0), both / np.maximum(either, 1), np.nan)
    seen = ~np.isnan(each)
    count = seen.sum(axis=0)
    return np.where(count > 0, np.where(seen, each, 0).sum(axis=0) / np.maximum(count, 1), np.nan)


class _Batches(NumberedBatches[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]):
    """Films turned, scaled and shifted a little, with another gamma and noise."""

    def __init__(self, films: FilmSet, size: int, seed: int, exclusive: bool) -> None:
        self.films, self.size, self.seed, self.exclusive = films, size, seed, exclusive
        # Of structures that overlap the smaller one lies on top: else ribs would vanish under lungs.
        self.order = np.argsort(-films.planes.sum(axis=(0, 2, 3)))

    def batch(self, number: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rng = self.generator(number)
        chosen = rng.integers(len(self.films), size=self.size)
        held = torch.from_numpy(self.films.pictures[chosen])[:, None]
        grid = affine_grid(_matrices(self.size, rng), list(held.shape), align_corners=False)
        pictures = grid_sample(held, grid, padding_mode="border", align_corners=False).clamp(0, 1)
        pictures = pictures ** torch.from_numpy(np.exp(rng.normal(0, 0.2, (self.size, 1, 1, 1)))).float()
        pictures = pictures + torch.from_numpy(rng.normal(0, 0.02, pictures.shape)).float()
        planes = torch.from_numpy(self.films.planes[chosen]).float()
        planes = grid_sample(planes, grid, mode="nearest", align_corners=False) > 0
        known = torch.from_numpy(self.films.known[chosen])
        return _standardised(pictures), self._labels(planes) if self.exclusive else planes, known

    def _labels(self, planes: torch.Tensor) -> torch.Tensor:
        labels = torch.full(planes[:, 0].shape, planes.shape[1])
        for number in self.order:
            labels[planes[:, number]] = int(number)
        return labels


def _overlapping(model: torch.nn.Module, batch: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> torch.Tensor:
    pictures, planes, known = batch
    # Channels last, as the convolutions leave them, the sums over many structures would take several times as long.
    logits = model(pictures).float().contiguous()
    each = dice_and_binary_cross_entropy(logits, planes.float(), weight=known[:, :, None, None].float())
    seen = known.any(dim=0)
    return each[seen].mean()


def _one_class(model: torch.nn.Module, batch: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> torch.Tensor:
    pictures, labels, _ = batch
    return dice_and_cross_entropy(model(pictures).contiguous(), labels)


def _matrices(count: int, rng: np.random.Generator) -> torch.Tensor:
    """(count, 2, 3) for `affine_grid`: up to about 10 degrees, 15 % in size and 10 % of the side."""
    matrices = np.zeros((count, 2, 3), dtype=np.float32)
    for matrix in matrices:
        angle, scale = np.radians(rng.normal(0, 4)), np.exp(rng.normal(0, 0.07))
        matrix[:, :2] = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix[:, 2] = rng.normal(0, 0.05, 2)
    return torch.from_numpy(matrices)


def _standardised(pictures: torch.Tensor) -> torch.Tensor:
    mean, deviation = (f(pictures, dim=(1, 2, 3), keepdim=True) for f in (torch.mean, torch.std))
    return (pictures - mean) / deviation.clamp(min=1e-6)
