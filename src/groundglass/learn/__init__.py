"""Objectives and the one training loop."""

from groundglass.learn.plan import Plan

__all__ = ["History", "Plan", "train"]


def __getattr__(name: str) -> object:
    # The loop needs torch and accelerate; a plan does not.
    if name in ("History", "train"):
        from groundglass.learn import loop

        return getattr(loop, name)
    raise AttributeError(name)
