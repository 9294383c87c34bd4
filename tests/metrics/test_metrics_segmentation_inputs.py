"""Masks that cannot be scored say why; label maps of any integer type, order and coding are scored alike."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree

from groundglass.core.errors import ConfigurationError, GeometryError, InputError
from groundglass.metrics.segmentation import (
    METRICS,
    Counts,
    agreed_spacing,
    cumulative_iou,
    nearest,
    precision_at_iou,
    scan,
    score_masks,
)
from groundglass.metrics.segmentation.checks import mask_pair

ONES = np.ones((4, 5, 6), dtype=np.uint8)


@pytest.mark.parametrize(
    ("prediction", "truth", "spacing", "error", "says"),
    [
        (ONES, ONES[:3], 1.0, GeometryError, r"\(4, 5, 6\).*\(3, 5, 6\)"),
        (ONES.astype(float), ONES, 1.0, InputError, "float64"),
        (ONES, np.full((4, 5, 6), np.nan), 1.0, InputError, "truth: has values that are not finite"),
        (ONES.astype(complex), ONES, 1.0, InputError, "complex"),
        (np.array([["a"]]), ONES, 1.0, InputError, "type"),
        (ONES[0, 0], ONES[0, 0], 1.0, GeometryError, "2 or 3 axes"),
        (ONES[None], ONES[None], 1.0, GeometryError, "2 or 3 axes"),
        (ONES[:, :0], ONES[:, :0], 1.0, GeometryError, "shape"),
        (ONES, ONES, (1.0, 1.0), GeometryError, "spacing"),
        (ONES, ONES, (1.0, 0.0, 1.0), GeometryError, "spacing"),
        (ONES, ONES, (1.0, -1.0, 1.0), GeometryError, "spacing"),
        (ONES, ONES, (1.0, math.nan, 1.0), GeometryError, "spacing"),
        (ONES.astype(np.int16) - 1025, ONES, 1.0, InputError, "prediction: holds the label -1024"),
        (ONES, ONES.astype(np.int16) - 2, 1.0, InputError, "truth: holds the label -1"),
        (ONES.astype(bool), 3 * ONES, 1.0, InputError, "prediction: is a boolean mask"),
        (5 * ONES, ONES.astype(bool), 1.0, InputError, "truth: is a boolean mask"),
    ],
)
def test_unusable_masks(prediction, truth, spacing, error, says):
    with pytest.raises(error, match=says):
        score_masks(prediction, truth, spacing)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"metrics": ["dice", "hd96"]}, ConfigurationError, "hd96"),
        ({"tolerance_mm": -1.0}, ConfigurationError, "tolerance"),
        ({"tolerance_mm": math.nan}, ConfigurationError, "tolerance"),
        ({"tolerance_mm": {2: 1.0}}, ConfigurationError, "label 1"),
        ({"labels": [2]}, InputError, r"holds labels \[1\], which were not named"),
        ({"labels": [0, 1]}, InputError, r"\[0\]"),
        ({"labels": [1, 1]}, InputError, r"\[1\]"),
    ],
)
def test_unusable_options(options, error, says):
    with pytest.raises(error, match=says):
        score_masks(ONES, ONES, 1.0, **options)


def test_flat_masks_have_no_volume():
    assert "avd_ml" not in score_masks(ONES[0], ONES[0], 1.0)[1]
    for metric in ("avd_ml", "vd_ml", "lesionwise_dice", "lesionwise_hd95"):
        with pytest.raises(ConfigurationError, match=metric):
            score_masks(ONES[0], ONES[0], 1.0, metrics=[metric])


def test_signed_differences_say_so():
    assert {name for name, metric in METRICS.items() if metric.signed} == {"vd_ml", "rvd"}
    smaller = ONES.copy()
    smaller[0] = 0
    found = score_masks(smaller, ONES, 2.0, metrics=["vd_ml", "avd_ml", "rvd", "arvd"])[1]
    assert found == pytest.approx({"vd_ml": -0.24, "avd_ml": 0.24, "rvd": -0.25, "arvd": 0.25})


def test_labels_beyond_those_named_may_count_as_background():
    truth = np.array([[1, 1, 2, 2], [0, 0, 0, 0]])
    prediction = np.array([[1, 3, 3, 2], [0, 0, 0, 0]])
    found = score_masks(prediction, truth, 1.0, labels=[2, 9], unlisted="background", metrics=["dice"])
    assert found == {2: {"dice": pytest.approx(2 / 3)}, 9: {"dice": pytest.approx(math.nan, nan_ok=True)}}


def test_a_tolerance_for_each_label():
    truth = np.zeros((20, 9), dtype=np.uint8)
    truth[3:6, 2:5], truth[12:15, 2:5] = 1, 2
    found = score_masks(np.roll(truth, 2, axis=0), truth, 1.0, tolerance_mm={1: 2.0, 2: 0.5}, metrics=["nsd"])
    assert found[1]["nsd"] == 1
    assert found[2]["nsd"] < 1


def test_spacings_must_agree():
    assert agreed_spacing((1.0, 1.0, 3.0001), (1.0, 1.0, 3.0)) == (1.0, 1.0, 3.0)
    for other in ((1.0, 1.0, 3.1), (1.0, 1.0)):
        with pytest.raises(GeometryError, match="spacing"):
            agreed_spacing(other, (1.0, 1.0, 3.0))


def test_scores_over_many_objects():
    assert cumulative_iou([Counts(10, 10, 10, 99), Counts(5, 5, 0, 99)]) == pytest.approx(10 / 20)
    assert math.isnan(cumulative_iou([]))
    shares = precision_at_iou([0.55, 0.75, 0.95, 0.5])
    assert shares == {0.5: 0.75, 0.6: 0.5, 0.7: 0.5, 0.8: 0.25, 0.9: 0.25}
    for bad in ([], [math.nan]):
        with pytest.raises(InputError, match="ious"):
            precision_at_iou(bad)


@st.composite
def label_maps(draw):
    shape = draw(arrays.array_shapes(min_dims=2, max_dims=3, max_side=9))
    highest = draw(st.sampled_from([1, 3, 300, 70_000]))
    values = st.sampled_from([0, 0, 1, highest // 2, highest])
    kind = draw(st.sampled_from([np.uint8, np.int16] if highest < 256 else [np.int32, np.uint32, np.int64]))
    return [
        np.asarray(draw(arrays.arrays(kind, shape, elements=values)), order=draw(st.sampled_from("CF"))) for _ in "ab"
    ]


@settings(max_examples=150, deadline=None)
@given(maps=label_maps(), slab=st.sampled_from([1, 13, 1 << 18]))
def test_one_pass_counts_what_label_by_label_counts(maps, slab):
    original, scan.SLAB_VOXELS = scan.SLAB_VOXELS, slab
    try:
        found = scan.scan(mask_pair(*maps, 1.0), threads=2)
    finally:
        scan.SLAB_VOXELS = original
    expected = sorted(set(np.unique(maps[0])) | set(np.unique(maps[1])) - {0})
    assert sorted(found.codes) == [int(n) for n in expected if n]
    for number, code in found.codes.items():
        said, real = (m.transpose(found.axes) == number for m in maps)
        assert found.counts[number] == Counts(int(said.sum()), int(real.sum()), int((said & real).sum()), real.size)
        for mask, surfaces in ((said, found.prediction_surfaces), (real, found.truth_surfaces)):
            np.testing.assert_array_equal(surfaces.of(code), np.flatnonzero(mask & ~binary_erosion(mask)))


@st.composite
def lattices(draw):
    ndim = draw(st.integers(2, 3))
    extent = draw(st.sampled_from([3, 12, 40, 300]))
    count = st.integers(1, 60)
    points, targets = (
        draw(arrays.arrays(np.int64, (draw(count), ndim), elements=st.integers(0, extent))) for _ in "ab"
    )
    step = st.sampled_from([0.3, 0.7, 1.0, 1.0, 2.5, 6.0])
    return points, targets, tuple(draw(step) for _ in range(ndim))


@settings(max_examples=200, deadline=None)
@given(lattices(), st.sampled_from([100, 10**9]))
def test_nearest_distances_are_exact(case, cells_per_point):
    """The second choice sends wide boxes to the grid too, past its last reach."""
    points, targets, spacing = case
    original, nearest.CELLS_PER_POINT = nearest.CELLS_PER_POINT, min(cells_per_point, 40_000)
    try:
        found = nearest.nearest_distances(points, targets, spacing)
    finally:
        nearest.CELLS_PER_POINT = original
    expected = cKDTree(targets * spacing).query(points * spacing)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_nearest_distance_to_nothing():
    nothing = np.empty((0, 3), dtype=int)
    assert np.isinf(nearest.nearest_distances(np.zeros((2, 3), int), nothing, (1.0, 1.0, 1.0))).all()
    assert nearest.nearest_distances(nothing, np.zeros((2, 3), int), (1.0, 1.0, 1.0)).size == 0


@pytest.mark.parametrize(
    "spacing", [(1.0, 1.0, 1.0), (1.0, 1.0, 6.0), (6.0, 1.0, 1.0), (1.0, 0.2, 1.0), (1.0, 1.5), (0.2, 1.0)]
)
def test_nearest_distances_where_the_reach_ends(spacing):
    """Few targets in small boxes, so that many distances lie about the first reach and beyond."""
    rng = np.random.default_rng(1)
    for _ in range(40):
        points, targets = (rng.integers(0, rng.integers(8, 30), (n, len(spacing))) for n in (200, rng.integers(3, 25)))
        expected = cKDTree(targets * spacing).query(points * spacing)[0]
        np.testing.assert_allclose(nearest.nearest_distances(points, targets, spacing), expected, rtol=1e-12)
