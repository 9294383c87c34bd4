"""From images to patients: one score per patient under a rule, and what a rule does to false alarms.

Every rule is written as a score, so that a threshold on it is the rule: `consecutive` with k says "at least k
neighbouring slices at or above the threshold", `share` with f "at least this share of them". Choose it on validation
patients only.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.statistics.binary_scores import checked_labels
from groundglass.metrics.statistics.bootstrap import cluster_codes

Rule = Literal["any", "mean", "median", "consecutive", "share"]


def patient_scores(
    patients: ArrayLike,
    scores: ArrayLike,
    *,
    rule: Rule = "any",
    consecutive: int = 3,
    share: float = 0.1,
    position: ArrayLike | None = None,
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """(patients (P,) sorted, score of each (P,)) from the `scores` (N,) of images that belong to `patients` (N,).

    any: the highest; mean and median: of all; consecutive: the highest t such that `consecutive` images in a row, by
    `position` (N,) (order given, unless said), are >= t (fewer images than that: the lowest possible, -inf); share: the
    highest t that at least the given `share` of images reaches. Raises InputError for NaN and unequal lengths.
    """
    values, names = np.asarray(scores, dtype=np.float64), np.asarray(patients)
    if values.ndim != 1 or names.shape != values.shape or not len(values):
        raise InputError("scores", f"have shape {values.shape}, patients {names.shape}", "Give one patient per image.")
    if np.isnan(values).any():
        raise InputError("scores", "hold NaN", "Leave out the images without a score.")
    if consecutive < 1 or not 0 < share <= 1:
        raise ConfigurationError(
            f"consecutive {consecutive}, share {share}", "ask for no image", "Pass at least 1 image and a share > 0."
        )
    places = np.arange(len(values)) if position is None else np.asarray(position)
    if places.shape != values.shape:
        raise InputError("position", f"has shape {places.shape}, scores {values.shape}", "Give one per image.")
    rules: dict[Rule, Callable[[NDArray[np.float64]], float]] = {
        "any": lambda own: float(own.max()),
        "mean": lambda own: float(own.mean()),
        "median": lambda own: float(np.median(own)),
        "consecutive": lambda own: _run(own, consecutive),
        "share": lambda own: float(np.sort(own)[-ceil(share * len(own) - 1e-9)]),
    }
    codes, count = cluster_codes(names)
    order = np.lexsort((places, codes))
    members = np.split(values[order], np.searchsorted(codes[order], np.arange(1, count)))
    return np.unique(names), np.array([rules[rule](own) for own in members])


def patient_labels(patients: ArrayLike, labels: ArrayLike) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """(patients (P,) sorted, whether any of a patient's images (N,) is positive (P,))."""
    truth, names = checked_labels(labels), np.asarray(patients)
    if names.shape != truth.shape:
        raise InputError("labels", f"have shape {truth.shape}, patients {names.shape}", "Give one patient per image.")
    codes, count = cluster_codes(names)
    return np.unique(names), np.bincount(codes, truth, count) > 0


def any_slice_rate(slice_rate: float, slices: int) -> float:
    """False-positive rate of a patient when one alarm of independent slices suffices: 1 - (1 - q)^n."""
    _rate(slice_rate)
    return float(-np.expm1(slices * np.log1p(-slice_rate))) if slice_rate < 1 else float(slices > 0)


def consecutive_slices_rate(slice_rate: float, slices: int, consecutive: int) -> float:
    """The same when k alarms in a row are needed: probability of a run of k in n independent trials, by recursion.

    P(n) = P(n-1) + (1 - P(n-k-1)) (1 - q) q^k, P(k) = q^k (A. de Moivre; W. Feller, vol. 1, XIII.7).
    """
    _rate(slice_rate)
    if consecutive < 1:
        raise ConfigurationError(f"{consecutive} slices", "are none", "Pass at least 1.")
    if slices < consecutive:
        return 0.0
    run = slice_rate**consecutive
    reached = [0.0] * consecutive + [run]
    for n in range(consecutive + 1, slices + 1):
        reached.append(reached[n - 1] + (1 - reached[n - consecutive - 1]) * (1 - slice_rate) * run)
    return reached[slices]


def _run(own: NDArray[np.float64], length: int) -> float:
    if len(own) < length:
        return -np.inf
    return float(np.lib.stride_tricks.sliding_window_view(own, length).min(axis=1).max())


def _rate(value: float) -> None:
    if not 0 <= value <= 1:
        raise ConfigurationError(f"rate {value}", "is not a rate", "Pass a number from 0 to 1.")
