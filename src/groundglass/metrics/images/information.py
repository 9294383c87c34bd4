"""Visual information fidelity in the pixel domain (Sheikh, Bovik, IEEE Transactions on Image Processing 2006; 15: 430).

Four scales; at each, a Gaussian window of 17, 9, 5, 3 pixels (sigma a fifth of it), after the first also as a low-pass
filter before every second pixel is taken. This is the variant known as VIFp, which sewar and torchmetrics compute.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError, GeometryError
from groundglass.metrics.images.pair import real_pair
from groundglass.metrics.images.ssim_window import SsimWindow

Array = NDArray[np.float64]
LEAST_SIDE = 41
_NOTHING = 1e-10


def vif(prediction: ArrayLike, truth: ArrayLike, *, noise_variance: float = 2.0) -> float:
    """Information that the prediction keeps of the truth, as a share; images (X, Y). 1 for equal images, above 1 for an
    image of more contrast, NaN for a truth without any.

    `noise_variance` is that of the visual channel, in squared grey levels: 2 is meant for 0..255, the MC-MRI challenge
    takes 0.4 for slices scaled to 1. The figure depends on the scale of the images. Raises GeometryError (shapes, a
    side below 41 pixels), InputError (NaN), ConfigurationError (variance).
    """
    if not np.isfinite(noise_variance) or noise_variance <= 0:
        raise ConfigurationError(f"noise_variance {noise_variance}", "is not above 0", "Use 2 for 0..255.")
    x, y = real_pair(prediction, truth, (2,))
    if min(y.shape) < LEAST_SIDE:
        raise GeometryError("images", f"of shape {y.shape} are too small", f"VIF needs {LEAST_SIDE} pixels a side.")
    kept = held = 0.0
    for scale in range(4):
        size = 2 ** (4 - scale) + 1
        window = SsimWindow(f"gaussian-{size}", size, size / 5, "population")
        if scale:
            x, y = window.smooth(x)[::2, ::2], window.smooth(y)[::2, ::2]
        more, whole = _scale_information(x, y, window, noise_variance)
        kept, held = kept + more, held + whole
    return kept / held if held else math.nan


def _scale_information(x: Array, y: Array, window: SsimWindow, noise: float) -> tuple[float, float]:
    """Information of the prediction x about the truth y, and of the truth, summed over the windows of one scale."""
    mean_x, mean_y = window.smooth(x), window.smooth(y)
    power_y = np.maximum(window.smooth(y * y) - mean_y**2, 0)
    power_x = np.maximum(window.smooth(x * x) - mean_x**2, 0)
    shared = window.smooth(x * y) - mean_x * mean_y
    # x = gain y + distortion, window by window; where the truth is flat all of x is distortion.
    gain = shared / (power_y + _NOTHING)
    distortion = power_x - gain * shared
    flat_y, flat_x = power_y < _NOTHING, power_x < _NOTHING
    gain[flat_y] = 0
    distortion[flat_y] = power_x[flat_y]
    power_y[flat_y] = 0
    gain[flat_x] = 0
    distortion[flat_x] = 0
    inverted = gain < 0
    distortion[inverted] = power_x[inverted]
    gain[inverted] = 0
    distortion = np.maximum(distortion, _NOTHING)
    return (
        float(np.log10(1 + gain**2 * power_y / (distortion + noise)).sum()),
        float(np.log10(1 + power_y / noise).sum()),
    )
