"""Smooth random fields: coarse normal noise, interpolated to the full grid. Sampled apart from being applied."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray


def coarse_noise(
    rng: np.random.Generator, channels: int, shape: Sequence[int], *, spacing: float, std: float
) -> NDArray[np.float32]:
    """Normal noise (channels, *coarse) with one node every `spacing` voxels of `shape`, at least two a side."""
    nodes = [max(2, int(np.ceil(n / spacing)) + 1) for n in shape]
    return (std * rng.standard_normal((channels, *nodes))).astype(np.float32)


def smooth_field(noise: NDArray[np.float32], shape: Sequence[int]) -> torch.Tensor:
    """The noise interpolated tri-linearly, first to a grid half as coarse and softened, then to `shape`."""
    field = torch.from_numpy(noise)[None]
    middle = [min(n, 3 * m) for n, m in zip(shape, noise.shape[1:], strict=True)]
    field = torch.nn.functional.interpolate(field, size=middle, mode="trilinear", align_corners=True)
    field = torch.nn.functional.avg_pool3d(field, 3, stride=1, padding=1, count_include_pad=False)
    return torch.nn.functional.interpolate(field, size=list(shape), mode="trilinear", align_corners=True)[0]


def flow(velocity: torch.Tensor, *, steps: int = 8) -> torch.Tensor:
    """(3, X, Y, Z) displacement, in voxels, of following the stationary `velocity` for one unit of time.

    Scaling and squaring (Arsigny et al., MICCAI 2006): half steps are composed with themselves `steps` times.
    """
    shape = velocity.shape[1:]
    scale = 2 / (torch.tensor(shape, dtype=torch.float32) - 1)
    axes = [torch.linspace(-1, 1, n) for n in shape]
    start = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    moved = velocity / 2**steps
    for _ in range(steps):
        grid = (start + moved.movedim(0, -1) * scale).flip(-1)[None]
        moved = moved + torch.nn.functional.grid_sample(moved[None], grid, padding_mode="border", align_corners=True)[0]
    return moved
