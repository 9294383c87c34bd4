"""Vessel contact on analytic phantoms: a cylinder with a wedge-shaped tumour round it by a known angle."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.core import EmptyMaskError, Mask
from groundglass.measurement.vessel_contact import vessel_contact


def phantom(angle, direction, *, radius=5.0, thick=8.0, length=16.0, size=56, affine=None, gap=0.0):
    """(vessel, tumour): a cylinder along `direction` (world) and a wedge of `angle` degrees beside it."""
    affine = np.eye(4) if affine is None else affine
    direction = np.array(direction, dtype=float) / np.linalg.norm(direction)
    shape = np.ceil(size / np.linalg.norm(affine[:3, :3], axis=0)).astype(int)
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1).reshape(-1, 3)
    world = (grid - (shape - 1) / 2) @ affine[:3, :3].T - 0.3
    along = world @ direction
    radial = world - along[:, None] * direction
    helper = np.eye(3)[np.abs(direction).argmin()]
    one = np.cross(direction, helper) / np.linalg.norm(np.cross(direction, helper))
    two = np.cross(direction, one)
    far = np.linalg.norm(radial, axis=1)
    turn = np.degrees(np.arctan2(radial @ two, radial @ one))
    vessel = far <= radius
    tumour = (
        (far > radius + gap) & (far <= radius + gap + thick) & (abs(along) <= length / 2) & (abs(turn) <= angle / 2)
    )
    return Mask.of(vessel.reshape(shape), affine), Mask.of(tumour.reshape(shape), affine)


@pytest.mark.parametrize("direction", [(0, 0, 1), (1, 0, 0), (1, 1, 1)])
@pytest.mark.parametrize("radius", [3.0, 5.0])
def test_angle_within_fifteen_degrees_and_right_side_of_encasement(direction, radius) -> None:
    for angle in (30, 90, 170, 190, 270, 360):
        found = vessel_contact(*phantom(angle, direction, radius=radius))
        assert abs(found.degrees - angle) <= (36 if angle == 360 else 15), (angle, found.degrees)
        assert found.length == pytest.approx(16, abs=3)
        if radius == 5.0 or angle not in (170, 190):
            assert found.encased == (angle >= 180)


def test_anisotropic_and_oblique_grids_give_the_same_angle() -> None:
    turn = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([0.7, -0.7, 2.0])
    for angle in (90, 190):
        assert vessel_contact(*phantom(angle, (0.1, 0.2, 1), affine=affine)).degrees == pytest.approx(angle, abs=15)


def test_a_gap_within_reach_touches_and_beyond_it_does_not() -> None:
    assert vessel_contact(*phantom(120, (0, 0, 1), gap=1.0)).degrees == pytest.approx(120, abs=15)
    assert vessel_contact(*phantom(120, (0, 0, 1), gap=4.0)).degrees == 0.0


def test_the_main_branch_is_measured_not_a_thin_side_branch() -> None:
    vessel, tumour = phantom(90, (0, 0, 1))
    branched = vessel.array
    branched[:, 27:30, 40:43] = True
    found = vessel_contact(Mask.of(branched, np.eye(4)), tumour)
    assert found.degrees == pytest.approx(90, abs=15)
    assert found.centre is not None and np.allclose(found.centre.points[0][:2], 27.8, atol=1.0)


def test_a_far_tumour_has_no_contact_and_an_empty_mask_is_refused() -> None:
    vessel, _ = phantom(90, (0, 0, 1))
    far = np.zeros(vessel.shape, dtype=bool)
    far[2:6, 2:6, 2:6] = True
    assert vessel_contact(vessel, Mask.of(far, np.eye(4))).degrees == 0.0
    with pytest.raises(EmptyMaskError):
        vessel_contact(vessel, Mask.of(np.zeros(vessel.shape), np.eye(4)))
