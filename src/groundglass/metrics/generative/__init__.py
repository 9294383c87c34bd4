"""How generated images compare with real ones, on the features of any encoder.

Fidelity and diversity (FID, KID, inception score, precision, recall, density, coverage), agreement with the prompt,
copies of training images, and a store that keeps features on disk. A figure belongs to its encoder, its image size and
its number of images: say all three, and compare sets of equal size (FID falls with n).
"""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "FeatureStore": "feature_store",
    "Fidelity": "report_card",
    "Gaussian": "frechet",
    "Kid": "kernel",
    "Leakage": "privacy",
    "Neighbourhoods": "neighbours",
    "content_key": "feature_store",
    "fid": "frechet",
    "fidelity": "report_card",
    "fidelity_by_label": "report_card",
    "fit_gaussian": "frechet",
    "frechet_distance": "frechet",
    "image_text_alignment": "alignment",
    "inception_score": "inception",
    "kid": "kernel",
    "modality_gap": "alignment",
    "neighbourhoods": "neighbours",
    "pairwise_ms_ssim": "diversity",
    "polynomial_mmd": "kernel",
    "recall_at": "alignment",
    "reidentification": "privacy",
    "root_mean_square_distance": "privacy",
    "training_distance": "privacy",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
