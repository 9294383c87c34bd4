"""What the intensities say about the tissue, in any contrast: Gaussians fitted to one patch from expected shares.

The expectation-maximisation of unified segmentation (Ashburner and Friston, NeuroImage 2005, doi
10.1016/j.neuroimage.2005.02.018) without a bias field. Its result is the same for an image and for its negative, which
is why a network that reads it need not find out first which of two equally frequent contrasts it looks at.
"""

from __future__ import annotations

import math

import torch

FLUID, GREY, WHITE, BETWEEN, OUTSIDE = range(5)
GROUPS = 5
OUTSIDE_PARTS = 3
ROUNDS = 15
# Log-likelihoods further below the best group's say nothing more.
FAINTEST = -6.0


@torch.no_grad()
def tissue_evidence(image: torch.Tensor, shares: torch.Tensor, tissue: torch.Tensor) -> torch.Tensor:
    """(B, GROUPS, X, Y, Z) log-likelihoods, 0 for the best group, of images (B, 1, X, Y, Z).

    `shares` (B, classes, X/2, Y/2, Z/2) are expected, `tissue` (classes,) names the group of each class. `BETWEEN`
    (mixed nuclei) is half grey, half white matter; the outside has three Gaussians.
    """
    image, shares = image.float(), shares.float()
    return torch.stack([_one(a[0], s, tissue) for a, s in zip(image, shares, strict=True)])


def _one(image: torch.Tensor, shares: torch.Tensor, tissue: torch.Tensor) -> torch.Tensor:
    values = image[::2, ::2, ::2].flatten()
    flat = shares.flatten(1)
    half = 0.5 * flat[tissue == BETWEEN].sum(0)
    prior = torch.stack([flat[tissue == g].sum(0) for g in (FLUID, GREY, WHITE)] + [flat[tissue == OUTSIDE].sum(0)])
    prior[GREY] += half
    prior[WHITE] += half
    mean, variance, parts = _fit(values, prior + 1e-4)
    dense = _gauss(image.flatten(), mean, variance)
    inside = dense[:3]
    outside = (parts[:, None] * dense[3:]).sum(0)
    between = 0.5 * (inside[GREY] + inside[WHITE])
    likelihood = torch.stack([*inside, between, outside]) + 1e-4
    evidence = likelihood.log()
    return (evidence - evidence.amax(0)).clamp(min=FAINTEST).reshape(GROUPS, *image.shape)


def _fit(values: torch.Tensor, prior: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Means, variances (3 + OUTSIDE_PARTS,) and the shares of the outside's parts; `prior` (4, voxels)."""
    scale = values.var().clamp(min=1e-8)
    # The clearest voxels of each tissue decide where it starts.
    sharp = prior**3 / (prior**3).sum(0)
    weight = sharp[:3]
    first = (weight @ values) / weight.sum(1)
    away = values[prior[3] > 0.5]
    levels = torch.tensor((0.1, 0.5, 0.9))
    spread = torch.quantile(away[:: max(1, len(away) // 20_000)], levels) if len(away) > 50 else levels * values.max()
    mean = torch.cat([first, spread])
    variance = torch.full((3 + OUTSIDE_PARTS,), 0.1) * scale
    parts = torch.full((OUTSIDE_PARTS,), 1 / OUTSIDE_PARTS)
    for _ in range(ROUNDS):
        mixing = torch.cat([prior[:3], prior[3] * parts[:, None]])
        posterior = mixing * _gauss(values, mean, variance) + 1e-12
        posterior /= posterior.sum(0)
        # A little of the start stays, for a tissue that the patch hardly holds.
        mass = posterior.sum(1) + 20.0
        mean = (posterior @ values + 20.0 * mean) / mass
        variance = (posterior * (values - mean[:, None]) ** 2).sum(1) / mass
        variance = variance.clamp(min=0.002 * float(scale))
        parts = (mass[3:] / mass[3:].sum()).clamp(min=1e-3)
    return mean, variance, parts


def _gauss(values: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
    """(len(mean), voxels) densities."""
    spread = (values - mean[:, None]) ** 2 / variance[:, None]
    return torch.exp(-0.5 * spread) / (2 * math.pi * variance[:, None]).sqrt()
