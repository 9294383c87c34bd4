"""Fast, differentiable line integrals: Joseph's sum over planes of voxels, with the weights of the ray's path.

Joseph, IEEE Trans. Med. Imaging 1 (1982) 192: the integral is the sum over the planes across the ray's main axis of
the value interpolated between a plane's voxels, times the path between two planes. Joseph interpolates by distance;
here each voxel counts by its share of the path through the slab, along either axis of the plane, which is exact where
the ray leaves a voxel along one axis at a time. So the sum keeps to Siddon's to a few parts in 100,000, also in a
straight view, whose rays stay in their column (0.014 % in an oblique one). Planes are sampled by the 2-D `grid_sample`,
far faster on a CPU than the 3-D one, and differentiable with respect to the volume; the gradient is the adjoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import grid_sample

from groundglass.synthesis.xray.crossing import RayBundle, bundles, gathered
from groundglass.synthesis.xray.view import XrayView

# Planes per call of grid_sample: their sampling points stay in the cache.
PLANES = 4
# A ray that leaves its column by less than this many voxels per plane is taken to leave it by so much: it then
# divides between two columns only on their very border.
LEAST_SLOPE = 1e-4


def line_integrals(volume: torch.Tensor, affine: NDArray[Any], view: XrayView) -> torch.Tensor:
    """(X, Y, Z) values per mm -> (rows, columns) integrals, or (C, X, Y, Z) -> (C, rows, columns), in its dtype.

    The rays are taken as whole lines in front of the source: what lies beyond the detector counts, too. Outside its
    voxels the volume is 0. Raises GeometryError where the source lies in the volume.
    """
    channels = volume if volume.ndim == 4 else volume[None]
    shape = tuple(channels.shape[1:])
    parts = [(bundle, _sum(channels, bundle, view, affine)) for bundle in bundles(view, affine, shape)]
    image = gathered(view, parts)
    return image if volume.ndim == 4 else image[0]


def line_integrals_of(volume: torch.Tensor, affine: NDArray[Any], views: Sequence[XrayView]) -> torch.Tensor:
    """The same volume in several views of one detector shape: (V, [C,] rows, columns)."""
    return torch.stack([line_integrals(volume, affine, view) for view in views])


def back_projection(
    weights: torch.Tensor, affine: NDArray[Any], shape: tuple[int, int, int], view: XrayView
) -> torch.Tensor:
    """The adjoint: (rows, columns) weights smeared back along their rays into (X, Y, Z), in mm of path."""
    volume = torch.zeros(shape, dtype=weights.dtype, device=weights.device, requires_grad=True)
    (smeared,) = torch.autograd.grad(line_integrals(volume, affine, view), volume, weights)
    return smeared


def _sum(channels: torch.Tensor, bundle: RayBundle, view: XrayView, affine: NDArray[Any]) -> torch.Tensor:
    """(C, X, Y, Z) -> (C, *rays)."""
    kind, device = channels.dtype, channels.device
    planes = channels.movedim(bundle.axis + 1, 0)
    # grid_sample wants the last axis of the plane first, and [-1, 1] over the outer faces of the voxels.
    sizes = torch.tensor([channels.shape[1 + other] for other in bundle.others[::-1]], dtype=kind, device=device)
    base, slope = (of.flip(-1).to(kind).to(device) for of in (bundle.base, bundle.slope))
    if base.ndim == 2:
        base, slope = base[None], slope[None]
    total = torch.zeros((channels.shape[0], *base.shape[:2]), dtype=kind, device=device)
    # Parts by `split` share one gradient of the volume; parts by slicing would each have a whole one.
    chunks = planes.split(PLANES)
    for number, (chunk, window) in enumerate(
        zip(chunks, _windows(channels.shape[1:], bundle, view, affine), strict=True)
    ):
        index = number * PLANES + torch.arange(len(chunk), dtype=kind, device=device)[:, None, None, None]
        points = _by_path(torch.addcmul(base[window], slope[window], index), slope[window])
        points = (2 * points + 1) / sizes - 1
        total[:, *window] += grid_sample(chunk.contiguous(), points, align_corners=False).sum(dim=0)
    step = bundle.step.to(kind).to(device)
    return (total if bundle.where is None else total[:, 0]) * step


def _by_path(points: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
    """Where a ray meets the middle of a plane, in voxels -> where interpolation gives the share of its path.

    Along one axis the path through the slab runs from point - slope / 2 to point + slope / 2; what lies beyond the
    border between two voxels is the further one's share.
    """
    voxel = points.floor()
    return voxel + ((points - voxel - 0.5) / slope.abs().clamp(min=LEAST_SLOPE) + 0.5).clamp(0, 1)


def _windows(
    shape: Sequence[int], bundle: RayBundle, view: XrayView, affine: NDArray[Any]
) -> list[tuple[slice, slice]]:
    """For each part of PLANES planes the rows and columns of the detector that hold every ray which meets them, or
    passes them within a voxel; everything where the bundle is not the whole detector."""
    first = np.arange(0, shape[bundle.axis], PLANES)
    if bundle.where is not None:
        return [(slice(None), slice(None))] * len(first)
    last = np.minimum(first + PLANES, shape[bundle.axis]) - 1
    corners = np.zeros((len(first), 2, 2, 2, 3))
    corners[..., bundle.axis] = np.stack([first, last], axis=1)[:, :, None, None]
    for place, other in enumerate(bundle.others):
        corners[..., other] = np.array([-1, shape[other]]).reshape((2, 1) if place == 0 else (1, 2))
    pixels, _ = view.project(corners.reshape(-1, 3) @ affine[:3, :3].T + affine[:3, 3])
    pixels = pixels.reshape(len(first), 8, 2)
    low = np.clip(np.floor(pixels.min(axis=1)), 0, view.shape).astype(int)
    high = np.clip(np.ceil(pixels.max(axis=1)) + 1, low, view.shape).astype(int)
    return [(slice(*rows), slice(*columns)) for rows, columns in np.stack([low, high], axis=-1).tolist()]
