"""The measures by name: title, unit, direction, definition, and how each is taken from one label of a pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from groundglass.metrics.segmentation import overlap
from groundglass.metrics.segmentation.boundary import boundary_iou, boundary_iou_mm, rim_width
from groundglass.metrics.segmentation.centreline import cl_dice
from groundglass.metrics.segmentation.centres import centre_of_mass
from groundglass.metrics.segmentation.conventions import Family
from groundglass.metrics.segmentation.label_view import LabelView
from groundglass.metrics.segmentation.surface import hd_percentile, hd_percentile_by_weight, hd_percentile_pooled


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure. `best` is its value for a perfect prediction; `family` says which rule for empty masks holds.

    `signed`: best at 0, worse on either side. `volumes_only`: not defined for flat masks. `counts_only`: needs no
    surface. `unit` is "" for ratios.
    """

    name: str
    title: str
    definition: str
    measure: Callable[[LabelView], float]
    family: Family = "overlap"
    unit: str = ""
    higher_is_better: bool = True
    best: float = 1.0
    signed: bool = False
    volumes_only: bool = False
    counts_only: bool = False


def _counted(name: str, title: str, definition: str, formula: Callable[[overlap.Counts], float]) -> Metric:
    return Metric(name, title, definition, lambda view: formula(view.counts), counts_only=True)


def _distance(name: str, title: str, definition: str, measure: Callable[[LabelView], float]) -> Metric:
    return Metric(name, title, definition, measure, "distance", "mm", higher_is_better=False, best=0.0)


def _difference(
    name: str, title: str, definition: str, unit: str, measure: Callable[[LabelView], float], *, signed: bool
) -> Metric:
    return Metric(
        name,
        title,
        definition,
        measure,
        "always",
        unit,
        higher_is_better=False,
        best=0.0,
        signed=signed,
        volumes_only=unit == "mL",
        counts_only=True,
    )


def _lesion(
    name: str,
    title: str,
    definition: str,
    measure: Callable[[LabelView], float],
    family: Family = "overlap",
    *,
    unit: str = "",
    higher_is_better: bool = True,
    volumes_only: bool = False,
) -> Metric:
    best = 1.0 if higher_is_better else 0.0
    return Metric(name, title, definition, measure, family, unit, higher_is_better, best, volumes_only=volumes_only)


def _centre_distance(view: LabelView) -> float:
    first, second = (centre_of_mass(crop) for crop in view.crops)
    return float(np.linalg.norm((first - second) * np.asarray(view.spacing)))


def _segmentation_quality(view: LabelView) -> float:
    matched = view.matched
    any_lesion = matched.counts.prediction or matched.counts.truth
    return view.rules.no_pair if any_lesion and not matched.pairs else matched.segmentation_quality


_ALL = (
    _counted("dice", "Dice", "2 |A and B| / (|A| + |B|)", overlap.dice),
    _counted("iou", "IoU", "|A and B| / |A or B|", overlap.iou),
    _counted("sensitivity", "Sensitivity", "share of the truth's voxels predicted", overlap.sensitivity),
    _counted("precision", "Precision", "share of the predicted voxels that are true", overlap.precision),
    Metric(
        "specificity",
        "Specificity",
        "share of the voxels outside of the truth that are not predicted",
        lambda view: overlap.specificity(view.counts),
        "always",
        counts_only=True,
    ),
    _counted("volume_similarity", "Volume similarity", "1 - | |A| - |B| | / (|A| + |B|)", overlap.volume_similarity),
    _difference(
        "avd_ml",
        "Absolute volume difference",
        "| prediction - truth |",
        "mL",
        lambda view: abs(overlap.volume_difference_ml(view.counts, view.spacing)),
        signed=False,
    ),
    _difference(
        "vd_ml",
        "Volume difference",
        "prediction - truth (0 is best)",
        "mL",
        lambda view: overlap.volume_difference_ml(view.counts, view.spacing),
        signed=True,
    ),
    _difference(
        "rvd",
        "Relative volume difference",
        "(prediction - truth) / truth (0 is best); NaN for an empty truth",
        "",
        lambda view: overlap.relative_volume_difference(view.counts),
        signed=True,
    ),
    _difference(
        "arvd",
        "Absolute relative volume difference",
        "| prediction - truth | / truth; NaN for an empty truth",
        "",
        lambda view: abs(overlap.relative_volume_difference(view.counts)),
        signed=False,
    ),
    _distance("hd", "HD", "greatest distance between surface voxels", lambda view: view.by_voxel.hd),
    _distance(
        "hd95",
        "HD95",
        "greater of the two directed 95th percentiles between surface voxels, interpolated (MONAI)",
        lambda view: hd_percentile(view.by_voxel),
    ),
    _distance(
        "hd95_pooled",
        "HD95 (pooled)",
        "95th percentile of the distances of both directions together (medpy)",
        lambda view: hd_percentile_pooled(view.by_voxel),
    ),
    _distance(
        "hd95_area",
        "HD95 (by area)",
        "greater of the distances within which 95 % of each surface's area lies (surface-distance, BraTS)",
        lambda view: hd_percentile_by_weight(view.by_area),
    ),
    _distance("assd", "ASSD", "mean distance over the surface voxels of both masks", lambda view: view.by_voxel.assd),
    _distance("masd", "MASD", "mean of the two one-sided mean surface distances", lambda view: view.by_voxel.masd),
    _distance(
        "asd_to_truth",
        "ASD to truth",
        "mean distance from the prediction's surface voxels to the truth's",
        lambda view: view.by_voxel.asd_to_truth,
    ),
    _distance(
        "asd_to_prediction",
        "ASD to prediction",
        "mean distance from the truth's surface voxels to the prediction's",
        lambda view: view.by_voxel.asd_to_prediction,
    ),
    _distance("assd_area", "ASSD (by area)", "ASSD with surface elements by area", lambda view: view.by_area.assd),
    _distance("masd_area", "MASD (by area)", "MASD with surface elements by area", lambda view: view.by_area.masd),
    _distance("centre_distance", "Centre distance", "distance between the centres of mass", _centre_distance),
    Metric(
        "nsd",
        "NSD",
        "share of the surface voxels of both masks within the tolerance of the other surface (MONAI)",
        lambda view: view.by_voxel.nsd(view.tolerance_mm),
    ),
    Metric(
        "nsd_area",
        "NSD (by area)",
        "share of the surface area of both masks within the tolerance of the other surface (surface-distance)",
        lambda view: view.by_area.nsd(view.tolerance_mm),
    ),
    Metric(
        "boundary_iou",
        "Boundary IoU",
        "IoU of the inner rims, 2 % of the image diagonal wide",
        lambda view: boundary_iou(*view.crops, rim_width(view.shape)),
    ),
    Metric(
        "boundary_iou_mm",
        "Boundary IoU at tolerance",
        "IoU of the inner rims as wide as the tolerance",
        lambda view: boundary_iou_mm(*view.crops, view.spacing, view.tolerance_mm),
    ),
    Metric("cl_dice", "clDice", "Dice of centrelines", lambda view: cl_dice(*view.crops_as_given)),
    _lesion(
        "lesion_f1_touch",
        "Lesion F1 (touch)",
        "a lesion of the truth is found when one of its voxels is predicted (ISLES 2022)",
        lambda view: view.touched.f1,
    ),
    _lesion(
        "lesion_sensitivity_touch",
        "Lesion sensitivity (touch)",
        "share of the truth's lesions that the prediction touches",
        lambda view: view.touched.sensitivity,
    ),
    _lesion(
        "lesion_f1_iou",
        "Lesion F1 (IoU)",
        "lesions matched one to one by IoU (recognition quality; ISLES 2024)",
        lambda view: view.matched.recognition_quality,
    ),
    _lesion(
        "segmentation_quality",
        "Segmentation quality",
        "mean IoU of the matched lesions; NaN where neither mask has one",
        _segmentation_quality,
        "always",
    ),
    _lesion(
        "panoptic_quality",
        "Panoptic quality",
        "segmentation quality times recognition quality",
        lambda view: view.matched.panoptic_quality,
    ),
    _lesion(
        "lesion_count_difference",
        "Lesion count difference",
        "| lesions of the truth - lesions of the prediction |",
        lambda view: float(view.touched.count_difference),
        "always",
        higher_is_better=False,
    ),
    _lesion(
        "lesionwise_dice",
        "Lesion-wise Dice",
        "mean Dice over lesions and inventions (BraTS 2023)",
        lambda view: view.lesionwise.dice,
        "always",
        volumes_only=True,
    ),
    _lesion(
        "lesionwise_hd95",
        "Lesion-wise HD95",
        "mean HD95 (by area) over lesions and inventions (BraTS 2023)",
        lambda view: view.lesionwise.hd95,
        "always",
        unit="mm",
        higher_is_better=False,
        volumes_only=True,
    ),
)

METRICS: Mapping[str, Metric] = {one.name: one for one in _ALL}
