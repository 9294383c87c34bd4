"""`compare points`: landmarks (a name occurs once in a case) and objects (any number of points of a label)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.app.compare.cases import listed, pair_cases
from groundglass.app.compare.kind import Figure, Measure, Scored, Test, chosen_metrics
from groundglass.app.compare.object_counts import (
    FROC_MEASURES,
    OBJECT_MEASURES,
    ObjectCounts,
    froc_figures,
    object_figures,
    object_rows,
    over_labels,
)
from groundglass.app.compare.point_files import LabelledPoint, PointFile, read_points
from groundglass.app.compare.resampling import intervals_of_sums
from groundglass.app.compare.settings import Settings
from groundglass.core import ConfigurationError, InputError
from groundglass.metrics.detection import FrocCase, match_points, nearest_points, point_froc_case
from groundglass.metrics.segmentation import Identification, identify
from groundglass.metrics.statistics import Row

LANDMARK = {
    "identification_rate": Measure("identification rate"),
    "identification_precision": Measure("identification precision"),
    "distance": Measure("distance", "unit", higher_is_better=False),
}
OBJECT = {
    **OBJECT_MEASURES,
    "nearest_distance": Measure("distance to the nearest true point", "unit", higher_is_better=False),
    **FROC_MEASURES,
}
MEASURES = {**LANDMARK, **OBJECT}
_WITHIN = {True: 20.0, False: 10.0}


@dataclass(frozen=True, slots=True)
class Points:
    """Points against points.

    `mode` is landmarks, objects, or auto: landmarks where no label occurs twice in a case and no point has a score.
    `within` is the largest distance of a hit (None: 20 for landmarks as VerSe, 10 for objects), in the unit of the
    coordinates after each axis was multiplied by `spacing`; `unit` is its name. Objects with a score from `threshold`
    on count in precision, recall and F1.
    """

    labels: tuple[str, ...] = ()
    mode: str = "auto"
    within: float | None = None
    spacing: tuple[float, ...] | None = None
    unit: str = "mm"
    threshold: float = 0.5

    @property
    def name(self) -> str:
        return "points"

    @property
    def rules(self) -> Mapping[str, Any]:
        if self.within is None:
            return {
                "hit": f"within {_WITHIN[True]:g} {self.unit} (landmarks) or {_WITHIN[False]:g} {self.unit} (objects)"
            }
        return {"hit": f"within {self.within:g} {self.unit}"}

    def measure(self, metric: str) -> Measure:
        known = MEASURES[metric]
        return Measure(known.title, self.unit, known.higher_is_better) if known.unit == "unit" else known

    def tests(self, first: Scored, second: Scored, settings: Settings) -> Sequence[Test]:
        return ()

    def score(self, prediction: Path, truth: Path, settings: Settings) -> Scored:
        """All cases. Raises the typed errors of core."""
        if self.mode not in ("auto", "landmarks", "objects"):
            raise ConfigurationError(f"--mode {self.mode}", "is not known", "Use auto, landmarks or objects.")
        if self.within is not None and not self.within > 0:
            raise ConfigurationError(f"--within {self.within}", "is no distance", "Use a number above 0.")
        real, said = read_points(truth, settings), read_points(prediction, settings)
        _check_axes(said, real, self.spacing)
        found = dict(said.cases)
        if len(real.cases) == len(found) == 1 and said.lists_cases and prediction.is_file():
            found = dict(zip(real.cases, found.values(), strict=True))
        elif not said.lists_cases:
            found = {**{case: [] for case in real.cases}, **found}
        cases, missing, extra = pair_cases(found, real.cases, prediction, truth, settings)
        labels = self._labels(found, real)
        pairs = [
            PointCase(
                case, real.patients[case], self._kept(found.get(case, []), labels), self._kept(real.cases[case], labels)
            )
            for case in cases
        ]
        _check_directions(said, real, cases)
        notes = [f"{len(extra)} prediction(s) have no truth and were left out: {listed(extra)}"] if extra else []
        twice = next((pair.case for pair in pairs if not pair.names_once), None)
        if self.mode == "landmarks" and twice is not None:
            raise InputError(twice, "has a name twice, so its points are no landmarks", "Use --mode objects.")
        is_scored = any(point.score is not None for pair in pairs for point in pair.found)
        if self.mode == "landmarks" or (self.mode == "auto" and twice is None and not is_scored):
            rows, figures = self._landmarks(pairs, labels, settings)
        else:
            rows, figures = self._objects(pairs, labels, settings, notes)
        return Scored(rows, figures, len(cases), tuple(missing), {}, notes)

    def _labels(self, found: Mapping[str, list[LabelledPoint]], real: PointFile) -> list[str]:
        true = sorted({point.label for points in real.cases.values() for point in points})
        if self.labels:
            return list(self.labels)
        strange = sorted({point.label for points in found.values() for point in points} - set(true))
        if strange and not true:
            raise InputError(real.path, "has no point at all", "Give at least one.")
        if strange:
            raise InputError(
                real.path,
                f"has no point named {listed(strange)}, which predictions have (it has {listed(true)})",
                "Name the labels to compare by --labels.",
            )
        return true

    def _kept(self, points: Sequence[LabelledPoint], labels: Sequence[str]) -> list[LabelledPoint]:
        scale = self.spacing
        kept = [point for point in points if point.label in labels]
        if scale is None:
            return kept
        return [
            LabelledPoint(p.label, tuple(a * mm for a, mm in zip(p.place, scale, strict=True)), p.score) for p in kept
        ]

    def _landmarks(
        self, pairs: Sequence[PointCase], labels: Sequence[str], settings: Settings
    ) -> tuple[list[Row], list[Figure]]:
        """Distances per name; identification per case, and pooled over all names of all cases."""
        metrics = chosen_metrics(settings.metrics, tuple(LANDMARK))
        number = {label: n for n, label in enumerate(labels)}
        within = _WITHIN[True] if self.within is None else self.within
        found: list[Identification] = [
            identify(
                {number[point.label]: point.place for point in pair.found},
                {number[point.label]: point.place for point in pair.true},
                tolerance_mm=within,
            )
            for pair in pairs
        ]
        rows: list[Row] = []
        for pair, one in zip(pairs, found, strict=True):
            per_case = {"identification_rate": one.rate, "identification_precision": one.precision}
            rows += [Row(pair.case, pair.patient, "all", m, per_case[m]) for m in metrics if m in per_case]
            if "distance" in metrics:
                named = {point.label for point in pair.true}
                rows += [
                    Row(pair.case, pair.patient, label, "distance", one.distances.get(number[label], math.nan))
                    for label in labels
                    if label in named
                ]
        table = np.array(
            [[len(o.hits), len(o.distances) + len(o.missing), len(o.distances) + len(o.extra)] for o in found]
        )
        pooled = intervals_of_sums(_shares, table.astype(float), [pair.patient for pair in pairs], settings)
        note = f"pooled over {int(table[:, 1].sum())} points"
        counts = (len(pairs), len({pair.patient for pair in pairs}))
        figures = [
            Figure("all", metric, one.estimate, one.low, one.high, *counts, note)
            for metric, one in zip(("identification_rate", "identification_precision"), pooled, strict=True)
            if metric in metrics
        ]
        return rows, figures

    def _objects(
        self, pairs: Sequence[PointCase], labels: Sequence[str], settings: Settings, notes: list[str]
    ) -> tuple[list[Row], list[Figure]]:
        """One-to-one matching per label; FROC where the predictions have scores."""
        scored = any(point.score is not None for pair in pairs for point in pair.found)
        usual = [metric for metric in OBJECT if scored or metric not in FROC_MEASURES]
        metrics = chosen_metrics(settings.metrics, tuple(OBJECT), usual)
        within = _WITHIN[False] if self.within is None else self.within
        counts = [self._counts(pair, labels, within) for pair in pairs]
        rows = object_rows(counts, metrics)
        if "nearest_distance" in metrics:
            rows += [
                Row(pair.case, pair.patient, "all", "nearest_distance", _nearest(pair, labels, within))
                for pair in pairs
            ]
        figures = object_figures(counts, metrics, settings)
        cases = [_froc_case(pair, labels, within) for pair in pairs]
        found, problems = froc_figures(cases, [pair.patient for pair in pairs], metrics, settings)
        notes += problems
        return rows, [*figures, *found]

    def _counts(self, pair: PointCase, labels: Sequence[str], within: float) -> ObjectCounts:
        sure = [point for point in pair.found if (1.0 if point.score is None else point.score) >= self.threshold]
        hits = sum(
            len(match_points(_places(sure, label), _places(pair.true, label), within=within).pairs) for label in labels
        )
        return ObjectCounts(pair.case, pair.patient, hits, len(sure), len(pair.true))


def parsed_spacing(option: str) -> tuple[float, ...] | None:
    """The numbers of `--spacing`. Raises ConfigurationError unless they are two or three, above 0."""
    if not option:
        return None
    try:
        numbers = tuple(float(part) for part in option.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (2, 3) or not all(math.isfinite(number) and number > 0 for number in numbers):
        raise ConfigurationError(f"--spacing {option}", "is not two or three sizes", "Write for instance 0.5,0.5,2.")
    return numbers


@dataclass(frozen=True, slots=True)
class PointCase:
    """One case with its found and true points of the labels that are compared."""

    case: str
    patient: str
    found: list[LabelledPoint]
    true: list[LabelledPoint]

    @property
    def names_once(self) -> bool:
        """True where no label occurs twice on a side."""
        names = [[point.label for point in points] for points in (self.found, self.true)]
        return all(len(set(side)) == len(side) for side in names)


def _check_axes(said: PointFile, real: PointFile, spacing: tuple[float, ...] | None) -> None:
    axes = {axes for axes in (said.axes, real.axes) if axes}
    if len(axes) > 1:
        raise InputError(
            f"{said.path} and {real.path}", "have points of two and of three coordinates", "Give both alike."
        )
    if spacing is not None and axes and len(spacing) not in axes:
        raise ConfigurationError(f"--spacing {spacing}", f"is not one number for each of {axes.pop()} axes", "Mend it.")


def _check_directions(said: PointFile, real: PointFile, cases: Sequence[str]) -> None:
    """VerSe files count along directions that they name; points of others are not comparable."""
    for case in cases:
        ours, theirs = said.direction.get(case, ""), real.direction.get(case, "")
        if ours and theirs and ours != theirs:
            raise InputError(
                f"{said.path} and {real.path}",
                f"count case {case} along {ours} and {theirs}",
                "Convert the points of one of them.",
            )


def _places(points: Sequence[LabelledPoint], label: str) -> NDArray[np.float64]:
    return np.array([point.place for point in points if point.label == label], dtype=np.float64)


def _nearest(pair: PointCase, labels: Sequence[str], within: float) -> float:
    """Mean distance of found points to the nearest true one of their label; NaN where a side has none."""
    images = [(_places(pair.found, label), _places(pair.true, label)) for label in labels]
    sizes = [len(found) if len(true) else 0 for found, true in images]
    if not sum(sizes):
        return math.nan
    means = [nearest_points([image], within=within).mae for image in images]
    return sum(mean * size for mean, size in zip(means, sizes, strict=True) if size) / sum(sizes)


def _froc_case(pair: PointCase, labels: Sequence[str], within: float) -> FrocCase:
    parts = [
        point_froc_case(
            _places(pair.found, label),
            [1.0 if point.score is None else point.score for point in pair.found if point.label == label],
            _places(pair.true, label),
            within=within,
        )
        for label in labels
    ]
    return over_labels(parts)


def _shares(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    hits, true, found = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack([hits / true, hits / found], axis=1)
