"""Shape of a mask: surface, sphericity, compactness, principal axes.

Definitions of pyradiomics 3 (van Griethuysen et al., Cancer Res 2017;77:e104) and IBSI (Zwanenburg et al.,
Radiology 2020;295:328): surface and mesh volume from marching cubes at level 0.5, axes from the covariance of the
voxel centres in mm (divided by n).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from groundglass.core import Mask
from groundglass.measurement.geometry import require_volume


@dataclass(frozen=True, slots=True)
class Shape:
    """Areas in mm2, lengths in mm, mesh volume in mL, the rest without unit.

    sphericity = (36 pi V^2)^(1/3) / A, compactness_1 = V / sqrt(pi A^3), compactness_2 = 36 pi V^2 / A^3,
    elongation = sqrt(l2 / l1), flatness = sqrt(l3 / l1) with l1 >= l2 >= l3 the principal variances;
    major, minor and least axis = 4 sqrt(l).
    """

    surface_area: float
    mesh_volume: float
    sphericity: float
    compactness_1: float
    compactness_2: float
    surface_to_volume: float
    elongation: float
    flatness: float
    major_axis: float
    minor_axis: float
    least_axis: float


def shape_of(mask: Mask) -> Shape:
    """The shape of a three-dimensional mask. Raises EmptyMaskError, GeometryError."""
    from skimage.measure import marching_cubes

    require_volume(mask)
    linear = mask.affine[:3, :3]
    vertices, faces, _, _ = marching_cubes(np.pad(mask.crop, 1).astype(np.float32), 0.5)
    corners = (vertices.astype(np.float64) @ linear.T)[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = float(np.linalg.norm(normals, axis=1).sum() / 2)
    volume = float(abs(np.einsum("ij,ij->i", corners[:, 0], normals).sum()) / 6)
    major, middle, least = principal_variances(mask)
    return Shape(
        surface_area=area,
        mesh_volume=volume / 1000.0,
        sphericity=(36 * math.pi * volume**2) ** (1 / 3) / area,
        compactness_1=volume / math.sqrt(math.pi * area**3),
        compactness_2=36 * math.pi * volume**2 / area**3,
        surface_to_volume=area / volume,
        elongation=math.sqrt(middle / major) if major > 0 else 1.0,
        flatness=math.sqrt(least / major) if major > 0 else 1.0,
        major_axis=4 * math.sqrt(major),
        minor_axis=4 * math.sqrt(middle),
        least_axis=4 * math.sqrt(least),
    )


def principal_variances(mask: Mask) -> tuple[float, float, float]:
    """Variances in mm2 of the voxel centres along their principal axes, greatest first."""
    centres = np.argwhere(mask.crop) @ mask.affine[:3, :3].T
    centred = centres - centres.mean(axis=0)
    values = np.clip(np.linalg.eigvalsh(centred.T @ centred / len(centred)), 0.0, None)
    return float(values[2]), float(values[1]), float(values[0])
