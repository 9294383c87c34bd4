"""Gamma, receive-coil bias and thermal noise, mild or severe (Brain-ID's two halves)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.synthesis.fields import coarse_noise, smooth_field


@dataclass(frozen=True)
class Artefacts:
    """`gamma` is the exponent, `bias` the coarse log-field (1, *coarse), `noise` a standard deviation on 0 to 225."""

    gamma: float
    bias: NDArray[np.float32]
    noise: float


def draw_artefacts(rng: np.random.Generator, extent: tuple[int, ...], *, severe: bool) -> Artefacts:
    """Mild: bias std U(0, 0.02), gamma 0.01, noise U(0, 0.02); severe: U(0.1, 0.6), 0.1 and U(5, 15).

    `extent` is the size of the patch in mm.
    """
    low, high, gamma, noise = (0.1, 0.6, 0.1, (5.0, 15.0)) if severe else (0.0, 0.02, 0.01, (0.0, 0.02))
    spacing = 160 * rng.uniform(0.25, 0.5)
    return Artefacts(
        gamma=float(np.exp(gamma * rng.standard_normal())),
        bias=coarse_noise(rng, 1, extent, spacing=spacing, std=rng.uniform(low, high)),
        noise=float(rng.uniform(*noise)),
    )


def apply_gamma_and_bias(artefacts: Artefacts, image: torch.Tensor) -> torch.Tensor:
    """300 (x / 300)^gamma, then the multiplicative field."""
    image = 300 * (image.clamp(min=0) / 300) ** artefacts.gamma
    return image * torch.exp(smooth_field(artefacts.bias, tuple(image.shape))[0])


def add_noise(artefacts: Artefacts, image: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Normal noise on the acquired grid; negative values become 0."""
    noise = torch.from_numpy(rng.standard_normal(tuple(image.shape), dtype=np.float32))
    return (image + artefacts.noise * noise).clamp(min=0)
