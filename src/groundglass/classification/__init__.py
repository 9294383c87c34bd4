"""Image-level answers: binary banks, views, calibration, operating points."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# name -> module; loaded at first use.
_EXPORTS = {
    "Answer": "groundglass.classification.bank",
    "Bank": "groundglass.classification.bank",
    "Expert": "groundglass.classification.bank",
    "Labelled": "groundglass.classification.bank",
    "Platt": "groundglass.classification.operating_points",
    "RadiographView": "groundglass.classification.radiograph_view",
    "Square": "groundglass.classification.radiograph_picture",
    "Task": "groundglass.classification.bank",
    "Turn": "groundglass.classification.turns",
    "answer": "groundglass.classification.operating_points",
    "backbone": "groundglass.classification.backbones",
    "crops": "groundglass.classification.bank",
    "fit_platt": "groundglass.classification.operating_points",
    "grey": "groundglass.classification.radiograph_picture",
    "logits_of": "groundglass.classification.bank",
    "lung_box": "groundglass.classification.segments",
    "recognise_radiograph": "groundglass.classification.radiograph_view",
    "segment_box": "groundglass.classification.segments",
    "square": "groundglass.classification.radiograph_picture",
    "train_expert": "groundglass.classification.bank",
    "train_multilabel": "groundglass.classification.bank",
    "youden_threshold": "groundglass.classification.operating_points",
}


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_EXPORTS[name]), name)


__all__ = sorted(_EXPORTS)
