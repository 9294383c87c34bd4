"""What an empty mask scores, as challenges and libraries define it: data, chosen by name.

Where a mask is empty most measures are 0 / 0 or a distance to nothing, and every challenge settles that in its own
way. A `Convention` holds these rules, the labels that count, how lesions are matched, and the challenge's measures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from groundglass.core.errors import ConfigurationError

Family = Literal["overlap", "distance", "always"]
Value = float | Literal["diagonal", "longest side"]
NAN, INF = math.nan, math.inf


@dataclass(frozen=True, slots=True)
class EmptyRule:
    """The value where both masks are empty, where only the prediction is (missed), only the truth is (spurious).

    NaN says that the case does not count; "diagonal" and "longest side" are those of the image, in mm.
    """

    both: Value
    missed: Value
    spurious: Value

    def value(self, prediction: int, truth: int, extent_mm: Sequence[float]) -> float | None:
        """The value for masks of so many voxels in an image of that extent; None where neither is empty."""
        if prediction and truth:
            return None
        rule = self.missed if truth else self.spurious if prediction else self.both
        if rule == "diagonal":
            return math.hypot(*extent_mm)
        return max(extent_mm) if rule == "longest side" else float(rule)


@dataclass(frozen=True, slots=True)
class LesionRules:
    """How lesions are told apart and matched.

    `connectivity`: what is one lesion, `full` (8 in 2D, 26 in 3D) or `faces` (4, 6). `iou`: least IoU of a pair.
    `matcher`: `greedy` takes pairs by falling IoU, `optimal` the assignment of the highest sum. `no_pair`: the
    segmentation quality where nothing was matched. For BraTS's lesion-wise scores: `dilation` in voxels
    (18-neighbourhood), `least_mm3` above which a lesion of the truth counts, `penalty_mm` for one missed or invented.
    """

    connectivity: Literal["full", "faces"] = "full"
    iou: float = 0.5
    no_pair: float = NAN
    matcher: Literal["greedy", "optimal"] = "greedy"
    dilation: int = 3
    least_mm3: float = 50.0
    penalty_mm: float = 374.0


@dataclass(frozen=True, slots=True)
class Convention:
    """Rules under one name. `rules` are looked up by metric, then by its family (`overlap`, `distance`)."""

    name: str
    source: str
    rules: Mapping[str, EmptyRule]
    metrics: tuple[str, ...]
    labels: Literal["union", "truth"] = "union"
    tolerance_mm: float = 1.0
    lesions: LesionRules = field(default_factory=LesionRules)

    def rule(self, metric: str, family: Family) -> EmptyRule | None:
        """The rule of a metric; None for those whose formula holds for empty masks too."""
        return None if family == "always" else self.rules.get(metric, self.rules[family])


_GENERAL = ("dice", "iou", "hd", "hd95", "assd", "masd", "nsd", "volume_similarity", "avd_ml", "rvd", "centre_distance")
_ONE_OR_NOTHING = EmptyRule(both=1.0, missed=0.0, spurious=0.0)
_UNDEFINED = EmptyRule(both=NAN, missed=0.0, spurious=0.0)
_INFINITE = EmptyRule(both=NAN, missed=INF, spurious=INF)

_ALL = (
    Convention(
        "plain",
        "The formulas alone: 0 / 0 is NaN, an overlap with nothing 0, a distance to nothing infinite. Nothing that was "
        "missed or invented drops out of a mean unseen.",
        {"overlap": _UNDEFINED, "distance": _INFINITE},
        _GENERAL,
    ),
    Convention(
        "penalised",
        "Both empty: perfect. One empty: overlap 0, distance the image diagonal. All values finite.",
        {"overlap": _ONE_OR_NOTHING, "distance": EmptyRule(0.0, "diagonal", "diagonal")},
        _GENERAL,
    ),
    Convention(
        "monai",
        "MONAI 1.6 with its defaults: NaN where the truth is empty (overlap); HD95 is NaN where either is.",
        {
            "overlap": EmptyRule(NAN, 0.0, NAN),
            "nsd": _UNDEFINED,
            "distance": _INFINITE,
            "hd95": EmptyRule(NAN, NAN, NAN),
        },
        ("dice", "iou", "hd", "hd95", "assd", "nsd"),
    ),
    Convention(
        "surface-distance",
        "DeepMind's surface-distance: areas, Dice and NSD NaN where both are empty, robust Hausdorff then infinite.",
        {"overlap": _UNDEFINED, "distance": _INFINITE, "hd95_area": EmptyRule(INF, INF, INF)},
        ("dice", "hd95_area", "nsd_area"),
    ),
    Convention(
        "isles22",
        "ISLES 2022 (Scientific Data 2022; 9: 762): lesions are touched by one voxel, 26-connected.",
        {"overlap": _ONE_OR_NOTHING, "distance": _INFINITE},
        ("dice", "avd_ml", "lesion_count_difference", "lesion_f1_touch"),
    ),
    Convention(
        "isles24",
        "ISLES 2024 (arXiv 2408.10966): lesions are matched one to one at an IoU of 0.2.",
        {"overlap": _ONE_OR_NOTHING, "distance": _INFINITE},
        ("dice", "avd_ml", "lesion_count_difference", "lesion_f1_iou"),
        lesions=LesionRules(iou=0.2),
    ),
    Convention(
        "panoptica",
        "panoptica 2 (arXiv 2312.02608) with its defaults: greedy matching at an IoU of 0.5, no pair has quality 0.",
        {"overlap": _UNDEFINED, "distance": _INFINITE},
        ("panoptic_quality", "segmentation_quality", "lesion_f1_iou"),
        lesions=LesionRules(no_pair=0.0),
    ),
    Convention(
        "brats",
        "BraTS up to 2022, whole regions: HD95 by area, 373.13 mm (the image diagonal) where one is empty.",
        {"overlap": _ONE_OR_NOTHING, "distance": EmptyRule(0.0, math.hypot(240, 240, 155), math.hypot(240, 240, 155))},
        ("dice", "hd95_area", "sensitivity", "specificity"),
    ),
    Convention(
        "brats23",
        "BraTS 2023 and later, glioma (adult, sub-Saharan, paediatric): lesion-wise, dilation 3, lesions > 50 mm3.",
        {"overlap": _ONE_OR_NOTHING, "distance": EmptyRule(0.0, 374.0, 374.0)},
        ("lesionwise_dice", "lesionwise_hd95", "dice", "hd95_area"),
    ),
    Convention(
        "brats23-meningioma",
        "As brats23 with a dilation of 1.",
        {"overlap": _ONE_OR_NOTHING, "distance": EmptyRule(0.0, 374.0, 374.0)},
        ("lesionwise_dice", "lesionwise_hd95", "dice", "hd95_area"),
        lesions=LesionRules(dilation=1),
    ),
    Convention(
        "brats23-metastases",
        "As brats23 with a dilation of 1 and lesions > 2 mm3.",
        {"overlap": _ONE_OR_NOTHING, "distance": EmptyRule(0.0, 374.0, 374.0)},
        ("lesionwise_dice", "lesionwise_hd95", "dice", "hd95_area"),
        lesions=LesionRules(dilation=1, least_mm3=2.0),
    ),
    Convention(
        "verse",
        "VerSe (Medical Image Analysis 2021; 102166): the vertebrae of the truth count; a missing one has Dice 0 and a "
        "Hausdorff distance of 100 mm (the latter unverified).",
        {"overlap": EmptyRule(NAN, 0.0, NAN), "distance": EmptyRule(NAN, 100.0, NAN)},
        ("dice", "hd"),
        labels="truth",
    ),
    Convention(
        "sat",
        "SAT (arXiv 2312.17183): Dice and NSD by area at 1 mm; an empty truth scores 1 if the prediction is empty too.",
        {"overlap": _ONE_OR_NOTHING, "distance": _INFINITE},
        ("dice", "nsd_area"),
    ),
    Convention(
        "trackrad",
        "TrackRAD 2025: frames without a truth do not count; an empty prediction scores 0 and the longer image side. "
        'Its "MASD" is one-sided, from the prediction to the truth.',
        {"overlap": EmptyRule(NAN, 0.0, NAN), "distance": EmptyRule(NAN, "longest side", NAN)},
        ("dice", "hd95", "asd_to_truth", "centre_distance"),
    ),
)

CONVENTIONS: Mapping[str, Convention] = {one.name: one for one in _ALL}


def find_convention(which: str | Convention) -> Convention:
    """A convention by its name, or as it is. Raises ConfigurationError."""
    if isinstance(which, Convention):
        return which
    if which not in CONVENTIONS:
        raise ConfigurationError(f"convention {which}", "is not known", f"Use one of {', '.join(CONVENTIONS)}.")
    return CONVENTIONS[which]
