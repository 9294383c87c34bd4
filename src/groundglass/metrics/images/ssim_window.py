"""Windows over which SSIM takes its means and variances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from groundglass.core.errors import ConfigurationError

Array = NDArray[np.float64]
Covariance = Literal["population", "sample"]


@dataclass(frozen=True, slots=True)
class SsimWindow:
    """A separable window of `size` pixels a side: Gaussian of `sigma` pixels, or uniform where sigma is None.

    `covariance` divides by the number of pixels of the window, or as a sample by one less.
    """

    name: str
    size: int
    sigma: float | None
    covariance: Covariance

    def __post_init__(self) -> None:
        if self.size < 3 or self.size % 2 == 0 or (self.sigma is not None and self.sigma <= 0):
            raise ConfigurationError(f"window {self.name}", "is not an odd size of 3 or more", "Use 7 or 11.")

    @property
    def reach(self) -> int:
        """Pixels on each side of the centre."""
        return self.size // 2

    @property
    def weights(self) -> Array:
        """Along one axis; their sum is 1."""
        if self.sigma is None:
            return np.full(self.size, 1 / self.size)
        line = np.exp(-0.5 * (np.arange(-self.reach, self.reach + 1) / self.sigma) ** 2)
        return np.asarray(line / line.sum())

    def factor(self, axes: int) -> float:
        """What second moments are multiplied by, for a window over so many axes."""
        pixels = self.size**axes
        return pixels / (pixels - 1) if self.covariance == "sample" else 1.0

    def smooth(self, image: Array) -> Array:
        """Weighted means over every window that lies inside the image: each axis gets shorter by size - 1."""
        from scipy.ndimage import correlate1d

        if self.sigma is None:
            return self._uniform(image)
        weights = self.weights
        for axis in range(image.ndim):
            image = correlate1d(image, weights, axis=axis, mode="constant")
            image = image[(slice(None),) * axis + (slice(self.reach, -self.reach),)]
        return image

    def _uniform(self, image: Array) -> Array:
        from scipy.ndimage import uniform_filter1d

        for axis in range(image.ndim):
            image = uniform_filter1d(image, self.size, axis=axis, mode="constant")
            image = image[(slice(None),) * axis + (slice(self.reach, -self.reach),)]
        return image


GAUSSIAN_11 = SsimWindow("gaussian-11", 11, 1.5, "population")
UNIFORM_7 = SsimWindow("uniform-7", 7, None, "sample")
WINDOWS: Mapping[str, SsimWindow] = {window.name: window for window in (GAUSSIAN_11, UNIFORM_7)}


def find_window(window: str | SsimWindow) -> SsimWindow:
    """The window of that name, or the window itself. Raises ConfigurationError."""
    if isinstance(window, SsimWindow):
        return window
    if window not in WINDOWS:
        raise ConfigurationError(f"window {window}", "is not known", f"Use {', '.join(WINDOWS)} or an SsimWindow.")
    return WINDOWS[window]
