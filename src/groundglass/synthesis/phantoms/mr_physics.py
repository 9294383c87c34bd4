"""Magnetic resonance from tissue: proton density, relaxation and diffusion give the signal of any sequence.

Spin echo S = PD (1 - e^(-TR/T1)) e^(-TE/T2); with an inversion pulse PD |1 - 2 e^(-TI/T1) + e^(-TR/T1)| e^(-TE/T2);
diffusion weighting S = S0 e^(-b ADC) (E. O. Stejskal and J. E. Tanner, J Chem Phys 1965; 42: 288); a gadolinium agent
adds r1 C to 1/T1. Relaxation times at 3 T as published (G. J. Stanisz et al., Magn Reson Med 2005; 54: 507; J. P.
Wansapura et al., J Magn Reson Imaging 1999; 9: 531; C. M. J. de Bazelaire et al., Radiology 2004; 230: 652), rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from groundglass.core import ConfigurationError

RELAXIVITY = 4.0
"""r1 of a gadolinium agent at 3 T, per mM and s."""


@dataclass(frozen=True)
class Substance:
    """`density` of protons (water 1), `t1` and `t2` in ms, `adc` in um2/ms, `uptake` of contrast agent in mM,
    `lipid` the share of protons in fat."""

    density: float
    t1: float
    t2: float
    adc: float = 0.8
    uptake: float = 0.0
    lipid: float = 0.0

    def altered(self, *, density: float = 1.0, t1: float = 1.0, t2: float = 1.0, adc: float = 1.0) -> Substance:
        """The same with its parameters multiplied."""
        return replace(
            self, density=self.density * density, t1=self.t1 * t1, t2=self.t2 * t2, adc=max(self.adc * adc, 1e-3)
        )


SUBSTANCES: Mapping[str, Substance] = {
    "white matter": Substance(0.70, 850, 72, 0.74, uptake=0.01),
    "grey matter": Substance(0.81, 1380, 98, 0.86, uptake=0.02),
    "deep grey matter": Substance(0.78, 1180, 78, 0.76, uptake=0.02),
    "cerebrospinal fluid": Substance(1.0, 4000, 1400, 3.0),
    "fat": Substance(0.75, 370, 90, 0.08, lipid=0.95),
    "skin": Substance(0.72, 1100, 38, 1.0, uptake=0.12),
    "muscle": Substance(0.75, 1350, 32, 1.4, uptake=0.05),
    "cortical bone": Substance(0.06, 300, 8, 0.1),
    "diploe": Substance(0.50, 450, 65, 0.3, uptake=0.04, lipid=0.6),
    "marrow": Substance(0.62, 560, 62, 0.35, uptake=0.04, lipid=0.45),
    "air": Substance(0.0, 1000, 50, 0.0),
    "spinal cord": Substance(0.72, 980, 78, 0.9, uptake=0.01),
    "nucleus": Substance(0.90, 1350, 115, 1.9),
    "annulus": Substance(0.55, 1100, 34, 1.2),
    "ligament": Substance(0.30, 900, 16, 0.8),
}


@dataclass(frozen=True)
class Sequence:
    """Times in ms; `ti` of an inversion pulse, `b` in s/mm2; `enhanced`: after the contrast agent; `saturated`:
    a pulse on the fat's resonance leaves a twelfth of it."""

    name: str
    tr: float
    te: float
    ti: float | None = None
    b: float = 0.0
    enhanced: bool = False
    saturated: bool = False

    def signal(self, substance: Substance) -> float:
        """Signal per volume; that of all longitudinal magnetisation of water at once would be 1."""
        rate = 1 / substance.t1 + (RELAXIVITY * substance.uptake / 1000 if self.enhanced else 0.0)
        recovered = 1 - np.exp(-self.tr * rate)
        if self.ti is not None:
            recovered = abs(1 - 2 * np.exp(-self.ti * rate) + np.exp(-self.tr * rate))
        decay = np.exp(-self.te / substance.t2 - self.b * substance.adc / 1000)
        seen = substance.density * (1 - (11 / 12) * substance.lipid if self.saturated else 1.0)
        return float(seen * recovered * decay)

    @property
    def facts(self) -> dict[str, float]:
        """By DICOM keyword."""
        found = {"RepetitionTime": self.tr, "EchoTime": self.te, "DiffusionBValue": self.b}
        return found if self.ti is None else {**found, "InversionTime": self.ti}


def nulling(substance: Substance, tr: float) -> float:
    """The inversion time in ms at which a substance gives no signal: T1 ln(2 / (1 + e^(-TR/T1)))."""
    return float(substance.t1 * np.log(2 / (1 + np.exp(-tr / substance.t1))))


def person_substances(rng: np.random.Generator) -> dict[str, Substance]:
    """One person's own: relaxation by 3 %, density by 1 %, diffusion by 3 %."""
    return {
        name: one.altered(
            **{
                what: float(np.exp(sd * np.clip(rng.standard_normal(), -2.5, 2.5)))
                for what, sd in (("density", 0.01), ("t1", 0.03), ("t2", 0.03), ("adc", 0.03))
            }
        )
        for name, one in SUBSTANCES.items()
    }


def check_share(value: float, name: str, most: float) -> float:
    """A share of noise or bias. Raises ConfigurationError when it is none."""
    if not 0 <= value <= most:
        raise ConfigurationError(f"{name} {value}", "is not a share of the signal", f"Use 0 to {most}.")
    return float(value)
