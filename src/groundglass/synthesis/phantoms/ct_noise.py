"""Noise of a CT: Gaussian, with the power spectrum of filtered back-projection in the slice.

The spectrum rises from zero with frequency like the ramp filter and falls with the kernel's apodisation,
NPS(f) ~ f exp(-(f / f0)^2) (S. J. Riederer et al., Phys Med Biol 1978; 23: 446); along z, neighbouring slices
share what their thickness overlaps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.phantoms.canvas import Canvas

SHARPNESS = 0.28
"""f0 in cycles per mm of a standard body kernel; the peak lies at f0 / sqrt 2, about 0.2 per mm."""


def ct_noise(rng: np.random.Generator, canvas: Canvas, sd: float) -> NDArray[np.float32]:
    """(X, Y, Z) noise with standard deviation `sd` in HU."""
    from scipy.fft import irfft2, rfft2

    white = rng.standard_normal(canvas.shape, dtype=np.float32)
    white[:, :, 1:] += np.float32(0.35) * white[:, :, :-1]
    wide = np.fft.fftfreq(canvas.shape[0], canvas.spacing[0])[:, None]
    high = np.fft.rfftfreq(canvas.shape[1], canvas.spacing[1])[None, :]
    frequency = np.hypot(wide, high)
    # The floor keeps voxels larger than the kernel's resolution from having no noise at all.
    power = frequency * np.exp(-((frequency / SHARPNESS) ** 2)) + 0.02 * frequency.max()
    # A voxel is the mean over its square.
    power *= np.sinc(wide * canvas.spacing[0]) ** 2 * np.sinc(high * canvas.spacing[1]) ** 2
    power[0, 0] = 0
    gain = np.sqrt(power).astype(np.float32)[:, :, None]
    shaped = irfft2(rfft2(white, axes=(0, 1)) * gain, s=canvas.shape[:2], axes=(0, 1))
    shaped *= np.float32(sd / shaped[::3, ::3, ::3].std())
    return np.asarray(shaped, dtype=np.float32)
