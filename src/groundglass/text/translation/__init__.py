"""Reports in another language: a grammar that writes both at once, and the gate that a machine's translation must pass.

from groundglass.text import translation
problems = translation.gate("Small left effusion.", "左側に少量の胸水を認めます。", source="en", target="ja")   # -> ()
"""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "BilingualReport": "planted",
    "CORRUPTIONS": "corruptions",
    "corrupted": "corruptions",
    "gate": "checks",
    "planted_report": "planted",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
