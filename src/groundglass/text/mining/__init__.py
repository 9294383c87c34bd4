"""Weak labels from reports: lesions by their uptake and slice, and the sentences to train on."""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "Lesion": "planted",
    "Mined": "uptake",
    "PlantedSentence": "planted_findings",
    "PlantedUptake": "planted",
    "mined": "uptake",
    "planted_sentence": "planted_findings",
    "planted_uptake": "planted",
    "without_numbers": "uptake",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
