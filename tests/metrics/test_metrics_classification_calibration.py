"""Calibration and decision curves against scikit-learn, torchmetrics, statsmodels and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.calibration import calibration_curve as sk_curve
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sk_log_loss

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.classification import (
    brier,
    calibration_curve,
    calibration_line,
    classwise_calibration_error,
    decision_curve,
    expected_calibration_error,
    log_loss,
    top_label_calibration_error,
)


def probabilities(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 120))
    values = rng.beta(0.7, 0.7, size)
    kind = seed % 4
    if kind == 1:
        values = np.round(values, 1)  # on the edges of the bins
    elif kind == 2:
        values = np.full(size, 0.3)
    elif kind == 3:
        values = rng.integers(0, 2, size).astype(float)
    return (rng.random(size) < values).astype(int), values


def test_brier_and_log_loss_equal_scikit_learn():
    for seed in range(200):
        labels, values = probabilities(seed)
        assert brier(labels, values) == pytest.approx(brier_score_loss(labels, values, pos_label=1), abs=1e-12)
        inner = np.clip(values, 0.01, 0.99)
        assert log_loss(labels, inner) == pytest.approx(sk_log_loss(labels, inner, labels=[0, 1]), abs=1e-12)
    rng = np.random.default_rng(0)
    rows, classes = rng.dirichlet(np.ones(4), 50), rng.integers(0, 4, 50)
    assert brier(classes, rows) == pytest.approx(
        brier_score_loss(classes, rows, labels=range(4), scale_by_half=False), abs=1e-12
    )
    assert log_loss(classes, rows) == pytest.approx(sk_log_loss(classes, rows, labels=range(4)), abs=1e-12)
    assert log_loss([1], [0.0]) == np.inf


def test_curve_equals_scikit_learn():
    for seed in range(200):
        labels, values = probabilities(seed)
        for ours, theirs in (("width", "uniform"), ("mass", "quantile")):
            curve = calibration_curve(labels, values, bins=1 + seed % 12, scheme=ours)
            observed, predicted = sk_curve(labels, values, n_bins=1 + seed % 12, strategy=theirs)
            assert curve.observed == pytest.approx(observed, abs=1e-12), (seed, ours)
            assert curve.predicted == pytest.approx(predicted, abs=1e-12), (seed, ours)
            assert curve.cases.sum() == len(labels)
            assert (curve.low <= curve.observed).all() and (curve.observed <= curve.high).all()


def test_errors_equal_torchmetrics():
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.classification")
    for seed in range(0, 60, 4):  # off the edges, where torchmetrics' bins are [a, b) and ours (a, b]
        labels, values = probabilities(seed)
        for norm, ours in (("l1", "expected_error"), ("max", "maximum_error")):
            peer = functional.binary_calibration_error(torch.tensor(values), torch.tensor(labels), n_bins=15, norm=norm)
            curve = calibration_curve(labels, values, bins=15)
            assert getattr(curve, ours) == pytest.approx(float(peer), abs=1e-6), seed
        assert expected_calibration_error(labels, values) == curve.expected_error
        rng = np.random.default_rng(seed)
        rows, classes = rng.dirichlet(np.ones(3), 40), rng.integers(0, 3, 40)
        peer = functional.multiclass_calibration_error(
            torch.tensor(rows), torch.tensor(classes), num_classes=3, n_bins=15, norm="l1"
        )
        assert top_label_calibration_error(classes, rows) == pytest.approx(float(peer), abs=1e-6)
        by_class = [expected_calibration_error(classes == c, rows[:, c]) for c in range(3)]
        assert classwise_calibration_error(classes, rows) == pytest.approx(np.mean(by_class), abs=1e-12)


def test_calibrated_and_overconfident_probabilities_are_told_apart():
    rng = np.random.default_rng(1)
    values = rng.beta(2, 2, 20000)
    labels = rng.random(20000) < values
    sharp = values**3 / (values**3 + (1 - values) ** 3)
    assert expected_calibration_error(labels, values) < 0.012 < 0.1 < expected_calibration_error(labels, sharp)
    assert calibration_line(labels, values) == pytest.approx((0, 1), abs=0.06)
    assert calibration_line(labels, sharp) == pytest.approx((0, 1 / 3), abs=0.04)


def test_line_equals_statsmodels():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        values = rng.beta(1, 1, 80)
        labels = (rng.random(80) < values).astype(int)
        logits = np.log(values / (1 - values))
        peer = sm.Logit(labels, sm.add_constant(logits)).fit(disp=0, method="newton", tol=1e-12)
        assert calibration_line(labels, values) == pytest.approx(peer.params, abs=1e-6)


def test_decision_curve_equals_a_plain_loop():
    for seed in range(200):
        labels, values = probabilities(seed)
        at = np.array([0.01, 0.1, 0.3, 0.5, 0.9])
        curve = decision_curve(labels, values, at)
        for place, t in enumerate(at):
            said = values >= t
            expected = (said & (labels == 1)).mean() - (said & (labels == 0)).mean() * t / (1 - t)
            assert curve.model[place] == pytest.approx(expected, abs=1e-12)
            assert curve.treat_all[place] == pytest.approx(labels.mean() - (1 - labels.mean()) * t / (1 - t), abs=1e-12)
    # At the threshold that equals the prevalence, treating all is worth nothing.
    even = decision_curve([1, 0, 0, 0], [0.9, 0.1, 0.1, 0.1], [0.25])
    assert even.treat_all[0] == pytest.approx(0) and even.model[0] == pytest.approx(0.25) and even.useful[0]
    assert even.avoided[0] == pytest.approx(0.25 / (1 / 3))


def test_bad_input_is_a_typed_error():
    for figure in (brier, log_loss, calibration_curve, calibration_line):
        for labels, values in (([0, 1], [0.1, 1.2]), ([0, 1], [0.1, np.nan]), ([0], [0.1, 0.2]), ([], [])):
            with pytest.raises(InputError):
                figure(labels, values)
    for labels, values in (
        ([0, 1], [0.0, 0.7]),
        ([1, 1], [0.2, 0.7]),
        ([0, 1], [0.2, 0.7]),
        ([0, 1, 0], [0.5, 0.5, 0.5]),
    ):
        with pytest.raises(InputError):
            calibration_line(labels, values)
    with pytest.raises(InputError, match="add up"):
        top_label_calibration_error([0, 1], [[0.2, 0.2], [0.5, 0.5]])
    with pytest.raises(InputError, match="indices"):
        classwise_calibration_error([0, 2], [[0.2, 0.8], [0.5, 0.5]])
    with pytest.raises(ConfigurationError):
        decision_curve([0, 1], [0.1, 0.2], [1.0])
    with pytest.raises(ConfigurationError):
        calibration_curve([0, 1], [0.1, 0.2], bins=0)
