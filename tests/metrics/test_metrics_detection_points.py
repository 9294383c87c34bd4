"""Boxes, points, counts, heat maps and FROC against torchmetrics, MONAI, scikit-learn, plain loops and closed forms."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics import jaccard_score, mean_absolute_error, mean_squared_error

from groundglass.core import Box, ConfigurationError, EmptyMaskError, GeometryError, InputError
from groundglass.metrics.detection import (
    BoxSet,
    FrocCase,
    accuracy_at_iou,
    box_froc_case,
    box_giou,
    box_iou,
    contrast_to_noise,
    counting_scores,
    cumulative_iou,
    froc_curve,
    heat_map_iou,
    match_boxes,
    match_points,
    mean_best_iou,
    nearest_points,
    paired_box_iou,
    point_froc_case,
    pointing_game,
    pool,
)
from groundglass.metrics.statistics import bootstrap_statistic


def boxes(rng, count, dimensions=2):
    start = rng.integers(0, 20, (count, dimensions))
    return BoxSet.of_ranges([0] * count, [0] * count, start, start + rng.integers(1, 12, (count, dimensions)))


def voxels(one, place, shape):
    mask = np.zeros(shape, dtype=bool)
    low = one.start[place].astype(int)
    mask[tuple(slice(a, a + s) for a, s in zip(low, one.size[place].astype(int), strict=True))] = True
    return mask


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_overlap_of_boxes_is_that_of_their_voxels(dimensions):
    for seed in range(70):
        rng = np.random.default_rng(seed)
        first, second = boxes(rng, 3, dimensions), boxes(rng, 3, dimensions)
        found, generalised = box_iou(first, second), box_giou(first, second)
        for i, j in itertools.product(range(3), range(3)):
            a, b = voxels(first, i, (32,) * dimensions), voxels(second, j, (32,) * dimensions)
            assert found[i, j] == pytest.approx((a & b).sum() / (a | b).sum(), abs=1e-12)
            hull = 1
            for axis in range(dimensions):
                others = tuple(other for other in range(dimensions) if other != axis)
                hull *= np.ptp(np.flatnonzero((a | b).any(axis=others))) + 1
            assert generalised[i, j] == pytest.approx(found[i, j] - (hull - (a | b).sum()) / hull, abs=1e-12)
        assert paired_box_iou(first, second) == pytest.approx(np.diag(found), abs=1e-12)


def test_ways_to_give_a_box():
    ours = BoxSet.of(["i"], ["l"], [Box((2, 1), (5, 9))])
    coco = BoxSet.of_xywh(["i"], ["l"], [[1, 2, 8, 3]])
    assert np.array_equal(ours.start, coco.start) and np.array_equal(ours.size, coco.size)
    assert coco.area.tolist() == [24]
    crowd = BoxSet.of_xywh(["i"], ["l"], [[0, 0, 100, 100]], crowd=[True])
    assert box_iou(coco, crowd)[0, 0] == 1.0  # inside a crowd counts by the detection's own size
    with pytest.raises(GeometryError):
        box_iou(ours, BoxSet.of(["i"], ["l"], [Box((0, 0, 0), (1, 1, 1))]))
    with pytest.raises(InputError):
        paired_box_iou(ours, boxes(np.random.default_rng(0), 2))


def test_grounding_figures_of_boxes():
    said = BoxSet.of_xywh([0, 1], [0, 0], [[0, 0, 10, 10], [0, 0, 10, 10]])
    true = BoxSet.of_xywh([0, 1], [0, 0], [[0, 0, 10, 10], [5, 0, 10, 10]])
    assert paired_box_iou(said, true) == pytest.approx([1, 1 / 3])
    assert accuracy_at_iou(said, true) == 0.5 and accuracy_at_iou(said, true, iou=1 / 3) == 1.0
    assert mean_best_iou(said, true) == 1.0  # both are the first truth: the figure that hides a miss
    assert match_boxes(said, true).f1 == 0.5


def best_by_trying(allowed, costs):
    """(most pairs, least cost of that many) over all assignments."""
    few, many = sorted(allowed.shape)
    table, cost = (allowed, costs) if allowed.shape[0] == few else (allowed.T, costs.T)
    best = (0, 0.0)
    for columns in itertools.permutations(range(many), few):
        kept = [(row, column) for row, column in enumerate(columns) if table[row, column]]
        best = max(best, (len(kept), -sum(cost[pair] for pair in kept)))
    return best[0], -best[1]


def test_matching_equals_trying_everything():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        found = rng.integers(0, 12, (int(rng.integers(0, 6)), 2)) * 1.0
        truth = rng.integers(0, 12, (int(rng.integers(0, 6)), 2)) * 1.0
        matching = match_points(found, truth, within=4)
        costs = np.array([[np.hypot(*(a - b)) for b in truth] for a in found]).reshape(len(found), len(truth))
        number, cost = best_by_trying(costs <= 4, costs)
        assert len(matching.pairs) == number, seed
        assert sum(costs[pair] for pair in matching.pairs) == pytest.approx(cost), seed
        swapped = match_points(truth, found, within=4)
        assert swapped.f1 == pytest.approx(matching.f1) and swapped.precision == pytest.approx(matching.recall)


def test_matching_of_values_spacing_and_pools():
    # SUVmax within 0.1, each reference once.
    matching = match_points([[7.8], [7.8], [3.2]], [[7.7], [3.31]], within=0.1)
    assert (len(matching.pairs), matching.precision, matching.recall) == (1, 1 / 3, 0.5)
    assert match_points([[0, 0]], [[3, 0]], within=4, spacing=[2, 1]).f1 == 0.0
    assert match_points([[0, 0]], [[3, 0]], within=4).f1 == 1.0
    nothing = match_points([], [], within=1)
    assert (nothing.precision, nothing.recall, nothing.f1) == (1.0, 1.0, 1.0)
    assert match_points([], [[1, 1]], within=1).f1 == 0.0
    assert pool([nothing, matching]).f1 == pytest.approx(2 / 5)
    for bad in (([[np.nan, 0]], [[0, 0]]), ([[0, 0, 0]], [[0, 0]]), ([0, 1], [[0, 0]])):
        with pytest.raises(InputError):
            match_points(*bad, within=1)
    with pytest.raises(InputError, match="spacing"):
        match_points([[0, 0]], [[0, 0]], within=1, spacing=[1, 0])
    with pytest.raises(ConfigurationError):
        match_points([[0, 0]], [[0, 0]], within=-1)


def test_nearest_points_equal_a_plain_loop():
    rng = np.random.default_rng(0)
    images = [
        (rng.uniform(0, 40, (int(n), 2)), rng.uniform(0, 40, (int(m), 2))) for n, m in rng.integers(0, 5, (60, 2))
    ]
    found = nearest_points(images)
    lines = []
    for said, true in images:
        if len(said) and len(true):
            near = [min(np.hypot(*(a - b)) for b in true) for a in said]
            lines.append((np.mean(near), np.sqrt(np.mean(np.square(near))), np.mean(np.array(near) < 10)))
    assert (found.mae, found.rmse, found.matching_accuracy) == pytest.approx(np.mean(lines, axis=0))
    assert (found.images, found.zero_cases) == (len(lines), 60 - len(lines))
    assert np.isnan(nearest_points([([], [[0, 0]])]).mae)
    # One sure point, repeated, is perfect here and poor one to one.
    repeated, true = [[5.0, 5.0]] * 4, [[5.0, 5.0], [30.0, 30.0], [60.0, 60.0]]
    assert nearest_points([(repeated, true)]).matching_accuracy == 1.0
    assert match_points(repeated, true, within=10).f1 == pytest.approx(2 / 7)


def test_counting_equals_scikit_learn():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        truth, said = rng.integers(0, 30, (2, int(rng.integers(1, 30))))
        found = counting_scores(truth, said)
        assert found.mae == pytest.approx(mean_absolute_error(truth, said))
        assert found.mse == pytest.approx(mean_squared_error(truth, said)) and found.rmse == found.mse**0.5
        assert found.bias == pytest.approx((said - truth).mean()) and found.exact == pytest.approx(
            (said == truth).mean()
        )
    for bad in (([1, 2], [1]), ([], []), ([1], [np.nan]), ([1], [-1])):
        with pytest.raises(InputError):
            counting_scores(*bad)


def test_contrast_to_noise():
    """Two Gaussians (means 1 and 0, variances 1) give 1 / sqrt 2; and the formula, to the digit, with unseen pixels."""
    rng = np.random.default_rng(0)
    region = np.zeros((600, 600), dtype=bool)
    region[100:400, 50:300] = True
    assert contrast_to_noise(rng.normal(region, 1), region) == pytest.approx(2**-0.5, abs=0.02)
    for seed in range(100):
        rng = np.random.default_rng(seed)
        heat, inside = rng.random((6, 7)), rng.random((6, 7)) < 0.4
        inside[0, :2] = [True, False]
        heat[1:][rng.random((5, 7)) < 0.2] = np.nan
        a, b = heat[inside], heat[~inside]
        expected = abs(np.nanmean(a) - np.nanmean(b)) / np.sqrt(np.nanvar(a) + np.nanvar(b))
        assert contrast_to_noise(heat, inside) == pytest.approx(expected, abs=1e-12)
    half = np.arange(4) < 2
    assert contrast_to_noise(half * 1.0, half) == np.inf and contrast_to_noise(np.ones(4), half) == 0.0
    with pytest.raises(EmptyMaskError):
        contrast_to_noise([1.0, np.nan], [False, True])
    with pytest.raises(GeometryError):
        contrast_to_noise([1.0, 2.0], [True])
    with pytest.raises(InputError):
        contrast_to_noise([1.0, np.inf], [True, False])


def test_overlap_of_heat_maps_equals_scikit_learn():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        heat, region = rng.normal(0.3, 0.4, 50), rng.random(50) < 0.3
        expected = [jaccard_score(region, np.clip(heat, 0, 1) > t, zero_division=1) for t in (0.1, 0.2, 0.3, 0.4, 0.5)]
        assert heat_map_iou(heat, region) == pytest.approx(np.mean(expected), abs=1e-12)
        unseen = np.append(heat, [np.nan, np.nan])
        assert heat_map_iou(unseen, np.append(region, [True, False])) == pytest.approx(np.mean(expected), abs=1e-12)
    masks = [(rng.random(20) < 0.5, rng.random(20) < 0.5) for _ in range(5)]
    assert cumulative_iou(masks) == pytest.approx(
        jaccard_score(np.concatenate([b for _, b in masks]), np.concatenate([a for a, _ in masks]))
    )
    assert np.isnan(cumulative_iou([]))


def test_pointing_game():
    region = np.zeros((9, 9), dtype=bool)
    region[2:4, 2:4] = True
    heat = np.zeros((9, 9))
    heat[3, 3] = 1
    assert pointing_game(heat, region) == 1.0
    assert pointing_game(np.roll(heat, 2, axis=0), region) == 0.0
    assert pointing_game(np.roll(heat, 2, axis=0), region, tolerance=2) == 1.0
    assert pointing_game(np.roll(heat, 2, axis=0), region, tolerance=2, spacing=[2, 1]) == 0.0
    assert pointing_game(np.zeros((9, 9)), region) == pytest.approx(4 / 81)  # a flat map points by chance
    heat[8, 8] = np.nan
    assert pointing_game(heat, region) == 1.0
    with pytest.raises(EmptyMaskError):
        pointing_game(heat, np.zeros((9, 9)))


def random_cases(rng):
    return [
        FrocCase(
            np.where(rng.random(n) < 0.3, -np.inf, np.round(rng.random(n), 2)),
            np.round(rng.random(int(rng.integers(0, 12))), 2),
        )
        for n in rng.integers(0, 5, int(rng.integers(1, 9)))
    ]


def test_froc_equals_a_plain_count_and_monai():
    monai = pytest.importorskip("monai.metrics")
    compared = 0
    for seed in range(220):
        rng = np.random.default_rng(seed)
        cases = random_cases(rng)
        lesions = np.concatenate([case.lesions for case in cases])
        false = np.concatenate([case.false for case in cases])
        if not len(lesions):
            continue
        curve = froc_curve(cases)
        called = curve.thresholds[:, None]
        assert np.abs(curve.sensitivity - (lesions >= called).mean(axis=1)).max() < 1e-12
        assert np.abs(curve.false_per_image - (false >= called).sum(axis=1) / len(cases)).max() < 1e-12
        found = lesions[lesions > -np.inf]
        if len(found) and len(false):
            # MONAI leaves out the point of the lowest score; a false candidate below all takes its place.
            rates, sensitivities = monai.compute_froc_curve_data(
                np.append(false, -1.0), found, len(lesions), len(cases)
            )
            expected = monai.compute_froc_score(rates, sensitivities, (0.25, 0.5, 1, 2, 4, 8))
            assert curve.score((0.25, 0.5, 1, 2, 4, 8)) == pytest.approx(expected, abs=1e-9), seed
            compared += 1
    assert compared > 150


def test_froc_rules():
    """Two lesions in one image, an image without: the second hit of a lesion is neither right nor wrong."""
    first = point_froc_case([[0, 0], [1, 0], [20, 20], [50, 50]], [0.9, 0.8, 0.7, 0.6], [[0, 1], [50, 50]], within=3)
    assert first.lesions.tolist() == [0.9, 0.6] and first.false.tolist() == [0.7]
    second = point_froc_case([[5, 5]], [0.65], np.zeros((0, 2)), within=3)
    curve = froc_curve([first, second])
    assert curve.at([0.0, 0.5, 1.0, 8.0], between="step").tolist() == [0.5, 0.5, 1.0, 1.0]
    assert curve.at([0.75, 1.0]).tolist() == [0.5, 1.0]
    rising = froc_curve([FrocCase(np.array([0.9, 0.5]), np.array([0.5]))])  # one threshold adds both
    assert rising.at([0.5]).tolist() == [0.75] and rising.at([0.5], between="step").tolist() == [0.5]
    excluded = point_froc_case([[0, 0], [9, 9]], [0.9, 0.5], [[0, 0], [9, 9]], within=[1, 2], counts=[0, 1])
    assert excluded.lesions.tolist() == [0.5] and not len(excluded.false)
    on_edge = point_froc_case([[0, 3]], [0.9], [[0, 0]], within=3)
    assert on_edge.lesions.tolist() == [-np.inf] and on_edge.false.tolist() == [0.9]
    found = BoxSet.of_xywh([0, 0], [0, 0], [[0, 0, 10, 10], [50, 50, 5, 5]], scores=[0.4, 0.3])
    case = box_froc_case(found, BoxSet.of_xywh([0], [0], [[0, 0, 10, 20]]), iou=0.5)
    assert case.lesions.tolist() == [0.4] and case.false.tolist() == [0.3]
    many = [first, second] * 10
    interval = bootstrap_statistic(lambda rows: froc_curve([many[row] for row in rows]).score([0.5]), np.arange(20))
    assert interval.estimate == froc_curve(many).score([0.5]) and interval.low <= interval.estimate <= interval.high
    with pytest.raises(InputError, match="no lesion"):
        froc_curve([second])
    with pytest.raises(InputError, match="not all finite"):
        point_froc_case([[0, 0]], [np.nan], [[0, 0]], within=1)
    with pytest.raises(ConfigurationError):
        curve.at([])
