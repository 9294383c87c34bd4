"""Drawing K of K with replacement, as counts: what every bootstrap here is made of, exact and a few times faster.

Given their total, independent Poisson counts are a multinomial draw. So Poisson counts with a rate a little below one
are read from a table, two random bytes a cell, and the few draws that are missing to K are added one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Seed = int | np.random.Generator
_CELLS = 1_000_000
"""Counts that are held at a time; they stay in the cache of a core."""

_CODES = 65536
_UNDECIDED = 255


def draw_counts(units: int, resamples: int, seed: Seed, *, chunk: int | None = None) -> Iterator[NDArray[np.uint8]]:
    """How often each of K units is drawn in a resample of K, (chunk, K) at a time: multinomial with equal chances."""
    rng = np.random.default_rng(seed)
    chunk = chunk or chunk_size(units)
    for start in range(0, resamples, chunk):
        yield _draw(units, min(chunk, resamples - start), rng)


def chunk_size(units: int) -> int:
    """Resamples of K units that are worth holding at a time."""
    return max(1, _CELLS // units)


def _draw(units: int, resamples: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    # Five standard deviations below: a total above K, which is drawn anew, is one in millions.
    rate = max(0.0, 1 - 5 / units**0.5)
    counts = _poisson(rate, (resamples, units), rng)
    totals = counts.sum(axis=1, dtype=np.int64)
    for row in np.flatnonzero(totals > units):
        while totals[row] > units:
            counts[row] = _poisson(rate, (1, units), rng)[0]
            totals[row] = counts[row].sum(dtype=np.int64)
    missing = units - totals
    added = np.repeat(np.arange(resamples) * units, missing) + rng.integers(0, units, int(missing.sum()))
    np.add.at(counts.reshape(-1), added, np.uint8(1))
    return counts


def _poisson(rate: float, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Poisson counts by inversion: of a 16-bit uniform, and exactly where 16 bits do not decide."""
    if rate == 0:
        return np.zeros(shape, dtype=np.uint8)
    cells = shape[0] * shape[1]
    codes = np.frombuffer(rng.bytes(2 * cells), dtype=np.uint16)
    counts = _table(rate).take(codes)
    undecided = np.flatnonzero(counts == _UNDECIDED)
    if len(undecided):
        from scipy.special import pdtrik

        uniform = (codes[undecided] + rng.random(len(undecided))) / _CODES
        counts[undecided] = np.ceil(np.clip(pdtrik(uniform, rate), 0, _UNDECIDED - 1)).astype(np.uint8)
    return counts.reshape(shape)


@lru_cache(maxsize=8)
def _table(rate: float) -> NDArray[np.uint8]:
    """The Poisson quantile of each 16-bit code, `_UNDECIDED` where it changes within the code."""
    from scipy.special import pdtr

    ends = pdtr(np.arange(60), rate)
    edges = np.arange(_CODES + 1) / _CODES
    low = np.searchsorted(ends, edges[:-1], side="left")
    high = np.searchsorted(ends, edges[1:], side="left")
    return np.where(low == high, low, _UNDECIDED).astype(np.uint8)
