"""What an image is, from its pixels, where its file does not say (NIfTI and other research formats)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from groundglass.core import GroundglassError, Image, Study

# Air is -1000 HU, lung down to about -950; scanners pad with -1024 to -3024. Soft tissue lies in -150 to 150.
_AIR, _TISSUE = (-4000.0, -850.0), (-150.0, 150.0)
_LEAST_AIR, _LEAST_TISSUE = 0.02, 0.05


def recognise_study(study: Study) -> Study:
    """The study with the modality of undeclared volumes set where the pixels leave no doubt, and a remark on each."""
    return replace(study, images=tuple(_recognised(image) for image in study.images))


def _recognised(image: Image) -> Image:
    if image.modality != "OT" or not image.is_volume or image.channels != 1:
        return image
    try:
        is_ct = looks_like_hounsfield(image)
    except GroundglassError:
        return image
    if not is_ct:
        return image
    remark = "the file names no modality: read as CT, because its values are Hounsfield units"
    return replace(image, modality="CT", units="[hnsf'U]", warnings=(*image.warnings, remark))


def looks_like_hounsfield(image: Image) -> bool:
    """True when the values have the two peaks of CT, air and soft tissue."""
    sample = np.asarray(
        image.array[0][tuple(slice(None, None, max(1, n // 96)) for n in image.shape)], dtype=np.float32
    )
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return False

    def share(low: float, high: float) -> float:
        return float(((sample >= low) & (sample <= high)).mean())

    return share(*_AIR) >= _LEAST_AIR and share(*_TISSUE) >= _LEAST_TISSUE
