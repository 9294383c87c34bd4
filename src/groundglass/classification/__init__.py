"""Image-level answers: binary banks, views, calibration, operating points."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# name -> module; loaded at first use.
_EXPORTS = {
    "RadiographView": "groundglass.classification.radiograph_view",
    "Square": "groundglass.classification.radiograph_picture",
    "Turn": "groundglass.classification.turns",
    "grey": "groundglass.classification.radiograph_picture",
    "recognise_radiograph": "groundglass.classification.radiograph_view",
    "square": "groundglass.classification.radiograph_picture",
}


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_EXPORTS[name]), name)


__all__ = sorted(_EXPORTS)
