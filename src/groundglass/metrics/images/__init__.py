"""How near an image comes to a reference: differences (MAE, nRMSE, PSNR), structure (SSIM, MS-SSIM), information (VIF).

Images are arrays of one channel, (X, Y) or (X, Y, Z); score the channels of a colour picture one by one. Data range,
mask and window are always said, because each of them alone moves a score: compare figures of one kind only.
"""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "GAUSSIAN_11": "ssim_window",
    "SsimWindow": "ssim_window",
    "UNIFORM_7": "ssim_window",
    "WANG_WEIGHTS": "multiscale",
    "average_edge_strength": "no_reference",
    "background_energy": "no_reference",
    "gradient_entropy": "no_reference",
    "laplacian_variance": "no_reference",
    "mae": "differences",
    "mc_mri_scores": "challenges",
    "mean_error": "differences",
    "ms_ssim": "multiscale",
    "mse": "differences",
    "nmse": "differences",
    "no_reference_features": "no_reference",
    "nrmse": "differences",
    "psnr": "differences",
    "rmse": "differences",
    "ssim": "structural",
    "ssim_map": "structural",
    "synthrad_scores": "challenges",
    "vif": "information",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
