"""Indices of the brain from masks: asymmetry, Evans index, parenchymal fraction, ventricle to brain ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Line

Mask3D = NDArray[np.bool_]


@dataclass(frozen=True)
class EvansIndex:
    """`ratio` = `horns_mm` / `skull_mm` in one axial slice; the lines are in voxels of the masks' grid."""

    ratio: float
    horns_mm: float
    skull_mm: float
    horns: Line
    skull: Line


def asymmetry_index(left: float, right: float) -> float:
    """(left - right) / ((left + right) / 2); positive: the left one is larger. 0 when both are empty."""
    return 2 * (left - right) / (left + right) if left + right > 0 else 0.0


def parenchymal_fraction(tissue_ml: float, fluid_ml: float) -> float:
    """Tissue / (tissue + fluid), both within the skull (Rudick et al., Neurology 1999).

    Raises ValueError when both are 0.
    """
    if tissue_ml + fluid_ml <= 0:
        raise ValueError("neither tissue nor fluid has a volume")
    return tissue_ml / (tissue_ml + fluid_ml)


def evans_index(
    ventricles: Mask3D, thalami: Mask3D, inside_skull: Mask3D, *, spacing: tuple[float, float, float] = (1, 1, 1)
) -> EvansIndex | None:
    """Greatest width of the frontal horns over the greatest inner width of the skull in the same axial slice.

    Masks (X, Y, Z) on one RAS grid. The frontal horns are what of the lateral ventricles lies before the front edge
    of the thalami, where the foramina of Monro are. Widths run straight left to right between outer voxel borders.
    None when no horn was segmented. Source: Evans, Arch Neurol Psychiatry 1942; slice as in Toma et al. 2011.
    """
    if not ventricles.any() or not thalami.any():
        return None
    front = int(np.flatnonzero(thalami.any(axis=(0, 2))).max())
    horns = ventricles.copy()
    horns[:, : front + 1] = False
    if not horns.any():
        return None
    width, first, last = _widths(horns)
    y, z = divmod(int(width.argmax()), width.shape[1])
    skull_width, skull_first, skull_last = _widths(inside_skull)
    row = int(skull_width[:, z].argmax())
    if skull_width[row, z] == 0:
        return None
    horns_mm, skull_mm = float(width[y, z] * spacing[0]), float(skull_width[row, z] * spacing[0])
    return EvansIndex(
        ratio=horns_mm / skull_mm,
        horns_mm=horns_mm,
        skull_mm=skull_mm,
        horns=_caliper(int(first[y, z]), int(last[y, z]), y, z, "frontal horns"),
        skull=_caliper(int(skull_first[row, z]), int(skull_last[row, z]), row, z, "inner skull"),
    )


def _widths(mask: Mask3D) -> tuple[NDArray[np.int_], NDArray[np.int_], NDArray[np.int_]]:
    """Per row along x: width in voxels between the outermost ones, and their first and last index."""
    found = mask.any(axis=0)
    first = mask.argmax(axis=0)
    last = mask.shape[0] - 1 - mask[::-1].argmax(axis=0)
    return np.where(found, last - first + 1, 0), first, last


def _caliper(first: int, last: int, y: int, z: int, name: str) -> Line:
    return Line(((float(first) - 0.5, float(y), float(z)), (float(last) + 0.5, float(y), float(z))), name)
