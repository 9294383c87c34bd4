"""`score_masks`: every measure of every label of a pair of masks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from groundglass.core.cores import free_cores
from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.segmentation.checks import MaskPair, mask_pair
from groundglass.metrics.segmentation.conventions import Convention, find_convention
from groundglass.metrics.segmentation.label_view import LabelView
from groundglass.metrics.segmentation.scan import Scan, scan
from groundglass.metrics.segmentation.table import METRICS, Metric
from groundglass.metrics.segmentation.threads import in_threads

Tolerance = float | Mapping[int, float]


def score_masks(
    prediction: ArrayLike,
    truth: ArrayLike,
    spacing: float | Sequence[float],
    *,
    labels: Iterable[int] | None = None,
    tolerance_mm: Tolerance | None = None,
    convention: str | Convention = "plain",
    metrics: Sequence[str] | None = None,
    unlisted: Literal["refuse", "background"] = "refuse",
    threads: int | None = None,
) -> dict[int, dict[str, float]]:
    """Each metric of each label, as plain floats.

    `prediction` and `truth` are integer label maps, or boolean masks (label 1), of one shape (X, Y) or (X, Y, Z);
    `spacing` is in mm, per axis or one for all. `labels` are those to score, by default all that occur (in the truth
    only, where the convention says so; without any the result is empty); 0 is background. With `labels` given, other
    labels in the masks are an error, or count as background if `unlisted` says so. `tolerance_mm` is that of NSD, one
    for all or by label; by default the convention's. `metrics` are names of `METRICS`, by default the convention's.

    Where a mask is empty the convention's rule gives the value: NaN means undefined, not to be averaged. `rvd` and
    `arvd` of an empty truth and `cl_dice` without a skeleton are NaN under every convention.

    Raises GeometryError (shapes, spacing), InputError (float or NaN values, negative or unlisted labels, a boolean
    mask against several labels), ConfigurationError (unknown convention or metric, tolerance below 0).
    """
    pair, rules = mask_pair(prediction, truth, spacing), find_convention(convention)
    chosen = _metrics(metrics, rules, flat=pair.truth.ndim == 2)
    cores = threads or free_cores()
    found = scan(pair, surfaces=not all(metric.counts_only for metric in chosen), threads=cores)
    _one_coding(pair, found)
    wanted = _labels(labels, found, rules, unlisted)
    tolerances = {label: _tolerance(tolerance_mm, label, rules) for label in wanted}

    def scores(label: int) -> dict[str, float]:
        view = LabelView(found, label, tolerances[label], rules.lesions)
        return {metric.name: _value(metric, view, rules) for metric in chosen}

    return dict(zip(wanted, in_threads(scores, wanted, cores), strict=True))


def _value(metric: Metric, view: LabelView, convention: Convention) -> float:
    rule = convention.rule(metric.name, metric.family)
    settled = rule.value(view.counts.prediction, view.counts.truth, view.extent_mm) if rule else None
    return float(metric.measure(view)) if settled is None else settled


def _metrics(names: Sequence[str] | None, convention: Convention, *, flat: bool) -> list[Metric]:
    unknown = [name for name in names or () if name not in METRICS]
    if unknown:
        raise ConfigurationError(f"metric {', '.join(unknown)}", "is not known", f"Use one of {', '.join(METRICS)}.")
    if names is None:
        return [METRICS[name] for name in convention.metrics if not (flat and METRICS[name].volumes_only)]
    if flat and (solid := [name for name in names if METRICS[name].volumes_only]):
        raise ConfigurationError(f"metric {', '.join(solid)}", "is defined for volumes only", "Leave it out.")
    return [METRICS[name] for name in names]


def _one_coding(pair: MaskPair, found: Scan) -> None:
    """A boolean mask is label 1; against a map of other labels it says nothing."""
    masks = {"prediction": pair.prediction, "truth": pair.truth}
    flags = [name for name, mask in masks.items() if mask.dtype.kind == "b"]
    others = sorted(set(found.codes) - {1})
    if flags and others:
        raise InputError(
            flags[0], f"is a boolean mask, the other a map with labels {others}", "Compare it with one label: map == n."
        )


def _labels(
    labels: Iterable[int] | None, found: Scan, convention: Convention, unlisted: Literal["refuse", "background"]
) -> list[int]:
    present = sorted(found.codes)
    if labels is None:
        return [n for n in present if convention.labels == "union" or found.counts[n].truth]
    wanted = [int(label) for label in labels]
    wrong = [label for label in wanted if label < 1] + sorted({n for n in wanted if wanted.count(n) > 1})
    if wrong:
        raise InputError("labels", f"name {wrong}", "Name each label above 0 once.")
    other = sorted(set(present) - set(wanted))
    if other and unlisted == "refuse":
        where = "truth" if any(found.counts[n].truth for n in other) else "prediction"
        raise InputError(
            where, f"holds labels {other}, which were not named", "Name them, or count them as background."
        )
    return wanted


def _tolerance(tolerance: Tolerance | None, label: int, convention: Convention) -> float:
    if isinstance(tolerance, Mapping):
        if label not in tolerance:
            raise ConfigurationError("tolerance_mm", f"has no value for label {label}", "Give one for every label.")
        value = float(tolerance[label])
    else:
        value = convention.tolerance_mm if tolerance is None else float(tolerance)
    if not np.isfinite(value) or value < 0:
        raise ConfigurationError(f"tolerance_mm {value}", "is not a distance", "Use a number of mm, 0 or more.")
    return value
