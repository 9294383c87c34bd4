"""What a kind of comparison (masks, boxes, labels, ...) has to offer, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from groundglass.app.compare.settings import Settings
from groundglass.core import ConfigurationError
from groundglass.metrics.statistics import Row


@dataclass(frozen=True, slots=True)
class Measure:
    """How a metric is shown: its title and unit ("" for a ratio), and whether more is better."""

    title: str
    unit: str = ""
    higher_is_better: bool = True


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of all cases together, that no single case has (an AUROC, a mean average precision).

    `low` and `high` are the bounds of a 95 % interval (NaN where none is made), `n` the cases it stands on.
    """

    label: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    patients: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Test:
    """The first minus the second prediction over `n` cases of `patients`; `left_out` cases lack a value.

    `p` holds a two-sided p value per test (wilcoxon, permutation, delong), `holm` the same after Holm's correction over
    all metrics and labels with that test.
    """

    label: str
    metric: str
    n: int
    patients: int
    left_out: int
    difference: float
    low: float
    high: float
    p: Mapping[str, float]
    holm: Mapping[str, float]


@dataclass(frozen=True)
class Scored:
    """One prediction against the truth.

    `cases` counts those that were to be scored, `missing` names those without a prediction, `failures` those that could
    not be scored, with the reason. `extra` goes into the JSON as it is, `material` is what `Kind.tests` needs.
    """

    rows: Sequence[Row] = ()
    figures: Sequence[Figure] = ()
    cases: int = 0
    missing: Sequence[str] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    material: Any = None


class Kind(Protocol):
    """A kind of comparison with its own options."""

    @property
    def name(self) -> str:
        """The command: seg, boxes, ..."""

    @property
    def rules(self) -> Mapping[str, Any]:
        """The conventions in force, for the record: tolerances, empty rules, thresholds."""

    def measure(self, metric: str) -> Measure:
        """How a metric is shown."""

    def score(self, prediction: Path, truth: Path, settings: Settings) -> Scored:
        """All cases. Raises the typed errors of core where nothing can be scored."""

    def tests(self, first: Scored, second: Scored, settings: Settings) -> Sequence[Test]:
        """Paired tests of figures of all cases together; the rows are tested by `run`."""


def chosen_metrics(asked: Sequence[str], known: Sequence[str], usual: Sequence[str] | None = None) -> tuple[str, ...]:
    """Those asked for, else the usual ones (all known). Raises ConfigurationError naming the known ones."""
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise ConfigurationError(f"--metrics {unknown[0]}", "is not a metric here", f"There are {', '.join(known)}.")
    return tuple(asked) or tuple(known if usual is None else usual)
