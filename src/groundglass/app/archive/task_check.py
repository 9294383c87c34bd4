"""The task `check`: decode every image of a study and say whether it is usable, for instance before training on it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from groundglass.app.archive.study import StudyRef
from groundglass.core import GroundglassError, Image, InputError
from groundglass.io import has_picture, read_study


def run(study: StudyRef, _folder: Path, _options: dict[str, Any]) -> dict[str, Any]:
    """The row of a study. Raises what `read_study` raises, and InputError when no image of it is usable."""
    found = read_study(study.paths)
    warnings = list(found.warnings)
    images = []
    for image in found.images:
        try:
            images.append(_facts(image))
        except GroundglassError as error:
            warnings.append(str(error))
            images.append({"name": image.name, "modality": image.modality, "shape": image.shape, "usable": False})
    usable = sum(fact["usable"] for fact in images)
    if not usable:
        reason = warnings[0] if warnings else "they show nothing"
        raise InputError(study.source, f"no image has usable pixels ({reason})", "Export it again.")
    return {"images": images, "usable": usable, "warnings": warnings}


def _facts(image: Image) -> dict[str, Any]:
    """Range and spread of the values (in the image's own unit), and the SHA-256 of the array as it was decoded."""
    pixels = np.ascontiguousarray(image.array)
    values = pixels.astype(np.float64).ravel()
    percentile_1, percentile_99 = np.percentile(values, (1, 99))
    return {
        "name": image.name,
        "modality": image.modality,
        "shape": list(image.shape),
        "usable": has_picture(image),
        "low": float(values.min()),
        "high": float(values.max()),
        "mean": float(values.mean()),
        "deviation": float(values.std()),
        "percentile_1": float(percentile_1),
        "percentile_99": float(percentile_99),
        "sha256": hashlib.sha256(pixels.data).hexdigest(),
    }
