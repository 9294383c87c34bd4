"""Random contrast: a mean and a spread for every label (SynthSeg, Billot et al. 2023; Brain-ID, 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.synthesis.brain_anatomy import FACE, FACE_KINDS, LABEL_COUNT, OUTER_FLUID
from groundglass.synthesis.brain_atlas import LABEL

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


def draw_contrast(rng: np.random.Generator, *, tied_probability: float = 0.7) -> Contrast:
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


def apply_contrast(contrast: Contrast, seen: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """(X, Y, Z) float32 image of a label map: normal draws per voxel with its label's mean and spread."""
    index = seen.long()
    noise = torch.from_numpy(rng.standard_normal(tuple(seen.shape), dtype=np.float32))
    return torch.from_numpy(contrast.mean)[index] + torch.from_numpy(contrast.spread)[index] * noise
