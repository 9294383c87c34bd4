"""Images with known truth: phantoms, projections, domain-randomised brains."""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

# name -> module; loaded at first use, so that a light command does not pay for torch or scipy.
_EXPORTS = {
    "AbdomenPhantom": "abdomen",
    "abdomen_phantom": "abdomen",
    "ellipsoid_mask": "analytic_shapes",
    "vessel_with_wedge": "analytic_shapes",
    "PhantomRadiograph": "thorax",
    "PlantedFinding": "thorax",
    "BrainBatches": "brain",
    "PAIRED": "brain_atlas",
    "draw_contrast": "brain_contrast",
    "draw_sequence_contrast": "brain_contrast",
    "STRUCTURES": "brain_atlas",
    "add_noise": "brain_artefacts",
    "apply_gamma_and_bias": "brain_artefacts",
    "draw_artefacts": "brain_artefacts",
    "correcting_click": "clicks",
    "correction": "prompt_simulation",
    "discrepancy": "clicks",
    "draw_scribbles": "scribbles",
    "first_prompt": "prompt_simulation",
    "generous_strokes": "prompt_simulation",
    "random_scene": "procedural_scenes",
    "mark": "prompt_simulation",
    "smooth_noise": "scribbles",
    "deep_click": "clicks",
    "coarse_noise": "fields",
    "smooth_field": "fields",
    "apply_patch_warp": "patch_warp",
    "draw_patch_warp": "patch_warp",
    "blur_sigma": "resolution",
    "down_sample": "resolution",
    "draw_resolution": "resolution",
    "gaussian_blur": "resolution",
    "resize": "resolution",
    "normalise_brain": "normalise",
    "ShareMaps": "share_maps",
    "halved": "share_maps",
    "HippocampusSurroundings": "hippocampus_surroundings",
    "surroundings_of": "hippocampus_surroundings",
    "rotation": "brain_deformation",
    "Exposure": "xray",
    "XrayView": "xray",
    "back_projection": "xray",
    "exact_line_integrals": "xray",
    "line_integrals": "xray",
    "project_ct": "xray",
    "siddon_jacobs_view": "xray",
    "xray_view": "xray",
    "random_radiograph": "thorax",
    "sample_radiograph": "sample",
    "random_thorax": "thorax",
    "write_sample_radiograph": "sample",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
