"""Challenge rankings against tables by pencil, scipy's tests and a ranking written out case by case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.ranking import SCHEMES, RankedMetric, Result, Scheme, kendall_tau, rank
from groundglass.metrics.ranking.scores import metric_means, score
from groundglass.metrics.ranking.signed_ranks import signed_rank_p
from groundglass.metrics.ranking.stability import case_weights
from groundglass.metrics.ranking.table import tabulate

PLAIN = Scheme("plain", "", (RankedMetric("dice", True), RankedMetric("hd95", False)), "case ranks")


def rows_of(values: dict[str, dict[str, list[float]]], group: str = "") -> list[Result]:
    """From {algorithm: {metric: values by case}}."""
    return [
        Result(algorithm, f"case {number}", metric, value, group)
        for algorithm, metrics in values.items()
        for metric, column in metrics.items()
        for number, value in enumerate(column)
    ]


def places(rows: list[Result], scheme: str | Scheme, **options: object) -> dict[str, int]:
    """Place by algorithm, without stability."""
    return {line.algorithm: line.rank for line in rank(rows, scheme, resamples=0, **options).lines}


def random_rows(seed: int, algorithms: int = 4, cases: int = 7) -> list[Result]:
    rng = np.random.default_rng(seed)
    return rows_of(
        {
            f"team {a}": {
                "dice": rng.integers(0, 6, cases) / 5,
                "hd95": rng.integers(0, 6, cases).astype(float),
            }
            for a in range(algorithms)
        }
    )


def test_synthrad_four_teams_by_pencil() -> None:
    table = {
        "A": {"mae": [50.0, 70.0], "ssim": [0.90, 0.90], "psnr": [30.0, 30.0]},
        "B": {"mae": [80.0, 80.0], "ssim": [0.85, 0.85], "psnr": [29.0, 29.0]},
        "C": {"mae": [100.0, 100.0], "ssim": [0.80, 0.80], "psnr": [28.0, 28.0]},
        "D": {"mae": [60.0, 60.0], "ssim": [0.80, 0.80], "psnr": [29.5, 29.5]},
    }
    found = {line.algorithm: line for line in rank(rows_of(table), "synthrad", resamples=0).lines}
    # mae 60, 80, 100, 60 -> 1, 0.5, 0, 1; ssim -> 1, 0.5, 0, 0; psnr -> 1, 0.5, 0, 0.75
    assert [found[name].score for name in "ABCD"] == pytest.approx([3.0, 1.5, 0.0, 1.75], abs=1e-12)
    assert [found[name].rank for name in "ABCD"] == [1, 3, 4, 2]
    dominated = {**table, "E": {"mae": [140.0, 140.0], "ssim": [0.70, 0.70], "psnr": [28.0, 28.0]}}
    after = {line.algorithm: line for line in rank(rows_of(dominated), "synthrad", resamples=0).lines}
    # Only the worst value moved: 140 for mae, 0.70 for ssim.
    assert after["B"].score == pytest.approx(60 / 80 + 0.15 / 0.20 + 0.5, abs=1e-12)
    assert after["E"].score == 0
    equal = {name: {"mae": [5.0], "ssim": [value], "psnr": [1.0]} for name, value in (("A", 0.1), ("B", 0.2))}
    assert [line.score for line in rank(rows_of(equal), "synthrad", resamples=0).lines] == [2.0, 1.0]


def test_isles_is_the_mean_of_per_case_ranks_written_out() -> None:
    for seed in range(30):
        rows = random_rows(seed)
        names = [f"team {a}" for a in range(4)]
        total = np.zeros(4)
        for case in range(7):
            for metric, sign in (("dice", -1), ("hd95", 1)):
                values = [
                    next(r.value for r in rows if (r.algorithm, r.case, r.metric) == (n, f"case {case}", metric))
                    for n in names
                ]
                total += stats.rankdata(sign * np.array(values), method="average") / 14
        found = {line.algorithm: line for line in rank(rows, PLAIN, resamples=0).lines}
        assert [found[n].score for n in names] == pytest.approx(total, abs=1e-12)
        assert [found[n].rank for n in names] == stats.rankdata(np.round(total, 9), method="min").tolist()


def test_isles_recovers_a_known_order_and_does_not_separate_twins() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(40)
    table = {
        name: {
            "dice": np.clip(truth - loss + rng.normal(0, 0.05, 40), 0, 1),
            "avd": loss * 10 + rng.random(40),
            "ald": loss * 10 + rng.random(40),
            "f1": np.clip(truth - loss, 0, 1),
        }
        for name, loss in (("good", 0.0), ("fair", 0.2), ("poor", 0.4))
    }
    ranking = rank(rows_of(table), "isles", seed=3)
    assert [line.algorithm for line in ranking.lines] == ["good", "fair", "poor"]
    assert ranking.lines[0].first_share == 1 and ranking.tau == (1.0, 1.0, 1.0)
    assert ranking.rank_difference("good", "fair")[1] < 0
    shuffled = {metric: values[::-1] for metric, values in table["good"].items()}
    twins = rank(rows_of({"one": table["good"], "two": shuffled, "three": table["good"]}), "isles", seed=3)
    low, high = twins.rank_difference("one", "two")
    assert low <= 0 <= high
    assert twins.rank_difference("one", "three") == (0.0, 0.0)
    assert {line.rank for line in twins.lines if line.algorithm != "two"} in ({1}, {2})


def test_same_seed_same_stability_and_another_differs() -> None:
    rows = random_rows(5)
    one, same, other = (rank(rows, PLAIN, seed=seed, resamples=300) for seed in (1, 1, 2))
    assert np.array_equal(one.bootstrap_ranks, same.bootstrap_ranks)
    assert not np.array_equal(one.bootstrap_ranks, other.bootstrap_ranks)
    assert one.bootstrap_ranks.shape == (300, 4)
    for line in one.lines:
        assert 1 <= line.rank_low <= line.rank_high <= 4


@pytest.mark.parametrize("aggregation", ["case ranks", "ranks of means", "normalised means", "means", "significance"])
def test_weights_are_repeated_cases(aggregation: str) -> None:
    scheme = replace(PLAIN, aggregation=aggregation, alpha=0.2)
    for seed in range(10):
        rows = random_rows(seed, algorithms=3, cases=5)
        table = tabulate(rows, scheme, "refuse")
        counts = np.random.default_rng(seed).multinomial(5, [0.2] * 5).astype(float)
        copies = [
            replace(row, case=f"{row.case} copy {copy}")
            for row in rows
            for copy in range(int(counts[table.cases.index(row.case)]))
        ]
        written = tabulate(copies, scheme, "refuse")
        expected = score(written, scheme, np.ones((1, len(written.cases))))
        assert score(table, scheme, counts[None]) == pytest.approx(expected, abs=1e-9)


def test_trackrad_excludes_by_limit_and_baseline_and_fits_the_time() -> None:
    frames = [100.0, 150.0, 250.0]

    def team(shift: float, seconds: float) -> dict[str, list[float]]:
        return {
            "dsc": [0.9 - shift, 0.8 - shift, 0.85 - shift],
            "hd95": [2 + shift] * 3,
            "masd": [1 + shift] * 3,
            "cd": [1 + shift] * 3,
            "relative_d98": [1.0] * 3,
            "total_runtime": [20 + seconds * n for n in frames],
            "frame_count": frames,
        }

    table = {"fast": team(0.1, 0.05), "sharp": team(0.0, 0.5), "slow": team(0.0, 1.5), "still": team(0.3, 0.001)}
    table["worse"] = team(0.4, 0.002)
    ranking = rank(rows_of(table), "trackrad", baseline="still", resamples=200)
    lines = {line.algorithm: line for line in ranking.lines}
    assert set(lines) == {"fast", "sharp"} and set(ranking.excluded) == {"slow", "still", "worse"}
    assert "limit" in ranking.excluded["slow"] and "none of" in ranking.excluded["worse"]
    assert lines["sharp"].means["time_per_frame"] == pytest.approx(0.5, abs=1e-9)
    assert lines["sharp"].score == pytest.approx((1 + 1 + 1 + 1 + 1 + 2) / 6)
    assert lines["fast"].score == pytest.approx((2 + 2 + 2 + 2 + 1 + 1) / 6)


def test_slope_is_numpys_polyfit() -> None:
    rng = np.random.default_rng(0)
    scheme = Scheme("t", "", (RankedMetric("s", False, aliases=("total",), against="n"),), "means")
    n, total = rng.integers(20, 200, 9).astype(float), rng.random(9)
    table = tabulate(rows_of({"a": {"total": total, "n": n}}), scheme, "refuse")
    found = metric_means(table, np.ones((1, 9)))
    assert found[0, 0, 0] == pytest.approx(np.polyfit(n, total, 1)[0], rel=1e-9)


def test_verse_points_are_scipys_one_sided_tests_weighted() -> None:
    rng = np.random.default_rng(4)
    rows: list[Result] = []
    quality = {"a": 0.9, "b": 0.85, "c": 0.6}
    data: dict[tuple[str, str, str], np.ndarray] = {}
    for group, cases in (("public", 20), ("hidden", 25)):
        for name, level in quality.items():
            for metric in ("id_rate", "dice"):
                column = np.clip(level + rng.normal(0, 0.1, cases), 0, 1)
                data[group, name, metric] = column
                rows += rows_of({name: {metric: column.tolist()}}, group)
    expected = dict.fromkeys(quality, 0.0)
    for group, phase in (("public", 1 / 3), ("hidden", 2 / 3)):
        for metric, share in (("id_rate", 1 / 3), ("dice", 2 / 3)):
            for first in quality:
                for second in quality:
                    if first == second:
                        continue
                    gaps = data[group, first, metric] - data[group, second, metric]
                    p = stats.wilcoxon(gaps, alternative="greater", method="approx").pvalue
                    expected[first] += phase * share * (p < 0.001) / 2
    found = {line.algorithm: line.score for line in rank(rows, "verse", resamples=0).lines}
    assert found == pytest.approx(expected, abs=1e-12)
    with pytest.raises(InputError, match="groups"):
        rank([replace(row, group="third", case=row.group + row.case) for row in rows], "verse", resamples=0)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=25))
@settings(max_examples=150, deadline=None)
def test_signed_ranks_are_scipys(values: list[int]) -> None:
    gaps = np.array(values, dtype=float)
    above, below = signed_rank_p(gaps, np.ones((1, len(gaps))))
    if not gaps.any():
        assert above[0] == below[0] == 1
        return
    for found, side in ((above, "greater"), (below, "less")):
        expected = stats.wilcoxon(gaps, alternative=side, method="approx", correction=False).pvalue
        assert found[0] == pytest.approx(expected, abs=1e-12)


def test_kendall_is_scipys_tau_b() -> None:
    rng = np.random.default_rng(0)
    own = rng.integers(1, 5, 6)
    others = rng.integers(1, 5, (100, 6))
    expected = [stats.kendalltau(own, other).statistic for other in others]
    assert kendall_tau(own, others) == pytest.approx(np.array(expected), abs=1e-12, nan_ok=True)


def test_pitvis_and_mc_mri_tables() -> None:
    table = {"a": {"step_score": [0.6, 0.8], "instrument_score": [0.5, 0.5]}, "b": {"steps": [0.9, 0.9]}}
    table["b"] = {"step_score": [0.9, 0.9], "instrument_score": [0.2, 0.2]}
    scores = {line.algorithm: line.score for line in rank(rows_of(table), "pitvis", resamples=0).lines}
    assert scores == pytest.approx({"a": 0.6, "b": 0.55})
    assert places(rows_of(table), "pitvis-steps") == {"a": 2, "b": 1}
    # Published means at R = 5 on 12 coils: SSIM, VIF, PSNR.
    published = {
        "zero-filled": (0.726, 0.518, 25.2),
        "U-Net": (0.779, 0.642, 26.8),
        "hybrid cascade": (0.860, 0.954, 32.7),
        "WW-net": (0.870, 0.929, 32.5),
        "RIM": (0.929, 0.932, 34.4),
    }
    rows = rows_of({n: {"ssim": [s], "vif": [v], "psnr": [p]} for n, (s, v, p) in published.items()})
    found = {line.algorithm: line.score for line in rank(rows, "mc-mri", resamples=0).lines}
    # SSIM ranks 5 4 3 2 1, VIF 5 4 1 3 2, PSNR 5 4 2 3 1.
    expected = [5.0, 4.0, 0.4 * 3 + 0.4 * 1 + 0.2 * 2, 0.4 * 2 + 0.4 * 3 + 0.2 * 3, 0.4 * 1 + 0.4 * 2 + 0.2]
    assert [found[name] for name in published] == pytest.approx(expected)


def test_missing_cases_follow_the_rule() -> None:
    rows = rows_of({"a": {"dice": [0.9, 0.9], "hd95": [1.0, 1.0]}, "b": {"dice": [0.5, 0.6], "hd95": [5.0, 4.0]}})
    short = [row for row in rows if not (row.algorithm == "a" and row.case == "case 1")]
    with pytest.raises(InputError, match="lack dice of a in case 1"):
        rank(short, PLAIN)
    means = replace(PLAIN, aggregation="means", metrics=(RankedMetric("dice", True),))
    assert {n.algorithm: n.score for n in rank(short, means, missing="worst", resamples=0).lines} == pytest.approx(
        {"a": 0.7, "b": 0.55}
    )
    left = rank(short, means, missing="leave out", resamples=0)
    assert {line.algorithm: line.score for line in left.lines} == pytest.approx({"a": 0.9, "b": 0.55})
    assert left.missing == 1
    # In a case that it lacks an algorithm is last: ranks 1 1 2 2 in dice and hd95 of two cases.
    per_case = rank(short, PLAIN, missing="leave out", resamples=0)
    assert {line.algorithm: line.score for line in per_case.lines} == {"a": 1.5, "b": 1.5}
    thin = [row for row in short if row.metric == "dice"]
    sums = replace(means, aggregation="normalised means")
    sampled = rank(thin, sums, missing="leave out", resamples=100)
    # A quarter of the samples hold nothing of a, which is then the worst.
    assert 0.1 < (sampled.bootstrap_ranks[:, 0] == 2).mean() < 0.4
    blank = [replace(row, value=np.nan) if row.algorithm == "a" else row for row in rows]
    with pytest.raises(InputError, match="nothing to rank a"):
        rank(blank, means, missing="leave out")


def test_infinite_distances_rank_last_and_do_not_leak_into_other_samples() -> None:
    scheme = Scheme("d", "", (RankedMetric("hd95", False),), "ranks of means")
    rows = rows_of({"a": {"hd95": [1.0, np.inf, 1.0]}, "b": {"hd95": [9.0, 9.0, 9.0]}})
    ranking = rank(rows, scheme, resamples=200)
    assert [line.algorithm for line in ranking.lines] == ["b", "a"]
    # Samples without the second case (a third of its powers) put a first.
    assert 0.2 < ranking.lines[1].first_share < 0.4
    with pytest.raises(InputError, match="not finite"):
        rank(rows, replace(scheme, aggregation="normalised means"), resamples=0)


def test_patients_are_drawn_whole_within_groups() -> None:
    rows = [
        Result("a", f"{group}{case}", "dice", 0.5, group, patient=f"p{case // 2}")
        for group in ("x", "y")
        for case in range(6)
    ]
    table = tabulate(rows, Scheme("s", "", (RankedMetric("dice", True),), "means"), "refuse")
    for weights in case_weights(table, 50, seed=0):
        by_case = weights.reshape(-1, 2, 3, 2)
        assert np.array_equal(by_case[..., 0], by_case[..., 1])
        assert (by_case[..., 0].sum(axis=2) == 3).all()


def test_wrong_tables_are_refused() -> None:
    rows = random_rows(0)
    for bad, message in (
        ([], "no rows"),
        ([*rows, rows[0]], "twice"),
        ([row for row in rows if row.metric == "dice"], "lack the metric hd95"),
        ([replace(row, patient=row.metric) for row in rows], "two patients"),
        ([replace(row, value=-np.inf) for row in rows], "-inf"),
    ):
        with pytest.raises(InputError, match=message):
            rank(bad, PLAIN)
    both = [Result("a", "c", name, 0.5) for name in ("dice", "dsc", "avd", "ald", "f1")]
    with pytest.raises(InputError, match="dice and dsc"):
        rank(both, "isles")
    with pytest.raises(ConfigurationError, match="not known"):
        rank(rows, "nobody")
    with pytest.raises(ConfigurationError, match="not a rule"):
        rank(rows, PLAIN, missing="zero")
    with pytest.raises(InputError, match="not in the results"):
        rank(rows, PLAIN, baseline="nobody")


def test_pair_tests_are_scipys_with_holm() -> None:
    rng = np.random.default_rng(2)
    table = {n: {"dice": rng.random(15) + k, "hd95": rng.random(15)} for k, n in enumerate("abc")}
    pairs = [pair for pair in rank(rows_of(table), PLAIN, resamples=0).pair_tests() if pair.metric == "dice"]
    assert len(pairs) == 3
    for pair in pairs:
        gaps = table[pair.first]["dice"] - table[pair.second]["dice"]
        assert pair.p == pytest.approx(stats.wilcoxon(gaps).pvalue) and pair.holm >= pair.p
    assert max(pair.holm for pair in pairs) == pytest.approx(3 * max(pair.p for pair in pairs), rel=0.7)


def test_every_scheme_names_its_source() -> None:
    assert set(SCHEMES) >= {"isles", "verse", "synthrad", "pitvis", "trackrad"}
    assert all(scheme.source and scheme.metrics for scheme in SCHEMES.values())
