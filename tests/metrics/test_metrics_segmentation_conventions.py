"""What empty masks score under each convention, and the golden values of the challenge that drops frames."""

import math
import warnings

import numpy as np
import pytest
import torch
from monai.metrics import compute_dice, compute_hausdorff_distance, compute_iou, compute_surface_dice

from groundglass.core.errors import ConfigurationError
from groundglass.metrics.segmentation import CONVENTIONS, METRICS, score_masks

NAN, INF = math.nan, math.inf
SHAPE, SPACING = (6, 8, 10), (1.0, 2.0, 0.5)
DIAGONAL = math.hypot(6, 16, 5)


def scores(prediction, truth, convention, metrics):
    """Of two masks that are empty or hold one box."""
    masks = []
    for filled in (prediction, truth):
        mask = np.zeros(SHAPE, dtype=bool)
        mask[2:4, 2:5, 3:6] = filled
        masks.append(mask)
    found = score_masks(*masks, SPACING, labels=[1], convention=convention, metrics=metrics)
    return [found[1][name] for name in metrics]


# Convention, metric, and its value for both empty, missed, spurious.
RULES = [
    ("plain", "dice", NAN, 0, 0),
    ("plain", "nsd", NAN, 0, 0),
    ("plain", "cl_dice", NAN, 0, 0),
    ("plain", "boundary_iou", NAN, 0, 0),
    ("plain", "precision", NAN, 0, 0),
    ("plain", "hd95", NAN, INF, INF),
    ("plain", "centre_distance", NAN, INF, INF),
    ("plain", "lesion_f1_touch", NAN, 0, 0),
    ("plain", "lesion_f1_iou", NAN, 0, 0),
    ("plain", "panoptic_quality", NAN, 0, 0),
    ("plain", "lesion_count_difference", 0, 1, 1),
    ("plain", "avd_ml", 0, 0.018, 0.018),
    ("plain", "vd_ml", 0, -0.018, 0.018),
    ("plain", "rvd", NAN, -1, NAN),
    ("plain", "specificity", 1, 1, 1 - 18 / 480),
    ("penalised", "iou", 1, 0, 0),
    ("penalised", "assd", 0, DIAGONAL, DIAGONAL),
    ("penalised", "hd95_area", 0, DIAGONAL, DIAGONAL),
    ("monai", "dice", NAN, 0, NAN),
    ("monai", "hd95", NAN, NAN, NAN),
    ("monai", "nsd", NAN, 0, 0),
    ("surface-distance", "hd95_area", INF, INF, INF),
    ("isles22", "dice", 1, 0, 0),
    ("isles22", "lesion_f1_touch", 1, 0, 0),
    ("isles24", "lesion_f1_iou", 1, 0, 0),
    ("panoptica", "segmentation_quality", NAN, 0, 0),
    ("panoptica", "panoptic_quality", NAN, 0, 0),
    ("brats", "dice", 1, 0, 0),
    ("brats", "hd95_area", 0, 373.1287, 373.1287),
    ("brats23", "lesionwise_dice", 1, 1, 0),
    ("brats23", "lesionwise_hd95", 0, 0, 374),
    ("brats23-metastases", "lesionwise_dice", 1, 0, 0),
    ("brats23-metastases", "lesionwise_hd95", 0, 374, 374),
    ("verse", "dice", NAN, 0, NAN),
    ("verse", "hd", NAN, 100, NAN),
    ("sat", "nsd_area", 1, 0, 0),
    ("trackrad", "dice", NAN, 0, NAN),
    ("trackrad", "asd_to_truth", NAN, 16, NAN),
]


@pytest.mark.parametrize(("convention", "metric", "both", "missed", "spurious"), RULES)
def test_empty_masks(convention, metric, both, missed, spurious):
    """A box of 18 mm3 is below the least volume of BraTS glioma, above that of metastases."""
    found = [scores(p, t, convention, [metric])[0] for p, t in ((0, 0), (0, 1), (1, 0))]
    assert found == pytest.approx([both, missed, spurious], abs=1e-4, nan_ok=True)


@pytest.mark.parametrize("convention", sorted(CONVENTIONS))
def test_a_perfect_prediction_is_best(convention):
    names = [n for n in METRICS if n != "cl_dice"]
    for name, value in zip(names, scores(1, 1, convention, names), strict=True):
        assert value == METRICS[name].best or name == "lesionwise_dice", name


def test_monai_convention_is_what_monai_gives():
    warnings.filterwarnings("ignore")
    empty, full = torch.zeros(1, 1, *SHAPE), torch.zeros(1, 1, *SHAPE)
    full[0, 0, 2:4, 2:5, 3:6] = 1
    names = ["dice", "iou", "hd", "hd95", "nsd"]
    for said, real in ((0, 0), (0, 1), (1, 0)):
        pair = (full if said else empty), (full if real else empty)
        peer = [
            compute_dice(*pair),
            compute_iou(*pair),
            compute_hausdorff_distance(*pair, include_background=True),
            compute_hausdorff_distance(*pair, include_background=True, percentile=95),
            compute_surface_dice(*pair, [1.0], include_background=True),
        ]
        assert scores(said, real, "monai", names) == pytest.approx([float(p) for p in peer], nan_ok=True)


def test_labels_of_a_convention():
    """A label that only the prediction has counts in a union, and not where the truth's labels count."""
    truth, prediction = np.zeros((5, 5), int), np.zeros((5, 5), int)
    truth[1:3, 1:3], prediction[1:3, 1:3], prediction[4, 4] = 2, 2, 7
    assert score_masks(prediction, truth, 1.0, metrics=["dice"]) == {2: {"dice": 1.0}, 7: {"dice": 0.0}}
    assert list(score_masks(prediction, truth, 1.0, convention="verse")) == [2]
    assert score_masks(np.zeros((3, 3), int), np.zeros((3, 3), int), 1.0) == {}


def test_trackrad_golden_values():
    """A disc that swings along one axis, predicted as standing still; means over 20 frames."""
    row, column = np.mgrid[:128, :128]
    for amplitude, expected in (
        (4, (0.8505, 2.4, 1.4378, 2.4)),
        (8, (0.6946, 5.0, 2.9048, 5.0)),
        (16, (0.4170, 9.6277, 5.4247, 10.0)),
    ):
        frames = []
        for t in range(1, 21):
            shift = round(amplitude * math.sin(2 * math.pi * t / 20))
            still, moved = ((row - 64 - s) ** 2 + (column - 64) ** 2 <= 100 for s in (0, shift))
            frames.append(list(score_masks(still, moved, 1.0, convention="trackrad", threads=1)[1].values()))
        assert np.mean(frames, axis=0) == pytest.approx(expected, abs=5e-5)


def test_every_convention_names_known_metrics():
    for convention in CONVENTIONS.values():
        assert set(convention.metrics) <= set(METRICS)
        assert convention.source


def test_unknown_convention():
    with pytest.raises(ConfigurationError, match="isles22"):
        scores(1, 1, "isles2022", ["dice"])
