"""CT numbers in HU of normal tissue, unenhanced and in the portal venous phase.

Means of adults as published: lung -850 to -800, fat -100, muscle 55, liver 58 and 110, spleen 50 and 120, kidney 32 and
180, pancreas 42 and 95, unclotted blood 42, cortical bone 700 to 1200 (less
where thinner than a voxel), marrow 100 to 250, bile and urine 5 to 10
(J. T. Bushberg et al., The Essential Physics of Medical Imaging, 3rd ed., 2011, ch. 10; A. Lamba et al., AJR 2014; 203:
W570 for enhanced organs). Patients differ by the standard deviations of `_SPREAD`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

PHASES = ("plain", "portal venous")

# name: (plain, portal venous)
_MEANS = {
    "fat": (-102, -100),
    "skin": (20, 25),
    "muscle": (55, 65),
    "blood": (42, 155),
    "artery": (42, 165),
    "myocardium": (45, 105),
    "liver": (58, 110),
    "spleen": (50, 120),
    "kidney": (32, 165),
    "renal pelvis": (8, 12),
    "pancreas": (42, 95),
    "gallbladder": (8, 8),
    "stomach wall": (40, 75),
    "stomach content": (20, 20),
    "bowel": (28, 50),
    "adrenal": (25, 65),
    "bladder": (6, 8),
    "lung": (-845, -835),
    "marrow": (140, 150),
    "cortex": (560, 560),
    "disc": (85, 90),
    "canal": (15, 18),
    "cartilage": (110, 110),
    "oesophagus": (40, 55),
    "air": (-990, -990),
    "gas": (-920, -920),
    "airway wall": (40, 45),
    "pleura": (40, 45),
    "stool": (-60, -60),
    "stone": (320, 320),
    "gallstone": (190, 190),
    "ascites": (8, 8),
    "brain": (34, 38),
    "effusion": (10, 10),
    "consolidation": (32, 55),
    "prostate": (40, 60),
}
_SPREAD = {"lung": 18.0, "marrow": 40.0, "cortex": 60.0, "blood": 3.0, "fat": 5.0, "liver": 7.0, "kidney": 5.0}


@dataclass(frozen=True)
class Tissue:
    """Value by tissue for one patient: HU of a phase, or SUV (`phase` "FDG"): what a painter mixes into the voxels."""

    hu: dict[str, float]
    phase: str

    def __getitem__(self, name: str) -> float:
        return self.hu[name]

    def with_values(self, **changes: float) -> Tissue:
        """The same patient with other values of some tissues (names with a blank: pass a dict with **)."""
        return replace(self, hu={**self.hu, **changes})


def random_tissue(rng: np.random.Generator, *, phase: str) -> Tissue:
    """The patient's own CT numbers; enhanced blood varies with the injection (+-25 HU)."""
    column = PHASES.index(phase)
    drawn = {name: pair[column] + _SPREAD.get(name, 4.0) * rng.standard_normal() for name, pair in _MEANS.items()}
    if column:
        extra = 25.0 * float(np.clip(rng.standard_normal(), -2, 2))
        drawn["blood"] += extra
        drawn["artery"] = drawn["blood"] + rng.uniform(0, 25)
    else:
        drawn["artery"] = drawn["blood"]
    return Tissue(drawn, phase)


# Mean SUV by body weight one hour after FDG in fasting adults; rounded from published ranges of normal uptake
# (Y. Wang et al., Mol Imaging Biol 2007; 9: 83; G. J. Cook et al., Semin Nucl Med 1996; 26: 308).
_UPTAKE = {
    "fat": 0.3,
    "skin": 0.6,
    "muscle": 0.7,
    "blood": 1.6,
    "artery": 1.6,
    "myocardium": 4.0,
    "liver": 2.2,
    "spleen": 1.9,
    "kidney": 2.9,
    "renal pelvis": 14.0,
    "pancreas": 1.5,
    "gallbladder": 0.9,
    "stomach wall": 2.0,
    "stomach content": 0.6,
    "bowel": 1.7,
    "adrenal": 1.4,
    "bladder": 22.0,
    "lung": 0.45,
    "marrow": 1.3,
    "cortex": 0.7,
    "disc": 0.8,
    "canal": 1.2,
    "cartilage": 0.7,
    "oesophagus": 1.4,
    "brain": 8.5,
    "effusion": 0.8,
    "consolidation": 2.0,
    "prostate": 1.6,
    "air": 0.0,
    "gas": 0.0,
    "airway wall": 1.0,
    "pleura": 0.6,
    "stool": 1.2,
    "stone": 0.2,
    "gallstone": 0.2,
    "ascites": 0.5,
}


def random_uptake(rng: np.random.Generator) -> Tissue:
    """SUV of one patient: all tissues by some 12 %, heart and bladder as widely as fasting and voiding leave them."""
    drawn = {name: mean * float(np.exp(0.12 * rng.standard_normal())) for name, mean in _UPTAKE.items()}
    drawn["myocardium"] *= float(np.exp(0.6 * rng.standard_normal()))
    drawn["bladder"] *= float(np.exp(0.5 * rng.standard_normal()))
    return Tissue(drawn, "FDG")
