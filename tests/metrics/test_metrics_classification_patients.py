"""Patients from images, subgroups, fairness and grades: closed forms, plain loops, scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import somersd
from sklearn.metrics import cohen_kappa_score, mean_absolute_error, roc_auc_score

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.classification import (
    any_slice_rate,
    auroc,
    auroc_gap,
    consecutive_slices_rate,
    cumulative_aurocs,
    equality_gaps,
    group_rates,
    ordinal_concordance,
    ordinal_scores,
    patient_labels,
    patient_scores,
    subgroup_gap,
)


def longest_run(alarms):
    best = run = 0
    for alarm in alarms:
        run = run + 1 if alarm else 0
        best = max(best, run)
    return best


@pytest.mark.parametrize("seed", range(30))
def test_a_threshold_on_a_patient_score_is_the_rule(seed):
    rng = np.random.default_rng(seed)
    patients = np.sort(rng.integers(0, 6, 60))
    scores, t = np.round(rng.random(60), 1), 0.6
    shuffled = rng.permutation(60)
    for rule, holds in (
        ("any", lambda own: own.max() >= t),
        ("consecutive", lambda own: longest_run(own >= t) >= 3),
        ("share", lambda own: (own >= t).mean() >= 0.3),
        ("mean", lambda own: own.mean() >= t),
        ("median", lambda own: np.median(own) >= t),
    ):
        names, found = patient_scores(
            patients[shuffled], scores[shuffled], rule=rule, consecutive=3, share=0.3, position=shuffled
        )
        expected = [holds(scores[patients == name]) for name in names]
        assert (found >= t).tolist() == [bool(value) for value in expected], rule


def test_patients_with_few_images_and_labels():
    names, found = patient_scores(["b", "a", "b"], [0.9, 0.8, 0.7], rule="consecutive", consecutive=2)
    assert names.tolist() == ["a", "b"] and found.tolist() == [-np.inf, 0.7]
    names, truth = patient_labels(["b", "a", "b"], [0, 0, 1])
    assert names.tolist() == ["a", "b"] and truth.tolist() == [False, True]
    for bad in ({"scores": [0.1, np.nan, 0.2]}, {"scores": [0.1]}, {"position": [1]}):
        with pytest.raises(InputError):
            patient_scores(["a", "a", "b"], bad.get("scores", [0.1, 0.2, 0.3]), position=bad.get("position"))
    with pytest.raises(ConfigurationError):
        patient_scores(["a"], [0.1], consecutive=0)


def test_false_alarm_rates_of_rules():
    """Slice rate 0.01 over 100 slices: 0.634 of normal patients get an alarm; three in a row meet a 10 % target."""
    assert any_slice_rate(0.01, 100) == pytest.approx(0.634, abs=5e-4)
    assert any_slice_rate(0.01, 100) > 0.1 > consecutive_slices_rate(0.01, 100, 3)
    rng = np.random.default_rng(0)
    for rate, slices, k in ((0.01, 100, 1), (0.2, 40, 3), (0.3, 30, 2), (0.1, 300, 2)):
        alarms = (rng.random((4000, slices)) < rate).astype(float)
        _, found = patient_scores(np.repeat(np.arange(4000), slices), alarms.ravel(), rule="consecutive", consecutive=k)
        expected = consecutive_slices_rate(rate, slices, k)
        assert abs((found >= 1).mean() - expected) < 3 * (expected * (1 - expected) / 4000) ** 0.5
    assert consecutive_slices_rate(0.01, 100, 1) == pytest.approx(any_slice_rate(0.01, 100), abs=1e-12)
    assert consecutive_slices_rate(0.5, 2, 3) == 0.0 and any_slice_rate(1.0, 1) == 1.0
    with pytest.raises(ConfigurationError):
        consecutive_slices_rate(2.0, 3, 1)


def test_planted_subgroup_gap_is_found():
    """Two groups whose true AUROCs differ by 0.08 (d' 1.5 and 1.072): the gap is 0.08 within 0.02."""
    rng = np.random.default_rng(1)
    size = 6000
    groups, labels = np.repeat(["f", "m"], size // 2), rng.integers(0, 2, size)
    scores = rng.normal(labels * np.where(groups == "f", 1.5, 1.072), 1)
    found = subgroup_gap(
        lambda rows: auroc(labels[rows], scores[rows]).value,
        groups,
        resamples=100,
        level=0.9,
        clusters=np.arange(size) // 3,
    )
    assert (found.best, found.worst) == ("f", "m")
    assert found.gap.estimate == pytest.approx(0.08, abs=0.02) and found.gap.low > 0
    halves = [groups == "f", groups == "m"]
    delong = auroc_gap(*(part[half] for half in halves for part in (labels, scores)), level=0.9)
    assert delong.value == pytest.approx(found.gap.estimate)
    assert delong.high - delong.low == pytest.approx(found.gap.high - found.gap.low, rel=0.25)


def test_groups_in_which_the_figure_is_not_defined_are_named():
    labels, scores = np.array([0, 1] * 10 + [0] * 5 + [0, 1] * 10), np.linspace(0, 1, 45)
    groups = np.array([0] * 20 + [1] * 5 + [2] * 20)
    found = subgroup_gap(lambda rows: auroc(labels[rows], scores[rows]).value, groups, resamples=200)
    assert found.left_out == (1,) and set(found.groups) == {0, 2}
    with pytest.raises(InputError, match="leave 0"):
        subgroup_gap(lambda rows: auroc(labels[rows], scores[rows]).value, np.arange(45), resamples=200)


def test_equality_gaps_by_hand():
    #        group a: sensitivity 1/2, FPR 1/2; group b: sensitivity 1, FPR 0
    labels, said, groups = [1, 1, 0, 0, 1, 1, 0, 0], [1, 0, 1, 0, 1, 1, 0, 0], list("aaaabbbb")
    gaps = equality_gaps(group_rates(labels, said, groups))
    assert gaps == pytest.approx(
        {
            "demographic_parity": 0.0,
            "equal_opportunity": 0.5,
            "false_positive_rate": 0.5,
            "equalised_odds": 0.5,
            "predictive_parity": 0.5,
            "accuracy": 0.5,
        }
    )
    alone = equality_gaps(group_rates([1, 0], [1, 0], ["a", "a"]))
    assert all(np.isnan(value) for value in alone.values())
    with pytest.raises(InputError):
        group_rates([1, 0], [1, 0], ["a"])


def test_ordinal_scores_equal_scikit_learn():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        size, count = int(rng.integers(1, 60)), int(rng.integers(2, 6))
        truth = rng.integers(0, count, size)
        said = np.clip(truth + rng.integers(-2, 3, size), 0, count - 1)
        found = ordinal_scores(truth, said, grades=range(count))
        assert found.mae == pytest.approx(mean_absolute_error(truth, said), abs=1e-12)
        assert found.adjacent == pytest.approx((abs(truth - said) <= 1).mean(), abs=1e-12)
        assert found.accuracy == pytest.approx((truth == said).mean(), abs=1e-12)
        expected = cohen_kappa_score(truth, said, weights="quadratic", labels=range(count))
        assert found.quadratic_kappa == pytest.approx(expected, abs=1e-12, nan_ok=True)
        by_grade = [abs(truth - said)[truth == grade].mean() for grade in np.unique(truth)]
        assert found.macro_mae == pytest.approx(np.mean(by_grade), abs=1e-12)
    named = ordinal_scores(list("ABCD"), list("BBCA"), grades=list("ABCD"))
    assert named.mae == 1.0 and named.adjacent == 0.75
    with pytest.raises(InputError):
        ordinal_scores(["E"], ["A"], grades=list("ABCD"))


def test_aurocs_of_grades():
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 4, 200)
    rows = rng.dirichlet(np.ones(4), 200) + np.eye(4)[truth]
    rows /= rows.sum(axis=1, keepdims=True)
    found = cumulative_aurocs(truth, rows)
    assert set(found) == {1, 2, 3}
    assert found[2].value == pytest.approx(roc_auc_score(truth >= 2, rows[:, 2] + rows[:, 3]), abs=1e-12)
    expected_grade = rows @ np.arange(4)
    assert cumulative_aurocs(truth, expected_grade)[3].value == pytest.approx(roc_auc_score(truth == 3, expected_grade))
    assert set(cumulative_aurocs([0, 3, 3], [0.1, 0.2, 0.3])) == {1, 2, 3}
    for seed in range(50):
        rng = np.random.default_rng(seed)
        grades, scores = rng.integers(0, 4, 40), np.round(rng.normal(0, 1, 40), seed % 3)
        assert ordinal_concordance(grades, scores) == pytest.approx((somersd(grades, scores).statistic + 1) / 2)
    with pytest.raises(InputError):
        ordinal_concordance([1, 1], [0.1, 0.2])
    with pytest.raises(InputError):
        cumulative_aurocs([0, 5], np.ones((2, 4)))
