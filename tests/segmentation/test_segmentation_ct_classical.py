"""CT compartments on a drawn torso of known volumes (a simulation) and on real scans."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from groundglass.core import GeometryError, Image
from groundglass.measurement.volume import volume_ml
from groundglass.segmentation.ct_classical import ct_compartments


def torso(*, couch: bool = True, cut: int = 0):
    """(hu, truth) on a 3 mm grid, x right, y front, z up: fat shell, muscle wall, two lungs above, gut fat below."""
    step, shape = 3.0, (124, 92, 75)
    x, y, z = np.meshgrid(*[(np.arange(n) - (n - 1) / 2) * step for n in shape], indexing="ij")
    hu = np.full(shape, -1000.0)
    truth = {}
    outline = (x / 160) ** 2 + (y / 110) ** 2 <= 1
    wall = (x / 140) ** 2 + (y / 90) ** 2 <= 1
    cavity = (x / 125) ** 2 + (y / 75) ** 2 <= 1
    hu[outline], hu[wall] = -100, 50
    upper, lower = z > 10, z <= 10
    hu[cavity & lower] = -95
    spine = (x / 20) ** 2 + ((y + 60) / 20) ** 2 <= 1
    for name, sign in (("left lung", -1), ("right lung", 1)):
        lung = (((x - sign * 62) / 50) ** 2 + (y / 60) ** 2 + ((z - 60) / 48) ** 2 <= 1) & upper & ~spine
        truth[name] = lung
        hu[lung] = -820
    trachea = (x**2 + y**2 <= 9**2) & (z > 55)
    hu[trachea], truth["airways"] = -1000, trachea
    gas = ((x - 40) / 30) ** 2 + ((y - 30) / 20) ** 2 + ((z + 60) / 30) ** 2 <= 1
    hu[gas] = -1000
    hu[spine] = 220
    hu[spine & ((x / 16) ** 2 + ((y + 60) / 16) ** 2 > 1)] = 800
    truth["bone"] = spine
    truth["body"] = outline
    truth["subcutaneous fat"] = outline & ~wall
    truth["visceral fat"] = cavity & lower & ~gas & ~spine
    noise = np.random.default_rng(1).normal(0, 12, shape)
    hu = hu + noise
    if couch:
        hu[:, 0:2, :][20:104] = -50
    affine = np.diag([step, step, step, 1.0])
    if cut:
        hu, truth = hu[cut:-cut], {k: v[cut:-cut] for k, v in truth.items()}
    return hu.astype(np.int16), truth, affine


def dice(one, two) -> float:
    return 2 * float((one & two).sum()) / float(one.sum() + two.sum())


def image_of(hu, affine) -> Image:
    return Image.of(hu, affine, modality="CT", units="[hnsf'U]")


def test_torso_compartments_match_the_drawn_truth_and_leave_couch_and_bowel_gas_out() -> None:
    hu, truth, affine = torso()
    found = ct_compartments(image_of(hu, affine)).masks
    for name, least in (("body", 0.98), ("left lung", 0.97), ("right lung", 0.97), ("airways", 0.9), ("bone", 0.93)):
        assert dice(found[name].array, truth[name]) >= least, name
    for name, least in (("subcutaneous fat", 0.93), ("visceral fat", 0.9)):
        assert dice(found[name].array, truth[name]) >= least, name
    assert not found["body"].array[:, :2].any()


def test_any_orientation_gives_the_same_masks() -> None:
    hu, _, affine = torso()
    first = ct_compartments(image_of(hu, affine)).masks
    # Slices first, rows from the front, columns from the patient's right: a DICOM-like order.
    order, flips = (2, 1, 0), (False, True, True)
    turned = hu.transpose(order)
    matrix = affine[:, [*order, 3]].copy()
    for axis, flip in enumerate(flips):
        if flip:
            turned = np.flip(turned, axis)
            matrix[:, 3] += matrix[:, axis] * (turned.shape[axis] - 1)
            matrix[:, axis] *= -1
    second = ct_compartments(image_of(np.ascontiguousarray(turned), matrix)).masks
    assert set(first) == set(second)
    for name, mask in second.items():
        back = mask.array
        for axis, flip in enumerate(flips):
            back = np.flip(back, axis) if flip else back
        assert np.array_equal(back.transpose(np.argsort(order)), first[name].array), name
        assert np.array_equal(mask.affine, matrix)


def test_a_body_cut_by_the_field_of_view_is_said() -> None:
    hu, truth, affine = torso(couch=False, cut=25)
    found = ct_compartments(image_of(hu, affine))
    assert any("cut by the field of view" in doubt for doubt in found.doubts)
    assert dice(found.masks["body"].array, truth["body"]) >= 0.97


def test_what_is_not_in_hounsfield_units_is_refused() -> None:
    with pytest.raises(GeometryError):
        ct_compartments(image_of(np.zeros((30, 30, 30), dtype=np.int16), np.eye(4)))
    with pytest.raises(GeometryError):
        ct_compartments(Image.of(np.zeros((30, 30), dtype=np.int16), np.eye(4), modality="CT"))


def test_real_abdomen_against_the_organ_model(data) -> None:
    folder = data / "ct-organ-samples" / "small"
    volume = nib.load(folder / "ct.nii.gz")
    labels = np.asarray(nib.load(folder / "ct_organs_total.nii.gz").dataobj)
    found = ct_compartments(image_of(np.asarray(volume.dataobj), volume.affine)).masks
    assert dice(found["left lung"].array, np.isin(labels, (10, 11))) >= 0.93
    assert dice(found["right lung"].array, np.isin(labels, (12, 13, 14))) >= 0.93
    skeleton = np.isin(labels, [*range(25, 51), *range(69, 79), 91, *range(92, 117)])
    assert dice(found["bone"].array, skeleton) >= 0.68
    organs = np.isin(labels, (1, 2, 3, 5, 7))
    assert (found["body"].array & organs).sum() == organs.sum()
    # Organs are no fat, and bowel gas no lung.
    assert (found["subcutaneous fat"].array & organs).sum() <= 0.002 * organs.sum()
    assert not (found["left lung"].array & np.isin(labels, (6, 20))).any()


def test_a_bright_angiogram_withholds_bone(data) -> None:
    volume = nib.load(data / "ct-organ-samples" / "aorta" / "ct_cropped.nii.gz")
    found = ct_compartments(image_of(np.asarray(volume.dataobj), volume.affine))
    assert "bone" not in found.masks and any("bone is not measured" in d for d in found.doubts)
    assert volume_ml(found.masks["airways"]) == pytest.approx(18, abs=6)
