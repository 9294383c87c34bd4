"""Image scores exactly as two challenges define them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import GeometryError, InputError
from groundglass.metrics.images.differences import mae, psnr
from groundglass.metrics.images.information import vif
from groundglass.metrics.images.pair import mask_of, real_pair
from groundglass.metrics.images.structural import ssim

SYNTHRAD_HU = (-1024.0, 3000.0)


def synthrad_scores(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike) -> dict[str, float]:
    """SynthRAD2023 (arXiv 2403.08447): `mae` in HU, `psnr` in dB and `ssim` of a synthetic CT (X, Y, Z) in HU.

    MAE and PSNR over the mask's voxels, MAE of values as they are, PSNR of values clipped to [-1024, 3000] with that
    range. SSIM: clipped, outside of the mask -1024, raised by 1024, uniform window of 7, mean over the mask's voxels
    that are at least 3 from the border. (The organisers' public script hands this function the mask as an image
    object instead of an array; what is computed here is what the function says.) Raises as `ssim`.
    """
    ours, theirs = real_pair(prediction, truth, (2, 3))
    inside = mask_of(mask, theirs.shape)
    low, high = SYNTHRAD_HU
    clipped, real = np.clip(ours, low, high), np.clip(theirs, low, high)
    return {
        "mae": mae(ours, theirs, mask=inside),
        "psnr": psnr(clipped, real, data_range=high - low, mask=inside),
        "ssim": ssim(
            np.where(inside, clipped - low, 0),
            np.where(inside, real - low, 0),
            data_range=high - low,
            window="uniform-7",
            mask=inside,
        ),
    }


def mc_mri_scores(prediction: ArrayLike, truth: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """Multi-Coil MRI Reconstruction Challenge (arXiv 2011.07952): `ssim`, `psnr`, `vif` (S,) of slices (S, Y, X).

    Both magnitudes are divided by the highest value of the truth's slice. The data range is from the lowest to the
    highest value of both: a bright outlier in the prediction changes it. SSIM has the uniform window of 7, VIF a noise
    variance of 0.4. Raises InputError for a slice of the truth without signal, else as `ssim` and `vif`.
    """
    ours, theirs = real_pair(prediction, truth, (3,))
    if len(theirs) == 0:
        raise GeometryError("images", "have no slice", "Pass (slices, rows, columns).")
    scores: dict[str, list[float]] = {"ssim": [], "psnr": [], "vif": []}
    for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        top = b.max()
        if top <= 0:
            raise InputError(f"slice {number} of the truth", "has no signal", "Leave it out of both.")
        a, b = a / top, b / top
        span = max(a.max(), b.max()) - min(a.min(), b.min())
        if span <= 0:
            raise InputError(f"slice {number}", "is constant in both images", "Leave it out of both.")
        scores["ssim"].append(ssim(a, b, data_range=span, window="uniform-7"))
        scores["psnr"].append(psnr(a, b, data_range=span))
        scores["vif"].append(vif(a, b, noise_variance=0.4))
    return {name: np.array(values) for name, values in scores.items()}
