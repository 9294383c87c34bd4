"""Exact line integrals through voxels of constant value, and what else lies along a ray.

Siddon, Med. Phys. 12 (1985) 252: the sum over the voxels that a ray crosses of value times length inside. Here a ray
is followed slab by slab along its main axis. It moves at most one voxel on either other axis within a slab, so each
slab holds at most three pieces, and all rays take the same step at once: nothing is sorted and nothing approximated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.core import Mask
from groundglass.synthesis.xray.crossing import RayBundle, bundles, gathered
from groundglass.synthesis.xray.view import XrayView

# Pieces shorter than this share of a slab are the rounding of an edge, not a crossing.
NOTHING = 1e-9


def exact_line_integrals(volume: torch.Tensor, affine: NDArray[Any], view: XrayView) -> torch.Tensor:
    """(X, Y, Z) values per mm -> (rows, columns) float64, or (C, X, Y, Z) -> (C, rows, columns).

    Rays as in `line_integrals`. Differentiable in the volume.
    """
    channels = volume if volume.ndim == 4 else volume[None]
    parts = []
    for bundle in bundles(view, affine, tuple(channels.shape[1:])):
        total = torch.zeros((channels.shape[0], bundle.step.numel()), dtype=torch.float64)
        for values, share in _pieces(channels, bundle):
            total = total + values * share
        parts.append((bundle, _shaped(total * bundle.step.reshape(-1), bundle)))
    image = gathered(view, parts)
    return image if volume.ndim == 4 else image[0]


def highest_on_rays(volume: torch.Tensor, affine: NDArray[Any], view: XrayView) -> torch.Tensor:
    """(X, Y, Z) -> (rows, columns): the highest value among 0 and the voxels that each ray crosses."""
    parts = []
    for bundle in bundles(view, affine, tuple(volume.shape)):
        highest = torch.zeros((1, bundle.step.numel()), dtype=volume.dtype)
        for values, share in _pieces(volume[None], bundle):
            highest = torch.maximum(highest, torch.where(share > NOTHING, values, torch.zeros_like(values)))
        parts.append((bundle, _shaped(highest, bundle)))
    return gathered(view, parts)[0]


def path_lengths(mask: Mask, view: XrayView) -> NDArray[np.float32]:
    """(rows, columns): mm of each ray inside the mask; the ray meets it where this is above 0. Only the mask's box, and
    the pixels behind it, are looked at."""
    lengths = np.zeros(view.shape, dtype=np.float32)
    if mask.is_empty:
        return lengths
    affine = np.array(mask.affine)
    affine[:3, 3] += affine[:3, :3] @ np.asarray(mask.offset, dtype=np.float64)
    corners = np.stack(np.meshgrid(*[(-0.5, n - 0.5) for n in mask.crop.shape], indexing="ij"), -1).reshape(-1, 3)
    pixels, _ = view.project(corners @ affine[:3, :3].T + affine[:3, 3])
    low = np.clip(np.floor(pixels.min(axis=0)), 0, view.shape).astype(int)
    high = np.clip(np.ceil(pixels.max(axis=0)) + 1, low, view.shape).astype(int)
    if (high <= low).any():
        return lengths
    part = slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))
    inside = torch.from_numpy(mask.crop.astype(np.float32))
    lengths[part] = exact_line_integrals(inside, affine, view.window(*part)).numpy()
    return lengths


def _pieces(channels: torch.Tensor, bundle: RayBundle) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """For each slab and piece: the values (C, rays), and the share of the slab's path that lies in it (rays)."""
    planes = torch.nn.functional.pad(channels.movedim(bundle.axis + 1, 0), (1, 1, 1, 1))
    height, width = planes.shape[-2:]
    # From here voxel j of the padded plane holds [j, j + 1), so that `floor` is its index.
    base, slope = bundle.base.reshape(-1, 2) + 1.5, bundle.slope.reshape(-1, 2)
    limit = torch.tensor([height - 1, width - 1])
    flat = slope.abs() < 1e-12
    safe = torch.where(flat, torch.ones_like(slope), slope)
    for number, plane in enumerate(planes):
        values = plane.reshape(plane.shape[0], -1)
        enter = base + slope * (number - 0.5)
        here, there = enter.floor(), (enter + slope).floor()
        # Where the ray changes voxel, as a share of the slab; 1 where it does not.
        change = torch.where(
            (here == there) | flat, torch.ones_like(enter), (torch.maximum(here, there) - enter) / safe
        )
        change = change.clamp(0, 1)
        here, there = here.clamp(min=0).minimum(limit), there.clamp(min=0).minimum(limit)
        first, last = change.min(dim=-1).values, change.max(dim=-1).values
        middle = torch.where((change == first[:, None]) & (change < 1), there, here)
        ends = (here, first), (middle, last - first), (there, 1 - last)
        for cell, share in ends:
            index = (cell[:, 0] * width + cell[:, 1]).long()
            yield values[:, index], share


def _shaped(values: torch.Tensor, bundle: RayBundle) -> torch.Tensor:
    return values.reshape(-1, *bundle.step.shape)
