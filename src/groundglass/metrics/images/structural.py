"""Structural similarity (Z. Wang et al., IEEE Transactions on Image Processing 2004; 13: 600).

    SSIM = (2 m_x m_y + C1) (2 s_xy + C2) / ((m_x^2 + m_y^2 + C1) (s_x^2 + s_y^2 + C2)),  C_i = (K_i data_range)^2

with means and (co)variances over a window around every pixel. Two windows are in use, and their numbers differ: Wang's
Gaussian of 11 pixels with sigma 1.5 ("gaussian-11"; torchmetrics, MONAI), and a uniform one of 7 with sample covariance
("uniform-7"; scikit-image's default, fastMRI, SynthRAD). Of the border there are two views, too: only windows that lie
wholly inside the image count ("inside"; Wang, scikit-image), or every pixel counts, the image being mirrored at its
edge pixels ("mirror"; torchmetrics).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError, EmptyMaskError, GeometryError
from groundglass.metrics.images.pair import checked_range, mask_of, real_pair
from groundglass.metrics.images.ssim_window import SsimWindow, find_window

Array = NDArray[np.float64]
Border = Literal["inside", "mirror"]
K1, K2 = 0.01, 0.03


def ssim(
    prediction: ArrayLike,
    truth: ArrayLike,
    *,
    data_range: float,
    window: str | SsimWindow = "gaussian-11",
    border: Border = "inside",
    mask: ArrayLike | None = None,
    k1: float = K1,
    k2: float = K2,
) -> float:
    """Mean SSIM of two images (X, Y) or (X, Y, Z) (then with cubic windows).

    `data_range` is highest minus lowest possible value. With a `mask` the mean is over the windows whose centre is in
    it; the windows reach beyond it, so what lies outside has an influence (set it alike in both images to remove it).
    Raises GeometryError (shapes, an image smaller than the window), InputError (NaN), EmptyMaskError (no window has
    its centre in the mask), ConfigurationError (range, window).
    """
    values = ssim_map(prediction, truth, data_range=data_range, window=window, border=border, k1=k1, k2=k2)
    if mask is None:
        return float(values.mean())
    reach = find_window(window).reach
    inner = mask_of(mask, np.shape(truth))
    if border == "inside":
        inner = inner[(slice(reach, -reach),) * values.ndim]
    if not inner.any():
        raise EmptyMaskError("mask", f"lies within {reach} pixels of the border", "No window fits around its pixels.")
    return float(values[inner].mean())


def ssim_map(
    prediction: ArrayLike,
    truth: ArrayLike,
    *,
    data_range: float,
    window: str | SsimWindow = "gaussian-11",
    border: Border = "inside",
    k1: float = K1,
    k2: float = K2,
) -> Array:
    """SSIM of every window inside the image, (X - size + 1, Y - size + 1[, Z - size + 1]), or with `border="mirror"`
    of every pixel, (X, Y[, Z]). Raises as `ssim`.
    """
    ours, theirs = real_pair(prediction, truth, (2, 3))
    shape = find_window(window)
    luminance, contrast = similarity_maps(ours, theirs, checked_range(data_range), shape, k1, k2, border)
    return luminance * contrast


def similarity_maps(
    x: Array,
    y: Array,
    data_range: float,
    window: SsimWindow,
    k1: float,
    k2: float,
    border: Border,
) -> tuple[Array, Array]:
    """The two factors of SSIM: luminance, and contrast with structure.

    Raises GeometryError for a small image, ConfigurationError for an unknown border.
    """
    if border not in ("inside", "mirror"):
        raise ConfigurationError(f"border {border}", "is not known", "Use inside or mirror.")
    if min(x.shape) < window.size:
        raise GeometryError(
            "images", f"of shape {x.shape} are smaller than a window of {window.size}", "Pass larger images."
        )
    c1, c2 = (k1 * data_range) ** 2, (k2 * data_range) ** 2
    # Second moments about a common level near the values, so that a large offset does not eat their digits.
    level = float(y.mean())
    x, y = x - level, y - level
    if border == "mirror":
        x, y = np.pad(x, window.reach, mode="reflect"), np.pad(y, window.reach, mode="reflect")
    mean_x, mean_y = window.smooth(x), window.smooth(y)
    factor = window.factor(x.ndim)
    spread = factor * (window.smooth(x * x) - mean_x**2 + window.smooth(y * y) - mean_y**2)
    shared = factor * (window.smooth(x * y) - mean_x * mean_y)
    mean_x, mean_y = mean_x + level, mean_y + level
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return luminance, (2 * shared + c2) / (spread + c2)
