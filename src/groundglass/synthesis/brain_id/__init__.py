"""Brain-ID's generator in full (Liu et al., ECCV 2024, arXiv 2311.16914): several images that share one anatomy.

One item is one deformation of one subject and N images of it in contrasts, resolutions and artefacts of their own,
the first half mild, the rest severe; all have the same target (T1) and the same structures. That is what makes
features free of contrast. `groundglass.synthesis.brain` is the leaner relative that the shipped network is trained on.
"""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "BrainItem": "generator",
    "BrainItems": "generator",
    "BrainSubject": "subject",
    "LabelContrast": "contrast",
    "Views": "views",
    "draw_item": "drawing",
    "draw_label_contrast": "contrast",
    "moved_views": "views",
    "paint": "contrast",
    "render_item": "generator",
    "template_subject": "subject",
    "tissue_contrast": "contrast",
    "tissues": "subject",
    "unmoved": "drawing",
    "warped_subject": "subject",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
