"""Image quality without a reference: what sharpness and background say of motion.

Gradient entropy: McGee et al., J. Magn. Reson. Imaging 2000; 12: 174. Average edge strength: Zaca et al., Magn. Reson.
Med. 2018 (per slice, edges by Canny). Laplacian variance: Pech-Pacheco et al., ICPR 2000. Background energy: Mortamet
et al., Magn. Reson. Med. 2009; 62: 365 (its idea, without the artefact mask).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import GeometryError
from groundglass.metrics.images.pair import real_pair

Array = NDArray[np.float64]
FEATURES = ("gradient entropy", "average edge strength", "Laplacian variance", "background energy")


def gradient_entropy(image: ArrayLike) -> float:
    """Shannon entropy (bits) of the gradient's magnitude as a distribution over pixels; higher is more spread out."""
    size = np.hypot(*np.gradient(_flat(image)))
    if size.sum() == 0:
        return 0.0
    share = size[size > 0] / size.sum()
    return float(-(share * np.log2(share)).sum())


def average_edge_strength(image: ArrayLike) -> float:
    """Mean gradient magnitude on Canny edges; 0 where there is none. Blur lowers it."""
    from skimage.feature import canny

    value = _flat(image)
    edges = canny(value, sigma=1.0)
    return float(np.hypot(*np.gradient(value))[edges].mean()) if edges.any() else 0.0


def laplacian_variance(image: ArrayLike) -> float:
    """Variance of the Laplacian."""
    from scipy.ndimage import laplace

    return float(laplace(_flat(image)).var())


def background_energy(image: ArrayLike, *, level: float = 0.1) -> float:
    """Mean square outside of the head (below `level` after smoothing) over that inside; 0 without a background."""
    from scipy.ndimage import gaussian_filter

    value = _flat(image)
    outside = gaussian_filter(value, 2.0) < level * value.max()
    if outside.all() or not outside.any():
        return 0.0
    return float((value[outside] ** 2).mean() / (value[~outside] ** 2).mean())


def no_reference_features(image: ArrayLike) -> Array:
    """(4,) in the order of `FEATURES`, of one slice (X, Y). Raises GeometryError for another, InputError for NaN."""
    return np.array(
        [gradient_entropy(image), average_edge_strength(image), laplacian_variance(image), background_energy(image)]
    )


def _flat(image: ArrayLike) -> Array:
    value, _ = real_pair(image, image, (2,))
    if min(value.shape) < 3:
        raise GeometryError("image", f"of shape {value.shape} is too small", "Pass a slice of at least 3 x 3.")
    return value
