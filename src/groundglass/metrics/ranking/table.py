"""From rows of results to an array: algorithms x metrics x cases."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.ranking.scheme import Missing, RankedMetric, Scheme

_SHOWN = 5
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Result:
    """One value of one algorithm: `metric` in `case`; NaN where there is none.

    `group` is the phase, task or region that the case belongs to, `patient` whose case it is (by default its own).
    """

    algorithm: str
    case: str
    metric: str
    value: float
    group: str = ""
    patient: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`values` (A, M, C) of `algorithms`, `metrics` and cases; `against` (A, M, C) is the second column of slopes.

    NaN is a value that is left out. `groups` (C,) and `patients` (C,) are those of the cases, `missing` the number of
    values that the rows lack.
    """

    algorithms: tuple[str, ...]
    metrics: tuple[RankedMetric, ...]
    cases: tuple[str, ...]
    groups: NDArray[np.str_]
    patients: NDArray[np.str_]
    values: Array
    against: Array
    missing: int


def tabulate(rows: Iterable[Result], scheme: Scheme, missing: Missing) -> Table:
    """The table of a scheme's metrics; rows of other metrics are not looked at.

    A case is known by its group and its name. Raises InputError for no rows, duplicates, a case of two patients, -inf,
    a metric under two names, a metric of the scheme that no row has (unless the scheme allows it), and under
    `missing="refuse"` for missing values.
    """
    kept = list(rows)
    if not kept:
        raise InputError("results", "have no rows", "Give one row per algorithm, case and metric.")
    present = {row.metric for row in kept}
    names, metrics = _metric_names(present, scheme)
    algorithms = tuple(dict.fromkeys(row.algorithm for row in kept if row.metric in names))
    facts = _case_facts([row for row in kept if row.metric in names])
    keys = list(facts)
    place = {key: number for number, key in enumerate(keys)}
    row_of = {name: number for number, name in enumerate(algorithms)}
    filled = np.full((2, len(algorithms), len(metrics), len(keys)), np.nan)
    seen: set[tuple[int, int, int, int]] = set()
    for row in kept:
        for part, metric in names.get(row.metric, ()):
            cell = (part, row_of[row.algorithm], metric, place[row.group, row.case])
            if cell in seen:
                raise InputError(
                    "results", f"have {row.metric} of {row.algorithm} in {row.case} twice", "Keep one row of each."
                )
            seen.add(cell)
            filled[cell] = row.value
    values, against = filled
    for number, used in enumerate(metrics):
        if used.against is not None:
            values[:, number][np.isnan(against[:, number])] = np.nan
    absent = np.isnan(values)
    if absent.any() and missing == "refuse":
        raise _lack(absent, algorithms, metrics, keys)
    if missing == "worst":
        values = _worst(values, metrics)
    return Table(
        algorithms,
        metrics,
        tuple(case for _, case in keys),
        np.array([group for group, _ in keys]),
        np.array([facts[key] for key in keys]),
        values,
        against,
        int(absent.sum()),
    )


def _metric_names(
    present: set[str], scheme: Scheme
) -> tuple[dict[str, list[tuple[int, int]]], tuple[RankedMetric, ...]]:
    """For each name in the rows, the (part, metric) it fills: part 0 are values, 1 is the column of a slope."""
    names: dict[str, list[tuple[int, int]]] = {}
    metrics: list[RankedMetric] = []
    for metric in scheme.metrics:
        found = [name for name in (metric.name, *metric.aliases) if name in present]
        if len(found) > 1:
            raise InputError("results", f"have {metric.name} under {' and '.join(found)}", "Keep one of them.")
        if not found:
            if not scheme.optional_metrics:
                others = f" (or {', '.join(metric.aliases)})" if metric.aliases else ""
                raise InputError("results", f"lack the metric {metric.name}{others}", f"{scheme.name} ranks by it.")
            continue
        # Under its own name a slope is given as it is; from totals it is fitted.
        fitted = metric.against is not None and found[0] != metric.name
        if fitted and metric.against not in present:
            raise InputError("results", f"have {found[0]} without {metric.against}", "A slope needs both.")
        names.setdefault(found[0], []).append((0, len(metrics)))
        if fitted:
            names.setdefault(str(metric.against), []).append((1, len(metrics)))
        metrics.append(metric if fitted else replace(metric, against=None))
    if not metrics:
        raise InputError(
            "results", f"have no metric of {scheme.name}", f"Name them {', '.join(m.name for m in scheme.metrics)}."
        )
    return names, tuple(metrics)


def _case_facts(rows: Sequence[Result]) -> dict[tuple[str, str], str]:
    """The patient of each (group, case)."""
    facts: dict[tuple[str, str], str] = {}
    for row in rows:
        patient = row.patient or row.case
        if facts.setdefault((row.group, row.case), patient) != patient:
            raise InputError("results", f"give case {row.case} to two patients", "A case is of one patient.")
        if row.value == -math.inf:
            raise InputError("results", f"give {row.algorithm} {row.metric} -inf in {row.case}", "Correct the value.")
    return facts


def _worst(values: Array, metrics: Sequence[RankedMetric]) -> Array:
    """Missing values as the worst that any algorithm has in that metric (over all cases)."""
    filled = values.copy()
    for number, metric in enumerate(metrics):
        column = filled[:, number]
        if np.isnan(column).all():
            raise InputError("results", f"have no value of {metric.name}", "Leave the metric out or give values.")
        column[np.isnan(column)] = np.nanmin(column) if metric.higher_is_better else np.nanmax(column)
    return filled


def _lack(
    absent: NDArray[np.bool_],
    algorithms: Sequence[str],
    metrics: Sequence[RankedMetric],
    keys: Sequence[tuple[str, str]],
) -> InputError:
    cells = np.argwhere(absent)
    shown = ", ".join(f"{metrics[m].name} of {algorithms[a]} in {keys[c][1]}" for a, m, c in cells[:_SHOWN])
    more = f" and {len(cells) - _SHOWN} more" if len(cells) > _SHOWN else ""
    return InputError(
        "results", f"lack {shown}{more}", "Give the values, or choose how missing ones count (worst, leave out)."
    )
