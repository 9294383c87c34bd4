"""Bone, fat and lean tissue of a CT by attenuation, with fat parted at the muscle wall.

Ranges: fat -190 to -30 HU, lean tissue -29 to 150 HU (Mitsiopoulos et al., J Appl Physiol 1998;85:115 and the
body-composition literature after it). Muscle is not told from organs: both are lean tissue.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import (
    binary_closing,
    binary_dilation,
    binary_erosion,
    binary_fill_holes,
    binary_opening,
    label,
    uniform_filter,
)

from groundglass.segmentation.ct_grid import CtGrid, largest_component

FAT_HU = (-190.0, -30.0)
LEAN_HU = (-29.0, 150.0)
# Cortex reaches 500 HU even at 3 mm; enhanced vessels and kidneys stay below it.
BONE_HU = (180.0, 450.0)
_BONE_SHARE = 0.02
_LEAST_BONE_ML = 0.5
_MARROW_MM, _MARROW_HU = 9.0, 100.0
_BLOOD_HU, _BLOOD_SD, _LEAST_BLOOD_ML = 230.0, 45.0, 5.0


def bone_coarse(grid: CtGrid, body: NDArray[np.bool_], blood: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bone on the coarse grid: components above 180 HU of which at least 2 % exceed 450 HU, marrow filled in.

    Enhanced blood as bright as bone is told by its evenness: see `bright_blood`.
    """
    dense = (grid.coarse > BONE_HU[0]) & body & ~blood
    labels, count = label(dense, structure=np.ones((3, 3, 3)))
    if not count:
        return dense
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    cortex = np.bincount(labels[grid.coarse > BONE_HU[1]], minlength=count + 1)
    voxel_ml = float(grid.coarse_step.prod()) / 1000
    is_bone = (cortex >= _BONE_SHARE * sizes) & (cortex > 0) & (sizes * voxel_ml >= _LEAST_BONE_ML)
    is_bone[0] = False
    shell = is_bone[labels]
    closed = binary_closing(np.pad(shell, 4), grid.ball(_MARROW_MM))[4:-4, 4:-4, 4:-4]
    filled = np.stack([binary_fill_holes(closed[:, :, z]) for z in range(shell.shape[2])], axis=2)
    # Marrow is denser than muscle and than the spinal canal, which stays open.
    return shell | (filled & (uniform_filter(grid.coarse, 3) > _MARROW_HU) & body)


def bright_blood(grid: CtGrid) -> NDArray[np.bool_]:
    """Contrast-filled heart and great vessels: bright, even, and wider than a cortex."""
    mean = uniform_filter(grid.coarse, 3)
    # Evenness of the smoothed image: the scan's own noise must not hide it.
    spread = np.sqrt(np.maximum(uniform_filter(mean**2, 3) - uniform_filter(mean, 3) ** 2, 0))
    core = binary_opening((mean > _BLOOD_HU) & (spread < _BLOOD_SD), grid.ball(grid.coarse_step.max()))
    labels, count = label(core)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * float(grid.coarse_step.prod()) / 1000
    large = sizes >= _LEAST_BLOOD_ML
    large[0] = False
    return binary_dilation(large[labels], iterations=3, mask=mean > BONE_HU[0])


def bone(grid: CtGrid, coarse: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bone at full resolution."""
    return grid.refined(coarse, grid.hu > BONE_HU[0])


def inside_wall_coarse(grid: CtGrid, body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What the muscle wall encloses, wall included: per axial slice the lean tissue without skin, closed, filled."""
    skin = body & ~binary_erosion(body, grid.disc(6.0), border_value=1)
    solid = body & ~skin & ((grid.coarse > LEAN_HU[0]) | (grid.coarse < FAT_HU[0]))
    inside = np.zeros_like(body)
    for z in range(body.shape[2]):
        flat = np.pad(solid[:, :, z : z + 1], ((10, 10), (10, 10), (0, 0)))
        closed = binary_closing(flat, grid.disc(24.0))[10:-10, 10:-10, 0]
        filled = binary_fill_holes(closed)
        inside[:, :, z] = largest_component(binary_opening(filled, grid.disc(6.0)[:, :, 0]))
    # A slice whose wall has a gap (navel, hernia) is bridged by its neighbours within 15 mm.
    reach = max(round(15.0 / float(grid.coarse_step[2])), 1)
    line = np.ones((1, 1, 2 * reach + 1), dtype=bool)
    bridged = binary_closing(np.pad(inside, ((0, 0), (0, 0), (reach, reach)), mode="edge"), line)
    return bridged[:, :, reach:-reach] & body


def fat(grid: CtGrid, body: NDArray[np.bool_], air: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Fat at full resolution; the blurred rim of air (lung, gas) passes through the same HU and is left out."""
    found = (grid.hu >= FAT_HU[0]) & (grid.hu <= FAT_HU[1]) & body
    if air is not None:
        found &= ~binary_dilation(air, iterations=2)
    return found


def lean(grid: CtGrid, body: NDArray[np.bool_], bone_mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Muscle and organs at full resolution."""
    return (grid.hu >= LEAN_HU[0]) & (grid.hu <= LEAN_HU[1]) & body & ~bone_mask
