"""NIfTI as nibabel has it, bit for bit; NRRD and MHA against SimpleITK."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from groundglass.core import Mask
from groundglass.io import read_image, read_mask, write_nifti

OBLIQUE = np.array([[0.7, -0.31, 0.2, -33.125], [0.3, 0.9, -0.1, 17.5], [-0.1, 0.12, 2.9, 1 / 3], [0, 0, 0, 1]])
LEFT_HANDED = np.array([[-1.0, 0, 0, 90], [0, 1.1, 0, -126], [0, 0, 1.2, -72], [0, 0, 0, 1]])
SWAPPED = np.array([[0, 0, 3.0, 5], [-0.5, 0, 0, 6], [0, 0.5, 0, 7], [0, 0, 0, 1]])
SHAPES = ((7, 5, 3), (260, 4, 3), (3, 300, 2), (2, 3, 517), (9, 11, 1), (1, 1, 1))


@pytest.mark.parametrize("affine", [OBLIQUE, LEFT_HANDED, SWAPPED], ids=["oblique", "left", "swapped"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_affine_survives_reading_and_masks_bit_for_bit(
    tmp_path: Path, affine: np.ndarray, shape: tuple[int, ...], suffix: str
) -> None:
    rng = np.random.default_rng(0)
    volume = rng.integers(-500, 500, shape).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(volume, affine), tmp_path / f"in{suffix}")
    stored = nibabel.load(tmp_path / f"in{suffix}")
    image = read_image(tmp_path / f"in{suffix}")
    assert image.affine.tobytes() == np.asarray(stored.affine, dtype=np.float64).tobytes()
    np.testing.assert_array_equal(image.array[0], volume)
    assert image.array.dtype == np.int16
    inside = volume > 0
    written = write_nifti(Mask.of(inside, image.affine), image, tmp_path / f"mask{suffix}")
    again = nibabel.load(written)
    assert np.asarray(again.affine).tobytes() == np.asarray(stored.affine).tobytes()
    back = read_mask(written, like=image)
    np.testing.assert_array_equal(back.array, inside)
    assert back.affine.tobytes() == image.affine.tobytes()


def test_every_real_volume_has_nibabels_affine_and_shape(data: Path) -> None:
    files = sorted(data.rglob("*.nii.gz"))
    assert len(files) > 500
    for file in files[::6]:
        theirs, ours = nibabel.load(file), read_image(file)
        assert ours.affine.tobytes() == np.asarray(theirs.affine, dtype=np.float64).tobytes(), file
        assert ours.shape == theirs.shape, file
    for file in files[::40]:
        np.testing.assert_allclose(read_image(file).array[0], np.asarray(nibabel.load(file).dataobj), rtol=1e-6)


def test_four_axes_have_time_last(tmp_path: Path) -> None:
    volume = np.arange(120, dtype=np.float32).reshape(5, 4, 3, 2)
    made = nibabel.Nifti1Image(volume, OBLIQUE)
    made.header.set_xyzt_units("mm", "sec")
    made.header["pixdim"][4] = 2.5
    nibabel.save(made, tmp_path / "a.nii")
    image = read_image(tmp_path / "a.nii")
    assert (image.shape, image.time_axis) == ((5, 4, 3, 2), 3)
    assert image.acquisition.facts["RepetitionTime"] == 2500.0
    np.testing.assert_array_equal(image.array[0], volume)


def test_scaled_integers(tmp_path: Path) -> None:
    made = nibabel.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), OBLIQUE)
    made.header.set_slope_inter(0.25, -3)
    nibabel.save(made, tmp_path / "a.nii.gz")
    expected = np.asarray(nibabel.load(tmp_path / "a.nii.gz").dataobj)
    assert expected[0, 0, 1] != 1
    image = read_image(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(image.array[0], expected, rtol=1e-6)


def test_conflicting_forms_are_said_and_the_s_form_holds(tmp_path: Path) -> None:
    made = nibabel.Nifti1Image(np.zeros((5, 5, 5), dtype=np.uint8), None)
    made.set_sform(OBLIQUE, code=4)
    made.set_qform(np.diag([1.0, 1, 1, 1]), code=1)
    nibabel.save(made, tmp_path / "a.nii")
    image = read_image(tmp_path / "a.nii")
    np.testing.assert_allclose(image.affine, OBLIQUE, rtol=1e-6)
    assert any("s-form and q-form differ" in w for w in image.warnings)


def test_missing_affine_is_a_stated_degraded_result(tmp_path: Path) -> None:
    made = nibabel.Nifti1Image(np.zeros((4, 5, 6), dtype=np.uint8), None)
    made.header.set_zooms((0.5, 0.6, 0.7))
    made.header["sform_code"] = made.header["qform_code"] = 0
    (tmp_path / "a.nii").write_bytes(made.to_bytes())
    image = read_image(tmp_path / "a.nii")
    assert (image.spacing_known, image.orientation_known) == (True, False)
    np.testing.assert_allclose(image.spacing, (0.5, 0.6, 0.7), rtol=1e-6)
    assert any("orientation is not known" in w for w in image.warnings)


def test_singular_affine_is_a_stated_degraded_result(tmp_path: Path) -> None:
    made = nibabel.Nifti1Image(np.zeros((4, 5, 6), dtype=np.uint8), np.diag([0.5, 0.6, 0.7, 1]))
    content = bytearray(made.to_bytes())
    content[312:328] = bytes(16)  # srow_z
    (tmp_path / "a.nii").write_bytes(bytes(content))
    image = read_image(tmp_path / "a.nii")
    assert not image.orientation_known
    assert any("singular" in w for w in image.warnings)


def test_rgb_voxels_become_channels(tmp_path: Path) -> None:
    kind = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    volume = np.zeros((3, 4, 2), dtype=kind)
    volume["G"] = 7
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / "a.nii")
    image = read_image(tmp_path / "a.nii")
    assert image.array.shape == (3, 3, 4, 2)
    assert image.array[1].min() == 7
    assert image.array[0].max() == 0


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha", "a.mhd"])
@pytest.mark.parametrize("packed", [False, True])
def test_itk_formats_agree_with_simpleitk(tmp_path: Path, name: str, packed: bool) -> None:
    rng = np.random.default_rng(0)
    stored = rng.integers(-999, 999, (5, 6, 7)).astype(np.int16)
    made = sitk.GetImageFromArray(stored)
    angle = np.radians(25)
    made.SetDirection([np.cos(angle), -np.sin(angle), 0, np.sin(angle), np.cos(angle), 0, 0, 0, 1])
    made.SetSpacing((0.5, 0.75, 3.0))
    made.SetOrigin((-10.5, 20.25, 7.0))
    sitk.WriteImage(made, str(tmp_path / name), packed)
    image = read_image(tmp_path / name)
    assert image.array.shape == (1, 7, 6, 5)
    for index in ((0, 0, 0), (6, 5, 4), (1, 2, 3)):
        lps = np.array(made.TransformIndexToPhysicalPoint(index))
        np.testing.assert_allclose((image.affine @ [*index, 1])[:3], lps * [-1, -1, 1], atol=1e-6)
        assert image.array[0][index] == made[index]


def test_the_same_volume_in_three_formats_has_one_world(tmp_path: Path) -> None:
    volume = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    # SimpleITK keeps orthonormal directions: a turned frame of unequal spacing.
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn * [1.0, 2.0, 3.0], [4, 5, 6]
    nibabel.save(nibabel.Nifti1Image(volume, affine), tmp_path / "a.nii")
    moved = sitk.ReadImage(str(tmp_path / "a.nii"))
    for name in ("a.nrrd", "a.mha"):
        sitk.WriteImage(moved, str(tmp_path / name))
        image = read_image(tmp_path / name)
        np.testing.assert_allclose(image.affine, affine, atol=1e-5)
        np.testing.assert_array_equal(image.array[0], volume)
