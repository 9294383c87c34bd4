"""A random warp of one small volume onto itself: affine map plus smooth fields. Sampled apart from being applied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.synthesis.brain_deformation import rotation
from groundglass.synthesis.fields import coarse_noise, smooth_field


@dataclass(frozen=True)
class PatchWarp:
    """`matrix` (3x3) about the centre, `shift` (3,) and `field` (3, *coarse) in voxels."""

    matrix: NDArray[np.float64]
    shift: NDArray[np.float64]
    field: NDArray[np.float32]


def draw_patch_warp(rng: np.random.Generator, shape: tuple[int, int, int], *, amount: float = 1.0) -> PatchWarp:
    """Rotation +-15 degrees, scale 1 +- 0.2, shift +-4 voxels, field of up to 2.5 voxels; left-right mirror by half."""
    matrix = rotation(np.deg2rad(rng.uniform(-15, 15, 3)) * amount) @ np.diag(1 + rng.uniform(-0.2, 0.2, 3) * amount)
    if rng.random() < 0.5:
        matrix = matrix @ np.diag([-1.0, 1.0, 1.0])
    field = coarse_noise(rng, 3, shape, spacing=rng.uniform(8, 18), std=rng.uniform(0, 2.5) * amount)
    return PatchWarp(matrix, rng.uniform(-4, 4, 3) * amount, field)


def apply_patch_warp(warp: PatchWarp, volumes: torch.Tensor, *, nearest: bool) -> torch.Tensor:
    """(C, X, Y, Z) sampled at the warped positions, zero outside; `nearest` for labels, else linear."""
    shape = tuple(volumes.shape[1:])
    centre = torch.tensor([(n - 1) / 2 for n in shape])
    axes = torch.meshgrid(*[torch.arange(n, dtype=torch.float32) for n in shape], indexing="ij")
    offsets = torch.stack(axes, -1) - centre
    moved = offsets @ torch.from_numpy(warp.matrix.T.astype(np.float32)) + torch.from_numpy(
        warp.shift.astype(np.float32)
    )
    moved = moved + smooth_field(warp.field, shape).movedim(0, -1)
    grid = (moved / centre).flip(-1)[None]
    mode = "nearest" if nearest else "bilinear"
    return torch.nn.functional.grid_sample(volumes[None].float(), grid, mode=mode, align_corners=True)[0]
