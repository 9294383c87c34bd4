"""Statistics of the values inside a mask: HU of a CT, SUV of a PET."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.core import EmptyMaskError, GeometryError, Mask
from groundglass.measurement.geometry import spacing_of, voxel_volume


@dataclass(frozen=True, slots=True)
class Intensity:
    """Values in the image's own unit. `sd` is the population's (n); kurtosis of a normal is 3."""

    count: int
    mean: float
    sd: float
    minimum: float
    p5: float
    p10: float
    median: float
    p90: float
    p95: float
    maximum: float
    skewness: float
    kurtosis: float


@dataclass(frozen=True, slots=True)
class Uptake:
    """PET: SUVmax, SUVmean, SUVpeak (greatest mean of a 1 mL sphere centred in the mask), MTV in mL, TLG in mL SUV.

    `peak` is None where the 1 mL sphere does not fit into the image at any voxel of the mask.
    """

    maximum: float
    mean: float
    peak: float | None
    metabolic_volume: float
    glycolysis: float


def values_in(mask: Mask, array: NDArray[np.generic]) -> NDArray[np.float64]:
    """(n,) values of a spatial array inside the mask; NaN voxels are left out.

    Raises GeometryError when the grids differ, EmptyMaskError when no finite value is inside.
    """
    if array.shape != mask.shape:
        raise GeometryError(
            "mask", f"its grid {mask.shape} is not the image's {array.shape}", "Resample the mask first."
        )
    if mask.is_empty:
        raise EmptyMaskError("mask", "has no voxel, so it has no values", "Leave it out or draw it again.")
    values = np.asarray(array[mask.box.slices][mask.crop], dtype=np.float64)
    values = values[np.isfinite(values)]
    if values.size == 0:
        raise EmptyMaskError("mask", "holds no finite value of the image", "Check the image.")
    return values


def intensity_of(mask: Mask, array: NDArray[np.generic]) -> Intensity:
    """Statistics of `array` (spatial axes) inside `mask`. Raises as `values_in`."""
    values = values_in(mask, array)
    mean, sd = float(values.mean()), float(values.std())
    centred = values - mean
    p5, p10, median, p90, p95 = (float(p) for p in np.percentile(values, [5, 10, 50, 90, 95]))
    return Intensity(
        count=int(values.size),
        mean=mean,
        sd=sd,
        minimum=float(values.min()),
        p5=p5,
        p10=p10,
        median=median,
        p90=p90,
        p95=p95,
        maximum=float(values.max()),
        skewness=float((centred**3).mean() / sd**3) if sd > 0 else 0.0,
        kurtosis=float((centred**4).mean() / sd**4) if sd > 0 else 0.0,
    )


def uptake_of(mask: Mask, suv: NDArray[np.generic]) -> Uptake:
    """PET measures of `suv` (spatial axes) inside `mask`; the metabolic volume is the mask's. Raises as `values_in`.

    SUVpeak: Wahl et al., J Nucl Med 2009;50:122S (PERCIST), sphere of 1 mL (radius 6.2 mm).
    """
    values = values_in(mask, suv)
    volume = mask.voxel_count * voxel_volume(mask.affine) / 1000.0
    return Uptake(
        maximum=float(values.max()),
        mean=float(values.mean()),
        peak=_peak(mask, suv),
        metabolic_volume=volume,
        glycolysis=float(values.mean()) * volume,
    )


def _peak(mask: Mask, suv: NDArray[np.generic]) -> float | None:
    from scipy.ndimage import correlate

    radius = (3000.0 / (4 * np.pi)) ** (1 / 3)
    reach = np.floor(radius / spacing_of(mask.affine)).astype(int)
    offsets = np.stack(np.meshgrid(*[np.arange(-r, r + 1) for r in reach], indexing="ij"), axis=-1)
    sphere = np.linalg.norm(offsets @ mask.affine[:3, :3].T, axis=-1) <= radius
    start = np.maximum(np.array(mask.box.start) - reach, 0)
    stop = np.minimum(np.array(mask.box.stop) + reach, mask.shape)
    crop = np.asarray(suv[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))], dtype=np.float64)
    means = correlate(crop, sphere / sphere.sum(), mode="constant", cval=np.nan)
    inner = tuple(slice(a - b, a - b + n) for a, b, n in zip(mask.box.start, start, mask.crop.shape, strict=True))
    found = means[inner][mask.crop]
    found = found[np.isfinite(found)]
    return float(found.max()) if found.size else None
