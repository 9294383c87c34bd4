"""Where tissue lies in MNI space: shares of tissues, depth under the skull, ventricles, lobes, territories.

The shares are those of the MNI152 template (2009a symmetric, with nilearn); lobes and vascular territories are planes
and boxes in MNI millimetres, as a textbook's figure would draw them (L. Tatu et al., Neurology 1998; 50: 1699 for the
territories): good enough to say where a planted lesion lies, not an atlas to measure with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage as ndi

from groundglass.synthesis.phantoms.canvas import Float

Points = NDArray[np.float64]
MARGIN_MM = 24.0


@dataclass(frozen=True)
class BrainMaps:
    """Maps (X, Y, Z) float32 on a 1 mm grid whose voxel (0, 0, 0) lies at `origin` (MNI mm): "grey", "white", "fluid",
    "deep" (grey of the nuclei), "brain" (1 inside), "near fluid" (the fluid's neighbourhood); on one of 2 mm: "depth"
    (mm outside of the brain's hull, negative inside), "ventricle" (mm outside of the lateral ventricles)."""

    maps: Mapping[str, Float]
    origin: Points
    step: Mapping[str, float]

    def sample(self, name: str, where: tuple[Float, Float, Float]) -> Float:
        """Linear interpolation at MNI mm (three arrays of one shape)."""
        index = np.stack([(axis - o) / self.step[name] for axis, o in zip(where, self.origin, strict=True)])
        found = ndi.map_coordinates(self.maps[name], index, order=1, mode="nearest")
        return np.asarray(found, dtype=np.float32)


@cache
def brain_maps() -> BrainMaps:
    """Made once a process (a few seconds). Raises ConfigurationError where nilearn is not installed."""
    from groundglass.synthesis.brain_atlases import deep_regions, tissue_maps

    grey, white, t1, affine = tissue_maps()
    brain = ndi.binary_fill_holes(t1 > 0)
    window = tuple(
        slice(max(int(s.start - MARGIN_MM), 0), int(s.stop + MARGIN_MM)) for s in ndi.find_objects(brain.astype(int))[0]
    )
    grey, white, brain = grey[window], white[window], brain[window]
    placed = affine.copy()
    placed[:3, 3] = apply_affine(affine, [s.start for s in window])
    regions, names = deep_regions(placed, brain.shape)
    nuclei = np.isin(regions, [v for n in ("caudate nucleus", "putamen", "nucleus accumbens") for v in names[n]])
    fluid = np.where(brain, np.clip(1 - grey - white, 0, 1), 0).astype(np.float32)
    return maps_of(grey, white, fluid, brain, nuclei, np.isin(regions, names["lateral ventricle"]), placed[:3, 3])


def maps_of(
    grey: Float,
    white: Float,
    fluid: Float,
    brain: NDArray[np.bool_],
    nuclei: NDArray[np.bool_],
    ventricle: NDArray[np.bool_],
    origin: Points,
) -> BrainMaps:
    """Maps from shares on a 1 mm grid; `ventricle` roughly, cut to what is fluid."""
    coarse = (slice(None, None, 2),) * 3
    wet = ndi.binary_dilation(ventricle, iterations=2) & (fluid > 0.5)
    maps = {
        "grey": grey * brain,
        "white": white * brain,
        "fluid": fluid,
        "deep": nuclei.astype(np.float32),
        "brain": brain.astype(np.float32),
        "near fluid": ndi.gaussian_filter(fluid, 1.6),
        "depth": ndi.gaussian_filter(_signed(_hull(brain[coarse])), 1.0),
        "ventricle": ndi.gaussian_filter(_signed(wet[coarse]), 0.7),
    }
    step = {name: 2.0 if name in ("depth", "ventricle") else 1.0 for name in maps}
    return BrainMaps({n: np.ascontiguousarray(m, dtype=np.float32) for n, m in maps.items()}, origin, step)


def _hull(brain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What the skull encloses: clefts narrower than 28 mm are filled."""
    near = ndi.distance_transform_edt(~brain) < 7
    return np.asarray(ndi.distance_transform_edt(near) >= 7, dtype=bool)


def _signed(inside: NDArray[np.bool_]) -> Float:
    away = ndi.distance_transform_edt(~inside) - ndi.distance_transform_edt(inside)
    return np.asarray(2 * (away - 0.5 * np.sign(away)), dtype=np.float32)


def lobe_of(point: Points) -> str:
    """The lobe (or the part of the brain) at a point in MNI mm, by planes through its usual landmarks."""
    x, y, z = abs(float(point[0])), float(point[1]), float(point[2])
    if z < -14 and y < -38 and not (x > 30 and z > -22):
        return "cerebellum"
    if x < 13 and z < -6 and -44 < y < -8:
        return "brainstem"
    if x < 22 and -32 < y < -4 and -4 < z < 18:
        return "thalamus"
    if x < 34 and -18 < y < 22 and -8 < z < 20:
        return "basal ganglia"
    # The Sylvian fissure climbs backwards; behind it the lobe ends at the line of the preoccipital notch.
    if x > 20 and z < -4 - 0.5 * y and -60 < y < 22:
        return "temporal lobe"
    if y < -70 + 0.15 * z:
        return "occipital lobe"
    return "frontal lobe" if y > -5 - 0.3 * z else "parietal lobe"


TERRITORIES: Mapping[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "middle cerebral artery territory": ((26, 52), (-55, 30), (-8, 46)),
    "anterior cerebral artery territory": ((6, 14), (0, 55), (24, 58)),
    "posterior cerebral artery territory": ((7, 30), (-92, -66), (-8, 24)),
    "basal ganglia": ((16, 28), (-12, 16), (-4, 14)),
    "thalamus": ((7, 16), (-28, -8), (2, 14)),
    "cerebellum": ((14, 38), (-72, -50), (-44, -26)),
}
"""Ranges of |x|, y and z in MNI mm in which centres of infarcts lie."""
PLACES: Mapping[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "frontal lobe": ((14, 42), (12, 48), (2, 46)),
    "parietal lobe": ((16, 44), (-58, -32), (30, 52)),
    "temporal lobe": ((32, 48), (-46, -6), (-22, -4)),
    "occipital lobe": ((14, 32), (-90, -74), (0, 22)),
    "basal ganglia": ((18, 28), (-10, 14), (-2, 14)),
    "thalamus": ((8, 15), (-26, -10), (2, 14)),
    "cerebellum": ((14, 36), (-72, -52), (-44, -26)),
}
"""The same for haemorrhages and tumours."""
