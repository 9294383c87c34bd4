"""Contrast changed at random, structure and artefacts left: what a score that must not depend on contrast is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError

KINDS = ("identity", "gamma", "logarithm", "sigmoid", "equalise")


@dataclass(frozen=True, slots=True)
class ContrastChange:
    """A tone curve for values in [0, 1], by its kind and strength; it keeps 0 and the order of values."""

    kind: str
    strength: float = 1.0


def draw_contrast_change(rng: np.random.Generator, *, probability: float = 0.75) -> ContrastChange:
    """With `probability` one of gamma 0.6-1.7, logarithm, sigmoid, or a blend with equalisation: no more than leaves
    faint ghosts above the noise and noise below the ghosts."""
    if rng.random() >= probability:
        return ContrastChange("identity")
    kind = KINDS[1 + int(rng.integers(len(KINDS) - 1))]
    ends = {"gamma": (np.log(0.6), np.log(1.7)), "logarithm": (0.5, 4), "sigmoid": (2, 6), "equalise": (0.2, 0.7)}
    strength = float(rng.uniform(*ends[kind]))
    return ContrastChange(kind, float(np.exp(strength)) if kind == "gamma" else strength)


def change_contrast(image: NDArray[np.floating], change: ContrastChange) -> NDArray[np.float32]:
    """(H, W) in about [0, 1] -> float32 of the same scale. Raises ConfigurationError for an unknown kind."""
    value, s = np.clip(np.asarray(image, dtype=np.float64), 0, 1), change.strength
    if change.kind == "identity":
        changed = np.asarray(image, dtype=np.float64)
    elif change.kind == "gamma":
        changed = value**s
    elif change.kind == "logarithm":
        changed = np.log1p(s * value) / np.log1p(s)
    elif change.kind == "sigmoid":
        low, high = _sigmoid(0.0, s), _sigmoid(1.0, s)
        changed = (_sigmoid(value, s) - low) / (high - low)
    elif change.kind == "equalise":
        counts = np.bincount((value * 255).astype(int).ravel(), minlength=256)
        counts[0] = min(counts[0], value.size // 50)  # the background would take most grey values for itself
        curve = np.cumsum(counts) / counts.sum()
        changed = (1 - s) * value + s * np.interp(value, np.linspace(0, 1, 256), curve)
    else:
        raise ConfigurationError(f"contrast {change.kind}", "is not known", f"Use {', '.join(KINDS)}.")
    return changed.astype(np.float32)


def _sigmoid(value: NDArray[np.float64] | float, gain: float) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-gain * (value - 0.5))))
