"""The sample radiograph that the installation itself makes: a phantom, written as DICOM DX and labelled as
simulated."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from groundglass.io import SimulatedFilm, write_simulated_dx
from groundglass.synthesis.thorax import PhantomRadiograph, PlantedFinding, random_radiograph

SEED, SIZE = 16, 512


def sample_radiograph(seed: int = SEED) -> PhantomRadiograph:
    """A PA phantom with an enlarged heart and a small left effusion."""
    findings = (PlantedFinding("cardiomegaly"), PlantedFinding("effusion", "left", extent=0.12))
    return random_radiograph(np.random.default_rng(seed), size=SIZE, findings=findings, view="PA")


def write_sample_radiograph(path: Path, *, seed: int = SEED) -> Path:
    """Write the sample to `path` as a DICOM "Digital X-Ray Image - for presentation"; the path."""
    phantom = sample_radiograph(seed)
    film = SimulatedFilm(
        description="chest radiograph of a computed phantom, not a patient",
        derivation="Computed by projection of a procedural thorax phantom",
        view="PA",
        pixel_mm=phantom.pixel_mm,
        seed=("groundglass sample", str(seed)),
        model="procedural thorax",
    )
    return write_simulated_dx(np.clip(phantom.image, 0, 1), film, path)
