"""Images with known truth: phantoms, projections, domain-randomised brains."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# name -> module; loaded at first use, so that a light command does not pay for torch or scipy.
_EXPORTS = {
    "PhantomRadiograph": "groundglass.synthesis.thorax",
    "PlantedFinding": "groundglass.synthesis.thorax",
    "radiograph_appearance": "groundglass.synthesis.radiograph_appearance",
    "random_radiograph": "groundglass.synthesis.thorax",
    "random_thorax": "groundglass.synthesis.thorax",
    "write_sample_radiograph": "groundglass.synthesis.sample",
}


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(_EXPORTS[name])
    return module if _EXPORTS[name].endswith(f".{name}") else getattr(module, name)


__all__ = sorted(_EXPORTS)
