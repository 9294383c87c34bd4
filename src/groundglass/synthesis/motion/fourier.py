"""Images and their k-space: centred, orthonormal transforms over the last two axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complexfloating[Any, Any]]


def to_kspace(image: NDArray[Any]) -> Complex:
    """(..., H, W) -> (..., H, W) complex; zero frequency at index n // 2."""
    return _centred(np.fft.fft2, image)


def to_image(kspace: NDArray[Any]) -> Complex:
    """The inverse of `to_kspace`."""
    return _centred(np.fft.ifft2, kspace)


def frequencies(count: int) -> NDArray[np.float64]:
    """Cycles per pixel of each of `count` lines of a centred k-space."""
    return np.fft.fftshift(np.fft.fftfreq(count))


def _centred(transform: Any, array: NDArray[Any]) -> Complex:
    moved = np.fft.ifftshift(array, axes=(-2, -1))
    result: Complex = np.fft.fftshift(transform(moved, axes=(-2, -1), norm="ortho"), axes=(-2, -1))
    return result
