"""What holds of any scores and values, whatever they are: found by hypothesis, checked against the definition."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from groundglass.metrics.classification import auroc, average_precision, best_f1, roc_curve
from groundglass.metrics.statistics import Row, auroc_replicates, holm, sign_flip_p, summarise

numbers = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e308, 1e308, allow_nan=False, width=64))
cases = st.lists(st.tuples(st.booleans(), numbers), min_size=2, max_size=25).filter(
    lambda rows: len({label for label, _ in rows}) == 2
)
quick = settings(max_examples=150, deadline=None)


def split(rows):
    return np.array([label for label, _ in rows]), np.array([score for _, score in rows])


@quick
@given(cases)
def test_area_is_the_share_of_pairs_in_order(rows):
    labels, scores = split(rows)
    pairs = [(a > b) + 0.5 * (a == b) for a, b in itertools.product(scores[labels], scores[~labels])]
    found = auroc(labels, scores)
    assert abs(found.value - np.mean(pairs)) < 1e-12
    if min(found.positives, found.negatives) > 1:
        assert 0 <= found.low <= found.value <= found.high <= 1
    else:
        assert np.isnan(found.low) and np.isnan(found.high)
    assert abs(auroc(~labels, scores).value + found.value - 1) < 1e-12
    curve = roc_curve(labels, scores)
    assert abs(np.trapezoid(curve.sensitivity, 1 - curve.specificity) - found.value) < 1e-12


@quick
@given(cases)
def test_average_precision_is_its_sum(rows):
    labels, scores = split(rows)
    total, last = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        said = scores >= threshold
        recall = (said & labels).sum() / labels.sum()
        total, last = total + (recall - last) * (said & labels).sum() / said.sum(), recall
    assert abs(average_precision(labels, scores).value - total) < 1e-12
    f1 = [2 * (labels & (scores >= t)).sum() / (labels.sum() + (scores >= t).sum()) for t in scores]
    assert abs(best_f1(labels, scores)[1] - max(f1)) < 1e-12


@quick
@given(cases, st.integers(0, 1000))
def test_resampled_areas_lie_in_their_range(rows, seed):
    labels, scores = split(rows)
    found = auroc_replicates(labels, scores, resamples=20, seed=seed)
    assert ((found >= 0) & (found <= 1)).all()
    ordered = np.argsort(np.argsort(scores))  # any score in the same order without ties gives the same draws
    if len(set(scores)) == len(scores):
        assert np.array_equal(found, auroc_replicates(labels, ordered.astype(float), resamples=20, seed=seed))


@quick
@given(st.lists(st.one_of(st.just(float("nan")), st.floats(0, 1)), min_size=1, max_size=12))
def test_corrected_p_is_never_smaller_and_keeps_the_order(values):
    corrected = holm(values)
    for place, (before, after) in enumerate(zip(values, corrected, strict=True)):
        assert np.isnan(before) == np.isnan(after)
        if not np.isnan(before):
            assert before <= after <= 1
            assert all(after <= corrected[other] for other, value in enumerate(values) if value > before), place


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.floats(-1e6, 1e6) | st.just(float("nan"))), min_size=1, max_size=15))
def test_a_line_is_in_order_and_does_not_depend_on_the_order_of_rows(values):
    rows = [Row(str(case), str(patient), "l", "m", value) for case, (patient, value) in enumerate(values)]
    (line,) = summarise(rows, resamples=200)
    (other,) = summarise(rows[::-1], resamples=200)
    assert line.n + line.missing == len(rows)
    if line.n:
        assert line.q1 <= line.median <= line.q3
        assert abs(line.mean - other.mean) <= 1e-9 * (1 + abs(line.mean))
    if not np.isnan(line.low):
        slack = 1e-9 * (1 + abs(line.mean))
        held = [value for _, value in values if not np.isnan(value)]
        assert min(held) - slack <= line.low <= line.high <= max(held) + slack


@quick
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=10))
def test_sign_flips_do_not_know_the_sign(values):
    differences = np.array(values)[:, None]
    p = sign_flip_p(differences)
    assert p == sign_flip_p(-differences)
    assert 2.0 ** (1 - len(values)) - 1e-12 <= p <= 1
