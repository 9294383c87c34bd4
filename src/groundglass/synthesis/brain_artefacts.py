"""Gamma, receive-coil bias and thermal noise, mild or severe (Brain-ID's two halves), or between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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


Grade = Literal["mild", "middling", "severe"]
# Largest and smallest standard deviation of the bias, that of gamma, and of the noise. Real scanners are middling.
_RANGES: dict[Grade, tuple[float, float, float, tuple[float, float]]] = {
    "mild": (0.0, 0.02, 0.01, (0.0, 0.02)),
    "middling": (0.0, 0.2, 0.05, (0.0, 6.0)),
    "severe": (0.1, 0.6, 0.1, (5.0, 15.0)),
}


def draw_artefacts(rng: np.random.Generator, extent: tuple[int, ...], *, severe: bool) -> Artefacts:
    """Mild: bias std U(0, 0.02), gamma 0.01, noise U(0, 0.02); severe: U(0.1, 0.6), 0.1 and U(5, 15).

    `extent` is the size of the patch in mm.
    """
    return draw_graded_artefacts(rng, extent, "severe" if severe else "mild")


def draw_graded_artefacts(rng: np.random.Generator, extent: tuple[int, ...], grade: Grade) -> Artefacts:
    """As `draw_artefacts`; middling: bias std U(0, 0.2), gamma 0.05, noise U(0, 6)."""
    low, high, gamma, noise = _RANGES[grade]
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
