"""A CT to radiographs: one call for image, geometry and carried findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.core import Acquisition, Finding, Image, InputError
from groundglass.synthesis.xray.attenuation import CT_ENERGY_KEV, Exposure, attenuation, excess, expose, water_and_bone
from groundglass.synthesis.xray.carried import ProjectedFinding, carry_findings
from groundglass.synthesis.xray.display import grey
from groundglass.synthesis.xray.joseph import line_integrals
from groundglass.synthesis.xray.view import XrayView

# Reconstructions pad with -1024, -2000 or -8192 outside of the circle.
AIR_HU = -1000.0


@dataclass(frozen=True, eq=False)
class Radiograph:
    """`integrals` (rows, columns): -log(I / I0), or HU mm above the threshold; `picture` in [0, 1], bone bright."""

    view: XrayView
    integrals: NDArray[np.float32]
    picture: NDArray[np.float32]
    findings: tuple[ProjectedFinding, ...]

    def image(self, name: str) -> Image:
        """The integrals as a flat image in the CT's world, marked as derived."""
        return Image.of(
            self.integrals,
            self.view.affine,
            name=name,
            modality="DX",
            acquisition=Acquisition(
                body_part="CHEST", view=self.view.name, description="SIMULATED radiograph projected from CT"
            ),
        )


def project_ct(
    ct: Image,
    view: XrayView,
    *,
    findings: Sequence[Finding] = (),
    exposure: Exposure | None = None,
    threshold: float | None = None,
    rng: np.random.Generator | None = None,
) -> Radiograph:
    """One view of a CT volume in HU.

    By default the integral of mu_water (1 + HU / 1000) at one energy, without noise. `exposure`: the spectrum, noise
    (needs `rng`) and scatter of a real film. `threshold`: the sum of HU above it, as DRR-RATE's tool takes it.
    Raises InputError for an image that is no CT volume of one channel.
    """
    if not ct.is_volume or ct.channels != 1:
        raise InputError(ct.name, "is not one volume", "Give a CT series or a NIfTI volume in HU.")
    hounsfield = torch.from_numpy(np.ascontiguousarray(ct.array[0], dtype=np.float32)).nan_to_num(AIR_HU)
    if float(hounsfield.min()) >= 0:
        raise InputError(ct.name, "holds no value below 0, so it is not in HU", "Give the CT with its rescale slope.")
    hounsfield = hounsfield.clamp(min=AIR_HU)
    name = f"{ct.name} {view.name}".strip()
    if threshold is not None:
        integrals = line_integrals(excess(hounsfield, threshold), ct.affine, view).numpy()
    elif exposure is None:
        density = 1 + hounsfield / 1000
        integrals = line_integrals(density, ct.affine, view).numpy() * float(attenuation("water", CT_ENERGY_KEV))
    else:
        paths = line_integrals(water_and_bone(hounsfield), ct.affine, view)
        integrals = expose(paths, exposure, rng or np.random.default_rng(0))
    picture = grey(integrals)
    return Radiograph(view, integrals.astype(np.float32), picture, carry_findings(findings, view, image=name))
