"""Images with known truth: phantoms, projections, domain-randomised brains."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# name -> module; loaded at first use, so that a light command does not pay for torch or scipy.
_EXPORTS = {
    "AbdomenPhantom": "groundglass.synthesis.abdomen",
    "abdomen_phantom": "groundglass.synthesis.abdomen",
    "ellipsoid_mask": "groundglass.synthesis.analytic_shapes",
    "vessel_with_wedge": "groundglass.synthesis.analytic_shapes",
    "PhantomRadiograph": "groundglass.synthesis.thorax",
    "PlantedFinding": "groundglass.synthesis.thorax",
    "BrainBatches": "groundglass.synthesis.brain",
    "PAIRED": "groundglass.synthesis.brain_atlas",
    "STRUCTURES": "groundglass.synthesis.brain_atlas",
    "add_noise": "groundglass.synthesis.brain_artefacts",
    "apply_gamma_and_bias": "groundglass.synthesis.brain_artefacts",
    "draw_artefacts": "groundglass.synthesis.brain_artefacts",
    "coarse_noise": "groundglass.synthesis.fields",
    "smooth_field": "groundglass.synthesis.fields",
    "apply_patch_warp": "groundglass.synthesis.patch_warp",
    "draw_patch_warp": "groundglass.synthesis.patch_warp",
    "blur_sigma": "groundglass.synthesis.resolution",
    "down_sample": "groundglass.synthesis.resolution",
    "draw_resolution": "groundglass.synthesis.resolution",
    "gaussian_blur": "groundglass.synthesis.resolution",
    "resize": "groundglass.synthesis.resolution",
    "brain_atlas": "groundglass.synthesis.brain_atlas",
    "brain_volume": "groundglass.synthesis.brain_volume",
    "normalise_brain": "groundglass.synthesis.normalise",
    "Projector": "groundglass.synthesis.projection",
    "radiograph_appearance": "groundglass.synthesis.radiograph_appearance",
    "random_radiograph": "groundglass.synthesis.thorax",
    "sample_radiograph": "groundglass.synthesis.sample",
    "random_thorax": "groundglass.synthesis.thorax",
    "write_sample_radiograph": "groundglass.synthesis.sample",
}


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(_EXPORTS[name])
    return module if _EXPORTS[name].endswith(f".{name}") else getattr(module, name)


__all__ = sorted(_EXPORTS)
