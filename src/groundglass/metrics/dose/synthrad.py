"""Dose scores of SynthRAD2023 (arXiv 2403.08447): a plan's dose on the synthetic CT against that on the true one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.dose.checks import Array, above_zero, dose_pair, structure
from groundglass.metrics.dose.volume_histogram import conformity_number, dose_at_volume, mean_dose, volume_at_dose

ORGANS = 3
_EPS = 1e-12


def dose_error_in_target(
    prediction: ArrayLike, truth: ArrayLike, prescription: float, *, threshold: float = 0.9
) -> float:
    """MAE_target: mean |true - predicted dose| / prescription over voxels whose true dose is at least `threshold` of
    the prescription (2.0 Gy brain, 3.0 Gy pelvis per fraction). Raises InputError when none is.
    """
    ours, theirs = dose_pair(prediction, truth)
    high = theirs >= threshold * above_zero(prescription, "prescription")
    if not high.any():
        raise InputError("true dose", f"reaches {threshold:g} of the prescription nowhere", "Check the prescription.")
    return float(np.abs(theirs - ours)[high].mean() / prescription)


def synthrad_dvh(
    prediction: ArrayLike,
    truth: ArrayLike,
    target: ArrayLike,
    organs: Mapping[str, ArrayLike],
    prescription: float,
    *,
    variant: Literal["paper", "script"] = "paper",
) -> float:
    """|dD98| / D98 + |dV95| / V95 of the target, plus the means over organs at risk of |dD2| / D2 and |dDmean| / Dmean.

    Organs are those of `organs_at_risk`; without any the target's terms stand alone. `variant` "paper" takes V95 as the
    share of the target at 95 % of the prescription. The organisers' "script" puts the plan's conformity number in its
    place, and adds 1e-12 above as well as below each fraction, so that an organ without dose in both plans counts 1
    instead of 0. NaN where the conformity number is. Raises InputError, GeometryError, EmptyMaskError (target),
    ConfigurationError (prescription, variant).
    """
    ours, theirs = dose_pair(prediction, truth)
    if variant not in ("paper", "script"):
        raise ConfigurationError(f"variant {variant}", "is not known", "Use paper or script.")
    level = 0.95 * above_zero(prescription, "prescription")
    inside = structure(target, theirs.shape, "target")
    added = _EPS if variant == "script" else 0.0

    def change(figure: Callable[[Array], float]) -> float:
        real = figure(theirs)
        return abs(real - figure(ours) + added) / (real + _EPS)

    def coverage(dose: Array) -> float:
        if variant == "script":
            return conformity_number(dose, inside, prescription)
        return volume_at_dose(dose, inside, level)

    score = change(lambda dose: dose_at_volume(dose, inside, 98)) + change(coverage)
    masks = [structure(organs[name], theirs.shape, name) for name in organs_at_risk(theirs, organs)]
    if not masks:
        return score
    near_maximum = [change(partial(dose_at_volume, mask=mask, percent=2)) for mask in masks]
    means = [change(partial(mean_dose, mask=mask)) for mask in masks]
    return float(score + np.mean(near_maximum) + np.mean(means))


def organs_at_risk(truth: ArrayLike, organs: Mapping[str, ArrayLike]) -> tuple[str, ...]:
    """The three organs (or all, if fewer) of the highest (D5 + mean dose) / 2 on the true CT; empty ones are passed
    over, as no dose is known of them. Targets (PTV, CTV, GTV) are no organs. Equal ones keep their order.
    """
    burdens = {
        name: (dose_at_volume(truth, mask, 5) + mean_dose(truth, mask)) / 2
        for name, mask in organs.items()
        if name not in ("PTV", "CTV", "GTV") and np.any(mask)
    }
    return tuple(sorted(burdens, key=lambda name: -burdens[name])[:ORGANS])
