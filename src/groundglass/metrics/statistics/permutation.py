"""Permutation tests of paired values: under the null hypothesis a patient's difference has either sign."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundglass.metrics.statistics.draws import Seed

_CELLS = 4_000_000


def sign_flip_p(differences: NDArray[np.float64], *, permutations: int = 10_000, seed: Seed = 0) -> NDArray[np.float64]:
    """Two-sided p values (G,) of the sums of `differences` (K, G) under sign flips of whole rows (patients).

    All 2^K sign patterns are tried when they are at most `permutations` (the test is then exact); otherwise that many
    are drawn and p = (1 + as extreme) / (1 + drawn) (B. Phipson and G. Smyth, 2010). Rows of one patient with several
    cases hold the sum of their differences.
    """
    patients = len(differences)
    observed = np.abs(differences.sum(axis=0))
    # Sums in another order differ in the last digits; an equal sum must count as extreme.
    threshold = observed - 1e-12 * np.abs(differences).sum(axis=0)
    exact = patients < 60 and 2**patients <= permutations
    total = 2**patients if exact else permutations
    rng = np.random.default_rng(seed)
    chunk = max(1, _CELLS // max(patients, 1))
    extreme = np.zeros(differences.shape[1], dtype=np.int64)
    for start in range(0, total, chunk):
        size = min(chunk, total - start)
        if exact:
            bits = (np.arange(start, start + size)[:, None] >> np.arange(patients)) & 1
        else:
            bits = rng.integers(0, 2, (size, patients), dtype=np.int8)
        flipped = (1.0 - 2.0 * bits) @ differences
        extreme += (np.abs(flipped) >= threshold).sum(axis=0)
    return extreme / total if exact else (1 + extreme) / (1 + total)
