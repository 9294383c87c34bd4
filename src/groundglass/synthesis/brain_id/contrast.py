"""The random contrast of one image: a mean and a spread for every generation label, mixtures between theirs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.synthesis.brain_atlases import STRUCTURES
from groundglass.synthesis.brain_id.subject import (
    FLUID,
    GREY,
    GREY_TO_FLUID,
    LABEL_COUNT,
    OUTSIDE_BRAIN,
    OWN,
    PURE_FLUID,
    STEPS,
    TISSUE,
    WHITE,
    WHITE_TO_GREY,
)


@dataclass(frozen=True)
class LabelContrast:
    """`mean` and `spread` (LABEL_COUNT,) float32 on a scale of 0 to 225."""

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]


def draw_label_contrast(rng: np.random.Generator, *, bare: bool = False) -> LabelContrast:
    """mu ~ U(25, 225) and sigma ~ U(5, 25) for every label; the background is 0 with probability 0.5.

    A mixture with share v of the second tissue has the mean (1 - v) mu1 + v mu2 and the variance
    (1 - v) sigma1^2 + v sigma2^2. `bare` (as photographed, or ex vivo) leaves nothing outside of the brain; a quarter
    of the other draws are like that, too.
    """
    mean = rng.uniform(25, 225, LABEL_COUNT)
    spread = rng.uniform(5, 25, LABEL_COUNT)
    if rng.random() < 0.5 or bare:
        mean[0] = spread[0] = 0
    share = np.arange(STEPS) / STEPS
    for start, first, second in ((WHITE_TO_GREY, WHITE, GREY), (GREY_TO_FLUID, GREY, FLUID)):
        mixed = slice(start, start + STEPS)
        mean[mixed] = (1 - share) * mean[first] + share * mean[second]
        spread[mixed] = np.sqrt((1 - share) * spread[first] ** 2 + share * spread[second] ** 2)
    mean[PURE_FLUID], spread[PURE_FLUID] = mean[FLUID], spread[FLUID]
    if rng.random() < 0.25 or bare:
        mean[OUTSIDE_BRAIN:], spread[OUTSIDE_BRAIN:] = mean[0], spread[0]
    return LabelContrast(mean.astype(np.float32), spread.astype(np.float32))


def tissue_contrast(white: float, grey: float, fluid: float, *, spread: float = 6.0) -> LabelContrast:
    """The contrast of one sequence: means of the three tissues (0 to 225); nuclei and hindbrain by what they mostly
    consist of; fluid, bone and scalp outside."""
    mean = np.zeros(LABEL_COUNT)
    for number, name in enumerate(STRUCTURES):
        mean[OWN + number] = white if TISSUE[name] == "white matter" else grey
    mean[[WHITE, GREY, FLUID, PURE_FLUID]] = white, grey, fluid, fluid
    share = np.arange(STEPS) / STEPS
    mean[WHITE_TO_GREY : WHITE_TO_GREY + STEPS] = (1 - share) * white + share * grey
    mean[GREY_TO_FLUID : GREY_TO_FLUID + STEPS] = (1 - share) * grey + share * fluid
    mean[OUTSIDE_BRAIN:] = (fluid, 15, 60, 150)
    spreads = np.where(mean > 0, spread, 0)
    return LabelContrast(mean.astype(np.float32), spreads.astype(np.float32))


def paint(contrast: LabelContrast, codes: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """(X, Y, Z) float32: normal draws per voxel with the mean and the spread of its generation label."""
    index = codes.long()
    noise = torch.from_numpy(rng.standard_normal(tuple(codes.shape), dtype=np.float32))
    mean, spread = torch.from_numpy(contrast.mean), torch.from_numpy(contrast.spread)
    return mean[index].addcmul_(spread[index], noise)
