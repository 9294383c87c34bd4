"""How much of a training image comes back, from several images generated for its prompt (CheXGenBench, 2505.10496).

A leak shows in the one image that is nearest, not in the mean: both are given. Where several real images share a
prompt, give each a row of its own; a leak of one of them is missed otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from groundglass.core.errors import GeometryError, InputError
from groundglass.metrics.generative.features import feature_set


@dataclass(frozen=True, slots=True)
class Leakage:
    """Over `prompts`: mean over prompts of the seeds' `mean` and of their `closest` value, and the share of prompts
    whose closest image is beyond the threshold (`leaked`)."""

    mean: float
    closest: float
    leaked: float
    prompts: int


def reidentification(scores: ArrayLike, *, threshold: float) -> Leakage:
    """From re-identification scores (P prompts, S seeds), where higher says the same patient; closest is the maximum,
    and a prompt leaks at or above the threshold. Raises InputError.
    """
    values = feature_set(scores, "scores", least=1)
    closest = values.max(axis=1)
    return Leakage(
        float(values.mean(axis=1).mean()), float(closest.mean()), float((closest >= threshold).mean()), len(values)
    )


def training_distance(distances: ArrayLike, *, threshold: float) -> Leakage:
    """From distances (P, S) to the prompt's training image, of pixels or of features; closest is the minimum, and a
    prompt leaks at or below the threshold. Raises InputError for distances below 0, too.
    """
    values = feature_set(distances, "distances", least=1)
    if (values < 0).any():
        raise InputError("distances", "are below 0", "Pass distances, not similarities.")
    closest = values.min(axis=1)
    return Leakage(
        float(values.mean(axis=1).mean()), float(closest.mean()), float((closest <= threshold).mean()), len(values)
    )


def root_mean_square_distance(first: ArrayLike, second: ArrayLike) -> float:
    """||a - b|| / sqrt(number of values): the pixel distance of two images, or the latent one of two features."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.size == 0:
        raise GeometryError("second", f"has shape {b.shape}, the first {a.shape}", "Resize both alike.")
    return float(np.linalg.norm(a - b)) / math.sqrt(a.size)
