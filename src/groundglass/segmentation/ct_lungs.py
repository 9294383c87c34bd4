"""Lungs left and right, and the airways, by air thresholds, connectivity and leak-controlled growing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import (
    binary_closing,
    binary_dilation,
    binary_erosion,
    binary_fill_holes,
    distance_transform_edt,
    label,
)

from groundglass.segmentation.ct_grid import CtGrid

AIR_HU = -500.0
# Bowel and stomach hold free gas: nearly all of it is darker than this, of a lung only its airways are.
_GAS_HU = -950.0
_GAS_SHARE = 0.6
_LEAST_LUNG_ML = 25.0
_AIRWAY_ML = (0.5, 150.0)


@dataclass(frozen=True)
class Lungs:
    """Full-resolution masks (x to the right, y to the front, z up), None where there is none in the scan."""

    left: NDArray[np.bool_] | None
    right: NDArray[np.bool_] | None
    airways: NDArray[np.bool_] | None
    split_by_force: bool = False


def lungs(grid: CtGrid, body: NDArray[np.bool_]) -> Lungs:
    """Lungs and airways inside the coarse `body` mask.

    Air pockets of the body that are large and hold tissue (mean above free gas) are lung; the airways are grown
    from a dark round pocket near the middle. Where both lungs hang together after the airways are cut out they
    are parted at their necks (`split_by_force`).
    """
    voxel_ml = float(grid.coarse_step.prod()) / 1000
    air = (grid.coarse < AIR_HU) & body
    labels, count = label(air)
    if not count:
        return Lungs(None, None, None)
    sizes = np.bincount(labels.ravel()) * voxel_ml
    candidates = [i for i in range(1, count + 1) if sizes[i] >= _LEAST_LUNG_ML]
    lung = np.isin(labels, [i for i in candidates if _is_lung(grid, labels == i)])
    airway = _airways(grid, air, body, lung, voxel_ml)
    if not lung.any():
        return Lungs(None, None, None)
    if airway is not None:
        lung &= ~binary_dilation(airway, grid.ball(grid.coarse_step.max()))
    left, right, forced = _sides(grid, lung, body, voxel_ml)
    test = grid.hu < -400
    if airway is not None:
        fine_airway = grid.refined(airway, grid.hu < -800)
        test &= ~fine_airway
    else:
        fine_airway = None

    def whole(part: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        return None if part is None else grid.refined(_closed(grid, part), test)

    return Lungs(whole(left), whole(right), fine_airway, forced)


def _is_lung(grid: CtGrid, part: NDArray[np.bool_]) -> bool:
    values = grid.coarse[binary_erosion(part)]
    return values.size > 0 and float((values < _GAS_HU).mean()) < _GAS_SHARE


def _airways(
    grid: CtGrid, air: NDArray[np.bool_], body: NDArray[np.bool_], lung: NDArray[np.bool_], voxel_ml: float
) -> NDArray[np.bool_] | None:
    """Trachea and main bronchi: the dark component from the trachea, at the highest threshold that does not leak."""
    seed = _trachea_seed(grid, body, lung)
    if seed is None:
        return None
    best = None
    last = 0.0
    for threshold in range(-1000, -840, 15):
        labels, _ = label((grid.coarse < threshold) & air)
        number = labels[seed]
        if number == 0:
            continue
        grown = labels == number
        volume = float(grown.sum()) * voxel_ml
        if volume > _AIRWAY_ML[1] or (last > 10.0 and volume > 1.7 * last):
            break
        best, last = grown, volume
    return best if best is not None and last >= _AIRWAY_ML[0] else None


def _trachea_seed(grid: CtGrid, body: NDArray[np.bool_], lung: NDArray[np.bool_]) -> tuple[int, int, int] | None:
    """The darkest point of a small round air pocket near the midline of the highest slices that have one."""
    columns = np.flatnonzero(lung.any(axis=(0, 1)))
    if not columns.size:
        return None
    area = float(grid.coarse_step[0] * grid.coarse_step[1])
    lowest = columns[0] + int(0.5 * (columns[-1] - columns[0]))
    for z in range(body.shape[2] - 1, lowest, -1):
        labels, count = label((grid.coarse[:, :, z] < -800) & body[:, :, z])
        middle = np.argwhere(body[:, :, z]).mean(axis=0) if body[:, :, z].any() else None
        for number in range(1, count + 1):
            pocket = np.argwhere(labels == number)
            extent = np.ptp(pocket, axis=0) + 1
            round_enough = extent.max() * grid.coarse_step[0] < 35 and len(pocket) > 0.5 * extent.prod()
            central = middle is not None and abs(pocket[:, 0].mean() - middle[0]) * grid.coarse_step[0] < 40
            if 40 <= len(pocket) * area <= 700 and round_enough and central:
                values = grid.coarse[pocket[:, 0], pocket[:, 1], z]
                if values.mean() < -850:
                    x, y = pocket[int(values.argmin())]
                    return int(x), int(y), z
    return None


def _sides(
    grid: CtGrid, lung: NDArray[np.bool_], body: NDArray[np.bool_], voxel_ml: float
) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None, bool]:
    """(left, right, forced). x grows to the patient's right."""
    middle = float(np.argwhere(body.any(axis=(1, 2))).mean())
    parts = _parts(lung, voxel_ml)
    spans = [p for p in parts if _spans_middle(p, middle)]
    forced = bool(spans)
    for part in spans:
        parts = [p for p in parts if p is not part]
        parts += _parted(part, middle)
    sides: dict[bool, NDArray[np.bool_]] = {}
    for part in parts:
        is_right = float(np.argwhere(part.any(axis=(1, 2))).mean()) > middle
        sides[is_right] = sides.get(is_right, np.zeros_like(part)) | part
    return sides.get(False), sides.get(True), forced


def _parts(lung: NDArray[np.bool_], voxel_ml: float) -> list[NDArray[np.bool_]]:
    labels, count = label(lung)
    sizes = np.bincount(labels.ravel()) * voxel_ml
    return [labels == i for i in range(1, count + 1) if sizes[i] >= _LEAST_LUNG_ML / 2]


def _spans_middle(part: NDArray[np.bool_], middle: float) -> bool:
    profile = part.sum(axis=(1, 2)).astype(float)
    left = profile[: int(middle)].sum() / profile.sum()
    return 0.2 < left < 0.8


def _parted(part: NDArray[np.bool_], middle: float) -> list[NDArray[np.bool_]]:
    """Cut at the necks: erode until the sides fall apart, then each voxel goes to the nearer core."""
    core = part
    for _ in range(6):
        core = binary_erosion(core)
        labels, count = label(core)
        if count < 2:
            continue
        sizes = np.bincount(labels.ravel())[1:]
        one, two = np.argsort(-sizes)[:2] + 1
        if sizes[two - 1] > 0.2 * sizes[one - 1]:
            seeds = np.where(labels == one, 1, np.where(labels == two, 2, 0))
            nearest = distance_transform_edt(seeds == 0, return_distances=False, return_indices=True)
            owner = seeds[tuple(nearest)]
            return [part & (owner == 1), part & (owner == 2)]
    halves = np.arange(part.shape[0])[:, None, None] > middle
    return [part & halves, part & ~halves]


def _closed(grid: CtGrid, part: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Vessels and small nodules belong to the lung: closing by 6 mm, holes filled in axial slices."""
    padded = binary_closing(np.pad(part, 4), grid.ball(6.0))[4:-4, 4:-4, 4:-4]
    return np.stack([binary_fill_holes(padded[:, :, z]) for z in range(part.shape[2])], axis=2)
