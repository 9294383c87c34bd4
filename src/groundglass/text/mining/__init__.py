"""Weak labels from reports: lesions by their uptake and slice, and the sentences to train on."""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "Lesion": "planted",
    "Mined": "uptake",
    "PlantedSentence": "planted_findings",
    "PlantedUptake": "planted",
    "Site": "planted_sites",
    "mined": "uptake",
    "planted_grounding": "planted_sites",
    "planted_sentence": "planted_findings",
    "planted_uptake": "planted",
    "random_site": "planted_sites",
    "without_numbers": "uptake",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
