"""Label sets as bits: whole sets that agree, single bits that do not, F1 over all bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def exact_match(truth: ArrayLike, said: ArrayLike) -> float:
    """Share of rows (N, bits) that agree in every bit."""
    return float((np.asarray(truth) == np.asarray(said)).all(axis=1).mean())


def hamming_loss(truth: ArrayLike, said: ArrayLike) -> float:
    """Share of single bits (N, bits) that differ."""
    return float((np.asarray(truth) != np.asarray(said)).mean())


def micro_f1(truth: ArrayLike, said: ArrayLike) -> float:
    """F1 over all bits (N, bits) together; 1 when there is nothing to find and nothing was said."""
    real, claimed = np.asarray(truth).astype(bool), np.asarray(said).astype(bool)
    hits = int((real & claimed).sum())
    total = int(real.sum() + claimed.sum())
    return 2 * hits / total if total else 1.0
