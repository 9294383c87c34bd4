"""Agreement of two readers beyond chance."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from groundglass.metrics.classification.decisions import confusion_matrix

Weights = Literal["none", "linear", "quadratic"]


def cohen_kappa(
    first: ArrayLike, second: ArrayLike, *, weights: Weights = "none", classes: Sequence[Hashable] | None = None
) -> float:
    """Cohen's kappa of classes (N,), weighted by the distance of classes in their order: |i - j| or (i - j)^2.

    Give all `classes` in order when some may not occur: the distance is of places in this order, not of values. NaN
    when both say one and the same class throughout, as chance then explains everything (J. Cohen, 1960 and 1968).
    """
    counts, _ = confusion_matrix(first, second, classes=classes)
    places = np.arange(len(counts))
    distance = np.abs(places[:, None] - places)
    cost = {"none": distance > 0, "linear": distance, "quadratic": distance**2}[weights].astype(np.float64)
    total = counts.sum()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    by_chance = float((cost * expected).sum())
    return 1 - float((cost * counts).sum()) / by_chance if by_chance > 0 else float("nan")
