"""Label sets as bits: whole sets that agree, single bits that do not, F1 over all bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import InputError


def exact_match(truth: ArrayLike, said: ArrayLike) -> float:
    """Share of rows (N, bits) that agree in every bit. Raises InputError as all three for other shapes and values."""
    real, claimed = checked_bits(truth, said)
    return float((real == claimed).all(axis=1).mean())


def hamming_loss(truth: ArrayLike, said: ArrayLike) -> float:
    """Share of single bits (N, bits) that differ."""
    real, claimed = checked_bits(truth, said)
    return float((real != claimed).mean())


def micro_f1(truth: ArrayLike, said: ArrayLike) -> float:
    """F1 over all bits (N, bits) together; 1 when there is nothing to find and nothing was said."""
    real, claimed = checked_bits(truth, said)
    hits = int((real & claimed).sum())
    total = int(real.sum() + claimed.sum())
    return 2 * hits / total if total else 1.0


def checked_bits(truth: ArrayLike, said: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Both as booleans (N, bits). Raises InputError for different or empty shapes and for values other than 0 and 1."""
    real, claimed = np.asarray(truth), np.asarray(said)
    if real.shape != claimed.shape or real.ndim != 2 or not len(real):
        raise InputError("labels said", f"have shape {claimed.shape}, the truth {real.shape}", "Give (cases, labels).")
    for values in (real, claimed):
        if values.dtype != bool and not np.isin(values, (0, 1)).all():
            raise InputError("labels", "hold values other than 0 and 1", "Decide first, then score.")
    return real.astype(bool), claimed.astype(bool)
