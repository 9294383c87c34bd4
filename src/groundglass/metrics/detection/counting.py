"""Counts said against counts true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from groundglass.core import InputError


@dataclass(frozen=True, slots=True)
class Counting:
    """Mean absolute, mean squared and root mean squared error, mean signed error (said minus true), share exact."""

    mae: float
    mse: float
    rmse: float
    bias: float
    exact: float
    images: int


def counting_scores(truth: ArrayLike, said: ArrayLike) -> Counting:
    """From counts (N,) per image. Raises InputError for other shapes, no image, NaN or negative counts."""
    real, claimed = np.asarray(truth, dtype=np.float64), np.asarray(said, dtype=np.float64)
    if real.shape != claimed.shape or real.ndim != 1 or not len(real):
        raise InputError("counts said", f"have shape {claimed.shape}, the truth {real.shape}", "Give one per image.")
    if not (np.isfinite(real).all() and np.isfinite(claimed).all() and real.min() >= 0 and claimed.min() >= 0):
        raise InputError("counts", "are not all finite and at least 0", "Score what could not be read as missing.")
    off = claimed - real
    square = float((off**2).mean())
    return Counting(
        float(np.abs(off).mean()), square, square**0.5, float(off.mean()), float((off == 0).mean()), len(real)
    )
