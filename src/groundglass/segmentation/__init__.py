"""Masks from pixels: automatic, by text, interactive."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# name -> module; loaded at first use.
_EXPORTS = {
    "brain_mask": "groundglass.segmentation.brain_mr",
    "ct_compartments": "groundglass.segmentation.ct_classical",
    "dark_lesions": "groundglass.segmentation.organ_outliers",
    "BrainSegmentation": "groundglass.segmentation.brain_mr",
    "RadiographAnatomy": "groundglass.segmentation.radiograph",
    "RadiographQuality": "groundglass.segmentation.radiograph",
    "segment_brain": "groundglass.segmentation.brain_mr",
    "segment_radiograph": "groundglass.segmentation.radiograph",
}


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_EXPORTS[name]), name)


__all__ = sorted(_EXPORTS)
