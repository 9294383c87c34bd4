"""What a ranking rule is made of: data that names the challenge's metrics and its order of aggregation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from groundglass.core.errors import ConfigurationError

Aggregation = Literal["case ranks", "ranks of means", "normalised means", "means", "significance"]
Missing = Literal["refuse", "worst", "leave out"]
Ties = Literal["average", "min"]


@dataclass(frozen=True, slots=True)
class RankedMetric:
    """One metric of a scheme.

    `aliases` are other names that tables give it. Its value for an algorithm is the mean over cases, or with `against`
    the slope of a straight line through (`against`, this metric) over cases: seconds per frame from total times.
    """

    name: str
    higher_is_better: bool
    weight: float = 1.0
    aliases: tuple[str, ...] = ()
    against: str | None = None


@dataclass(frozen=True, slots=True)
class Scheme:
    """A challenge's ranking rule.

    `aggregation`:
    - "case ranks": rank per case and metric, then the weighted mean over metrics and the mean over cases (low wins);
    - "ranks of means": mean per metric, rank per metric, then the weighted mean of ranks (low wins);
    - "normalised means": mean per metric, 0 for the worst and 1 for the best algorithm (0.5 if all are equal), then the
      weighted sum (high wins);
    - "means": weighted mean of the metrics' means (high wins; metrics where low is better count negative);
    - "significance": the share of the other algorithms that a one-sided Wilcoxon signed-rank test finds worse at
      `alpha`, then the weighted mean over metrics and groups (high wins).

    `ties`: equal values within a metric share the average of their places, or the first of them. Equal final scores
    always share the first place. `missing`: see `rank`. `group_weights` weigh groups of cases (phases, tasks), which
    are otherwise pooled. With `optional_metrics` a table may lack some of the metrics. `must_beat` are the metrics of
    which a candidate has to better the baseline in at least one; `limits` are means above which it is not ranked.
    """

    name: str
    source: str
    metrics: tuple[RankedMetric, ...]
    aggregation: Aggregation
    missing: Missing = "refuse"
    ties: Ties = "average"
    group_weights: Mapping[str, float] = field(default_factory=dict)
    optional_metrics: bool = False
    alpha: float = 0.05
    must_beat: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [name for metric in self.metrics for name in (metric.name, *metric.aliases)]
        if not names or len(set(names)) < len(names):
            raise ConfigurationError(f"scheme {self.name}", "has no metrics, or a name twice", "Name each once.")
        if any(metric.weight < 0 for metric in self.metrics) or not sum(metric.weight for metric in self.metrics) > 0:
            raise ConfigurationError(f"scheme {self.name}", "has weights below 0 or none above", "Weights are shares.")
        if self.aggregation in ("case ranks", "significance") and any(metric.against for metric in self.metrics):
            raise ConfigurationError(f"scheme {self.name}", "has a slope, which no single case has", "Rank means.")

    @property
    def high_wins(self) -> bool:
        """Whether the greatest score is the best."""
        return self.aggregation in ("normalised means", "means", "significance")
