"""The recipe of the built-in model `interactive`: `groundglass train-builtin interactive --data DIR`."""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

_EXPORTS = {"train": "recipe"}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
