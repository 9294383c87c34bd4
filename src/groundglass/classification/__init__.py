"""Image-level answers: binary banks, views, calibration, operating points."""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

# name -> module; loaded at first use.
_EXPORTS = {
    "Answer": "bank",
    "Bank": "bank",
    "Expert": "bank",
    "Labelled": "bank",
    "Platt": "operating_points",
    "RadiographView": "radiograph_view",
    "Square": "radiograph_picture",
    "Task": "bank",
    "Turn": "turns",
    "answer": "operating_points",
    "backbone": "backbones",
    "crops": "bank",
    "fit_platt": "operating_points",
    "grey": "radiograph_picture",
    "logits_of": "bank",
    "lung_box": "segments",
    "recognise_radiograph": "radiograph_view",
    "segment_box": "segments",
    "square": "radiograph_picture",
    "train_expert": "bank",
    "train_multilabel": "bank",
    "youden_threshold": "operating_points",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
