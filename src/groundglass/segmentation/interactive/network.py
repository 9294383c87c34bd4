"""The engine that answers when none is named."""

from __future__ import annotations

from groundglass.segmentation.interactive.engine import ClassicalEngine, Engine


def default_engine() -> Engine:
    """The best engine at hand."""
    return ClassicalEngine()
