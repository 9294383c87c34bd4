"""Challenge rankings: who is first by a challenge's own rule, and how sure that is.

    rows = [Result("team A", "case 1", "dice", 0.81), ...]       # one value per algorithm, case and metric
    ranking = rank(rows, "isles")                                # a name of SCHEMES, or a Scheme of your own
    for line in ranking.lines: line.rank, line.algorithm, line.score, line.rank_low, line.rank_high

Schemes: `isles` (2022 and 2024), `verse`, `synthrad`, `trackrad`, `pitvis` (and `pitvis-steps`, `pitvis-instruments`),
`mc-mri`. A `Scheme` is data: its metrics with direction, weight and other names that they go by, the order of
aggregation (per-case ranks, ranks of means, normalised means, means, significance points), the rule for ties, and the
rule for missing cases (`refuse`, `worst`, `leave out`), which `rank(..., missing=)` overrides.

Stability (L. Maier-Hein et al., Nature Communications 2018; 9: 5217): the ranking is repeated on bootstrap samples of
the cases (whole patients; within each group), from a seed. It gives rank intervals, how often each is first, the
distribution of Kendall's tau against the full ranking (`Ranking.tau`); `Ranking.pair_tests()` are Wilcoxon tests of
all pairs with Holm's correction. `Ranking.excluded` says who was not ranked and why (`rank(..., baseline=)`).
"""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "Line": "ranking",
    "PairTest": "pair_tests",
    "RankedMetric": "scheme",
    "Ranking": "ranking",
    "Result": "table",
    "SCHEMES": "schemes",
    "Scheme": "scheme",
    "find_scheme": "schemes",
    "kendall_tau": "stability",
    "rank": "ranking",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
