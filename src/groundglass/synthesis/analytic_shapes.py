"""Masks of shapes with closed forms: ellipsoids, and a cylindrical vessel with a wedge of tumour round it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Mask


def ellipsoid_mask(
    shape: tuple[int, ...],
    affine: NDArray[np.float64],
    semi_axes: tuple[float, float, float],
    *,
    turn: NDArray[np.float64] | None = None,
) -> Mask:
    """An ellipsoid in the middle of the grid; its semi-axes (mm) lie along the columns of `turn` in the world."""
    world = _world(shape, affine)
    local = world if turn is None else world @ turn
    return Mask.of(((local / semi_axes) ** 2).sum(-1).reshape(shape) <= 1, affine)


def vessel_with_wedge(
    angle: float,
    direction: tuple[float, float, float],
    *,
    radius: float = 5.0,
    thickness: float = 8.0,
    length: float = 16.0,
    size: float = 56.0,
    gap: float = 0.0,
    affine: NDArray[np.float64] | None = None,
) -> tuple[Mask, Mask]:
    """(vessel, tumour): a cylinder through the grid along `direction`, and tumour over `angle` degrees of its wall.

    Lengths in mm; `gap` lies between wall and tumour; the cylinder's axis is 0.3 mm off the grid's centre.
    """
    affine = np.eye(4) if affine is None else affine
    axis = np.array(direction, dtype=np.float64) / np.linalg.norm(direction)
    shape = tuple(int(n) for n in np.ceil(size / np.linalg.norm(affine[:3, :3], axis=0)))
    world = _world(shape, affine) - 0.3
    along = world @ axis
    radial = world - along[:, None] * axis
    one = np.cross(axis, np.eye(3)[np.abs(axis).argmin()])
    one /= np.linalg.norm(one)
    far = np.linalg.norm(radial, axis=1)
    turned = np.degrees(np.arctan2(radial @ np.cross(axis, one), radial @ one))
    shell = (far > radius + gap) & (far <= radius + gap + thickness)
    tumour = shell & (abs(along) <= length / 2) & (abs(turned) <= angle / 2)
    return Mask.of((far <= radius).reshape(shape), affine), Mask.of(tumour.reshape(shape), affine)


def _world(shape: tuple[int, ...], affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) mm from the grid's centre, voxels in C order."""
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1).reshape(-1, 3)
    return np.asarray((grid - (np.array(shape) - 1) / 2) @ affine[:3, :3].T)
