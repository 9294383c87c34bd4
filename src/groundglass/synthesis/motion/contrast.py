"""Contrast changed at random, structure and artefacts left: what a score that must not depend on contrast is shown.

Tone curves (gamma, logarithm, sigmoid, equalisation) keep the order of values. "Levels" does not: within the outline of
the head every value gets a brightness anew, as another sequence would give it, so that fluid may be the brightest of
all. Air keeps its order, for ghosts in it are the first sign of motion. Without the outline a curve that makes fluid
bright would draw bright rims where tissue ends, since half of a voxel of tissue is as dark as fluid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError

TONES = ("gamma", "logarithm", "sigmoid", "equalise")
LEVELS = "levels"
CHANGES = (*TONES, LEVELS)
KINDS = ("identity", *CHANGES)
# The values whose new brightness "levels" draws; between them the curve is smooth.
_KNOTS = (0.0, 0.15, 0.3, 0.5, 0.7, 1.0)
# Most ghosts stay below it, most tissue lies above; folds narrower than this share of the image belong to the head.
_TISSUE, _FOLD = 0.25, 1 / 12


@dataclass(frozen=True, slots=True)
class ContrastChange:
    """A curve for values in [0, 1], by its kind and strength; all but "levels" keep 0 and the order of values.

    Of "levels", `strength` is the factor of air, `levels` what 0, 0.15, 0.3, 0.5, 0.7 and 1 become within the head.
    """

    kind: str
    strength: float = 1.0
    levels: tuple[float, ...] = ()


def draw_contrast_change(
    rng: np.random.Generator, *, probability: float = 0.75, kinds: tuple[str, ...] = CHANGES
) -> ContrastChange:
    """With `probability` one of `kinds`: gamma 0.6-1.7, logarithm, sigmoid, or a blend with equalisation, no more than
    leaves faint ghosts above the noise and noise below the ghosts; or new levels, 0.1 to 1, the brightest at 1."""
    if rng.random() >= probability:
        return ContrastChange("identity")
    kind = kinds[int(rng.integers(len(kinds)))]
    if kind == LEVELS:
        levels = rng.uniform(0.1, 1, len(_KNOTS))
        return ContrastChange(kind, float(rng.uniform(0.75, 1.33)), tuple((levels / levels.max()).tolist()))
    ends = {"gamma": (np.log(0.6), np.log(1.7)), "logarithm": (0.5, 4), "sigmoid": (2, 6), "equalise": (0.2, 0.7)}
    strength = float(rng.uniform(*ends[kind]))
    return ContrastChange(kind, float(np.exp(strength)) if kind == "gamma" else strength)


def change_contrast(image: NDArray[np.floating], change: ContrastChange) -> NDArray[np.float32]:
    """(H, W) in about [0, 1] -> float32 of the same scale. Raises ConfigurationError for an unknown kind, and for
    "levels" without one for each of its six values."""
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

    if len(change.levels) != len(_KNOTS):
        raise ConfigurationError(f"{len(change.levels)} levels", f"are not {len(_KNOTS)}", f"Say what {_KNOTS} become.")
    inside = _outline(value)
    return np.asarray(inside * PchipInterpolator(_KNOTS, change.levels)(value) + (1 - inside) * change.strength * value)


def _outline(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 within the largest part that holds tissue, fluid in it included, 0 in air, as soft an edge as a voxel's."""
    from scipy import ndimage

    reach = max(2, round(min(value.shape) * _FOLD))
    tissue = np.pad(value > _TISSUE, reach)
    closed = ndimage.binary_closing(tissue, iterations=reach // 2)
    parts, count = ndimage.label(ndimage.binary_fill_holes(closed)[reach:-reach, reach:-reach])
    if not count:
        return np.zeros(value.shape)
    largest = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    return np.asarray(ndimage.gaussian_filter((parts == largest).astype(np.float64), 0.7))


def _sigmoid(value: NDArray[np.float64] | float, gain: float) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-gain * (value - 0.5))))
