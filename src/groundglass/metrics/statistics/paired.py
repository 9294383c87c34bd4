"""Two methods on the same cases: differences, their interval, and whether they could be chance.

The patient is the unit of both tests: Wilcoxon's signed ranks are of the patients' mean differences, the permutation
test flips the sign of all of a patient's differences together. With one case per patient they are the usual tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.statistics.bootstrap import bootstrap_means, check_options
from groundglass.metrics.statistics.multiple import holm
from groundglass.metrics.statistics.permutation import sign_flip_p
from groundglass.metrics.statistics.summary import Row, cluster_sums, grouped

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """`metric` of `label` in the `n` cases (of `patients`) that both methods have a value for; `left_out` have not.

    `difference` is first minus second, [`low`, `high`] the cluster-bootstrap interval of its mean. The p values are
    two-sided; `*_holm` are corrected over all metrics and labels of the comparison.
    """

    metric: str
    label: str
    n: int
    left_out: int
    patients: int
    mean_first: float
    mean_second: float
    difference: float
    low: float
    high: float
    level: float
    wilcoxon_p: float
    permutation_p: float
    wilcoxon_holm: float
    permutation_holm: float


def compare_paired(
    first: Iterable[Row],
    second: Iterable[Row],
    *,
    level: float = 0.95,
    resamples: int = 2000,
    permutations: int = 10_000,
    seed: int = 0,
    unmatched: Literal["error", "leave out"] = "error",
) -> list[PairedComparison]:
    """A PairedComparison per (metric, label), in the order of `first`.

    Pairs with a NaN or infinite value are left out and counted. A case, label or metric that only one side has raises
    InputError; under `unmatched="leave out"` a case is left out and counted, a label or metric gets no line. Raises
    InputError for duplicates, and when nothing matches.
    """
    check_options(level, resamples)
    ours, theirs = grouped(first), grouped(second)
    if unmatched == "error":
        _same_cases(ours, theirs)
    lines = [
        _line(metric, label, ours[metric, label], theirs[metric, label], level, resamples, permutations, seed)
        for metric, label in ours
        if (metric, label) in theirs
    ]
    if not lines:
        raise InputError("the two sets of rows", "have no metric and label in common", "Score both alike.")
    ranks, flips = holm([line.wilcoxon_p for line in lines]), holm([line.permutation_p for line in lines])
    return [
        replace(line, wilcoxon_holm=float(rank), permutation_holm=float(flip))
        for line, rank, flip in zip(lines, ranks, flips, strict=True)
    ]


def wilcoxon_p(differences: NDArray[np.float64]) -> float:
    """Two-sided Wilcoxon signed-rank p (Biometrics Bulletin 1945; 1: 80); zeros are dropped, 1 when all are zero.

    Exact for few values, else normal with tie correction, as `scipy.stats.wilcoxon` chooses. NaN without values.
    """
    from scipy.stats import wilcoxon

    if not len(differences):
        return float("nan")
    if not differences.any():
        return 1.0
    return float(wilcoxon(differences).pvalue)


def _line(
    metric: str,
    label: str,
    ours: list[Row],
    theirs: list[Row],
    level: float,
    resamples: int,
    permutations: int,
    seed: int,
) -> PairedComparison:
    a = {(row.patient, row.case): row.value for row in ours}
    b = {(row.patient, row.case): row.value for row in theirs}
    keys = [key for key in a if key in b and np.isfinite(a[key]) and np.isfinite(b[key])]
    left_out = len(a.keys() | b.keys()) - len(keys)
    nan = float("nan")
    if not keys:
        return PairedComparison(metric, label, 0, left_out, 0, nan, nan, nan, nan, nan, level, nan, nan, nan, nan)
    x, y = np.array([a[key] for key in keys]), np.array([b[key] for key in keys])
    sums, sizes = cluster_sums(x - y, [patient for patient, _ in keys])
    interval = bootstrap_means(sums[:, None], sizes[:, None], level=level, resamples=resamples, seed=seed)[0]
    return PairedComparison(
        metric,
        label,
        len(keys),
        left_out,
        len(sums),
        float(x.mean()),
        float(y.mean()),
        interval.estimate,
        interval.low,
        interval.high,
        level,
        wilcoxon_p(sums / sizes),
        float(sign_flip_p(sums[:, None], permutations=permutations, seed=seed)[0]),
        nan,
        nan,
    )


def _same_cases(ours: dict[tuple[str, str], list[Row]], theirs: dict[tuple[str, str], list[Row]]) -> None:
    def keys(groups: dict[tuple[str, str], list[Row]]) -> set[tuple[str, str, str, str]]:
        return {(row.patient, row.case, row.label, row.metric) for group in groups.values() for row in group}

    for name, only in (("second", keys(ours) - keys(theirs)), ("first", keys(theirs) - keys(ours))):
        if only:
            shown = ", ".join(f"{case} ({metric}, {label})" for _, case, label, metric in sorted(only)[:_SHOWN])
            more = f" and {len(only) - _SHOWN} more" if len(only) > _SHOWN else ""
            raise InputError(
                f"the {name} set of rows", f"lacks {shown}{more}", "Score all cases, or leave the unmatched out."
            )
