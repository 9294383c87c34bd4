"""How well a registration fits, and when it must not be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from groundglass.measurement.mni152 import Template
from groundglass.measurement.world_transform import Grid, WorldTransform, resample

# Brains in place (T1, T2, FLAIR, DWI, contrast-enhanced T1 with 5.5 mm slices) reach at least 0.04 and 1.45; noise,
# CT of the body, other organs and brains without their place in the field stay below 0.03 or 1.1.
LEAST_AGREEMENT = 0.03
LEAST_SHARPNESS = 1.3
LEAST_COVERAGE = 0.7
# Adult heads differ from the template by less; beyond, the affine step went astray.
SCALES = (0.65, 1.5)
LARGEST_TURN_DEG = 60.0
LARGEST_RETURN_MM = 1.0
BINS = 32
RIM_VOXELS = 4
SHIFT_VOXELS = 5


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of a registration.

    `agreement` is the share of the template's information that the patient's intensities give, inside its brain and
    an 8 mm rim, in [0, 1]; `sharpness` is agreement over the best agreement 10 mm off place; `coverage` the share
    of the template's brain that the scan covers; `return_mm` the 99th percentile of |to_template(to_patient(x)) - x|;
    `reasons` is empty when all are good enough.
    """

    agreement: float
    sharpness: float
    coverage: float
    return_mm: float
    scales: tuple[float, float, float]
    turn_deg: float
    reasons: tuple[str, ...] = ()


def assess(
    pixels: NDArray[np.float32],
    grid: Grid,
    template: Template,
    to_template: WorldTransform,
    to_patient: WorldTransform,
    linear: NDArray[np.float64],
    exclude: NDArray[np.bool_] | None,
) -> Quality:
    """Figures of the registration of `pixels` (on `grid`) to `template`; `linear` (3, 3) is its affine part."""
    onto = Grid(template.brain.shape, template.affine)
    moved = resample(pixels, grid.affine, onto, to_patient, labels=False)
    seen = resample(np.ones(grid.shape, np.uint8), grid.affine, onto, to_patient, labels=True) > 0
    coverage = float((seen & template.brain).sum() / template.brain.sum())
    near = ndi.binary_dilation(template.brain, iterations=RIM_VOXELS) & seen
    if exclude is not None:
        near &= resample(exclude.astype(np.uint8), grid.affine, onto, to_patient, labels=True) == 0
    agreement = shared_information(moved[near], template.t1[near])
    astray = [
        shared_information(moved[near], np.roll(template.t1, step, axis=axis)[near])
        for axis in range(3)
        for step in (-SHIFT_VOXELS, SHIFT_VOXELS)
    ]
    sharpness = agreement / max(*astray, 1e-6)
    sample = np.argwhere(template.brain)[::97]
    world = sample @ template.affine[:3, :3].T + template.affine[:3, 3]
    return_mm = float(np.percentile(np.linalg.norm(to_template(to_patient(world)) - world, axis=1), 99))
    left, singular, right = np.linalg.svd(linear)
    cosine = np.clip((np.trace(left @ right) - 1) / 2, -1, 1)
    scales = (float(singular[0]), float(singular[1]), float(singular[2]))
    figures = Quality(agreement, sharpness, coverage, return_mm, scales, float(np.degrees(np.arccos(cosine))))
    return Quality(agreement, sharpness, coverage, return_mm, scales, figures.turn_deg, _reasons(figures))


def shared_information(values: NDArray[np.float32], given: NDArray[np.float32]) -> float:
    """I(values; given) / H(given) in [0, 1] over 32 x 32 bins of equal count (Theil's uncertainty coefficient)."""
    if values.size < 1000:
        return 0.0
    joint = np.histogram2d(_ranked(values), _ranked(given), bins=BINS)[0] / values.size
    first, second = joint.sum(axis=1), joint.sum(axis=0)
    expected = np.outer(first, second)
    some = joint > 0
    information = float((joint[some] * np.log(joint[some] / expected[some])).sum())
    entropy = -float((second[second > 0] * np.log(second[second > 0])).sum())
    return information / entropy if entropy > 0 else 0.0


def _ranked(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Bin number by quantile; equal values share a bin."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, values).astype(np.float64)


def _reasons(quality: Quality) -> tuple[str, ...]:
    reasons = []
    if quality.agreement < LEAST_AGREEMENT:
        reasons.append(f"agreement with the template is {quality.agreement:.3f} (at least {LEAST_AGREEMENT})")
    if quality.sharpness < LEAST_SHARPNESS:
        reasons.append(f"the fit is only {quality.sharpness:.2f} times as good as 10 mm off place")
    if quality.coverage < LEAST_COVERAGE:
        reasons.append(f"the scan covers {100 * quality.coverage:.0f} % of the template's brain")
    if min(quality.scales) < SCALES[0] or max(quality.scales) > SCALES[1]:
        reasons.append("the affine step scaled the head by " + ", ".join(f"{s:.2f}" for s in quality.scales))
    if quality.turn_deg > LARGEST_TURN_DEG:
        reasons.append(f"the head was turned by {quality.turn_deg:.0f} degrees")
    if quality.return_mm > LARGEST_RETURN_MM:
        reasons.append(f"there and back differs by {quality.return_mm:.1f} mm")
    return tuple(reasons)
