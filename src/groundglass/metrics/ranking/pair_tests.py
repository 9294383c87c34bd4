"""Which differences between algorithms are more than chance, metric by metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from groundglass.metrics.ranking.table import Table
from groundglass.metrics.statistics import holm
from groundglass.metrics.statistics.paired import wilcoxon_p


@dataclass(frozen=True, slots=True)
class PairTest:
    """`first` minus `second` in `metric` over the `n` cases that both have: two-sided Wilcoxon signed-rank p.

    `difference` is the mean, `holm` the p value corrected over all pairs of this metric.
    """

    metric: str
    first: str
    second: str
    n: int
    difference: float
    p: float
    holm: float


def pair_tests(table: Table) -> tuple[PairTest, ...]:
    """All pairs of algorithms in all metrics that a case has a value of (a slope has none)."""
    tests: list[PairTest] = []
    pairs = [(a, b) for a in range(len(table.algorithms)) for b in range(a + 1, len(table.algorithms))]
    for number, metric in enumerate(table.metrics):
        if metric.against is not None:
            continue
        rows = []
        for a, b in pairs:
            x, y = table.values[a, number], table.values[b, number]
            held = np.isfinite(x) & np.isfinite(y)
            gaps = x[held] - y[held]
            rows.append((len(gaps), float(gaps.mean()) if len(gaps) else np.nan, wilcoxon_p(gaps)))
        corrected = holm([p for _, _, p in rows]) if rows else ()
        tests += [
            PairTest(metric.name, table.algorithms[a], table.algorithms[b], n, gap, p, float(adjusted))
            for (a, b), (n, gap, p), adjusted in zip(pairs, rows, corrected, strict=True)
        ]
    return tuple(tests)
