"""Answers about an image and its places: binary banks, views, attributes and change place by place, calibration."""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

# name -> module; loaded at first use.
_EXPORTS = {
    "Answer": "bank",
    "Bank": "bank",
    "CHANGES": "place_change",
    "Expert": "bank",
    "Labelled": "bank",
    "PlaceFilms": "place_films",
    "Platt": "operating_points",
    "RadiographView": "radiograph_view",
    "ReportClassifier": "report_classifier",
    "Square": "radiograph_picture",
    "Task": "bank",
    "Turn": "turns",
    "answer": "operating_points",
    "backbone": "backbones",
    "class_activation_maps": "activation_maps",
    "co_occurrence": "place_attributes",
    "crops": "bank",
    "f1_thresholds": "report_classifier",
    "fit_platt": "operating_points",
    "grey": "radiograph_picture",
    "heat_in_boxes": "activation_maps",
    "load_report_classifier": "report_classifier",
    "logits_of": "bank",
    "lung_box": "segments",
    "min_max": "activation_maps",
    "new_report_classifier": "report_classifier",
    "place_batch": "place_films",
    "place_changes": "place_change",
    "place_scores": "place_attributes",
    "recognise_radiograph": "radiograph_view",
    "segment_box": "segments",
    "square": "radiograph_picture",
    "swapped": "place_change",
    "tiny_bert": "tiny_encoder",
    "train_expert": "bank",
    "train_image_attributes": "place_attributes",
    "train_multilabel": "bank",
    "train_place_attributes": "place_attributes",
    "train_place_change": "place_change",
    "train_report_classifier": "report_classifier",
    "youden_threshold": "operating_points",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
