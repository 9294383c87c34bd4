"""`rank`: a table of results under a challenge's rule, with the stability of the places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.ranking.pair_tests import PairTest, pair_tests
from groundglass.metrics.ranking.scheme import Missing, Scheme
from groundglass.metrics.ranking.schemes import find_scheme
from groundglass.metrics.ranking.scores import final_ranks, metric_means, metric_ranks, score
from groundglass.metrics.ranking.stability import case_weights, kendall_tau
from groundglass.metrics.ranking.table import Result, Table, tabulate


@dataclass(frozen=True, slots=True)
class Line:
    """An algorithm's place. `means` and `metric_ranks` are by metric (of the means, whatever the aggregation).

    [`rank_low`, `rank_high`] holds its place in the middle `level` of the bootstrap samples (NaN without any),
    `first_share` is the share in which it is first, alone or with others.
    """

    rank: int
    algorithm: str
    score: float
    means: Mapping[str, float]
    metric_ranks: Mapping[str, float]
    rank_low: float
    rank_high: float
    first_share: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """Lines from the first place on. `excluded` says why an algorithm was not ranked.

    `bootstrap_ranks` (R, A) are the places in each sample, in the order of `lines`; `kendall_tau` (R,) compares each
    sample's order with the full one. `missing` values were filled or left out by the rule `missing_rule`; `table` holds
    what was ranked.
    """

    scheme: str
    high_wins: bool
    lines: tuple[Line, ...]
    excluded: Mapping[str, str]
    cases: int
    patients: int
    missing: int
    missing_rule: Missing
    level: float
    bootstrap_ranks: NDArray[np.intp] = field(repr=False, compare=False)
    kendall_tau: NDArray[np.float64] = field(repr=False, compare=False)
    table: Table = field(repr=False, compare=False)

    @property
    def tau(self) -> tuple[float, float, float]:
        """Mean of Kendall's tau over the samples and the interval of its middle `level`; NaN without samples."""
        held = self.kendall_tau[~np.isnan(self.kendall_tau)]
        if not len(held):
            return np.nan, np.nan, np.nan
        low, high = np.quantile(held, _tails(self.level))
        return float(held.mean()), float(low), float(high)

    def pair_tests(self) -> tuple[PairTest, ...]:
        """Every pair of algorithms in every metric: Wilcoxon signed-rank tests with Holm's correction.

        Few cases with ties are tested by permutation, which takes about a tenth of a second each.
        """
        return pair_tests(self.table)

    def rank_difference(self, first: str, second: str) -> tuple[float, float]:
        """The middle `level` of place(first) - place(second): the two are not told apart where it holds 0."""
        places = {line.algorithm: number for number, line in enumerate(self.lines)}
        for name in (first, second):
            if name not in places:
                raise InputError(name, "is not in the ranking", f"Name two of {', '.join(places)}.")
        gaps = self.bootstrap_ranks[:, places[first]] - self.bootstrap_ranks[:, places[second]]
        return _interval(gaps, self.level)


def rank(
    rows: Iterable[Result],
    scheme: str | Scheme,
    *,
    missing: Missing | None = None,
    baseline: str | None = None,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Ranking:
    """Rank the algorithms in `rows` by a scheme (a name of SCHEMES or a Scheme).

    `missing` (by default the scheme's): values that are absent or NaN are refused, count as the worst value of that
    metric in the table, or are left out of the means (in per-case ranks: last). `baseline` names an algorithm that is
    not ranked, and that others must better as the scheme says. With `resamples=0` no stability is computed.
    Raises ConfigurationError (scheme, options) and InputError (rows; see `tabulate`).
    """
    rule = find_scheme(scheme)
    handling = rule.missing if missing is None else missing
    if handling not in ("refuse", "worst", "leave out"):
        raise ConfigurationError(f"missing {handling}", "is not a rule", "Use refuse, worst or leave out.")
    if resamples < 0 or not 0 < level < 1:
        raise ConfigurationError("resamples, level", "are out of range", "Use 0 or more, and a level such as 0.95.")
    whole = tabulate(rows, rule, handling)
    table, excluded = _admitted(whole, rule, baseline)
    everything = np.ones((1, len(table.cases)))
    means = metric_means(table, everything)
    if rule.aggregation == "normalised means" and not np.isfinite(means).all():
        raise InputError("results", "have means that are not finite", "Normalisation needs finite values for all.")
    scores = score(table, rule, everything)[0]
    if np.isnan(scores).any():
        lost = [table.algorithms[n] for n in np.flatnonzero(np.isnan(scores))]
        raise InputError("results", f"leave nothing to rank {', '.join(lost)} by", "Give values, or count them worst.")
    places = final_ranks(scores[None], rule)[0]
    samples = [final_ranks(score(table, rule, weights), rule) for weights in case_weights(table, resamples, seed)]
    bootstrap = np.concatenate(samples) if samples else np.empty((0, len(places)), dtype=np.intp)
    order = np.lexsort((np.array(table.algorithms), places))
    ranks = metric_ranks(table, rule, means)[0]
    names = [metric.name for metric in table.metrics]
    lines = []
    for number in order:
        low, high = _interval(bootstrap[:, number], level)
        lines.append(
            Line(
                int(places[number]),
                table.algorithms[number],
                float(scores[number]),
                dict(zip(names, means[0, number].tolist(), strict=True)),
                dict(zip(names, ranks[number].tolist(), strict=True)),
                low,
                high,
                float((bootstrap[:, number] == 1).mean()) if len(bootstrap) else np.nan,
            )
        )
    return Ranking(
        rule.name,
        rule.high_wins,
        tuple(lines),
        excluded,
        len(table.cases),
        len({*zip(table.groups.tolist(), table.patients.tolist(), strict=True)}),
        whole.missing,
        handling,
        level,
        bootstrap[:, order],
        kendall_tau(places[order], bootstrap[:, order]),
        table,
    )


def _admitted(table: Table, scheme: Scheme, baseline: str | None) -> tuple[Table, dict[str, str]]:
    """The table without the baseline and without those that the scheme does not rank, and why."""
    if baseline is not None and baseline not in table.algorithms:
        raise InputError(baseline, "is not in the results", f"The baseline is one of {', '.join(table.algorithms)}.")
    means = metric_means(table, np.ones((1, len(table.cases))))[0]
    excluded: dict[str, str] = {}
    for number, name in enumerate(table.algorithms):
        own = dict(zip((metric.name for metric in table.metrics), means[number], strict=True))
        over = [metric for metric, limit in scheme.limits.items() if metric in own and own[metric] > limit]
        if name == baseline:
            excluded[name] = "the baseline"
        elif over:
            excluded[name] = f"{over[0]} {own[over[0]]:.3g} is above the limit of {scheme.limits[over[0]]:g}"
        elif baseline is not None and scheme.must_beat:
            floor = means[table.algorithms.index(baseline)]
            if not any(
                metric.name in scheme.must_beat
                and (means[number, m] > floor[m] if metric.higher_is_better else means[number, m] < floor[m])
                for m, metric in enumerate(table.metrics)
            ):
                excluded[name] = f"better than {baseline} in none of {', '.join(scheme.must_beat)}"
    kept = [number for number, name in enumerate(table.algorithms) if name not in excluded]
    if not kept:
        raise InputError("results", "leave no algorithm to rank", "; ".join(f"{k}: {v}" for k, v in excluded.items()))
    return _only(table, kept), excluded


def _only(table: Table, kept: Sequence[int]) -> Table:
    return replace(
        table,
        algorithms=tuple(table.algorithms[number] for number in kept),
        values=table.values[kept],
        against=table.against[kept],
    )


def _tails(level: float) -> tuple[float, float]:
    return (1 - level) / 2, (1 + level) / 2


def _interval(places: NDArray[np.intp], level: float) -> tuple[float, float]:
    if not len(places):
        return np.nan, np.nan
    low, high = np.quantile(places, _tails(level), method="inverted_cdf")
    return float(low), float(high)
