"""Where each voxel of a training patch lies in the atlas: affine map, smooth field, ventricle width.

The numbers are those of Brain-ID (Liu et al., ECCV 2024, arXiv 2311.16914): rotation +-15 degrees, shear +-0.2, scale
1 +- 0.2, a smooth field of up to 4 voxels standard deviation on a grid of 3 to 6 % of the size. Added here, because
one template stands for all anatomy: the lateral ventricles widen or shrink along their own distance field.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.synthesis.fields import coarse_noise, smooth_field

VENTRICLE_REACH_MM = 18.0


@dataclass(frozen=True)
class Deformation:
    """One draw. `matrix` (3x3) and `centre` (MNI mm) place the patch, `field` (3, *coarse) bends it, mm.

    `widening` is by how many mm the walls of the lateral ventricles move out, `flip` mirrors left and right.
    """

    matrix: NDArray[np.float64]
    centre: NDArray[np.float64]
    field: NDArray[np.float32]
    fine: NDArray[np.float32]
    widening: float
    flip: bool


def draw_deformation(rng: np.random.Generator, shape: tuple[int, int, int], *, amount: float = 1.0) -> Deformation:
    """A deformation for a patch of `shape` voxels of 1 mm somewhere over the brain. `amount` 0: none but the place."""
    angles = np.deg2rad(rng.uniform(-15, 15, 3)) * amount
    shear = rng.uniform(-0.1, 0.1, 6) * amount
    scale = 1 + rng.uniform(-0.2, 0.2) * amount + rng.uniform(-0.08, 0.08, 3) * amount
    matrix = _rotation(angles) @ (np.diag(scale) + _off_diagonal(shear))
    room = np.maximum(0, np.array([88.0, 112.0, 96.0]) - np.array(shape) / 2)
    centre = np.array([0.0, -18.0, 8.0]) + rng.uniform(-room, room)
    size = float(max(shape)) * 1.6
    field = coarse_noise(rng, 3, shape, spacing=size * rng.uniform(0.12, 0.3), std=rng.uniform(0, 6) * amount)
    fine = coarse_noise(rng, 3, shape, spacing=size * rng.uniform(0.05, 0.09), std=rng.uniform(0, 2.2) * amount)
    widening = float(rng.uniform(-2, 2) if rng.random() < 0.45 else rng.uniform(0, 11)) * amount
    return Deformation(matrix, centre, field, fine, widening, bool(rng.random() < 0.5))


def atlas_positions(deformation: Deformation, shape: tuple[int, int, int]) -> torch.Tensor:
    """(3, X, Y, Z) MNI mm of every voxel of the patch, RAS axes, before the ventricles move."""
    axes = [torch.arange(n, dtype=torch.float32) - (n - 1) / 2 for n in shape]
    x, y, z = axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]
    sign = -1.0 if deformation.flip else 1.0
    m = deformation.matrix
    bend = smooth_field(deformation.field, shape) + smooth_field(deformation.fine, shape)
    rows = [
        float(m[k, 0]) * sign * x + float(m[k, 1]) * y + float(m[k, 2]) * z + float(deformation.centre[k])
        for k in range(3)
    ]
    return torch.stack([row + bend[k] for k, row in enumerate(rows)])


def move_ventricle_walls(
    positions: torch.Tensor, distance: torch.Tensor, outward: torch.Tensor, widening: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions (3, ...) in mm after the walls moved, and where ventricle now is for certain (bool).

    A voxel at `distance` d mm from the atlas's ventricle shows what lay at d - w exp(-|d| / 18 mm) before: tissue is
    pressed outwards, and what would come from inside the wall is ventricle.
    """
    shift = widening * torch.exp(-distance.abs() / VENTRICLE_REACH_MM)
    inside = (distance - shift < 0) & (widening > 0)
    return positions - shift * outward, inside


def _rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def _off_diagonal(values: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = np.zeros((3, 3))
    matrix[~np.eye(3, dtype=bool)] = values
    return matrix
