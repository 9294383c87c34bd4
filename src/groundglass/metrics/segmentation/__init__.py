"""Segmentation: overlap, surfaces, centrelines, boundaries, lesions and instances, with each challenge's rules."""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "CONVENTIONS": "conventions",
    "Convention": "conventions",
    "Counts": "scan",
    "EmptyRule": "conventions",
    "Identification": "centres",
    "LesionCounts": "lesions",
    "LesionRules": "conventions",
    "LesionWise": "lesion_wise",
    "METRICS": "table",
    "Match": "lesions",
    "Matching": "lesions",
    "Metric": "table",
    "SurfaceDistances": "surface",
    "agreed_spacing": "checks",
    "boundary_iou": "boundary",
    "boundary_iou_mm": "boundary",
    "centroids": "centres",
    "cl_dice": "centreline",
    "components": "lesions",
    "cumulative_iou": "overlap",
    "distances_by_area": "surface",
    "find_convention": "conventions",
    "identify": "centres",
    "lesionwise": "lesion_wise",
    "match_instances": "lesions",
    "match_lesions": "lesions",
    "precision_at_iou": "overlap",
    "score_masks": "score",
    "touch_counts": "lesions",
    "uptake_counts": "lesions",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
