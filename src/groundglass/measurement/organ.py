"""An organ as a whole: volume against a named reference, attenuation without its lesions, fatty change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from groundglass.core import EmptyMaskError, Mask
from groundglass.measurement.geometry import spacing_of, window_of
from groundglass.measurement.intensity import Intensity, intensity_of
from groundglass.measurement.volume import touches_border, volume_ml

Attenuation = Literal["hypoattenuating", "isoattenuating", "hyperattenuating"]


@dataclass(frozen=True, slots=True)
class OrganMeasure:
    """`volume` in mL is None when the organ is cut by the border of the scan; `size` is "normal", "enlarged",
    "massively enlarged" or None without a volume or a reference. `parenchyma` is measured without lesions, one
    eroded layer (3 mm) inside the border; None when nothing is left. `upper_limit` in mL with its `source`.
    """

    volume: float | None
    measured_volume: float
    size: str | None
    parenchyma: Intensity | None
    upper_limit: float | None
    source: str


@cache
def references() -> dict[str, Any]:
    """Reference limits by organ name, each with its source."""
    return json.loads((resources.files("groundglass.measurement") / "data" / "organs.json").read_text(encoding="utf-8"))


def measure_organ(
    name: str, mask: Mask, array: NDArray[np.generic] | None, lesions: Sequence[Mask] = ()
) -> OrganMeasure:
    """Volume (lesions belong to the organ) and attenuation (lesions left out) of one organ.

    `array` holds the HU on the mask's grid, None where there is no CT. Raises EmptyMaskError.
    """
    if mask.is_empty:
        raise EmptyMaskError(name, "has an empty mask", "Leave it out.")
    whole = mask.array
    for lesion in lesions:
        whole[lesion.box.slices] |= lesion.crop
    union = Mask.of(whole, mask.affine)
    measured = volume_ml(union)
    volume = None if touches_border(union) else measured
    reference = references().get(name, {})
    return OrganMeasure(
        volume=volume,
        measured_volume=measured,
        size=_size(volume, reference),
        parenchyma=None if array is None else parenchyma(mask, array, lesions),
        upper_limit=reference.get("enlarged_ml"),
        source=reference.get("source", ""),
    )


def _size(volume: float | None, reference: dict[str, Any]) -> str | None:
    if volume is None or "enlarged_ml" not in reference:
        return None
    if volume > reference.get("massive_ml", float("inf")):
        return "massively enlarged"
    return "enlarged" if volume > reference["enlarged_ml"] else "normal"


def parenchyma(mask: Mask, array: NDArray[np.generic], lesions: Sequence[Mask] = ()) -> Intensity | None:
    """Values of the organ without its lesions and without a rim of about 3 mm (partial volume of the border)."""
    width = np.maximum(np.rint(3.0 / spacing_of(mask.affine)).astype(int) // 2 * 2 + 1, 1)
    core = binary_erosion(np.pad(mask.crop, 1), np.ones(width, dtype=bool))[(slice(1, -1),) * 3]
    for lesion in lesions:
        core &= ~window_of(lesion, mask.box.slices)
    if not core.any():
        return None
    return intensity_of(Mask(core, mask.offset, mask.shape, mask.affine), array)


def attenuation_of(lesion: Intensity, organ: Intensity) -> Attenuation:
    """Against the lesion-free organ: iso within a tenth of its SD of its mean (RadGPT, arXiv 2501.04678)."""
    if abs(lesion.mean - organ.mean) <= organ.sd / 10:
        return "isoattenuating"
    return "hypoattenuating" if lesion.mean < organ.mean else "hyperattenuating"


def is_fatty(name: str, organ: Intensity, *, phase: str | None, spleen: Intensity | None = None) -> bool | None:
    """Fatty change of liver or pancreas on an unenhanced scan; None where the rule does not apply."""
    reference = references().get(name, {})
    if phase != "plain":
        return None
    if "fatty_hu" in reference:
        return organ.mean <= reference["fatty_hu"]
    if "fatty_ratio" in reference and spleen is not None and spleen.mean > 0:
        return organ.mean / spleen.mean <= reference["fatty_ratio"]
    return None
