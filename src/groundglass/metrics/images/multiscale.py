"""Multi-scale SSIM (Z. Wang, E. P. Simoncelli, A. C. Bovik, Asilomar Conference 2003; 2: 1398)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError, GeometryError
from groundglass.metrics.images.pair import checked_range, real_pair
from groundglass.metrics.images.ssim_window import SsimWindow, find_window
from groundglass.metrics.images.structural import K1, K2, Border, similarity_maps

# Of scales from fine to coarse; their sum is 1.0001 in the paper, too.
WANG_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ms_ssim(
    prediction: ArrayLike,
    truth: ArrayLike,
    *,
    data_range: float,
    window: str | SsimWindow = "gaussian-11",
    weights: Sequence[float] = WANG_WEIGHTS,
    border: Border = "inside",
    negative: Literal["clip", "nan"] = "clip",
    k1: float = K1,
    k2: float = K2,
) -> float:
    """Product over scales of mean contrast-structure^weight, with luminance at the coarsest.

    From scale to scale 2 x 2 (x 2) pixels are averaged; an odd last row is dropped. `border` is that of the coarsest
    scale ("mirror" there and "inside" for all others is torchmetrics' way); see `structural`.
    A mean below 0 (images that are each other's negative) has no such power: "clip" takes it as 0 (torchmetrics'
    `normalize="relu"`), "nan" gives NaN (its default). Raises GeometryError when the coarsest scale is smaller than the
    window: five scales of the 11-pixel window need 176 pixels a side. Else as `ssim`.
    """
    x, y = real_pair(prediction, truth, (2, 3))
    span, shape = checked_range(data_range), find_window(window)
    if not len(weights) or min(weights) < 0:
        raise ConfigurationError("weights", "are none or below 0", "Pass one per scale.")
    least = shape.size * 2 ** (len(weights) - 1)
    if min(x.shape) < least:
        raise GeometryError(
            "images", f"of shape {x.shape} are too small for {len(weights)} scales", f"They need {least} pixels a side."
        )
    product = 1.0
    for scale, weight in enumerate(weights):
        last = scale == len(weights) - 1
        luminance, contrast = similarity_maps(x, y, span, shape, k1, k2, border if last else "inside")
        value = float((luminance * contrast).mean() if last else contrast.mean())
        if value < 0 and negative == "nan":
            return math.nan
        product *= max(value, 0.0) ** weight
        x, y = _halved(x), _halved(y)
    return product


def _halved(image: NDArray[np.float64]) -> NDArray[np.float64]:
    for axis in range(image.ndim):
        even = image.shape[axis] // 2 * 2
        image = np.moveaxis(image, axis, 0)[:even]
        image = np.moveaxis((image[::2] + image[1::2]) / 2, 0, axis)
    return image
