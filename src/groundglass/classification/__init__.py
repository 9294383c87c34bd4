"""Answers about an image and its places: banks, labels with boxes, views, attributes and change, calibration."""

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
    "SplitCheck": "patient_split",
    "Square": "radiograph_picture",
    "Task": "bank",
    "Turn": "turns",
    "answer": "operating_points",
    "backbone": "backbones",
    "check_split": "patient_split",
    "class_activation_maps": "activation_maps",
    "co_occurrence": "place_attributes",
    "crops": "bank",
    "f1_thresholds": "report_classifier",
    "fit_platt": "operating_points",
    "grey": "radiograph_picture",
    "heat_boxes": "boxes_from_heat",
    "heat_in_boxes": "activation_maps",
    "image_wise": "patient_split",
    "label_logits": "image_labels",
    "load_report_classifier": "report_classifier",
    "logits_of": "bank",
    "lung_box": "segments",
    "min_max": "activation_maps",
    "new_report_classifier": "report_classifier",
    "patient_wise": "patient_split",
    "place_batch": "place_films",
    "place_changes": "place_change",
    "place_scores": "place_attributes",
    "recognise_radiograph": "radiograph_view",
    "segment_box": "segments",
    "square": "radiograph_picture",
    "standardised": "image_labels",
    "swapped": "place_change",
    "tiny_bert": "tiny_encoder",
    "train_expert": "bank",
    "train_image_attributes": "place_attributes",
    "train_image_labels": "image_labels",
    "train_multilabel": "bank",
    "train_place_attributes": "place_attributes",
    "train_place_change": "place_change",
    "train_report_classifier": "report_classifier",
    "youden_threshold": "operating_points",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
