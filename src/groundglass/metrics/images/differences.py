"""Differences pixel by pixel: mean error, MAE, MSE, RMSE, nRMSE, NMSE, PSNR.

`prediction` and `truth` are arrays of one shape with any number of axes, real or complex (then |difference| counts);
`mask`, of the same shape, chooses the pixels that count. All raise InputError (NaN, empty), GeometryError (shapes) and
EmptyMaskError.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.images.pair import Values, checked_range, image_pair, mask_of

Normalisation = Literal["euclidean", "min-max", "mean", "sd"]


def mean_error(prediction: ArrayLike, truth: ArrayLike, *, mask: ArrayLike | None = None) -> float:
    """Mean of prediction minus truth (bias), in the images' unit. Raises InputError for complex images, too."""
    ours, theirs = _counted(prediction, truth, mask)
    if np.iscomplexobj(ours) or np.iscomplexobj(theirs):
        raise InputError("images", "are complex", "Compare magnitudes.")
    return float(np.mean(ours - theirs).real)


def mae(prediction: ArrayLike, truth: ArrayLike, *, mask: ArrayLike | None = None) -> float:
    """Mean absolute error in the images' unit: HU for CT, without clipping."""
    ours, theirs = _counted(prediction, truth, mask)
    return float(np.abs(ours - theirs).mean())


def mse(prediction: ArrayLike, truth: ArrayLike, *, mask: ArrayLike | None = None) -> float:
    """Mean squared error."""
    return _mse(*_counted(prediction, truth, mask))


def rmse(prediction: ArrayLike, truth: ArrayLike, *, mask: ArrayLike | None = None) -> float:
    """Square root of the mean squared error, in the images' unit."""
    return math.sqrt(mse(prediction, truth, mask=mask))


def nrmse(
    prediction: ArrayLike, truth: ArrayLike, *, normalisation: Normalisation, mask: ArrayLike | None = None
) -> float:
    """RMSE over a size of the truth (within the mask).

    `normalisation`: "euclidean" is the root of its mean square (so ||a - b|| / ||b||), "min-max" its range, "mean" its
    mean, "sd" its standard deviation. NaN where that size is 0; complex truths have a euclidean size and an sd only.
    """
    ours, theirs = _counted(prediction, truth, mask)
    if np.iscomplexobj(theirs) and normalisation not in ("euclidean", "sd"):
        raise ConfigurationError(
            f"normalisation {normalisation}", "is not defined for complex images", "Use euclidean."
        )
    if normalisation == "euclidean":
        size = math.sqrt(float(np.mean(np.abs(theirs) ** 2)))
    elif normalisation == "min-max":
        size = float(np.ptp(theirs.real))
    elif normalisation == "mean":
        size = float(theirs.mean().real)
    elif normalisation == "sd":
        size = float(np.std(theirs))
    else:
        raise ConfigurationError(
            f"normalisation {normalisation}", "is not known", "Use euclidean, min-max, mean or sd."
        )
    return math.sqrt(_mse(ours, theirs)) / size if size else math.nan


def nmse(prediction: ArrayLike, truth: ArrayLike, *, mask: ArrayLike | None = None) -> float:
    """||a - b||^2 / ||b||^2 (fastMRI, arXiv 1811.08839). NaN where the truth is 0."""
    ours, theirs = _counted(prediction, truth, mask)
    size = float(np.mean(np.abs(theirs) ** 2))
    return _mse(ours, theirs) / size if size else math.nan


def psnr(prediction: ArrayLike, truth: ArrayLike, *, data_range: float, mask: ArrayLike | None = None) -> float:
    """Peak signal-to-noise ratio 10 log10(data_range^2 / MSE) in dB; infinite for equal images.

    Raises ConfigurationError for a range that is not above 0.
    """
    peak = checked_range(data_range)
    error = mse(prediction, truth, mask=mask)
    return 20 * math.log10(peak) - 10 * math.log10(error) if error else math.inf


def _counted(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None) -> tuple[Values, Values]:
    ours, theirs = image_pair(prediction, truth)
    if mask is None:
        return ours, theirs
    inside: NDArray[np.bool_] = mask_of(mask, theirs.shape)
    return ours[inside], theirs[inside]


def _mse(ours: Values, theirs: Values) -> float:
    return float(np.mean(np.abs(ours - theirs) ** 2))
