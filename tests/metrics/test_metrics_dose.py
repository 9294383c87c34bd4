"""Dose figures against closed forms, hand values and pymedphys."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundglass.core.errors import ConfigurationError, EmptyMaskError, GeometryError, InputError
from groundglass.metrics.dose import (
    conformity_number,
    cumulative_histogram,
    dose_at_volume,
    dose_at_volume_ml,
    dose_error_in_target,
    gamma_index,
    gamma_pass_rate,
    mean_dose,
    organs_at_risk,
    synthrad_dvh,
    volume_at_dose,
)

LINE = np.arange(1.0, 101.0)
EVERY = np.ones(100)


def test_dose_volume_figures_of_a_ramp() -> None:
    assert dose_at_volume(LINE, EVERY, 98) == pytest.approx(2.98)
    assert dose_at_volume(LINE, EVERY, 2) == pytest.approx(98.02)
    assert dose_at_volume(LINE, EVERY, 50) == pytest.approx(50.5)
    assert dose_at_volume(LINE, EVERY, 98, between="voxel") == 3
    assert dose_at_volume(LINE, EVERY, 100, between="voxel") == 1
    assert dose_at_volume(LINE, EVERY, 0) == 100 == dose_at_volume(LINE, EVERY, 1, between="voxel")
    assert volume_at_dose(LINE, EVERY, 95) == pytest.approx(0.06)
    assert mean_dose(LINE, EVERY) == 50.5
    assert mean_dose(LINE, LINE > 90) == 95.5
    assert cumulative_histogram(LINE, EVERY, [0, 1, 1.5, 100, 100.1]) == pytest.approx([1, 1, 0.99, 0.01, 0])


def test_a_gaussian_dose_has_the_quantiles_of_its_distribution() -> None:
    dose = np.random.default_rng(0).normal(60, 2, 400_000)
    mask = np.ones(dose.shape)
    for percent, z in ((98, -2.0537), (50, 0.0), (2, 2.0537)):
        assert dose_at_volume(dose, mask, percent) == pytest.approx(60 + 2 * z, abs=0.03)


@given(st.lists(st.floats(0, 80), min_size=1, max_size=40), st.integers(0, 100))
@settings(max_examples=150, deadline=None)
def test_d_x_and_v_x_are_inverse(doses: list[float], percent: int) -> None:
    dose = np.array(doses)
    mask = np.ones(len(dose))
    found = dose_at_volume(dose, mask, percent, between="voxel")
    assert volume_at_dose(dose, mask, found) >= percent / 100 - 1e-9
    higher = dose[dose > found]
    if len(higher):
        assert volume_at_dose(dose, mask, higher.min()) < max(percent / 100, 1 / len(dose)) + 1e-9


def test_volumes_in_ml() -> None:
    dose = np.arange(1000.0).reshape(10, 10, 10)
    mask = np.ones(dose.shape)
    assert dose_at_volume_ml(dose, mask, 0.1, (1, 1, 1)) == 900
    assert dose_at_volume_ml(dose, mask, 0.1, (1, 1, 2)) == 950
    assert dose_at_volume_ml(dose, mask, 9, (1, 1, 1)) == 0
    with pytest.raises(ConfigurationError, match="three mm"):
        dose_at_volume_ml(dose[0], mask[0], 0.1, (1, 1))


def test_conformity_by_pencil() -> None:
    target = np.zeros((4, 4))
    target[:2] = 1
    dose = target * 2.0
    assert conformity_number(dose, target, 2.0) == 1
    dose[2] = 2.0  # 12 treated, 8 in the target
    assert conformity_number(dose, target, 2.0) == pytest.approx(64 / (8 * 12))
    assert math.isnan(conformity_number(dose * 0, target, 2.0))


def plan() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """A dose falling off from a target, with four organs at growing distance."""
    distance = np.abs(np.arange(40) - 10.0)[:, None, None] * np.ones((40, 6, 6))
    dose = 2.0 * np.exp(-np.maximum(distance - 4, 0) / 8)
    target = distance <= 3
    organs = {f"organ {k}": np.zeros(dose.shape, dtype=bool) for k in range(4)}
    for k in range(4):
        organs[f"organ {k}"][18 + 5 * k : 21 + 5 * k] = True
    return dose, target, organs


def test_synthrad_identities_scaling_and_choice_of_organs() -> None:
    dose, target, organs = plan()
    assert organs_at_risk(dose, {"PTV": target, **organs}) == ("organ 0", "organ 1", "organ 2")
    assert organs_at_risk(dose, {"empty": np.zeros(dose.shape), "organ 3": organs["organ 3"]}) == ("organ 3",)
    for variant in ("paper", "script"):
        assert synthrad_dvh(dose, dose, target, organs, 2.0, variant=variant) == pytest.approx(0, abs=1e-9)
    # 1 % more dose everywhere: D98 1 %, V95 unchanged (all of the target), D2 and Dmean 1 % each.
    assert synthrad_dvh(dose * 1.01, dose, target, organs, 2.0) == pytest.approx(0.03, abs=1e-9)
    assert synthrad_dvh(dose * 1.01, dose, target, {}, 2.0) == pytest.approx(0.01, abs=1e-9)
    # A tenth less: D98 a tenth, and nothing of the target is left at 95 %.
    assert synthrad_dvh(dose * 0.9, dose, target, {}, 2.0) == pytest.approx(0.1 + 1.0, abs=1e-9)
    assert dose_error_in_target(dose, dose, 2.0) == 0
    assert dose_error_in_target(dose * 1.02, dose, 2.0, threshold=1.0) == pytest.approx(0.02)


def test_synthrad_script_counts_the_conformity_number_and_an_organ_without_dose() -> None:
    dose, target, _ = plan()
    other = dose.copy()
    other[15] = 2.0  # one more row of 36 voxels at the level
    before, after = (conformity_number(d, target, 2.0) for d in (dose, other))
    expected = abs(before - after) / before
    assert expected > 0.05
    assert synthrad_dvh(other, dose, target, {}, 2.0, variant="script") == pytest.approx(expected, abs=1e-9)
    assert synthrad_dvh(other, dose, target, {}, 2.0) == pytest.approx(0, abs=1e-9)
    cold = np.where(target, dose, 0)
    organ = {"cord": ~target}
    assert synthrad_dvh(cold, cold, target, organ, 2.0) == 0
    assert synthrad_dvh(cold, cold, target, organ, 2.0, variant="script") == pytest.approx(2.0, abs=1e-9)


def test_gamma_of_uniform_changes_is_the_ratio_to_the_criterion() -> None:
    pytest.importorskip("pymedphys")
    dose = np.full((9, 8, 7), 2.0)
    found = gamma_index(dose * 1.01, dose, (2, 2, 2), dose_percent=2, distance_mm=2)
    assert found == pytest.approx(0.5, abs=1e-9)
    assert gamma_pass_rate(dose, dose, (2, 2, 2)) == 1
    assert gamma_pass_rate(dose * 1.0199, dose, (2, 2, 2)) == 1
    assert gamma_pass_rate(dose * 1.0201, dose, (2, 2, 2)) == 0


def test_gamma_of_a_shifted_ramp_is_the_closed_form() -> None:
    pytest.importorskip("pymedphys")
    x = np.arange(0.0, 60.0)
    slope, shift, difference, distance = 0.05, 1.5, 0.03, 3.0
    ramp = 1 + slope * x
    moved = 1 + slope * (x - shift)
    percent = 100 * difference / ramp.max()
    found = gamma_index(moved, ramp, (1.0,), dose_percent=percent, distance_mm=distance)
    expected = shift / math.sqrt(distance**2 + (difference / slope) ** 2)
    assert found[10:-10] == pytest.approx(expected, abs=0.01)


def test_gamma_of_a_shifted_step_by_hand() -> None:
    pytest.importorskip("pymedphys")
    reference = np.where(np.arange(20) < 10, 1.0, 0.5)
    moved = np.where(np.arange(20) < 11, 1.0, 0.5)
    found = gamma_index(moved, reference, (1.0,), dose_percent=3, distance_mm=2, max_gamma=5)
    # Only voxel 10 differs: its dose of 0.5 lies 1 mm away (0.5 of the distance), just before it the step costs dose.
    assert np.delete(found, 10) == pytest.approx(0, abs=1e-9)
    assert found[10] == pytest.approx(0.5, abs=0.03)
    assert gamma_pass_rate(moved, reference, (1.0,), dose_percent=3, distance_mm=0.5) == pytest.approx(19 / 20)


def test_gamma_pass_rate_is_pymedphys_within_a_fifth_of_a_percent() -> None:
    pymedphys = pytest.importorskip("pymedphys")
    rng = np.random.default_rng(0)
    axes = [np.linspace(-1, 1, n) for n in (14, 12, 10)]
    grid = np.meshgrid(*axes, indexing="ij")
    dose = 2 * np.exp(-sum(g**2 for g in grid) * 2)
    other = np.roll(dose, 1, axis=0) * (1 + rng.normal(0, 0.06, dose.shape))
    lines = tuple(np.arange(n) * 1.5 for n in dose.shape)
    for local in (False, True):
        gamma = pymedphys.gamma(
            lines, dose, lines, other, 1, 1, lower_percent_dose_cutoff=10, local_gamma=local, interp_algo="scipy"
        )
        expected = (gamma[~np.isnan(gamma)] <= 1).mean()
        found = gamma_pass_rate(
            other,
            dose,
            (1.5,) * 3,
            dose_percent=1,
            distance_mm=1,
            normalisation="local" if local else "global",
        )
        assert 0.2 < expected < 0.98 and found == pytest.approx(expected, abs=0.002)


def test_gamma_is_an_exhaustive_search_on_lines() -> None:
    pytest.importorskip("pymedphys")
    rng = np.random.default_rng(1)
    x = np.arange(0.0, 30.0, 1.5)
    fine = np.arange(0.0, x[-1] + 0.01, 0.02)
    for _ in range(10):
        reference = 2 + np.cumsum(rng.normal(0, 0.1, len(x)))
        other = reference + rng.normal(0, 0.1, len(x))
        difference = 0.03 * reference.max()
        doses = np.interp(fine, x, other)
        squares = ((fine[None] - x[:, None]) / 2) ** 2 + ((doses[None] - reference[:, None]) / difference) ** 2
        found = gamma_index(other, reference, (1.5,), dose_percent=3, distance_mm=2, cutoff_percent=0, max_gamma=4)
        # pymedphys searches in steps of a tenth of the distance: it misses the least by some of a step, never below it.
        more = found - np.minimum(np.sqrt(squares.min(axis=1)), 4)
        assert (more > -0.01).all() and (more < 0.2).all() and more.mean() < 0.06


def test_gamma_looks_at_the_mask_above_the_cutoff() -> None:
    pytest.importorskip("pymedphys")
    dose = np.ones((10, 10))
    dose[5:] = 0.05
    other = dose.copy()
    other[:2] = 5.0
    found = gamma_index(other, dose, (5, 5))
    assert np.isnan(found[5:]).all() and not np.isnan(found[:5]).any()
    mask = np.zeros((10, 10))
    mask[2:] = 1
    assert gamma_pass_rate(other, dose, (5, 5), mask=mask) == 1
    assert gamma_pass_rate(other, dose, (5, 5)) == pytest.approx(3 / 5)
    with pytest.raises(EmptyMaskError, match="cut-off"):
        gamma_pass_rate(other, dose, (5, 5), mask=dose < 0.1)


def test_gamma_without_pymedphys_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymedphys", None)
    with pytest.raises(ConfigurationError, match=r"groundglass\[dose\]"):
        gamma_index(np.ones((4, 4)), np.ones((4, 4)), (1, 1))


def test_wrong_doses_are_refused() -> None:
    for call, error, message in (
        (lambda: mean_dose(-LINE, EVERY), InputError, "below 0"),
        (lambda: mean_dose(LINE, EVERY[:-1]), GeometryError, "dose grid"),
        (lambda: mean_dose(LINE, EVERY * 0), EmptyMaskError, "no voxel"),
        (lambda: dose_at_volume(LINE, EVERY, 101), ConfigurationError, "0 to 100"),
        (lambda: dose_error_in_target(LINE, LINE, 500.0), InputError, "nowhere"),
        (lambda: dose_error_in_target(LINE, LINE, 0.0), ConfigurationError, "prescription"),
        (lambda: dose_error_in_target(LINE[1:], LINE, 2.0), GeometryError, "one dose grid"),
        (lambda: gamma_index(LINE, LINE, (1, 1)), GeometryError, "spacing"),
        (lambda: gamma_index(LINE * 0, LINE * 0, (1,)), GeometryError, "0 everywhere"),
        (lambda: synthrad_dvh(LINE, LINE, EVERY, {}, 2.0, variant="x"), ConfigurationError, "variant"),
    ):
        with pytest.raises(error, match=message):
            call()
