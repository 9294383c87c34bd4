"""Contrast changed at random, structure and artefacts left: what a score that must not depend on contrast is shown.

Tone curves (gamma, logarithm, sigmoid, equalisation) keep the order of values. "Levels" does not: tissues get
brightness anew, as another sequence would give them, while values below a tenth stay about what they are, for ghosts in
air are the first sign of motion and no sequence makes them stronger than the tissue that they come from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError

TONES = ("gamma", "logarithm", "sigmoid", "equalise")
LEVELS = "levels"
KINDS = ("identity", *TONES, LEVELS)
_AIR = 0.1
_TISSUE = (0.3, 0.5, 0.7, 1.0)


@dataclass(frozen=True, slots=True)
class ContrastChange:
    """A curve for values in [0, 1], by its kind and strength; it keeps 0, and all but "levels" the order of values.

    Of "levels", `strength` is what 0.1 becomes in tenths, `tissue` what 0.3, 0.5, 0.7 and 1 become.
    """

    kind: str
    strength: float = 1.0
    tissue: tuple[float, ...] = ()


def draw_contrast_change(
    rng: np.random.Generator, *, probability: float = 0.75, kinds: tuple[str, ...] = KINDS[1:]
) -> ContrastChange:
    """With `probability` one of `kinds`: gamma 0.6-1.7, logarithm, sigmoid, or a blend with equalisation, no more than
    leaves faint ghosts above the noise and noise below the ghosts; or new levels of tissue, 0.15 to 1."""
    if rng.random() >= probability:
        return ContrastChange("identity")
    kind = kinds[int(rng.integers(len(kinds)))]
    if kind == LEVELS:
        tissue = rng.uniform(0.15, 1, len(_TISSUE))
        return ContrastChange(kind, float(rng.uniform(0.75, 1.33)), tuple((tissue / tissue.max()).tolist()))
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
    elif change.kind == LEVELS:
        changed = _levels(value, change)
    elif change.kind == "equalise":
        counts = np.bincount((value * 255).astype(int).ravel(), minlength=256)
        counts[0] = min(counts[0], value.size // 50)  # the background would take most grey values for itself
        curve = np.cumsum(counts) / counts.sum()
        changed = (1 - s) * value + s * np.interp(value, np.linspace(0, 1, 256), curve)
    else:
        raise ConfigurationError(f"contrast {change.kind}", "is not known", f"Use {', '.join(KINDS)}.")
    return changed.astype(np.float32)


def _levels(value: NDArray[np.float64], change: ContrastChange) -> NDArray[np.float64]:
    from scipy.interpolate import PchipInterpolator

    if len(change.tissue) != len(_TISSUE):
        raise ConfigurationError(f"{len(change.tissue)} levels", f"are not {len(_TISSUE)}", "Give what tissues become.")
    air = np.array([0, 0.5, 1]) * _AIR
    curve = PchipInterpolator([*air, *_TISSUE], [*(air * change.strength), *change.tissue])
    return np.asarray(curve(value), dtype=np.float64)


def _sigmoid(value: NDArray[np.float64] | float, gain: float) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-gain * (value - 0.5))))
