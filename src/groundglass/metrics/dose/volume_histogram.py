"""Dose-volume figures: D_x, V_x, mean dose, the cumulative histogram, conformity.

All raise InputError (dose), GeometryError (shapes) and EmptyMaskError (a structure without a voxel).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from groundglass.core.errors import ConfigurationError
from groundglass.metrics.dose.checks import Array, above_zero, dose_array, structure


def dose_at_volume(
    dose: ArrayLike, mask: ArrayLike, percent: float, *, between: Literal["linear", "voxel"] = "linear"
) -> float:
    """D_x: the dose that the hottest `percent` of the structure receives at least (D98 near minimum, D2 near maximum).

    `between` sorted voxels it is interpolated ("linear", as matRad), or that of the voxel which completes the volume
    ("voxel": D100 is the minimum, D_x never lies between two doses). Raises ConfigurationError outside 0 to 100, too.
    """
    if not 0 <= percent <= 100:
        raise ConfigurationError(f"percent {percent}", "is not a share of a volume", "Use 0 to 100.")
    values = _inside(dose, mask)
    if between == "linear":
        return float(np.percentile(values, 100 - percent))
    if between != "voxel":
        raise ConfigurationError(f"between {between}", "is not known", "Use linear or voxel.")
    # A tenth of ten voxels is one voxel, whatever 0.1 x 10 is in binary.
    place = max(math.ceil(percent / 100 * len(values) * (1 - 1e-12)), 1)
    return float(np.sort(values)[-place])


def dose_at_volume_ml(dose: ArrayLike, mask: ArrayLike, ml: float, spacing: Sequence[float]) -> float:
    """D_xcc: the dose that the hottest `ml` of the structure receive at least; its minimum where it is smaller.

    `spacing` is in mm, one per axis of a volume. Raises ConfigurationError (ml, spacing), too.
    """
    above_zero(ml, "ml")
    values = _inside(dose, mask)
    if len(spacing) != 3 or np.ndim(dose) != 3 or min(spacing) <= 0:
        raise ConfigurationError(f"spacing {list(spacing)}", "is not that of a volume", "Pass three mm above 0.")
    count = ml * 1000 / math.prod(spacing)
    return float(np.sort(values)[-min(max(math.ceil(count * (1 - 1e-12)), 1), len(values))])


def volume_at_dose(dose: ArrayLike, mask: ArrayLike, gray: float) -> float:
    """V_x: the share (0 to 1) of the structure that receives at least `gray`."""
    return float((_inside(dose, mask) >= gray).mean())


def mean_dose(dose: ArrayLike, mask: ArrayLike) -> float:
    """Mean dose of the structure."""
    return float(_inside(dose, mask).mean())


def cumulative_histogram(dose: ArrayLike, mask: ArrayLike, doses: ArrayLike) -> Array:
    """The dose-volume histogram: share of the structure that receives at least each of `doses` (K,)."""
    values = np.sort(_inside(dose, mask))
    return np.asarray(1 - np.searchsorted(values, np.asarray(doses, dtype=np.float64), side="left") / len(values))


def conformity_number(dose: ArrayLike, target: ArrayLike, prescription: float, *, level: float = 0.95) -> float:
    """Conformity number (A. van't Riet et al., Int. J. Radiat. Oncol. Biol. Phys. 1997; 37: 731).

    (target at the level)^2 / (target x everything at the level), where the level is `level` of the prescription; 1 when
    the isodose is the target, NaN when nothing reaches it.
    """
    values, floor = dose_array(dose, "dose"), level * above_zero(prescription, "prescription")
    inside = structure(target, values.shape, "target")
    treated = values >= floor
    covered, whole = int((treated & inside).sum()), int(treated.sum())
    return covered**2 / (int(inside.sum()) * whole) if whole else math.nan


def _inside(dose: ArrayLike, mask: ArrayLike) -> Array:
    values = dose_array(dose, "dose")
    return values[structure(mask, values.shape, "mask")]
