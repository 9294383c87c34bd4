"""AUROC's bootstrap and DeLong's variance: against scikit-learn with weights, the definition, and each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare, multinomial, ttest_1samp
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.classification import auroc, auroc_difference
from groundglass.metrics.statistics import (
    auroc_replicates,
    bootstrap_auroc,
    bootstrap_auroc_difference,
    clopper_pearson,
    corrected_resampled_t,
    draw_counts,
)
from groundglass.metrics.statistics.auroc_bootstrap import leave_one_out
from groundglass.metrics.statistics.delong import delong


@pytest.mark.parametrize("units", [1, 2, 7, 30, 400, 20_000])
def test_counts_are_multinomial(units):
    resamples = max(20, 400_000 // units)
    counts = np.concatenate(list(draw_counts(units, resamples, 0)))
    assert counts.shape == (resamples, units) and (counts.sum(axis=1, dtype=int) == units).all()
    for times in range(4):
        share = multinomial.pmf([times, units - times], units, [1 / units, 1 - 1 / units])
        reach = 5 * (share * (1 - share) / counts.size) ** 0.5
        assert abs((counts == times).mean() - share) <= reach + 1e-12
    if units == 7:  # no unit is drawn more often than another, and two compete as they should
        assert chisquare(counts.sum(axis=0, dtype=int)).pvalue > 1e-4
        assert np.cov(counts[:, 0], counts[:, 1])[0, 1] == pytest.approx(-1 / 7, abs=0.02)


def test_same_seed_same_draws():
    first, second = (np.concatenate(list(draw_counts(50, 300, 3))) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, np.concatenate(list(draw_counts(50, 300, 4))))


@pytest.mark.parametrize("seed", range(12))
def test_replicates_equal_scikit_learns_weighted_area(seed):
    """Draws of clusters are weights of cases; scikit-learn takes weights."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(4, 60))
    labels = (rng.random(size) < 0.4).astype(bool)
    labels[:2] = [True, False]
    scores = np.round(rng.normal(labels, 1), seed % 3)
    patients = rng.integers(0, 12, size)
    _, codes = np.unique(patients, return_inverse=True)
    found = auroc_replicates(labels, scores, clusters=patients, resamples=40, seed=seed)
    for value, drawn in zip(found, np.concatenate(list(draw_counts(codes.max() + 1, 40, seed))), strict=True):
        weights = drawn[codes].astype(float)
        if weights[labels].sum() and weights[~labels].sum():
            assert value == pytest.approx(roc_auc_score(labels, scores, sample_weight=weights), abs=1e-12)
        else:
            assert np.isnan(value)


@pytest.mark.parametrize("clustered", [False, True])
def test_leaving_out_equals_scoring_the_rest(clustered):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        labels, scores = (
            rng.permutation([True, True, True, False, False, False, False, False]),
            rng.integers(0, 4, 8) * 1.0,
        )
        patients = rng.integers(0, 4, 8) if clustered else None
        area, left = leave_one_out(labels, scores, patients)
        assert area == pytest.approx(roc_auc_score(labels, scores))
        rows = [np.arange(8) != row for row in (*np.flatnonzero(labels), *np.flatnonzero(~labels))]
        if clustered:
            rows = [patients != patient for patient in np.unique(patients)]
        for value, kept in zip(left, rows, strict=True):
            if labels[kept].any() and not labels[kept].all():
                assert value == pytest.approx(roc_auc_score(labels[kept], scores[kept]), abs=1e-12)
            else:
                assert np.isnan(value)


def test_interval_is_delongs_within_a_hundredth():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 2000)
    scores = rng.normal(1.5 * labels, 1)
    other = scores + rng.normal(0, 1, 2000)
    delong_interval, found = auroc(labels, scores), bootstrap_auroc(labels, scores)
    assert (found.low, found.high) == pytest.approx((delong_interval.low, delong_interval.high), abs=0.005)
    single = bootstrap_auroc(labels, scores, clusters=np.arange(2000))
    assert (single.low, single.high) == pytest.approx((found.low, found.high), abs=0.005)
    test, drawn = auroc_difference(labels, scores, other), bootstrap_auroc_difference(labels, scores, other)
    assert drawn.estimate == pytest.approx(test.value)
    assert (drawn.low, drawn.high) == pytest.approx((test.low, test.high), abs=0.005)


def by_definition(labels, scores, patients):
    """Obuchowski's covariance of two AUROCs written out; patients of one case each give DeLong's."""
    areas, rows, columns = [], [], []
    for score in scores:
        wins = (score[labels][:, None] > score[~labels]) + 0.5 * (score[labels][:, None] == score[~labels])
        areas.append(wins.mean())
        rows.append(wins.mean(axis=1) - wins.mean())
        columns.append(wins.mean(axis=0) - wins.mean())
    names = np.unique(patients)
    m, n, count = labels.sum(), (~labels).sum(), len(names)
    sums10 = np.array([[row[patients[labels] == name].sum() for name in names] for row in rows])
    sums01 = np.array([[column[patients[~labels] == name].sum() for name in names] for column in columns])
    k10, k01 = len(np.unique(patients[labels])), len(np.unique(patients[~labels]))
    cross = sums10 @ sums01.T * count / (count - 1) / (m * n)
    covariance = sums10 @ sums10.T * k10 / (k10 - 1) / m**2 + sums01 @ sums01.T * k01 / (k01 - 1) / n**2
    return np.array(areas), covariance + cross + cross.T


def test_variances_equal_their_definition():
    for seed in range(220):
        rng = np.random.default_rng(seed)
        size = int(rng.integers(6, 40))
        labels = rng.random(size) < 0.4
        labels[:4] = [True, True, False, False]
        scores = np.round(rng.normal(labels, 1, (2, size)), seed % 3)
        patients = np.append([0, 1, 0, 1], rng.integers(0, 8, size - 4))
        if seed % 7 == 0:
            scores[:] = 0.0
        areas, covariance = delong(labels, scores, patients)
        expected_areas, expected = by_definition(labels, scores, patients)
        assert np.abs(areas - expected_areas).max() < 1e-12 and np.abs(covariance - expected).max() < 1e-12, seed
        single = by_definition(labels, scores, np.arange(size))[1]
        assert np.abs(delong(labels, scores)[1] - single).max() < 1e-12, seed


def test_a_class_of_one_case_has_no_interval():
    found = auroc([1, 0, 0, 0], [0.9, 0.1, 0.2, 0.3])
    assert found.value == 1.0 and np.isnan([found.standard_error, found.low, found.high]).all()
    assert np.isnan(auroc_difference([1, 0, 0], [0.9, 0.1, 0.2], [0.1, 0.9, 0.2]).p)
    one_patient = auroc([1, 1, 0, 0], [0.9, 0.8, 0.3, 0.2], clusters=["a", "a", "b", "c"])
    assert np.isnan(one_patient.low)


def test_clusters_of_one_give_delongs_variance_and_copies_change_nothing():
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, 60).astype(bool)
    scores = np.stack([rng.normal(labels, 1), rng.normal(labels, 2)])
    plain, grouped = delong(labels, scores), delong(labels, scores, np.arange(60))
    assert grouped[1] == pytest.approx(plain[1], abs=1e-12)
    copied = delong(np.tile(labels, 5), np.tile(scores, 5), np.tile(np.arange(60), 5))
    assert copied[0] == pytest.approx(plain[0]) and copied[1] == pytest.approx(plain[1], abs=1e-12)
    naive = delong(np.tile(labels, 5), np.tile(scores, 5))
    assert naive[1][0, 0] < plain[1][0, 0] / 4


def test_clustered_delong_equals_the_clustered_bootstrap():
    rng = np.random.default_rng(3)
    patients = np.repeat(np.arange(300), 4)
    labels = rng.integers(0, 2, 1200)
    scores = labels + np.repeat(rng.normal(0, 1, 300), 4) + rng.normal(0, 0.5, 1200)
    found, drawn = auroc(labels, scores, clusters=patients), bootstrap_auroc(labels, scores, clusters=patients)
    assert drawn.high - drawn.low == pytest.approx(found.high - found.low, rel=0.08)
    assert auroc(labels, scores).standard_error != pytest.approx(found.standard_error, rel=0.1)


def test_separated_and_equal_scores():
    labels = [0] * 10 + [1] * 10
    perfect = bootstrap_auroc(labels, labels)
    assert (perfect.estimate, perfect.low, perfect.high) == (1.0, 1.0, 1.0)
    equal = bootstrap_auroc(labels, [3.0] * 20)
    assert (equal.estimate, equal.low, equal.high) == (0.5, 0.5, 0.5)
    alone = bootstrap_auroc([0, 1], [0.1, 0.2])
    assert alone.estimate == 1.0 and np.isnan(alone.low)


def test_bad_input_is_a_typed_error():
    with pytest.raises(InputError, match="one class"):
        bootstrap_auroc([1, 1], [0.1, 0.2])
    with pytest.raises(InputError, match="not all finite"):
        bootstrap_auroc([0, 1], [0.1, np.nan])
    with pytest.raises(InputError, match="clusters"):
        bootstrap_auroc([0, 1], [0.1, 0.2], clusters=[1])
    with pytest.raises(ConfigurationError, match="too few"):
        bootstrap_auroc([0, 1], [0.1, 0.2], resamples=10)


def test_binormal_area_lies_in_its_interval():
    """d' = 1.5: the area is Phi(1.5 / sqrt 2) = 0.8556."""
    rng = np.random.default_rng(4)
    labels = np.repeat([0, 1], 150)
    held = {"delong": 0, "bootstrap": 0}
    for _ in range(100):
        scores = rng.normal(1.5 * labels, 1)
        for name, found in (
            ("delong", auroc(labels, scores)),
            ("bootstrap", bootstrap_auroc(labels, scores, resamples=500)),
        ):
            held[name] += found.low <= 0.855578 <= found.high
    assert min(held.values()) >= 93


def test_exact_binomial_interval_equals_statsmodels():
    for trials in (1, 2, 5, 30, 400):
        for successes in {0, 1, trials // 3, trials - 1, trials}:
            for level in (0.9, 0.95, 0.99):
                peer = proportion_confint(successes, trials, alpha=1 - level, method="beta")
                assert clopper_pearson(successes, trials, level=level) == pytest.approx(peer, abs=1e-10)
    assert np.isnan(clopper_pearson(0, 0)[0])
    with pytest.raises(ConfigurationError):
        clopper_pearson(3, 2)


def test_corrected_resampled_t_widens_the_plain_one():
    values = np.random.default_rng(5).normal(0.5, 1, 50)
    found = corrected_resampled_t(values, test_share=0.1)
    plain = ttest_1samp(values, 0).statistic
    assert found.t == pytest.approx(plain * (1 / 50 / (1 / 50 + 1 / 9)) ** 0.5, abs=1e-12)
    assert found.low < found.difference < found.high
    assert corrected_resampled_t([0.0, 0.0], test_share=0.5).p == 1.0
    with pytest.raises(InputError):
        corrected_resampled_t([0.1], test_share=0.1)
    with pytest.raises(ConfigurationError):
        corrected_resampled_t([0.1, 0.2], test_share=10)
