"""Vessel contact on analytic phantoms: a cylinder with a wedge-shaped tumour round it by a known angle."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.core import EmptyMaskError, Mask
from groundglass.measurement.circumference import vessel_contact
from groundglass.synthesis import vessel_with_wedge


@pytest.mark.parametrize("direction", [(0, 0, 1), (1, 0, 0), (1, 1, 1)])
@pytest.mark.parametrize("radius", [3.0, 5.0])
def test_angle_within_fifteen_degrees_and_right_side_of_encasement(direction, radius) -> None:
    for angle in (30, 90, 170, 190, 270, 360) if radius == 5.0 else (30, 360):
        found = vessel_contact(*vessel_with_wedge(angle, direction, radius=radius))
        assert abs(found.degrees - angle) <= (36 if angle == 360 else 15), (angle, found.degrees)
        assert found.length == pytest.approx(16, abs=3)
        if radius == 5.0 or angle not in (170, 190):
            assert found.encased == (angle >= 180)


def test_anisotropic_and_oblique_grids_give_the_same_angle() -> None:
    turn = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([0.7, -0.7, 2.0])
    for angle in (90, 190):
        assert vessel_contact(*vessel_with_wedge(angle, (0.1, 0.2, 1), affine=affine)).degrees == pytest.approx(
            angle, abs=15
        )


def test_a_gap_within_reach_touches_and_beyond_it_does_not() -> None:
    assert vessel_contact(*vessel_with_wedge(120, (0, 0, 1), gap=1.0)).degrees == pytest.approx(120, abs=15)
    assert vessel_contact(*vessel_with_wedge(120, (0, 0, 1), gap=4.0)).degrees == 0.0


def test_the_main_branch_is_measured_not_a_thin_side_branch() -> None:
    vessel, tumour = vessel_with_wedge(90, (0, 0, 1))
    branched = vessel.array
    branched[:, 27:30, 40:43] = True
    found = vessel_contact(Mask.of(branched, np.eye(4)), tumour)
    assert found.degrees == pytest.approx(90, abs=15)
    assert found.centre is not None and np.allclose(found.centre.points[0][:2], 27.8, atol=1.0)


def test_a_far_tumour_has_no_contact_and_an_empty_mask_is_refused() -> None:
    vessel, _ = vessel_with_wedge(90, (0, 0, 1))
    far = np.zeros(vessel.shape, dtype=bool)
    far[2:6, 2:6, 2:6] = True
    assert vessel_contact(vessel, Mask.of(far, np.eye(4))).degrees == 0.0
    with pytest.raises(EmptyMaskError):
        vessel_contact(vessel, Mask.of(np.zeros(vessel.shape), np.eye(4)))
