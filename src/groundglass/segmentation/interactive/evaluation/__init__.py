"""How good interactive segmentation is: unseen sets, test users that training never met, classical rivals."""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "RIVALS": "rivals",
    "Run": "runs",
    "Task": "tasks",
    "UNSEEN": "tasks",
    "agreement": "runs",
    "careful_strokes": "users",
    "dice_of_set": "runs",
    "next_click": "users",
    "next_stroke": "users",
    "played": "runs",
    "rival_dice": "runs",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
