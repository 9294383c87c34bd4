"""How sure a ranking is: it is made again on bootstrap samples of the cases."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from groundglass.metrics.ranking.table import Table

_CHUNK = 256
Array = NDArray[np.float64]


def case_weights(table: Table, resamples: int, seed: int) -> Iterator[Array]:
    """How often each case is in each bootstrap sample, (r, C) at a time, `resamples` in all.

    Patients are drawn whole and with replacement, as many as there are, within each group.
    """
    rng = np.random.default_rng(seed)
    units = [f"{group}\0{patient}" for group, patient in zip(table.groups, table.patients, strict=True)]
    names, unit = np.unique(units, return_inverse=True)
    strata, stratum = np.unique([name.split("\0")[0] for name in names], return_inverse=True)
    for start in range(0, resamples, _CHUNK):
        size = min(_CHUNK, resamples - start)
        drawn = np.zeros((size, len(names)))
        for number in range(len(strata)):
            own = np.flatnonzero(stratum == number)
            drawn[:, own] = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), size=size)
        yield drawn[:, unit]


def kendall_tau(ranks: NDArray[np.intp], others: NDArray[np.intp]) -> Array:
    """Kendall's tau-b (R,) of the ranks (A,) with each of `others` (R, A) (M. G. Kendall, Biometrika 1945; 33: 239).

    NaN where one of the two orders nothing (all algorithms share a place).
    """
    first, second = np.triu_indices(len(ranks), 1)
    own = np.sign(ranks[first] - ranks[second])
    signs = np.sign(others[:, first] - others[:, second])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((signs * own).sum(axis=1) / np.sqrt((own**2).sum() * (signs**2).sum(axis=1)))
