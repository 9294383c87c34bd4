"""AUROC against sklearn, DeLong against its definition and its coverage, code scores against sklearn."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.metrics import hamming_loss as sk_hamming

from groundglass.core.errors import InputError
from groundglass.metrics.classification import (
    auroc,
    auroc_difference,
    exact_match,
    hamming_loss,
    micro_f1,
    rates,
)


@pytest.mark.parametrize("seed", range(5))
def test_auroc_equals_sklearn_with_ties(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 200)
    scores = np.round(rng.normal(labels, 1.5), 1)
    assert auroc(labels, scores).value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_delong_covariance_equals_its_definition():
    """The structural components written out as in the 1988 paper, O(mn)."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 60).astype(bool)
    a, b = np.round(rng.normal(labels, 1.0), 1), np.round(rng.normal(labels, 2.0), 1)

    def components(scores):
        kernel = (scores[labels][:, None] > scores[~labels]) + 0.5 * (scores[labels][:, None] == scores[~labels])
        return kernel.mean(1), kernel.mean(0), kernel.mean()

    (a10, a01, area_a), (b10, b01, area_b) = components(a), components(b)
    variance = np.var(a10 - b10, ddof=1) / labels.sum() + np.var(a01 - b01, ddof=1) / (~labels).sum()
    found = auroc_difference(labels, a, b)
    assert found.value == pytest.approx(area_a - area_b)
    assert (found.high - found.low) / 2 == pytest.approx(1.959963985 * variance**0.5)
    single = auroc(labels, a)
    assert single.standard_error**2 == pytest.approx(
        np.var(a10, ddof=1) / labels.sum() + np.var(a01, ddof=1) / (~labels).sum()
    )


def test_delong_interval_covers_the_true_area():
    """Binormal scores with separation 1: the true AUROC is Phi(1 / sqrt 2)."""
    from scipy.stats import norm

    truth = norm.cdf(1 / 2**0.5)
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 60)
    hits = 0
    for _ in range(600):
        found = auroc(labels, rng.normal(labels, 1.0))
        hits += found.low <= truth <= found.high
    assert 0.925 <= hits / 600 <= 0.975


def test_equal_scores_have_no_difference():
    labels, scores = [0, 1, 0, 1], [0.1, 0.4, 0.35, 0.8]
    found = auroc_difference(labels, scores, scores)
    assert (found.value, found.p) == (0.0, 1.0)


def test_one_class_shape_and_nan_are_refused():
    for labels, scores in (([1, 1], [0.1, 0.2]), ([0, 1], [0.1]), ([0, 1], [0.1, np.nan])):
        with pytest.raises(InputError):
            auroc(labels, scores)


def test_rates_and_code_scores():
    found = rates([1, 1, 1, 0, 0], [1, 0, 1, 0, 1])
    assert (found.sensitivity.naive, found.specificity.naive, found.accuracy.naive) == (2 / 3, 0.5, 0.6)
    assert found.sensitivity.low < 2 / 3 < found.sensitivity.high
    rng = np.random.default_rng(2)
    truth, said = rng.integers(0, 2, (40, 5)), rng.integers(0, 2, (40, 5))
    assert hamming_loss(truth, said) == pytest.approx(sk_hamming(truth, said))
    assert micro_f1(truth, said) == pytest.approx(f1_score(truth, said, average="micro"))
    assert exact_match(truth, truth) == 1.0
    assert exact_match([[0, 1], [1, 1]], [[0, 1], [1, 0]]) == 0.5
    assert micro_f1([[0]], [[0]]) == 1.0
