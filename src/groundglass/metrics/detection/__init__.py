"""Figures of finding and pointing: boxes, points, heat maps, counts.

Boxes are half-open ranges in array order, in any number of dimensions; a box that was given as (x, y, width, height) is
turned on the way in.
"""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "BoxReplicates": "box_bootstrap",
    "BoxSet": "boxes",
    "CocoEvaluation": "average_precision",
    "Counting": "counting",
    "FrocCase": "free_response",
    "FrocCurve": "free_response",
    "Matching": "matching",
    "NearestPoints": "points",
    "RankedBoxes": "box_bootstrap",
    "WeakBoxes": "weak_localisation",
    "accuracy_at_iou": "boxes",
    "box_froc_case": "free_response",
    "box_giou": "boxes",
    "box_iobb": "weak_localisation",
    "box_iou": "boxes",
    "box_replicates": "box_bootstrap",
    "contrast_to_noise": "heat_maps",
    "counting_scores": "counting",
    "cumulative_iou": "heat_maps",
    "evaluate_boxes": "average_precision",
    "froc_curve": "free_response",
    "heat_map_iou": "heat_maps",
    "match_boxes": "matching",
    "match_points": "matching",
    "mean_best_iou": "boxes",
    "nearest_points": "points",
    "paired_box_iou": "boxes",
    "point_froc_case": "free_response",
    "pointing_game": "heat_maps",
    "pool": "matching",
    "ranked_boxes": "box_bootstrap",
    "read_coco": "coco_records",
    "weak_boxes": "weak_localisation",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
