"""AUROC of more than two classes: each against the rest, or each pair."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.statistics.delong import components


def multiclass_auroc(
    classes: ArrayLike,
    scores: ArrayLike,
    *,
    against: Literal["rest", "each"] = "rest",
    average: Literal["macro", "weighted"] = "macro",
    absent: Literal["error", "leave out"] = "error",
) -> tuple[float, dict[int, float]]:
    """(average AUROC, AUROC of each class or NaN) of scores (N, C) for class indices (N,).

    rest: one against all others; each: the mean of both directions of every pair (D. J. Hand and R. J. Till, 2001),
    whose value for a class is the mean over its pairs. weighted: by the cases of a class (of a pair). A class that does
    not occur raises InputError, or is left out of the average where so chosen.
    """
    truth, values = np.asarray(classes), np.asarray(scores, dtype=np.float64)
    if values.ndim != 2 or truth.shape != values.shape[:1] or not len(truth):
        raise InputError("scores", f"have shape {values.shape}, classes {truth.shape}", "Give (cases, classes).")
    if not np.isfinite(values).all():
        raise InputError("scores", "are not all finite", "Leave out the cases without a score.")
    if truth.dtype.kind not in "iu" or truth.min() < 0 or truth.max() >= values.shape[1]:
        raise InputError("classes", "are not indices of the columns", f"Give 0 to {values.shape[1] - 1}.")
    cases = np.bincount(truth, minlength=values.shape[1])
    if (cases == 0).any() and absent == "error":
        raise InputError(f"class {int(np.argmin(cases))}", "does not occur", "Give cases of it, or leave it out.")
    present = np.flatnonzero(cases)
    if len(present) < 2:
        raise InputError("classes", "hold one class only, so an ROC curve is not defined", "Give cases of two.")
    by_class = {int(c): float("nan") for c in range(values.shape[1])}
    if against == "rest":
        for c in present:
            by_class[int(c)] = float(components(truth == c, values[None, :, c])[0][0])
        areas, weights = [by_class[int(c)] for c in present], cases[present].astype(np.float64)
    else:
        pairs = {(int(a), int(b)): _pair(truth, values, int(a), int(b)) for a in present for b in present if a < b}
        for c in present:
            by_class[int(c)] = float(np.mean([area for pair, area in pairs.items() if c in pair]))
        areas = list(pairs.values())
        weights = np.array([cases[a] + cases[b] for a, b in pairs], dtype=np.float64)
    return float(np.average(areas, weights=weights if average == "weighted" else None)), by_class


def _pair(truth: NDArray[Any], values: NDArray[np.float64], a: int, b: int) -> float:
    rows = (truth == a) | (truth == b)
    forward = components(truth[rows] == a, values[None, rows, a])[0][0]
    backward = components(truth[rows] == b, values[None, rows, b])[0][0]
    return float(forward + backward) / 2
