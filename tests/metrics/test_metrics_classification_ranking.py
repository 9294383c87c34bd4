"""AUROC, AP, curves and operating points against scikit-learn and torchmetrics on random and adversarial cases."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from sklearn.metrics import roc_curve as sk_roc_curve

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.classification import (
    at_sensitivity,
    at_specificity,
    auroc,
    average_precision,
    best_f1,
    bootstrap_average_precision,
    multiclass_auroc,
    roc_curve,
    youden,
)


def binary_case(seed):
    """Labels of both classes and scores: smooth, tied, all equal, perfect, reversed, huge, tiny, one positive."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 80))
    labels = (rng.random(size) < rng.choice([0.1, 0.5, 0.9])).astype(int)
    labels[:2] = [0, 1]
    if seed % 11 == 0:
        labels = (np.arange(size) == 1).astype(int)
    scores = rng.normal(labels * rng.choice([0, 1, 3]), 1)
    kind = seed % 7
    if kind == 1:
        scores = np.round(scores)
    elif kind == 2:
        scores = np.zeros(size)
    elif kind == 3:
        scores = labels + 0.0
    elif kind == 4:
        scores = -labels * 1e300
    elif kind == 5:
        scores = np.nextafter(1.0, 2.0) * rng.integers(0, 2, size) + 1.0
    elif kind == 6:
        scores = rng.choice([0.0, -0.0, 1e-308, 5e-324], size)
    return labels, scores


SEEDS = range(210)


def test_areas_equal_scikit_learn():
    for seed in SEEDS:
        labels, scores = binary_case(seed)
        assert auroc(labels, scores).value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12), seed
        assert average_precision(labels, scores).value == pytest.approx(
            average_precision_score(labels, scores), abs=1e-12
        ), seed


def test_curve_equals_scikit_learn():
    for seed in SEEDS:
        labels, scores = binary_case(seed)
        curve = roc_curve(labels, scores)
        fpr, tpr, thresholds = sk_roc_curve(labels, scores, drop_intermediate=False)
        assert np.array_equal(curve.thresholds, thresholds), seed
        assert np.abs(curve.sensitivity - tpr).max() < 1e-12
        assert np.abs(1 - curve.specificity - fpr).max() < 1e-12


def test_operating_points_are_the_best_of_all_thresholds():
    for seed in SEEDS[::2]:
        labels, scores = binary_case(seed)
        fpr, tpr, thresholds = sk_roc_curve(labels, scores, drop_intermediate=False)
        wanted = float(np.random.default_rng(seed).choice([0.0, 0.5, 0.8, 0.95, 1.0]))
        point = at_sensitivity(labels, scores, wanted)
        assert point.sensitivity >= wanted - 1e-12
        assert point.specificity == pytest.approx(max(1 - fpr[tpr >= wanted - 1e-12]), abs=1e-12)
        other = at_specificity(labels, scores, wanted)
        assert other.specificity >= wanted - 1e-12
        assert other.sensitivity == pytest.approx(max(tpr[1 - fpr >= wanted - 1e-12]), abs=1e-12)
        for chosen in (point, other, youden(labels, scores), best_f1(labels, scores)[0]):
            if np.isfinite(chosen.threshold):
                measured = chosen.on(labels, scores)
                assert measured.sensitivity.naive == pytest.approx(chosen.sensitivity, abs=1e-12)
                assert measured.specificity.naive == pytest.approx(chosen.specificity, abs=1e-12)
        best = youden(labels, scores)
        assert best.sensitivity + best.specificity == pytest.approx(1 + (tpr - fpr).max(), abs=1e-12)
        expected = max(f1_score(labels, scores >= threshold) for threshold in thresholds[1:][:6])
        assert best_f1(labels, scores)[1] >= expected - 1e-12
        assert best_f1(labels, scores)[1] == pytest.approx(
            f1_score(labels, scores >= best_f1(labels, scores)[0].threshold), abs=1e-12
        )


def test_sensitivity_at_specificity_equals_torchmetrics():
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.classification")
    for seed in range(0, 210, 7):  # smooth scores; torchmetrics holds single precision
        labels, scores = binary_case(seed)
        scores = 1 / (1 + np.exp(-scores))
        for wanted in (0.5, 0.9):
            peer, _ = functional.binary_sensitivity_at_specificity(
                torch.tensor(scores), torch.tensor(labels).long(), min_specificity=wanted
            )
            assert at_specificity(labels, scores, wanted).sensitivity == pytest.approx(float(peer), abs=1e-6)
            peer, _ = functional.binary_specificity_at_sensitivity(
                torch.tensor(scores), torch.tensor(labels).long(), min_sensitivity=wanted
            )
            assert at_sensitivity(labels, scores, wanted).specificity == pytest.approx(float(peer), abs=1e-6)


def test_multiclass_equals_scikit_learn():
    for seed in range(120):
        rng = np.random.default_rng(seed)
        count = int(rng.integers(3, 6))
        classes = np.concatenate([np.arange(count), rng.integers(0, count, int(rng.integers(0, 60)))])
        scores = np.round(
            rng.dirichlet(np.ones(count), len(classes)) + np.eye(count)[classes] * rng.random(), 1 + seed % 3
        )
        scores = (scores + 1e-3) / (scores + 1e-3).sum(axis=1, keepdims=True)
        ours, theirs = (("rest", "ovr"), ("each", "ovo"))[seed % 2]
        average = ("macro", "weighted")[seed // 2 % 2]
        expected = roc_auc_score(classes, scores, multi_class=theirs, average=average)
        value, _ = multiclass_auroc(classes, scores, against=ours, average=average)
        assert value == pytest.approx(expected, abs=1e-12), (seed, ours, average)


def test_a_class_that_does_not_occur():
    classes, scores = np.array([0, 1, 0, 1]), np.random.default_rng(0).random((4, 3))
    with pytest.raises(InputError, match="class 2: does not occur"):
        multiclass_auroc(classes, scores)
    value, by_class = multiclass_auroc(classes, scores, absent="leave out")
    assert np.isnan(by_class[2]) and value == pytest.approx(np.mean([by_class[0], by_class[1]]))
    with pytest.raises(InputError, match="one class only"):
        multiclass_auroc([0, 0], scores[:2], absent="leave out")
    with pytest.raises(InputError, match="indices"):
        multiclass_auroc([0, 3], scores[:2])


def test_average_precision_says_its_prevalence():
    found = average_precision([1, 0, 0, 0], [0.1, 0.2, 0.3, 0.4])
    assert (found.value, found.prevalence, found.normalised, found.positives) == (0.25, 0.25, 0.0, 1)
    assert average_precision([1, 0, 0], [3, 2, 1]).normalised == 1.0
    assert np.isnan(average_precision([1, 1], [0.3, 0.4]).normalised)


def test_bootstrap_of_average_precision_is_its_weighted_value():
    rng = np.random.default_rng(0)
    labels = (rng.random(400) < 0.3).astype(int)
    scores = np.round(rng.normal(labels, 1), 1)
    found = bootstrap_average_precision(labels, scores, resamples=3000)
    draws = [
        average_precision_score(labels[rows], scores[rows])
        for rows in rng.integers(0, 400, (800, 400))
        if labels[rows].any()
    ]
    assert found.estimate == pytest.approx(average_precision_score(labels, scores))
    assert found.high - found.low == pytest.approx(3.92 * np.std(draws), rel=0.12)
    grouped = bootstrap_average_precision(
        np.tile(labels, 4), np.tile(scores, 4), clusters=np.tile(np.arange(400), 4), resamples=1000
    )
    assert (grouped.low, grouped.high) == pytest.approx((found.low, found.high), abs=0.01)


BAD = {
    "nan": ([0, 1], [0.1, np.nan]),
    "infinite": ([0, 1], [0.1, np.inf]),
    "shape": ([0, 1], [0.1]),
    "two-dimensional": ([[0, 1]], [[0.1, 0.2]]),
    "other labels": ([0, 2], [0.1, 0.2]),
    "label nan": ([0, np.nan], [0.1, 0.2]),
    "empty": ([], []),
    "single case": ([1], [0.5]),
    "one class": ([0, 0], [0.1, 0.2]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_a_typed_error_everywhere(name):
    labels, scores = BAD[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for figure in (auroc, roc_curve, youden, best_f1, lambda a, b: at_sensitivity(a, b, 0.9)):
            with pytest.raises(InputError):
                figure(labels, scores)
        if name != "single case":
            with pytest.raises(InputError):
                average_precision(labels, scores)


def test_a_wanted_rate_is_a_rate():
    with pytest.raises(ConfigurationError):
        at_sensitivity([0, 1], [0.1, 0.2], 95)


def test_threshold_for_a_wanted_sensitivity_holds_on_other_cases():
    """Chosen on validation, the exact interval of the test's sensitivity contains what was wanted in most splits."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(40):
        labels = np.repeat([0, 1], 500)
        scores = rng.normal(labels * 1.5, 1)
        order = rng.permutation(1000)
        fit, test = order[:500], order[500:]
        (low, high), _ = at_sensitivity(labels[fit], scores[fit], 0.95).exact_intervals(labels[test], scores[test])
        held += low <= 0.95 <= high
    assert held >= 32
