"""Clicks as blurred maps: the input of DeepGrow's networks (Sakinis et al., arXiv 1903.08205)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def guidance_map(shape: tuple[int, int], clicks: NDArray[np.intp], *, sigma: float = 2.0) -> NDArray[np.float32]:
    """(H, W) in [0, 1]: 1 at each click (n, 2), blurred by a Gaussian of `sigma` pixels, rescaled to its own range.

    The kernel holds the Gaussian's integral over each pixel, cut at four sigmas, as MONAI's `AddGuidanceSignald` has
    it. Clicks outside are moved to the border, negative ones are left out. Zeros without a click.
    """
    from scipy.ndimage import correlate1d
    from scipy.special import erf

    signal = np.zeros(shape, dtype=np.float64)
    for row, column in clicks:
        if row >= 0 and column >= 0:
            signal[min(int(row), shape[0] - 1), min(int(column), shape[1] - 1)] = 1.0
    if not signal.any():
        return signal.astype(np.float32)
    reach = int(max(4 * sigma, 0.5) + 0.5)
    at = np.arange(-reach, reach + 1)
    kernel = 0.5 * (erf((at + 0.5) / (sigma * 2**0.5)) - erf((at - 0.5) / (sigma * 2**0.5)))
    for axis in (0, 1):
        signal = correlate1d(signal, kernel, axis=axis, mode="constant")
    low, high = signal.min(), signal.max()
    return ((signal - low) / (high - low)).astype(np.float32)
