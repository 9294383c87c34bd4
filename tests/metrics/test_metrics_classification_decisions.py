"""F scores, correlation and agreement against scikit-learn, with absent classes, single cases and ties."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.metrics import (
    balanced_accuracy_score,
    cohen_kappa_score,
    fbeta_score,
    matthews_corrcoef,
    precision_recall_fscore_support,
)
from sklearn.metrics import confusion_matrix as sk_confusion

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.classification import (
    accuracy,
    balanced_accuracy,
    cohen_kappa,
    confusion_matrix,
    exact_match,
    f_scores,
    hamming_loss,
    matthews,
    micro_f1,
    multilabel_f_scores,
    predictive_values,
    rates,
)


def decided(seed):
    rng = np.random.default_rng(seed)
    size, count = int(rng.integers(1, 50)), int(rng.integers(1, 6))
    truth, said = rng.integers(0, count, size), rng.integers(0, count, size)
    kind = seed % 5
    if kind == 1:
        said = truth.copy()
    elif kind == 2:
        said = np.zeros(size, dtype=int)  # one class is all that is ever said
    elif kind == 3:
        truth = np.full(size, count - 1)
    elif kind == 4:
        return np.array(list("abcdef"))[truth], np.array(list("abcdef"))[said]
    return truth, said


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_f_scores_equal_scikit_learn():
    for seed in range(220):
        truth, said = decided(seed)
        zero, beta = (0.0, 1.0, np.nan)[seed % 3], (1.0, 2.0, 0.5, 1.0)[seed % 4]
        ours = f_scores(truth, said, beta=beta, zero_division=zero)
        peer = precision_recall_fscore_support(truth, said, beta=beta, zero_division=zero)
        assert ours.precision == pytest.approx(peer[0], abs=1e-12, nan_ok=True)
        assert ours.recall == pytest.approx(peer[1], abs=1e-12, nan_ok=True)
        assert ours.f == pytest.approx(peer[2], abs=1e-12, nan_ok=True)
        assert ours.support == tuple(peer[3])
        average = ("micro", "macro", "weighted")[seed // 3 % 3]
        expected = fbeta_score(truth, said, beta=beta, average=average, zero_division=zero)
        assert getattr(ours, average) == pytest.approx(expected, abs=1e-12, nan_ok=True), (seed, average)


def test_label_sets_equal_scikit_learn():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        shape = (int(rng.integers(1, 20)), int(rng.integers(2, 7)))
        truth, said = (rng.random(shape) < rng.choice([0, 0.2, 0.8])) * 1, (rng.random(shape) < 0.3) * 1
        zero, average = (0.0, 1.0)[seed % 2], ("micro", "macro", "weighted", "samples")[seed // 2 % 4]
        if average == "weighted" and not truth.any():
            continue  # nothing to weight by: 0 here, zero_division there
        expected = fbeta_score(truth, said, beta=1, average=average, zero_division=zero)
        found = getattr(multilabel_f_scores(truth, said, zero_division=zero), average)
        assert found == pytest.approx(expected, abs=1e-12), (seed, average)


def test_correlation_agreement_and_confusion_equal_scikit_learn():
    for seed in range(240):
        truth, said = decided(seed)
        counts, classes = confusion_matrix(truth, said)
        assert np.array_equal(counts, sk_confusion(truth, said))
        assert classes == sorted(set(truth.tolist()) | set(said.tolist()))
        assert matthews(truth, said) == pytest.approx(matthews_corrcoef(truth, said), abs=1e-12)
        assert balanced_accuracy(truth, said) == pytest.approx(balanced_accuracy_score(truth, said), abs=1e-12)
        assert accuracy(truth, said).naive == pytest.approx(np.mean(truth == said))
        weights = ("none", "linear", "quadratic")[seed % 3]
        peer = cohen_kappa_score(truth, said, weights=None if weights == "none" else weights)
        assert cohen_kappa(truth, said, weights=weights) == pytest.approx(peer, abs=1e-12, nan_ok=True), (seed, weights)


def test_kappa_measures_places_in_the_order_given():
    grades = ["A", "B", "C", "D"]
    truth, said = ["A", "D", "D", "A"], ["D", "D", "A", "A"]
    far = cohen_kappa([0, 3, 3, 1], [3, 3, 0, 1], weights="quadratic", classes=range(4))
    near = cohen_kappa([0, 3, 3, 1], [3, 3, 0, 1], weights="quadratic")
    assert far != near
    assert cohen_kappa(truth, said, weights="linear", classes=grades) == pytest.approx(
        cohen_kappa_score(truth, said, weights="linear", labels=grades)
    )


def test_bad_input_is_a_typed_error():
    with pytest.raises(InputError, match="shape"):
        f_scores([0, 1], [0])
    with pytest.raises(InputError, match="shape"):
        matthews([], [])
    with pytest.raises(InputError, match="NaN"):
        cohen_kappa([0.0, np.nan], [0.0, 1.0])
    with pytest.raises(InputError, match="None"):
        cohen_kappa(["a", None], ["a", "b"])
    for labels, said in (([0, 1], [0]), ([0, 2], [0, 1]), ([0, 1], [0.0, np.nan]), ([], [])):
        with pytest.raises(InputError):
            rates(labels, said)
    for figure in (exact_match, hamming_loss, micro_f1):
        for truth, said in (([[0, 1]], [[0]]), ([0, 1], [0, 1]), ([[0, 3]], [[0, 1]]), ([[0.0]], [[np.nan]])):
            with pytest.raises(InputError):
                figure(truth, said)
    with pytest.raises(InputError, match="not among the classes"):
        confusion_matrix([0, 5], [0, 1], classes=[0, 1])
    with pytest.raises(InputError, match="name one twice"):
        confusion_matrix([0, 1], [0, 1], classes=[0, 1, 1])
    with pytest.raises(InputError, match="other than 0 and 1"):
        multilabel_f_scores([[0, 2]], [[0, 1]])
    with pytest.raises(InputError, match="shape"):
        multilabel_f_scores([0, 1], [0, 1])


def test_predictive_values_follow_bayes():
    # 100 of 1000 ill: 90 found, 10 missed; 90 false alarms among 900.
    ppv, npv = predictive_values(0.9, 0.9, 0.1)
    assert ppv == pytest.approx(90 / 180) and npv == pytest.approx(810 / 820)
    found = rates([1] * 10 + [0] * 90, [1] * 9 + [0] + [1] * 9 + [0] * 81)
    assert predictive_values(0.9, 0.9, found.prevalence) == pytest.approx((found.ppv.naive, found.npv.naive))
    assert predictive_values(0.9, 0.9, 0.001)[0] < 0.01
    assert np.isnan(predictive_values(0.0, 1.0, 0.5)[0])
    with pytest.raises(ConfigurationError):
        predictive_values(0.9, 0.9, 10)
