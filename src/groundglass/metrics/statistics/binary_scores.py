"""What every figure of a binary score needs: 0/1 truths, finite scores, both classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import InputError


def checked_labels(labels: ArrayLike, *, name: str = "labels") -> NDArray[np.bool_]:
    """Truths (N,) as booleans. Raises InputError for other shapes and for values other than 0 and 1."""
    given = np.asarray(labels)
    if given.ndim != 1 or not len(given):
        raise InputError(name, f"have shape {given.shape}", "Give one 0 or 1 per case.")
    if given.dtype != bool and not np.isin(given, (0, 1)).all():
        raise InputError(name, "hold values other than 0 and 1", "Give 1 for the class of interest, 0 for the rest.")
    return given.astype(bool)


def checked_scores(scores: ArrayLike, count: int) -> NDArray[np.float64]:
    """Scores (N,), as many as labels. Raises InputError for another shape, NaN or infinity."""
    values = np.asarray(scores, dtype=np.float64)
    if values.shape != (count,):
        raise InputError("scores", f"have shape {values.shape}, labels {(count,)}", "Give one score per case.")
    if not np.isfinite(values).all():
        raise InputError("scores", "are not all finite", "Leave out the cases without a score.")
    return values


def checked_binary(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Both, of cases of both classes. Raises InputError as above and when one class is absent."""
    truth = checked_labels(labels)
    values = checked_scores(scores, len(truth))
    if truth.all() or not truth.any():
        raise InputError("labels", "hold one class only, so an ROC curve is not defined", "Give cases of both classes.")
    return truth, values
