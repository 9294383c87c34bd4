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
    misfit: NDArray[np.float64]


# Half sides in mm of the box around the brain's centre in which centres of small patches lie.
HALF_BRAIN_MM = np.array([64.0, 84.0, 66.0])


def draw_deformation(rng: np.random.Generator, extent: tuple[int, ...]) -> Deformation:
    """A deformation for a patch of `extent` mm: a large one is centred near the brain, a small one lies anywhere in it.

    `misfit` (3x4) is what an affine registration of this brain gets wrong: up to 4 degrees, 4 % and 3 mm.
    """
    angles = np.deg2rad(rng.uniform(-15, 15, 3))
    shear = rng.uniform(-0.1, 0.1, 6)
    scale = 1 + rng.uniform(-0.2, 0.2) + rng.uniform(-0.08, 0.08, 3)
    matrix = rotation(angles) @ (np.diag(scale) + _off_diagonal(shear))
    away = np.maximum(HALF_BRAIN_MM - 0.35 * np.asarray(extent), 14.0)
    # One patch in five lies well off the middle, as windows and cut fields of view do.
    away = np.maximum(away, 45.0) if rng.random() < 0.2 else away
    turn = rotation(np.deg2rad(rng.uniform(-4, 4, 3))) @ np.diag(1 + rng.uniform(-0.04, 0.04, 3))
    return Deformation(
        matrix=matrix,
        centre=np.array([0.0, -18.0, 5.0]) + rng.uniform(-away, away),
        field=coarse_noise(rng, 3, extent, spacing=rng.uniform(20, 48), std=rng.uniform(0, 6)),
        fine=coarse_noise(rng, 3, extent, spacing=rng.uniform(8, 15), std=rng.uniform(0, 2.2)),
        widening=float(rng.uniform(-2, 2) if rng.random() < 0.45 else rng.uniform(0, 11)),
        flip=bool(rng.random() < 0.5),
        misfit=np.column_stack([turn, rng.uniform(-3, 3, 3)]),
    )


def placed_positions(deformation: Deformation, shape: tuple[int, int, int], *, voxel: float) -> torch.Tensor:
    """(3, X, Y, Z) MNI mm of every voxel (side `voxel` mm) of the patch, RAS axes, by the affine map alone."""
    axes = [voxel * (torch.arange(n, dtype=torch.float32) - (n - 1) / 2) for n in shape]
    x, y, z = axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]
    m = deformation.matrix
    mirror = -1.0 if deformation.flip else 1.0
    return torch.stack(
        [
            mirror * float(m[k, 0]) * x + float(m[k, 1]) * y + float(m[k, 2]) * z + float(deformation.centre[k])
            for k in range(3)
        ]
    )


def atlas_positions(deformation: Deformation, shape: tuple[int, int, int], *, voxel: float) -> torch.Tensor:
    """(3, X, Y, Z) MNI mm of every voxel after the fields bent it, before the ventricles move."""
    bend = smooth_field(deformation.field, shape) + smooth_field(deformation.fine, shape)
    return placed_positions(deformation, shape, voxel=voxel) + bend


def registered_positions(deformation: Deformation, shape: tuple[int, int, int], *, voxel: float) -> torch.Tensor:
    """(3, X, Y, Z) MNI mm of every voxel as an affine registration of this brain would have it: with its `misfit`."""
    placed = placed_positions(deformation, shape, voxel=voxel)
    misfit = torch.from_numpy(deformation.misfit.astype(np.float32))
    return torch.einsum("ij,jxyz->ixyz", misfit[:, :3], placed) + misfit[:, 3, None, None, None]


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


def rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """3x3 matrix of rotations about x, then y, then z by `angles` (radians)."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def _off_diagonal(values: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = np.zeros((3, 3))
    matrix[~np.eye(3, dtype=bool)] = values
    return matrix
