"""All numbers of one lesion as `Measurement`s: size, volume, shape, attenuation or uptake."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Line, Mask, Measurement, ontology
from groundglass.measurement.diameters import feret_diameter, recist_diameters
from groundglass.measurement.geometry import require_volume
from groundglass.measurement.intensity import intensity_of, uptake_of
from groundglass.measurement.shape import shape_of
from groundglass.measurement.volume import volume_ml

HU = "[hnsf'U]"
SUV = "g/mL{SUVbw}"


def size_measurements(mask: Mask) -> tuple[Measurement, ...]:
    """Volume, RECIST long and short axis, greatest 3D diameter. Raises EmptyMaskError, GeometryError."""
    require_volume(mask)
    calipers = recist_diameters(mask)
    feret, feret_line = feret_diameter(mask)
    return (
        _made("volume", volume_ml(mask), "mL", method="sum of segmented voxels"),
        _made("long axis", calipers.long_mm, "mm", calipers.long, method="RECIST 1.1, longest in-plane diameter"),
        _made("short axis", calipers.short_mm, "mm", calipers.short, method="in-plane, square to the long axis"),
        _made("maximum 3D diameter", feret, "mm", feret_line, method="Feret diameter of the surface"),
    )


def shape_measurements(mask: Mask) -> tuple[Measurement, ...]:
    """Surface, sphericity, compactness, elongation, flatness (pyradiomics' definitions). Raises as `shape_of`."""
    shape = shape_of(mask)
    method = "marching cubes at level 0.5"
    return (
        _made("surface area", shape.surface_area, "mm2", method=method),
        _made("sphericity", shape.sphericity, "1", method=method),
        _made("compactness 2", shape.compactness_2, "1", method=method),
        _made("elongation", shape.elongation, "1", method="principal axes of the voxel centres"),
        _made("flatness", shape.flatness, "1", method="principal axes of the voxel centres"),
    )


def attenuation_measurements(mask: Mask, array: NDArray[np.generic]) -> tuple[Measurement, ...]:
    """Mean, SD, median, minimum, maximum and 10th/90th percentile in HU. Raises as `intensity_of`."""
    hu = intensity_of(mask, array)
    rows = (
        ("mean attenuation", hu.mean),
        ("standard deviation of attenuation", hu.sd),
        ("median attenuation", hu.median),
        ("minimum attenuation", hu.minimum),
        ("maximum attenuation", hu.maximum),
        ("10th percentile of attenuation", hu.p10),
        ("90th percentile of attenuation", hu.p90),
    )
    return tuple(_made(name, value, HU) for name, value in rows)


def uptake_measurements(mask: Mask, array: NDArray[np.generic]) -> tuple[Measurement, ...]:
    """SUVmax, SUVmean, SUVpeak where its sphere fits, metabolic volume, total lesion glycolysis. As `uptake_of`."""
    uptake = uptake_of(mask, array)
    rows = [("SUVmax", uptake.maximum, SUV), ("SUVmean", uptake.mean, SUV)]
    if uptake.peak is not None:
        rows.append(("SUVpeak", uptake.peak, SUV))
    rows.append(("metabolic tumor volume", uptake.metabolic_volume, "mL"))
    rows.append(("total lesion glycolysis", uptake.glycolysis, "mL"))
    return tuple(_made(name, value, unit, method=_METHODS.get(name, "")) for name, value, unit in rows)


_METHODS = {
    "SUVpeak": "greatest mean of a 1 mL sphere centred in the mask (PERCIST)",
    "metabolic tumor volume": "volume of the given mask",
    "total lesion glycolysis": "SUVmean x metabolic volume",
}


def of_kind(measurements: Iterable[Measurement], name: str) -> Measurement:
    """The measurement of this kind. Raises KeyError when there is none."""
    wanted = ontology()[name]
    for measurement in measurements:
        if measurement.kind == wanted:
            return measurement
    raise KeyError(name)


def _made(name: str, value: float, unit: str, *lines: Line, method: str = "") -> Measurement:
    return Measurement(ontology()[name], float(value), unit, geometry=lines, method=method)
