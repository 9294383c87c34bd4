"""Dark focal lesions of an organ in an enhanced CT: smoothed values that fall out of the organ's own distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion, gaussian_filter

from groundglass.core import EmptyMaskError, Image, Mask

_RIM_MM = 4.0


def dark_lesions(image: Image, organ: Mask, *, deviations: float = 4.5, smoothing_mm: float = 2.0) -> Mask:
    """Voxels of `organ` darker than its median by `deviations` robust standard deviations after smoothing.

    The rim of the organ (4 mm, partial volume) is left out, and what is found grows back by one voxel where
    it is dark by half as much. No training; it finds what stands out, of whatever nature. Raises EmptyMaskError.
    """
    if organ.is_empty:
        raise EmptyMaskError("organ", "has an empty mask", "Leave it out.")
    spacing = np.array(image.spacing)
    pad = np.ceil(3 * smoothing_mm / spacing).astype(int) + 1
    start = np.maximum(np.array(organ.box.start) - pad, 0)
    stop = np.minimum(np.array(organ.box.stop) + pad, organ.shape)
    window = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
    inside = organ.array[window]
    values = image.array[0][window].astype(np.float32)
    smooth = _within(values, inside, smoothing_mm / spacing)
    core = binary_erosion(inside, iterations=max(1, round(_RIM_MM / float(spacing.min()))))
    if not core.any():
        return Mask.of(np.zeros(organ.shape, dtype=bool), organ.affine)
    median = float(np.median(smooth[core]))
    # The upper half of the values is free of dark lesions: its spread is the organ's own.
    upper = smooth[core & (smooth >= median)] - median
    spread = float(np.sqrt((upper**2).mean()))
    depth = (median - smooth) / max(spread, 1e-6)
    seeds = core & (depth > deviations)
    grown = seeds | (binary_dilation(seeds) & inside & (depth > deviations / 2))
    found = np.zeros(organ.shape, dtype=bool)
    found[window] = grown
    return Mask.of(found, organ.affine)


def _within(values: NDArray[np.float32], inside: NDArray[np.bool_], sigma: NDArray[np.float64]) -> NDArray[np.float32]:
    """Gaussian smoothing that takes no value from outside of the organ."""
    weight = gaussian_filter(inside.astype(np.float32), sigma)
    return np.asarray(
        gaussian_filter(np.where(inside, values, 0.0), sigma) / np.maximum(weight, 1e-3), dtype=np.float32
    )
