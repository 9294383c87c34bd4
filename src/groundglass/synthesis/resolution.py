"""What a scanner's voxels do to an image: slice-profile blur, coarser sampling, interpolation back to 1 mm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Resolution:
    """`spacing` and `thickness` in mm along the three axes; `sharpness` scales the blur (0.85 to 1.15)."""

    spacing: tuple[float, float, float]
    thickness: tuple[float, float, float]
    sharpness: float = 1.0


def draw_resolution(
    rng: np.random.Generator, *, shares: tuple[float, float, float, float] = (0.5, 0.25, 0.1, 0.15)
) -> Resolution:
    """1 mm; thick slices along one axis; low-field axial; low-field near-isotropic (Brain-ID's four kinds).

    The paper draws them equally often; by default the first come more often, for a short training.
    """
    sharpness = float(rng.uniform(0.85, 1.15))
    kind = int(rng.choice(4, p=shares))
    spacing = thickness = np.ones(3)
    if kind == 1:
        spacing, thickness = np.ones(3), np.ones(3)
        axis = int(rng.integers(3))
        spacing[axis] = rng.uniform(2.5, 8.5)
        thickness[axis] = min(spacing[axis], rng.uniform(4.0, 6.0))
    elif kind == 2:
        spacing = thickness = np.array([rng.uniform(1.3, 1.7), rng.uniform(1.3, 1.7), rng.uniform(5.0, 5.4)])
    elif kind == 3:
        spacing = thickness = rng.uniform(2, 5) * rng.uniform(0.9, 1.1, 3)
    return Resolution(tuple(map(float, spacing)), tuple(map(float, thickness)), sharpness)


def blur_sigma(thickness: float, sharpness: float = 1.0) -> float:
    """Standard deviation in voxels of 1 mm of the blur that a slice of `thickness` mm makes; 0 up to 1 mm.

    sharpness * ln 5 / pi * thickness: the Gaussian whose spectrum has fallen to a fifth or so at the slice's cut-off.
    """
    return 0.0 if thickness <= 1 else sharpness * float(np.log(5) / np.pi) * thickness


def gaussian_blur(image: torch.Tensor, sigmas: tuple[float, ...]) -> torch.Tensor:
    """Separable Gaussian of (X, Y, Z), truncated at 3 sigma, edges repeated; axes with sigma 0 are left alone.

    Each axis is one product with a banded matrix: on a CPU, for the sides of training patches, many times faster than
    a convolution.
    """
    for axis, sigma in enumerate(sigmas):
        if sigma > 0.05:
            matrix = _blur_matrix(image.shape[axis], sigma).to(image)
            image = (matrix @ image.movedim(axis, -2)).movedim(-2, axis)
    return image.contiguous()


def _blur_matrix(size: int, sigma: float) -> torch.Tensor:
    """(size, size): row i has the kernel around i; what falls over an edge is added to the edge's own weight."""
    radius = max(1, int(np.ceil(3 * sigma)))
    offsets = torch.arange(-radius, radius + 1)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    rows = torch.arange(size)[:, None].expand(size, len(offsets))
    columns = (rows + offsets).clamp(0, size - 1)
    weights = (kernel / kernel.sum()).expand(size, len(offsets))
    return torch.zeros(size, size).index_put_((rows, columns), weights, accumulate=True)


def down_sample(image: torch.Tensor, spacing: tuple[float, ...]) -> torch.Tensor:
    """(X, Y, Z) of 1 mm voxels on a grid of about `spacing` mm, linear."""
    size = [max(2, round(n / s)) for n, s in zip(image.shape, spacing, strict=True)]
    return resize(image, size)


def resize(image: torch.Tensor, size: list[int]) -> torch.Tensor:
    """Linear interpolation of (X, Y, Z) to `size`; first and last voxel centres of a side stay at its ends' cells."""
    if list(image.shape) == list(size):
        return image
    return torch.nn.functional.interpolate(image[None, None], size=size, mode="trilinear", align_corners=False)[0, 0]
