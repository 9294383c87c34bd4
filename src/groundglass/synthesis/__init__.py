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
