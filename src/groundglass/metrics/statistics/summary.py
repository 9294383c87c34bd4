"""From one value per case, label and metric to the lines of a table.

NaN is a missing value: counted, and left out of every figure. An infinite value (a distance to an empty mask, where the
rule says so) stays in: the mean is then infinite and has no interval, median and quartiles keep their meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.statistics.bootstrap import Interval, bootstrap_means, check_options, cluster_codes

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One value: `metric` of `label` in `case`, which belongs to `patient`. NaN where it could not be had."""

    case: str
    patient: str
    label: str
    metric: str
    value: float


@dataclass(frozen=True, slots=True)
class Summary:
    """`metric` of `label` over `n` values of `patients`; `missing` more were NaN.

    `sd` is the sample's (n - 1), quartiles are linear between values (numpy's default), [`low`, `high`] is the
    interval of the mean at `level`.
    """

    metric: str
    label: str
    n: int
    missing: int
    patients: int
    mean: float
    sd: float
    median: float
    q1: float
    q3: float
    low: float
    high: float
    level: float


def summarise(rows: Iterable[Row], *, level: float = 0.95, resamples: int = 2000, seed: int = 0) -> list[Summary]:
    """A Summary per (metric, label), in order of first appearance.

    The interval is a bootstrap of whole patients, BCa at expanded levels (see `bootstrap`): it holds for several cases
    of one patient and is NaN for a single patient. Every line draws from the same `seed`, so adding a metric does not
    change the others. Raises InputError for two values of one (patient, case, label, metric).
    """
    check_options(level, resamples)
    groups = grouped(rows)
    intervals = _intervals(groups, level, resamples, seed)
    return [
        _summary(metric, label, group, interval)
        for ((metric, label), group), interval in zip(groups.items(), intervals, strict=True)
    ]


def grouped(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    """Rows by (metric, label). Raises InputError for duplicates."""
    groups: dict[tuple[str, str], dict[tuple[str, str], Row]] = {}
    twice: list[str] = []
    for row in rows:
        group = groups.setdefault((row.metric, row.label), {})
        if (row.patient, row.case) in group:
            twice.append(f"{row.case} ({row.metric}, {row.label})")
        group[row.patient, row.case] = row
    if twice:
        more = f" and {len(twice) - _SHOWN} more" if len(twice) > _SHOWN else ""
        raise InputError(
            "rows", f"hold two values for {', '.join(twice[:_SHOWN])}{more}", "Give each case one id and one value."
        )
    return {key: list(group.values()) for key, group in groups.items()}


def cluster_sums(
    values: NDArray[np.float64], patients: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(sum (K,), number (K,)) of the values of each of K patients."""
    codes, count = cluster_codes(patients)
    return np.bincount(codes, values, count).astype(np.float64), np.bincount(codes, minlength=count).astype(np.float64)


def _intervals(groups: dict[tuple[str, str], list[Row]], level: float, resamples: int, seed: int) -> list[Interval]:
    """One interval per group. Groups of as many patients share their draws."""
    found: list[Interval | None] = []
    by_patients: dict[int, list[tuple[int, NDArray[np.float64], NDArray[np.float64]]]] = {}
    for position, group in enumerate(groups.values()):
        held = [row for row in group if not np.isnan(row.value)]
        values = np.array([row.value for row in held])
        if not held or not np.isfinite(values).all():
            found.append(Interval(float(values.mean()) if held else np.nan, np.nan, np.nan, level))
            continue
        found.append(None)
        sums, sizes = cluster_sums(values, [row.patient for row in held])
        by_patients.setdefault(len(sums), []).append((position, sums, sizes))
    for members in by_patients.values():
        sums = np.stack([entry[1] for entry in members], axis=1)
        sizes = np.stack([entry[2] for entry in members], axis=1)
        answers = bootstrap_means(sums, sizes, level=level, resamples=resamples, seed=seed)
        for (position, _, _), answer in zip(members, answers, strict=True):
            found[position] = answer
    return [interval for interval in found if interval is not None]


def _summary(metric: str, label: str, group: list[Row], interval: Interval) -> Summary:
    held = [row for row in group if not np.isnan(row.value)]
    values = np.array([row.value for row in held])
    nan = float("nan")
    q1, median, q3 = [_quantile(np.sort(values), share) if held else nan for share in (0.25, 0.5, 0.75)]
    return Summary(
        metric,
        label,
        n=len(held),
        missing=len(group) - len(held),
        patients=len({row.patient for row in held}),
        mean=interval.estimate,
        sd=float(values.std(ddof=1)) if len(held) > 1 and np.isfinite(values).all() else nan,
        median=median,
        q1=q1,
        q3=q3,
        low=interval.low,
        high=interval.high,
        level=interval.level,
    )


def _quantile(ordered: NDArray[np.float64], share: float) -> float:
    """numpy's linear quantile; between a number and infinity it is infinite where numpy's is NaN."""
    position = share * (len(ordered) - 1)
    below = int(position)
    value, fraction = ordered[below], position - below
    if fraction == 0 or not np.isfinite(value):
        return float(value)
    return float(value + fraction * (ordered[below + 1] - value))
