"""SAM in three dimensions (SAM-Med3D, Wang et al., arXiv 2310.15161): image encoder, prompt encoder, mask decoder.

Names and shapes of the parameters are those of the published checkpoint (`published_layout`).
"""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

# name -> module; loaded at first use.
_EXPORTS = {"VolumeSam": "model", "published_layout": "layout"}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
