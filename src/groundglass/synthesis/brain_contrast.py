"""Random contrast: a mean and a spread for every label (SynthSeg, Billot et al. 2023; Brain-ID, 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.synthesis.brain_anatomy import FACE, FACE_KINDS, LABEL_COUNT, OUTER_FLUID
from groundglass.synthesis.brain_atlases import LABEL

# Labels whose tissue is alike in most sequences. A tied draw gives them one mean with a small difference.
FLUIDS = (
    *(LABEL[n] for n in ("cerebrospinal fluid", "lateral ventricle", "third ventricle", "fourth ventricle")),
    OUTER_FLUID,
)
GREYS = tuple(LABEL[n] for n in ("cerebral cortex", "cerebellar cortex", "thalamus", "caudate nucleus", "putamen"))
WHITES = tuple(LABEL[n] for n in ("cerebral white matter", "cerebellar white matter", "brainstem"))
BETWEEN = (LABEL["thalamus"], LABEL["brainstem"], LABEL["globus pallidus"])


@dataclass(frozen=True)
class Contrast:
    """`mean` and `spread` (LABEL_COUNT,) on a scale of 0 to 225."""

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]


def draw_contrast(rng: np.random.Generator, *, tied_probability: float = 0.85) -> Contrast:
    """mu ~ U(25, 225), sigma ~ U(5, 25) per label; background 0 with probability 0.5.

    With `tied_probability` the fluids, grey and white matters share one draw each, 8 apart (standard deviation), and
    mixed structures lie between grey and white. Which of the three is brightest stays random: no sequence is favoured.
    """
    mean = rng.uniform(25, 225, LABEL_COUNT).astype(np.float32)
    spread = rng.uniform(5, 25, LABEL_COUNT).astype(np.float32)
    if rng.random() < tied_probability:
        for group in (FLUIDS, GREYS, WHITES):
            mean[list(group)] = mean[group[0]] + 8 * rng.standard_normal(len(group))
        share = rng.uniform(0, 1, len(BETWEEN))
        mean[list(BETWEEN)] = share * mean[GREYS[0]] + (1 - share) * mean[WHITES[0]]
        spread[:OUTER_FLUID] = rng.uniform(5, 20)
    mean[FACE + int(rng.integers(FACE_KINDS))] = rng.uniform(0, 15)
    if rng.random() < 0.5:
        mean[0], spread[0] = 0.0, 0.0
    return Contrast(np.clip(mean, 0, 255), spread)


def draw_sequence_contrast(rng: np.random.Generator) -> Contrast:
    """As real sequences are: fluid darkest or brightest of all, grey and white matter 8 to 50 apart, little noise."""
    drawn = draw_contrast(rng, tied_probability=1.0)
    mean, spread = drawn.mean.copy(), drawn.spread.copy()
    white = rng.uniform(60, 200)
    grey = float(np.clip(white + rng.choice((-1, 1)) * rng.uniform(8, 50), 25, 225))
    low, high = min(white, grey), max(white, grey)
    fluid = rng.uniform(5, max(6, low - 20)) if rng.random() < 0.5 else rng.uniform(min(high + 20, 250), 255)
    for group, level in ((FLUIDS, fluid), (GREYS, grey), (WHITES, white)):
        mean[list(group)] = level + 5 * rng.standard_normal(len(group))
    share = rng.uniform(0, 1, len(BETWEEN))
    mean[list(BETWEEN)] = share * grey + (1 - share) * white
    spread[1 : OUTER_FLUID + 1] = rng.uniform(3, 12)
    return Contrast(np.clip(mean, 0, 255).astype(np.float32), spread)


def t1_contrast(rng: np.random.Generator) -> Contrast:
    """A T1-like draw: fluid 50, grey 120, white 190, mixed nuclei between; what a network of one sequence would see."""
    drawn = draw_contrast(rng)
    mean, spread = drawn.mean.copy(), np.full(LABEL_COUNT, 8, dtype=np.float32)
    for group, level in ((FLUIDS, 50.0), (GREYS, 120.0), (WHITES, 190.0), (BETWEEN, 165.0)):
        mean[list(group)] = level
    mean[0], spread[0] = 0.0, 0.0
    return Contrast(mean, spread)


def apply_contrast(contrast: Contrast, seen: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """(X, Y, Z) float32 image of a label map: normal draws per voxel with its label's mean and spread."""
    index = seen.long()
    noise = torch.from_numpy(rng.standard_normal(tuple(seen.shape), dtype=np.float32))
    return torch.from_numpy(contrast.mean)[index] + torch.from_numpy(contrast.spread)[index] * noise
