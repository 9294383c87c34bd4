"""Objects found, missed and invented, per case, pooled and along scores: what boxes and points share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.app.compare.kind import Figure, Measure
from groundglass.app.compare.resampling import intervals_of_sums
from groundglass.app.compare.settings import Settings
from groundglass.core import InputError
from groundglass.metrics.detection import FrocCase, Matching, froc_curve
from groundglass.metrics.statistics import Row, bootstrap_statistic

OBJECT_MEASURES = {
    "precision": Measure("precision"),
    "recall": Measure("recall"),
    "f1": Measure("F1"),
    "count_error": Measure("count error", higher_is_better=False),
}
FROC_MEASURES = {
    "froc": Measure("FROC score (1/8 to 8 false per case)"),
    "sensitivity_at_1": Measure("sensitivity at 1 false per case"),
}
POOLED = ("precision", "recall", "f1")


@dataclass(frozen=True, slots=True)
class ObjectCounts:
    """One case: pairs of a found and a true object, objects found, objects true."""

    case: str
    patient: str
    hits: int
    found: int
    true: int


def object_rows(counts: Sequence[ObjectCounts], metrics: Sequence[str]) -> list[Row]:
    """F1 and the absolute count error per case; two empty sets agree (1 and 0)."""
    rows = []
    for metric in metrics:
        for one in counts:
            if metric == "f1":
                pairs = tuple((n, n) for n in range(one.hits))
                rows.append(Row(one.case, one.patient, "all", metric, Matching(pairs, one.found, one.true).f1))
            elif metric == "count_error":
                rows.append(Row(one.case, one.patient, "all", metric, float(abs(one.found - one.true))))
    return rows


def object_figures(counts: Sequence[ObjectCounts], metrics: Sequence[str], settings: Settings) -> list[Figure]:
    """Precision, recall and F1 of all objects together, so that cases weigh by their objects; 0 / 0 is undefined."""
    wanted = [metric for metric in metrics if metric in POOLED]
    if not wanted:
        return []
    table = np.array([[one.hits, one.found, one.true] for one in counts], dtype=np.float64)
    patients = [one.patient for one in counts]
    found = intervals_of_sums(_pooled, table, patients, settings)
    note = f"{int(table[:, 2].sum())} true, {int(table[:, 1].sum())} found"
    return [
        Figure("all", metric, one.estimate, one.low, one.high, len(counts), len(set(patients)), note)
        for metric in wanted
        for one in [found[POOLED.index(metric)]]
    ]


def _pooled(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    hits, found, true = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack([hits / found, hits / true, 2 * hits / (found + true)], axis=1)


def over_labels(parts: Sequence[FrocCase]) -> FrocCase:
    """One case of all labels together: objects of different labels never match."""
    nothing = np.zeros(0)
    return FrocCase(
        np.concatenate([nothing, *(part.lesions for part in parts)]),
        np.concatenate([nothing, *(part.false for part in parts)]),
    )


def froc_figures(
    cases: Sequence[FrocCase], patients: Sequence[str], metrics: Sequence[str], settings: Settings
) -> tuple[list[Figure], list[str]]:
    """Figures along the scores, and why one could not be had (no object in too many resamples)."""
    figures, notes = [], []
    for metric in metrics:
        if metric not in FROC_MEASURES:
            continue

        def value(rows: NDArray[np.intp], metric: str = metric) -> float:
            curve = froc_curve([cases[n] for n in rows])
            return curve.score() if metric == "froc" else curve.score((1.0,))

        try:
            found = bootstrap_statistic(value, patients, resamples=settings.resamples, seed=settings.seed)
        except InputError as error:
            notes.append(f"no {FROC_MEASURES[metric].title}: {error.problem}")
            continue
        objects = sum(len(case.lesions) for case in cases)
        counts = (len(cases), len(set(patients)))
        figures.append(Figure("all", metric, found.estimate, found.low, found.high, *counts, f"{objects} true"))
    return figures, notes
