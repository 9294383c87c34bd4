"""All figures of fidelity and diversity of a generator, overall and finding by finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from groundglass.core.errors import InputError
from groundglass.metrics.generative.features import feature_sets
from groundglass.metrics.generative.frechet import fid
from groundglass.metrics.generative.kernel import Kid, kid
from groundglass.metrics.generative.neighbours import Neighbourhoods, neighbourhoods


@dataclass(frozen=True, slots=True)
class Fidelity:
    """The figures of `real` real and `synthetic` synthetic images."""

    fid: float
    kid: Kid
    neighbourhoods: Neighbourhoods
    real: int
    synthetic: int


def fidelity(
    real: ArrayLike,
    synthetic: ArrayLike,
    *,
    k: int = 5,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> Fidelity:
    """FID, KID and the four neighbour figures of features (N, D), (M, D).

    KID's subsets are cut to half of the smaller set where they would be larger. Raises InputError for sets of no more
    than `k` images, else as the single figures.
    """
    first, second = feature_sets(real, synthetic, least=max(k + 1, 4))
    size = min(subset_size, min(len(first), len(second)) // 2)
    return Fidelity(
        fid(first, second),
        kid(first, second, subsets=subsets, subset_size=size, seed=seed),
        neighbourhoods(first, second, k=k),
        len(first),
        len(second),
    )


def fidelity_by_label(
    real: ArrayLike,
    synthetic: ArrayLike,
    real_labels: ArrayLike,
    synthetic_labels: ArrayLike,
    names: Sequence[str],
    *,
    k: int = 5,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> tuple[dict[str, Fidelity], dict[str, str]]:
    """(figures by label, why a label has none): for each of L findings the images that have it.

    `real_labels` (N, L) and `synthetic_labels` (M, L) are 1 where an image (or its prompt) has the finding; anything
    else (0, -1, NaN) is not counted. FID of few images is biased upward: compare generators on equal n only.
    """
    first, second = feature_sets(real, synthetic)
    tables = []
    for labels, rows, name in ((real_labels, len(first), "real"), (synthetic_labels, len(second), "synthetic")):
        table = np.asarray(labels)
        if table.shape != (rows, len(names)):
            raise InputError(
                f"{name} labels", f"have shape {table.shape}, not {(rows, len(names))}", "One row an image."
            )
        tables.append(table == 1)
    found: dict[str, Fidelity] = {}
    without: dict[str, str] = {}
    for number, name in enumerate(names):
        ours, theirs = first[tables[0][:, number]], second[tables[1][:, number]]
        least = max(k + 1, 4)
        if min(len(ours), len(theirs)) < least:
            without[name] = f"{len(ours)} real and {len(theirs)} synthetic images; {least} of each are needed"
            continue
        found[name] = fidelity(ours, theirs, k=k, subsets=subsets, subset_size=subset_size, seed=seed)
    return found, without
