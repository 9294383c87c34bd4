"""Training batches: phantoms with a random look, and real radiographs with pseudo-labels, under random geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import affine_grid, grid_sample, interpolate

from groundglass.learn import NumberedBatches
from groundglass.learn.objectives.dice_and_binary_cross_entropy import dice_and_binary_cross_entropy
from groundglass.segmentation.radiograph_labels import LABELS
from groundglass.segmentation.radiograph_phantoms import SIZE, PhantomSet


@dataclass(frozen=True)
class PseudoLabels:
    """Real pictures (N, SIZE, SIZE) uint8 with probabilities (N, K, SIZE/2, SIZE/2) uint8 and trust (N, K) in [0,
    1]."""

    pictures: NDArray[np.uint8]
    probabilities: NDArray[np.uint8]
    trust: NDArray[np.float32]


@dataclass
class RadiographBatches(NumberedBatches[dict[str, torch.Tensor]]):
    """Endless batches {"image" (B, 1, S, S), "target" (B, K, S/2, S/2), "weight" (B, K, S/2, S/2)}.

    `appearance=False` gives the phantoms as they were rendered (the baseline). `styles` are unlabelled real pictures.
    `real` adds pseudo-labelled pictures as `share` of a batch.
    """

    phantoms: PhantomSet
    size: int = 8
    seed: int = 0
    appearance: bool = True
    styles: NDArray[np.uint8] | None = None
    real: PseudoLabels | None = None
    share: float = 0.5

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        rng = self.generator(number)
        reals = round(self.size * self.share) if self.real is not None else 0
        drawn = [self._real(rng) for _ in range(reals)] + [self._phantom(rng) for _ in range(self.size - reals)]
        pictures, targets, weights = (torch.from_numpy(np.stack(part)) for part in zip(*drawn, strict=True))
        grid = _grid(len(drawn), rng)
        pictures = grid_sample(pictures[:, None], grid, padding_mode="border", align_corners=False)
        half = interpolate(grid.permute(0, 3, 1, 2), scale_factor=0.5, mode="area").permute(0, 2, 3, 1)
        inside = (half.abs() <= 1).all(dim=-1)[:, None]
        targets = grid_sample(targets, half, align_corners=False)
        weights = weights[:, :, None, None] * inside
        confident = ((targets < 0.3) | (targets > 0.7)).float()
        confident[reals:] = 1.0
        looks = [
            self._look(p.numpy(), t.numpy(), i < reals, rng)
            for i, (p, t) in enumerate(zip(pictures[:, 0], targets, strict=True))
        ]
        image = torch.from_numpy(np.stack(looks))[:, None]
        return {"image": (image - 0.5) / 0.25, "target": (targets > 0.5).float(), "weight": weights * confident}

    def _phantom(self, rng: np.random.Generator) -> tuple[Any, Any, Any]:
        index = int(rng.integers(len(self.phantoms)))
        return (
            self.phantoms.pictures[index].astype(np.float32) / 255,
            self.phantoms.masks(index).astype(np.float32),
            np.ones(len(LABELS), dtype=np.float32),
        )

    def _real(self, rng: np.random.Generator) -> tuple[Any, Any, Any]:
        assert self.real is not None
        index = int(rng.choice(len(self.real.pictures)))
        picture = self.real.pictures[index].astype(np.float32) / 255
        return picture, self.real.probabilities[index].astype(np.float32) / 255, self.real.trust[index]

    def _look(
        self, picture: NDArray[np.float32], target: NDArray[np.float32], real: bool, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        from groundglass.synthesis import radiograph_appearance as looks

        if real:
            lungs = np.repeat(np.repeat(target[0] + target[1], 2, 0), 2, 1).clip(0, 1)
            seen = looks.veiled(picture, lungs, rng) if rng.random() < 0.3 else picture
            return looks.disturb(looks.stretch(seen), rng)
        if not self.appearance:
            return looks.stretch(picture)
        lungs = np.repeat(np.repeat(target[0] + target[1], 2, 0), 2, 1).clip(0, 1)
        if rng.random() < 0.7:
            heart, mediastinum = (np.repeat(np.repeat(target[k], 2, 0), 2, 1) for k in (2, 3))
            picture = looks.hila(picture, mediastinum, heart, rng)
        return looks.randomise(picture, lungs, self.styles if self.styles is not None else (), rng)


def _grid(count: int, rng: np.random.Generator) -> torch.Tensor:
    """Sampling grids (B, SIZE, SIZE, 2): rotation, scale, aspect, shift and a smooth deformation."""
    matrices = np.zeros((count, 2, 3), dtype=np.float32)
    for matrix in matrices:
        angle = np.radians(rng.normal(0, 5) if rng.random() < 0.85 else rng.uniform(-20, 20))
        scale, aspect = rng.uniform(0.78, 1.18), np.exp(rng.normal(0, 0.07))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix[:, :2] = turn @ np.diag([scale * aspect, scale / aspect])
        matrix[:, 2] = rng.normal(0, 0.07, 2)
    grid = affine_grid(torch.from_numpy(matrices), [count, 1, SIZE, SIZE], align_corners=False)
    bend = torch.from_numpy(rng.normal(0, 0.018, (count, 2, 6, 6)).astype(np.float32))
    return grid + interpolate(bend, size=(SIZE, SIZE), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)


# Main structures count most; rib numbers, which are often ambiguous in the picture, least.
WEIGHTS = torch.tensor([2.0, 2.0, 2.0, 2.0] + [1.0] * 13 + [0.4] * (len(LABELS) - 17))


def objective(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Weighted sum over labels of binary cross-entropy and soft Dice (per label over the batch)."""
    logits = model(batch["image"].contiguous(memory_format=torch.channels_last)).float()
    each = dice_and_binary_cross_entropy(logits, batch["target"], weight=batch["weight"])
    return (each * WEIGHTS).sum() / WEIGHTS.sum()
