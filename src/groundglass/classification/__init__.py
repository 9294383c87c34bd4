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
    "ReportClassifier": "report_classifier",
    "Square": "radiograph_picture",
    "Task": "bank",
    "Turn": "turns",
    "answer": "operating_points",
    "backbone": "backbones",
    "crops": "bank",
    "f1_thresholds": "report_classifier",
    "fit_platt": "operating_points",
    "grey": "radiograph_picture",
    "load_report_classifier": "report_classifier",
    "logits_of": "bank",
    "lung_box": "segments",
    "new_report_classifier": "report_classifier",
    "recognise_radiograph": "radiograph_view",
    "segment_box": "segments",
    "square": "radiograph_picture",
    "tiny_bert": "tiny_encoder",
    "train_expert": "bank",
    "train_multilabel": "bank",
    "train_report_classifier": "report_classifier",
    "youden_threshold": "operating_points",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
