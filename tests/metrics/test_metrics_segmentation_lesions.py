"""Lesions as objects: published golden values, what the challenges' own scripts and panoptica give on 200 pairs.

`data/segmentation_lesions_golden.json` holds the pairs as boxes, and what was printed by ISLES 2022's eval_utils.py
(MIT), by the BraTS 2023 metrics script, and by panoptica 2.1.7 (Apache-2.0) for semantic masks.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import label

from groundglass.core.errors import GeometryError, InputError
from groundglass.metrics.segmentation import (
    CONVENTIONS,
    LesionRules,
    lesionwise,
    match_instances,
    match_lesions,
    score_masks,
    touch_counts,
    uptake_counts,
)

GOLDEN = json.loads((Path(__file__).parent / "data" / "segmentation_lesions_golden.json").read_text())


def drawn(shape, boxes):
    mask = np.zeros(shape, dtype=bool)
    for low, high in ((b[: len(shape)], b[len(shape) :]) for b in boxes):
        mask[tuple(slice(a, c) for a, c in zip(low, high, strict=True))] = True
    return mask


def close(value, expected):
    return value == pytest.approx(math.nan if expected is None else expected, abs=1e-6, nan_ok=True)


def toy():
    """The toy masks of the ISLES evaluation: three lesions in the truth, four in the prediction."""
    truth = drawn((20, 20, 10), [(2, 2, 2, 5, 5, 4), (10, 10, 5, 12, 12, 7), (16, 16, 8, 17, 17, 9)])
    prediction = drawn((20, 20, 10), [(3, 2, 2, 6, 5, 4)])
    for voxel in ((10, 10, 5), (0, 19, 0), (1, 18, 1)):
        prediction[voxel] = True
    return prediction, truth


def test_isles_2022_toy():
    prediction, truth = toy()
    scores = score_masks(prediction, truth, (1.0, 2.0, 2.0), convention="isles22")[1]
    expected = {"dice": 0.541667, "avd_ml": 0.024, "lesion_count_difference": 0, "lesion_f1_touch": 0.666667}
    assert scores == pytest.approx(expected, abs=1e-6)


def test_isles_2024_toy():
    prediction, truth = toy()
    scores = score_masks(prediction, truth, (1.0, 2.0, 2.0), convention="isles24")[1]
    assert scores["dice"] == pytest.approx(0.541667, abs=1e-6)
    assert scores["lesion_f1_iou"] == pytest.approx(0.333333, abs=1e-6)
    counts = match_lesions(prediction, truth, iou=0.2).counts
    assert (counts.found, counts.invented, counts.missed) == (1, 2, 2)


def test_one_blob_over_two_lesions_finds_both_by_touch_and_one_by_matching():
    truth = drawn((9, 5, 5), [(2, 2, 2, 3, 3, 3), (4, 2, 2, 5, 3, 3)])
    prediction = drawn((9, 5, 5), [(2, 2, 2, 5, 3, 3)])
    assert touch_counts(prediction, truth).f1 == 1.0
    assert match_lesions(prediction, truth, iou=0.2).recognition_quality == pytest.approx(0.666667, abs=1e-6)


def test_isles_2022_sample_case(data):
    """The official baseline on a real examination: DWI at or above the 99th percentile of its positive voxels."""
    import nibabel as nib

    folder = data / "brain-mri-samples" / "stroke-isles22-sub-strokecase0009"
    dwi = nib.load(folder / "sub-strokecase0009_ses-0001_dwi.nii.gz")
    values = dwi.get_fdata()
    truth = nib.load(folder / "sub-strokecase0009_ses-0001_msk.nii.gz").get_fdata() != 0
    prediction = values >= np.percentile(values[values > 0], 99)
    scores = score_masks(prediction, truth, [float(z) for z in dwi.header.get_zooms()], convention="isles22")[1]
    expected = {"dice": 0.1738, "avd_ml": 10.32, "lesion_count_difference": 87, "lesion_f1_touch": 0.2479}
    assert scores == pytest.approx(expected, abs=5e-5)


def test_brats_golden():
    truth = drawn((40, 40, 40), [(5, 5, 5, 11, 11, 11), (25, 25, 25, 29, 29, 29)])
    prediction = drawn((40, 40, 40), [(6, 5, 5, 12, 11, 11), (32, 5, 5, 37, 10, 10)])
    found = lesionwise(prediction, truth, 1.0)
    assert (found.found, found.missed, found.invented) == (1, 1, 1)
    assert found.dice == pytest.approx(0.277778, abs=1e-6)
    scores = score_masks(prediction, truth, 1.0, convention="brats23")[1]
    assert scores["dice"] == pytest.approx(360 / 621)
    assert scores["lesionwise_dice"] == pytest.approx(0.277778, abs=1e-6)
    assert scores["lesionwise_hd95"] == pytest.approx((1 + 374 + 374) / 3)


def test_200_pairs_agree_with_the_isles_2022_script():
    for case in GOLDEN:
        masks = [drawn(case["shape"], case[name]) for name in ("prediction", "truth")]
        scores = score_masks(*masks, 1.0, labels=[1], convention="isles22", threads=1)[1]
        found = [scores["dice"], scores["lesion_count_difference"], scores["lesion_f1_touch"]]
        assert close(found, case["isles22"]), case


def test_200_pairs_agree_with_the_brats_script():
    for case in GOLDEN:
        masks = [drawn(case["shape"], case[name]) for name in ("prediction", "truth")]
        for name in ("brats23", "brats23-meningioma", "brats23-metastases"):
            found = lesionwise(*masks, case["spacing"], CONVENTIONS[name].lesions)
            assert close([found.found, found.invented, found.missed, found.dice, found.hd95], case[name]), case
        scores = score_masks(*masks, case["spacing"], labels=[1], convention="brats23", threads=1)[1]
        assert close([scores["dice"], scores["hd95_area"]], case["legacy"]), case
        assert scores["lesionwise_dice"] == pytest.approx(case["brats23"][3], abs=1e-6)
        assert scores["lesionwise_hd95"] == pytest.approx(case["brats23"][4], abs=1e-6)


def test_pairs_agree_with_panoptica():
    """Its quality of no pair is 0, ours undefined unless its convention is asked for."""
    compared = 0
    for case in GOLDEN:
        masks = [drawn(case["shape"], case[name]) for name in ("prediction", "truth")]
        for name, (tp, fp, fn, rq, sq, pq) in case.get("panoptica", {}).items():
            matcher, iou = name.split()
            found = match_lesions(*masks, iou=float(iou), matcher=matcher)
            assert (found.counts.found, found.counts.invented, found.counts.missed) == (tp, fp, fn), case
            assert close([found.recognition_quality, found.panoptic_quality], [rq, pq]), case
            assert close(found.segmentation_quality, sq if tp else math.nan), case
            compared += 1
        if "panoptica" in case:
            _, _, _, rq, sq, pq = case["panoptica"]["greedy 0.5"]
            scores = score_masks(*masks, 1.0, convention="panoptica", threads=1)[1]
            expected = {"lesion_f1_iou": rq, "segmentation_quality": sq, "panoptic_quality": pq}
            assert scores == pytest.approx(expected, abs=1e-6), case
    assert compared > 400


def test_touch_f1_is_never_below_matched_f1_where_nothing_merges():
    """Card of ISLES 2024: on pairs in which no component overlaps two of the other mask."""
    checked = 0
    for case in GOLDEN:
        masks = [drawn(case["shape"], case[name]) for name in ("prediction", "truth")]
        ours, theirs = (label(m, np.ones((3, 3, 3)))[0] for m in masks)
        both = {(int(a), int(b)) for a, b in zip(ours[masks[0] & masks[1]], theirs[masks[0] & masks[1]], strict=True)}
        if not both or len({a for a, _ in both}) < len(both) or len({b for _, b in both}) < len(both):
            continue
        checked += 1
        assert touch_counts(*masks).f1 >= match_lesions(*masks, iou=0.2).counts.f1
    assert checked > 50


def test_matching_of_given_instances():
    """Touching instances stay apart; greedy takes the best pair first, optimal the best sum."""
    truth = np.array([[1, 1, 1, 1, 1, 1, 2, 2, 0, 0]])
    prediction = np.array([[5, 5, 5, 5, 9, 9, 9, 9, 0, 7]])
    found = match_instances(prediction, truth, iou=0.3)
    assert [(p.prediction, p.truth) for p in found.pairs] == [(5, 1), (9, 2)]
    assert found.segmentation_quality == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert found.panoptic_quality == pytest.approx(found.segmentation_quality * found.recognition_quality)
    assert (found.counts.prediction, found.counts.truth) == (3, 2)

    # One prediction over two lesions: its best lesion (IoU 0.6) leaves the other prediction without a partner.
    truth = np.array([[1, 1, 1, 1, 2, 2, 2, 2, 2, 2]])
    prediction = np.array([[0, 0, 8, 3, 3, 3, 3, 3, 3, 3]])
    greedy, optimal = (match_instances(prediction, truth, iou=0.01, matcher=m) for m in ("greedy", "optimal"))
    assert [(p.prediction, p.truth) for p in greedy.pairs] == [(3, 2), (8, 1)]
    assert sum(p.iou for p in optimal.pairs) == pytest.approx(sum(p.iou for p in greedy.pairs))


def test_optimal_matching_may_beat_greedy():
    truth, prediction = np.zeros((1, 30), dtype=int), np.zeros((1, 30), dtype=int)
    # Pair (1, 1) has the best IoU, but (1, 2) and (2, 1) together more.
    truth[0, :10], truth[0, 10:20] = 1, 2
    prediction[0, 3:15], prediction[0, :3] = 1, 2
    greedy, optimal = (match_instances(prediction, truth, iou=0.1, matcher=m) for m in ("greedy", "optimal"))
    assert len(greedy.pairs) == 1
    assert len(optimal.pairs) == 2
    assert sum(p.iou for p in optimal.pairs) > sum(p.iou for p in greedy.pairs)


def test_connectivity_is_a_choice():
    diagonal = np.eye(4, dtype=bool)
    assert touch_counts(diagonal, diagonal).truth == 1
    assert touch_counts(diagonal, diagonal, "faces").truth == 4
    from dataclasses import replace

    by_faces = replace(CONVENTIONS["isles22"], lesions=LesionRules(connectivity="faces"))
    whole = np.ones((4, 4), dtype=bool)
    scores = [
        score_masks(whole, diagonal, 1.0, convention=c, metrics=["lesion_count_difference"])[1]
        for c in ("isles22", by_faces)
    ]
    assert [s["lesion_count_difference"] for s in scores] == [0, 3]


def test_lesions_by_their_highest_uptake():
    """Each lesion is found once, by the component of the nearest peak; a mask of one voxel counts as well."""
    uptake = np.zeros((12, 12))
    uptake[1:4, 1:4], uptake[7:9, 7:9], uptake[11, 0], uptake[0, 11] = 5.0, 3.0, 7.85, 5.08
    uptake[2, 2], uptake[8, 8] = 8.0, 3.4
    truth = uptake >= 3.0
    truth[11, 0] = truth[0, 11] = False
    prediction = np.zeros_like(truth)
    prediction[2, 2] = prediction[11, 0] = prediction[0, 11] = True
    counts = uptake_counts(prediction, truth, uptake)
    assert (counts.found, counts.invented, counts.missed) == (1, 2, 1)
    assert counts.f1 == pytest.approx(2 / 5)
    looser = uptake_counts(prediction, truth, uptake, tolerance=0.2)
    assert (looser.found, looser.invented) == (1, 2)


def test_bad_input():
    mask = np.ones((4, 4), dtype=bool)
    with pytest.raises(InputError, match="within"):
        match_instances(mask, mask, iou=0.0)
    with pytest.raises(GeometryError, match="flat"):
        lesionwise(mask, mask, 1.0)
    with pytest.raises(InputError, match="uptake"):
        uptake_counts(mask, mask, np.full((4, 4), np.nan))
    with pytest.raises(GeometryError, match="shape"):
        touch_counts(mask, mask[:3])
