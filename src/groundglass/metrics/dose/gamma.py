"""Gamma index (D. A. Low et al., Medical Physics 1998; 25: 656), computed by pymedphys.

gamma(r) = min over r' of sqrt(|r - r'|^2 / distance^2 + (D_evaluated(r') - D_reference(r))^2 / difference^2)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from groundglass.core.errors import ConfigurationError, EmptyMaskError, GeometryError
from groundglass.metrics.dose.checks import Array, above_zero, dose_pair, structure

_SLACK = 1e-9


def gamma_index(
    evaluated: ArrayLike,
    reference: ArrayLike,
    spacing: Sequence[float],
    *,
    dose_percent: float = 2.0,
    distance_mm: float = 2.0,
    cutoff_percent: float = 10.0,
    normalisation: Literal["global", "local"] = "global",
    max_gamma: float = 2.0,
) -> Array:
    """Gamma of every voxel of the reference dose, of any number of axes up to 3, `spacing` in mm per axis.

    NaN where the reference is below `cutoff_percent` of its maximum. `dose_percent` is of that maximum ("global") or of
    the dose at the voxel ("local"). The search ends at `max_gamma`, which is also the highest value given. Between
    voxels the evaluated dose is linear, in steps of a tenth of `distance_mm`. Without numba pymedphys searches by
    scipy: the same values, slower. Raises ConfigurationError (pymedphys not installed, options), InputError and
    GeometryError (doses, spacing).
    """
    ours, theirs = dose_pair(evaluated, reference)
    for value, name in ((dose_percent, "dose_percent"), (distance_mm, "distance_mm"), (max_gamma, "max_gamma")):
        above_zero(value, name)
    if normalisation not in ("global", "local") or not 0 <= cutoff_percent < 100:
        raise ConfigurationError("normalisation, cutoff_percent", "are not usable", "Use global or local, 0 to 100.")
    if len(spacing) != theirs.ndim or theirs.ndim > 3 or not (np.asarray(spacing) > 0).all():
        raise GeometryError("spacing", f"{list(spacing)} does not fit {theirs.ndim} axes", "Pass mm, one per axis.")
    if theirs.max() <= 0 or min(theirs.shape) < 2:
        raise GeometryError("reference dose", "is 0 everywhere or one voxel thin", "Leave thin axes out.")
    axes = tuple(np.arange(n) * float(step) for n, step in zip(theirs.shape, spacing, strict=True))
    gamma = _pymedphys()(
        axes,
        theirs,
        axes,
        ours,
        dose_percent,
        distance_mm,
        lower_percent_dose_cutoff=cutoff_percent,
        max_gamma=max_gamma,
        local_gamma=normalisation == "local",
        interp_algo="pymedphys" if find_spec("numba") and find_spec("tomlkit") else "scipy",
    )
    found = np.asarray(gamma, dtype=np.float64)
    # A voxel that no evaluated dose comes near has failed, it is not left out.
    asked = theirs >= cutoff_percent / 100 * theirs.max()
    found[asked & np.isnan(found)] = max_gamma
    found[~asked] = np.nan
    return found


def gamma_pass_rate(
    evaluated: ArrayLike,
    reference: ArrayLike,
    spacing: Sequence[float],
    *,
    mask: ArrayLike | None = None,
    dose_percent: float = 2.0,
    distance_mm: float = 2.0,
    cutoff_percent: float = 10.0,
    normalisation: Literal["global", "local"] = "global",
) -> float:
    """Share of the voxels above the cut-off (and in the `mask`, such as the body) whose gamma is at most 1.

    Raises as `gamma_index`, and EmptyMaskError when no voxel is left.
    """
    gamma = gamma_index(
        evaluated,
        reference,
        spacing,
        dose_percent=dose_percent,
        distance_mm=distance_mm,
        cutoff_percent=cutoff_percent,
        normalisation=normalisation,
        max_gamma=1.1,
    )
    held = gamma[structure(mask, gamma.shape, "mask")] if mask is not None else gamma.reshape(-1)
    held = held[~np.isnan(held)]
    if not len(held):
        raise EmptyMaskError("mask", "has no voxel above the cut-off", "Lower cutoff_percent or check the mask.")
    return float((held <= 1 + _SLACK).mean())


def _pymedphys() -> Callable[..., Any]:
    try:
        from pymedphys import gamma
    except ImportError as error:
        raise ConfigurationError(
            "gamma index", "needs pymedphys, which is not installed", "Run: pip install 'groundglass[dose]'."
        ) from error
    found: Callable[..., Any] = gamma
    return found
