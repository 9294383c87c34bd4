"""Grades in order (density A to D, retinopathy 0 to 4): how far off, not only how often."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.classification.agreement import cohen_kappa
from groundglass.metrics.classification.decisions import confusion_matrix
from groundglass.metrics.classification.roc import Auroc, auroc
from groundglass.metrics.statistics.delong import components


@dataclass(frozen=True, slots=True)
class OrdinalScores:
    """`mae` is in grades, `macro_mae` the mean of the MAEs of each true grade, `adjacent` the share at most one off."""

    accuracy: float
    adjacent: float
    mae: float
    macro_mae: float
    quadratic_kappa: float
    linear_kappa: float


def ordinal_scores(truth: ArrayLike, said: ArrayLike, *, grades: Sequence[Hashable]) -> OrdinalScores:
    """Figures of grades (N,), of which `grades` gives all in order. Raises InputError for any other grade."""
    counts, _ = confusion_matrix(truth, said, classes=grades)
    places = np.arange(len(counts))
    off = np.abs(places[:, None] - places)
    cases = counts.sum(axis=1)
    total = cases.sum()
    by_grade = (counts * off).sum(axis=1)[cases > 0] / cases[cases > 0]
    return OrdinalScores(
        accuracy=float(counts[off == 0].sum() / total),
        adjacent=float(counts[off <= 1].sum() / total),
        mae=float((counts * off).sum() / total),
        macro_mae=float(by_grade.mean()),
        quadratic_kappa=cohen_kappa(truth, said, weights="quadratic", classes=grades),
        linear_kappa=cohen_kappa(truth, said, weights="linear", classes=grades),
    )


def cumulative_aurocs(
    truth: ArrayLike, scores: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95
) -> dict[int, Auroc]:
    """AUROC of "grade >= k" for every cut k that both sides of which occur, of integer grades (N,).

    `scores` (N,) order the cases (an expected grade), or (N, G) are probabilities of grades 0 to G-1: each cut is then
    judged by the probability of its own event, as "referable retinopathy" (k = 2) or "dense breast" (C and D) are.
    """
    grades, values = _checked(truth, scores)
    found = {}
    for cut in range(int(grades.min()) + 1, int(grades.max()) + 1):
        score = values if values.ndim == 1 else values[:, cut:].sum(axis=1)
        if (grades >= cut).any() and (grades < cut).any():
            found[cut] = auroc(grades >= cut, score, clusters=clusters, level=level)
    return found


def ordinal_concordance(truth: ArrayLike, scores: ArrayLike) -> float:
    """Share of pairs of different grades (N,) that `scores` (N,) put in order, ties one half: the AUROC of many grades.

    Raises InputError when all cases are of one grade.
    """
    grades, values = _checked(truth, scores)
    levels = np.unique(grades)
    won = pairs = 0.0
    for position, lower in enumerate(levels):
        for upper in levels[position + 1 :]:
            rows = (grades == lower) | (grades == upper)
            area, v10, v01 = components(grades[rows] == upper, values[None, rows])
            count = v10.shape[1] * v01.shape[1]
            won, pairs = won + float(area[0]) * count, pairs + count
    if not pairs:
        raise InputError("grades", "are all the same, so no pair can be put in order", "Give cases of two grades.")
    return won / pairs


def _checked(truth: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    grades, values = np.asarray(truth), np.asarray(scores, dtype=np.float64)
    if grades.ndim != 1 or values.shape[:1] != grades.shape or not len(grades):
        raise InputError("scores", f"have shape {values.shape}, grades {grades.shape}", "Give one row per case.")
    if grades.dtype.kind not in "iu":
        raise InputError("grades", "are not integers", "Number the grades from 0 in their order.")
    if not np.isfinite(values).all():
        raise InputError("scores", "are not all finite", "Leave out the cases without a score.")
    if values.ndim == 2 and (grades.min() < 0 or grades.max() >= values.shape[1]):
        raise InputError("grades", f"do not fit {values.shape[1]} columns", "Number the grades from 0.")
    return grades.astype(np.int64), values
