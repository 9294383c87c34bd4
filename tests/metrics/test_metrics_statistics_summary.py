"""Lines of a table and paired comparisons: against numpy, scipy and statsmodels, and for every kind of bad input."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import wilcoxon
from statsmodels.stats.multitest import multipletests

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.statistics import Row, compare_paired, holm, sign_flip_p, summarise
from groundglass.metrics.statistics.bootstrap import bootstrap_means, bootstrap_statistic


def rows_of(values, *, metric="dice", label="liver", per_patient=1, seed=None):
    return [
        Row(f"case{index}", f"patient{index // per_patient}", label, metric, float(value))
        for index, value in enumerate(values)
    ]


def test_figures_are_numpys():
    rng = np.random.default_rng(0)
    for size in (2, 3, 10, 57):
        values = rng.beta(5, 2, size)
        (line,) = summarise(rows_of([*values, math.nan, math.nan]))
        assert (line.n, line.missing, line.patients) == (size, 2, size)
        assert line.mean == pytest.approx(values.mean(), abs=1e-12)
        assert line.sd == pytest.approx(values.std(ddof=1), abs=1e-12)
        assert [line.q1, line.median, line.q3] == pytest.approx(np.percentile(values, [25, 50, 75]), abs=1e-12)
        assert line.low <= line.mean <= line.high


def test_interval_is_near_students_for_many_patients():
    values = np.random.default_rng(1).normal(0.8, 0.1, 400)
    (line,) = summarise(rows_of(values), resamples=5000)
    reach = 1.966 * values.std(ddof=1) / 20
    assert line.low == pytest.approx(values.mean() - reach, abs=0.1 * reach)
    assert line.high == pytest.approx(values.mean() + reach, abs=0.1 * reach)


def test_interval_knows_that_cases_of_one_patient_are_alike():
    rng = np.random.default_rng(2)
    values = np.repeat(rng.normal(0, 1, 40), 5) + rng.normal(0, 0.1, 200)
    (apart,) = summarise(rows_of(values))
    (together,) = summarise(rows_of(values, per_patient=5))
    assert together.patients == 40
    assert 1.8 < (together.high - together.low) / (apart.high - apart.low) < 2.7  # sqrt(5) = 2.24


def test_same_seed_same_interval_whatever_else_is_in_the_table():
    values = np.random.default_rng(3).random(30)
    alone = summarise(rows_of(values), seed=7)[0]
    beside = summarise(rows_of(values[:11], metric="hd95") + rows_of(values) + rows_of(values, label="b"), seed=7)
    assert beside[1] == alone
    assert [(line.metric, line.label) for line in beside] == [("hd95", "liver"), ("dice", "liver"), ("dice", "b")]
    assert summarise(rows_of(values), seed=8)[0] != alone


def test_lines_that_have_no_interval():
    (nothing,) = summarise(rows_of([math.nan]))
    assert (nothing.n, nothing.missing) == (0, 1) and math.isnan(nothing.mean) and math.isnan(nothing.median)
    (single,) = summarise(rows_of([0.5]))
    assert single.mean == single.median == 0.5 and math.isnan(single.low) and math.isnan(single.sd)
    (endless,) = summarise(rows_of([1.0, 2.0, math.inf]))
    assert endless.mean == math.inf and endless.median == 2.0 and math.isnan(endless.high)
    (equal,) = summarise(rows_of([0.3] * 9))
    assert equal.low == pytest.approx(0.3) and equal.high == pytest.approx(0.3)
    assert summarise([]) == []


def test_duplicates_and_options_are_refused():
    rows = rows_of([0.1, 0.2])
    with pytest.raises(InputError, match="two values for case0"):
        summarise([*rows, rows[0]])
    with pytest.raises(ConfigurationError, match="level"):
        summarise(rows, level=95)
    with pytest.raises(ConfigurationError, match="too few"):
        summarise(rows, resamples=50)


def test_same_case_name_in_two_patients_is_two_cases():
    (line,) = summarise([Row("t0", "a", "x", "m", 1.0), Row("t0", "b", "x", "m", 0.0)])
    assert line.n == 2


def test_any_statistic_gives_the_interval_of_the_mean():
    rng = np.random.default_rng(4)
    values, patients = rng.gamma(2, 1, 90), np.repeat(np.arange(30), 3)
    general = bootstrap_statistic(lambda rows: values[rows].mean(), patients, resamples=4000)
    sums = np.bincount(patients, values)[:, None]
    quick = bootstrap_means(sums, np.full((30, 1), 3.0), resamples=4000)[0]
    assert (general.low, general.high) == pytest.approx((quick.low, quick.high), abs=0.03)


def test_a_statistic_that_resamples_rarely_define_is_refused():
    labels = np.array([1] + [0] * 20)

    def statistic(rows):
        if not labels[rows].any():
            raise InputError("labels", "one class", "more")
        return 1.0

    with pytest.raises(InputError, match="undefined in"):
        bootstrap_statistic(statistic, np.arange(21))


def test_paired_tests_equal_scipy_and_statsmodels():
    rng = np.random.default_rng(5)
    labels = ["a", "b", "c"]
    first = [row for label in labels for row in rows_of(rng.random(25), label=label)]
    second = [
        Row(row.case, row.patient, row.label, row.metric, row.value - shift * (rng.random() - 0.3))
        for row, shift in zip(first, np.repeat([0.05, 0.3, 0.9], 25), strict=True)
    ]
    lines = compare_paired(first, second)
    for label, line in zip(labels, lines, strict=True):
        x = np.array([row.value for row in first if row.label == label])
        y = np.array([row.value for row in second if row.label == label])
        assert line.wilcoxon_p == pytest.approx(wilcoxon(x, y).pvalue, abs=1e-12)
        assert line.difference == pytest.approx((x - y).mean(), abs=1e-12)
        assert line.low <= line.difference <= line.high
    for kind in ("wilcoxon", "permutation"):
        raw = [getattr(line, f"{kind}_p") for line in lines]
        corrected = [getattr(line, f"{kind}_holm") for line in lines]
        assert corrected == pytest.approx(multipletests(raw, method="holm")[1], abs=1e-12)


def test_patients_not_cases_are_tested():
    rng = np.random.default_rng(6)
    shift = np.repeat(rng.normal(0, 1, 8), 50)
    first, second = rows_of(shift, per_patient=50), rows_of(np.zeros(400), per_patient=50)
    (line,) = compare_paired(first, second)
    assert line.patients == 8 and line.n == 400
    assert line.wilcoxon_p == pytest.approx(wilcoxon(shift[::50]).pvalue)
    assert line.permutation_p >= 2 / 2**8


def test_unmatched_and_missing_pairs():
    first, second = rows_of([0.1, 0.2, 0.3, math.nan]), rows_of([0.3, 0.2, 0.4, 0.5, 0.6])
    with pytest.raises(InputError, match=r"first set of rows: lacks case4 \(dice, liver\)"):
        compare_paired(first, second)
    (line,) = compare_paired(first, second, unmatched="leave out")
    assert (line.n, line.left_out) == (3, 2)
    with pytest.raises(InputError, match="no metric and label in common"):
        compare_paired(first, rows_of([1.0], metric="other"), unmatched="leave out")
    (empty,) = compare_paired(rows_of([math.nan]), rows_of([1.0]))
    assert empty.n == 0 and math.isnan(empty.wilcoxon_p) and math.isnan(empty.permutation_holm)
    (same,) = compare_paired(rows_of([0.1, 0.2, 0.3]), rows_of([0.1, 0.2, 0.3]))
    assert same.wilcoxon_p == 1.0 and same.permutation_p == 1.0 and same.low == same.high == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_sign_flips_equal_a_plain_loop(seed):
    rng = np.random.default_rng(seed)
    differences = np.round(rng.normal(0.3, 1, int(rng.integers(1, 9))), 1)
    observed = abs(differences.sum())
    every = [
        abs(sum(sign * value for sign, value in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(differences))
    ]
    expected = np.mean([value >= observed - 1e-9 for value in every])
    assert sign_flip_p(differences[:, None])[0] == pytest.approx(expected, abs=1e-12)


def test_drawn_sign_flips_come_near_the_exact_p():
    differences = np.random.default_rng(9).normal(0.4, 1, (13, 4))
    exact = sign_flip_p(differences, permutations=2**13)
    drawn = sign_flip_p(differences, permutations=8000)
    assert drawn == pytest.approx(exact, abs=0.02)


def step_down(p):
    """Holm as he wrote it: the smallest p times the number of tests, the next times one less, never falling."""
    adjusted, worst = {}, 0.0
    for place, index in enumerate(sorted(range(len(p)), key=lambda index: p[index])):
        worst = max(worst, min(1.0, (len(p) - place) * p[index]))
        adjusted[index] = worst
    return [adjusted[index] for index in range(len(p))]


def test_holm_equals_its_definition_and_statsmodels():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        p = np.round(rng.random(int(rng.integers(1, 12))) ** 3, int(rng.integers(1, 5)))
        assert np.abs(holm(p) - step_down(p)).max() < 1e-12
        if seed < 10:
            assert np.abs(holm(p) - multipletests(p, method="holm")[1]).max() < 1e-12
        gaps = np.insert(p, 0, np.nan)
        assert np.array_equal(holm(gaps)[1:], holm(p)) and np.isnan(holm(gaps)[0])


def test_holm_refuses_what_is_no_probability():
    with pytest.raises(InputError):
        holm([0.1, 1.2])
