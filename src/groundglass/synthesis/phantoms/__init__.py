"""Phantoms: simulated examinations with exact findings, a report and questions, each replayable from a seed.

from groundglass.synthesis import make_phantom, phantom_series, stream_phantoms
case = make_phantom("chest-ct", seed=1, index=0)      # images, findings, structures, report, questions
case.study                                       # as core.Study
"""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "Agreement": "agreement",
    "Canvas": "canvas",
    "Case": "kind",
    "Drawn": "kind",
    "Kind": "kind",
    "Phantom": "phantom",
    "Placed": "planted",
    "Plant": "planted",
    "Question": "phantom",
    "Scene": "canvas",
    "agreement_of": "agreement",
    "kind_named": "registry",
    "phantom_kinds": "registry",
    "make_phantom": "registry",
    "phantom_series": "registry",
    "random_torso": "torso",
    "sketch_report": "sketch",
    "stream_phantoms": "stream",
    "write_phantoms": "layouts",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
