"""Objectives and the one training loop."""

from groundglass.core.lazy import lazy_exports

# name -> module; the loop needs torch and accelerate, a plan does not.
_EXPORTS = {"History": "loop", "NumberedBatches": "batches", "Plan": "plan", "train": "loop"}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
