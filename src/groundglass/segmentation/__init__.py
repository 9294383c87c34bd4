"""Masks from pixels: automatic, by text, interactive."""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

# name -> module; loaded at first use.
_EXPORTS = {
    "brain_mask": "brain_mr",
    "ct_compartments": "ct_classical",
    "dark_lesions": "organ_outliers",
    "BrainSegmentation": "brain_mr",
    "OwnVolumes": "brain_mr",
    "StudyBrain": "brain_mr",
    "mined_exam": "by_text_training",
    "mined_exams": "by_text_training",
    "on_one_grid": "brain_mr",
    "segment_together": "brain_mr",
    "RadiographAnatomy": "radiograph",
    "RadiographQuality": "radiograph",
    "Stage": "by_text_training",
    "TextExam": "by_text_training",
    "TextSegmenter": "by_text",
    "VolumeCrop": "volume_crop",
    "segment_brain": "brain_mr",
    "segment_by_text": "by_text",
    "segment_hippocampus": "hippocampus",
    "segment_radiograph": "radiograph",
    "stated_lesions": "stated_uptake",
    "train_by_text": "by_text_training",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
