"""From CT numbers to what a detector counts: attenuation by energy, spectrum, scatter, quantum noise.

Each voxel is water-like or bone-like by its CT number, with densities such that at the CT's effective energy its
attenuation is mu_water (1 + HU / 1000). Two line integrals then give every energy: I = sum_E N(E) exp(-A_w mu_w(E)
- A_b mu_b(E)).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.core import ConfigurationError

Float = NDArray[np.float64]
# Mean energy of a CT at 120 kV, at which its numbers are taken to be true.
CT_ENERGY_KEV = 70.0
# CT numbers between which a voxel turns from soft tissue to bone.
BONE_FROM, BONE_FULL = 150.0, 1200.0


@dataclass(frozen=True, slots=True)
class Exposure:
    """How the film is taken: tube voltage, aluminium filter, photons per pixel without a patient (None: no noise),
    scatter as a share of the primary (0: off) and its width in pixels."""

    kilovolt: float = 120.0
    aluminium_mm: float = 5.0
    photons: float | None = 2e5
    scatter: float = 0.0
    scatter_pixels: float = 40.0

    def __post_init__(self) -> None:
        if not (20 <= self.kilovolt <= 150) or self.aluminium_mm < 0 or not (0 <= self.scatter <= 10):
            raise ConfigurationError(f"exposure {self}", "is no X-ray exposure", "Use 20 to 150 kV, scatter 0 to 10.")
        if self.photons is not None and self.photons <= 0:
            raise ConfigurationError("photons", "are not positive", "Give photons per pixel, or none for no noise.")


def attenuation(material: str, energy_kev: Float | float) -> Float:
    """Linear attenuation per mm, interpolated log-log in the table. Raises ConfigurationError for another material."""
    table = _table()
    if material not in table["density_g_per_cm3"]:
        known = ", ".join(table["density_g_per_cm3"])
        raise ConfigurationError(material, "has no attenuation table", f"There are {known}.")
    held = np.log(table["mass_attenuation_cm2_per_g"][material])
    value = np.exp(np.interp(np.log(energy_kev), np.log(table["energy_keV"]), held))
    return np.asarray(value * table["density_g_per_cm3"][material] / 10)


def spectrum(exposure: Exposure) -> tuple[Float, Float]:
    """keV and share of photons per keV: Kramers' bremsstrahlung behind the aluminium filter (no characteristic
    lines)."""
    energy = np.arange(10.5, exposure.kilovolt, 1.0)
    count = (exposure.kilovolt - energy) / energy * np.exp(-attenuation("aluminium", energy) * exposure.aluminium_mm)
    return energy, count / count.sum()


def water_and_bone(hounsfield: torch.Tensor) -> torch.Tensor:
    """(X, Y, Z) HU -> (2, X, Y, Z) shares of density: water-like and bone-like, 1 being water at the CT's energy."""
    density = (1 + hounsfield / 1000).clamp(min=0)
    bone = ((hounsfield - BONE_FROM) / (BONE_FULL - BONE_FROM)).clamp(0, 1)
    return torch.stack([density * (1 - bone), density * bone])


def excess(hounsfield: torch.Tensor, threshold: float = -100.0) -> torch.Tensor:
    """HU above a threshold, 0 below it: what DRR-RATE's tool sums."""
    return (hounsfield - threshold).clamp(min=0)


def expose(paths: torch.Tensor, exposure: Exposure, rng: np.random.Generator) -> Float:
    """(2, rows, columns) mm of water and bone (line integrals of `water_and_bone`) -> -log(I / I0) as detected.

    Photons are counted; Poisson noise is drawn from `rng` where `exposure.photons` is set.
    """
    water, bone = (np.asarray(part, dtype=np.float64) for part in paths)
    energy, share = spectrum(exposure)
    ratio = attenuation("water", CT_ENERGY_KEV) / attenuation("cortical bone", CT_ENERGY_KEV)
    passed = np.zeros_like(water)
    for n, mu_water, mu_bone in zip(
        share, attenuation("water", energy), attenuation("cortical bone", energy) * ratio, strict=True
    ):
        passed += n * np.exp(-water * mu_water - bone * mu_bone)
    if exposure.scatter:
        from scipy.ndimage import gaussian_filter

        # The air beside the patient scatters nothing, so the veil follows what was absorbed.
        passed = passed + exposure.scatter * gaussian_filter(passed * (1 - passed), exposure.scatter_pixels)
    if exposure.photons is not None:
        passed = np.maximum(rng.poisson(passed * exposure.photons), 1) / exposure.photons
    return -np.log(np.maximum(passed, 1e-12))


@cache
def _table() -> dict[str, Any]:
    text = (resources.files("groundglass.synthesis.xray") / "data" / "nist_attenuation.json").read_text("utf-8")
    held: dict[str, Any] = json.loads(text)
    return held
