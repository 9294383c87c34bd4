"""AUROC of what is said place by place: per group of places and attribute, and of a place against its mirror image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.classification.roc import Auroc, auroc


@dataclass(frozen=True, slots=True)
class PlaceAurocs:
    """AUROC by (place group, attribute's index), and their mean: each counts alike, however many cases it has."""

    macro: float
    each: dict[tuple[str, int], Auroc]


def place_aurocs(truth: ArrayLike, scores: ArrayLike, groups: Sequence[str]) -> PlaceAurocs:
    """Of scores (N, P, A) for truth (N, P, A) of 0 and 1, negative where nothing is stated; NaN scores are left out.

    `groups` (P,) names each place's group, whose places are pooled (left and right, say). A group and attribute without
    a case of both kinds is left out. Raises InputError for unequal shapes or when none is left.
    """
    real, said = _checked(truth, scores)
    names = np.asarray(groups)
    found: dict[tuple[str, int], tuple[NDArray[np.int64], NDArray[np.float64]]] = {}
    for group in dict.fromkeys(groups):
        for attribute in range(real.shape[2]):
            labels, values = real[:, names == group, attribute], said[:, names == group, attribute]
            kept = (labels >= 0) & ~np.isnan(values)
            found[group, attribute] = labels[kept], values[kept]
    return _areas(found)


def mirrored_aurocs(
    truth: ArrayLike, scores: ArrayLike, pairs: Sequence[tuple[int, int]], names: Sequence[str]
) -> PlaceAurocs:
    """AUROC of the place that has an attribute against its mirrored place in the same image, which has it not.

    `pairs` are indices of places that mirror each other, `names` what to call each pair. An image counts for a pair and
    attribute when it states both and exactly one has it. Raises InputError as `place_aurocs` does.
    """
    real, said = _checked(truth, scores)
    found: dict[tuple[str, int], tuple[NDArray[np.int64], NDArray[np.float64]]] = {}
    for (first, second), name in zip(pairs, names, strict=True):
        for attribute in range(real.shape[2]):
            labels, values = real[:, (first, second), attribute], said[:, (first, second), attribute]
            one = (labels >= 0).all(axis=1) & ~np.isnan(values).any(axis=1) & (labels.sum(axis=1) == 1)
            found[name, attribute] = labels[one].ravel(), values[one].ravel()
    return _areas(found)


def _areas(found: dict[tuple[str, int], tuple[NDArray[np.int64], NDArray[np.float64]]]) -> PlaceAurocs:
    each = {key: auroc(labels, values) for key, (labels, values) in found.items() if len(np.unique(labels)) == 2}
    if not each:
        raise InputError("truth", "has no attribute with cases of both kinds", "Give films with and without findings.")
    return PlaceAurocs(float(np.mean([area.value for area in each.values()])), each)


def _checked(truth: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    real, said = np.asarray(truth, dtype=np.int64), np.asarray(scores, dtype=np.float64)
    if real.shape != said.shape or real.ndim != 3:
        raise InputError("scores", f"have shape {said.shape}, the truth {real.shape}", "Give (images, places, labels).")
    return real, said
