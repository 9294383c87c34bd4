"""Masks as NIfTI: the input's grid and affine, bit for bit."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from dicom_cases import radiograph, series

from groundglass.core import Finding, GeometryError, Image, InputError, Location, Mask, ontology
from groundglass.io.masks import read_mask
from groundglass.io.nifti_write import write_labels, write_nifti

OBLIQUE = np.array(
    [[-0.7320508, 0.3, 0.1, 91.123456], [0.2, 0.8, -0.4, -126.7], [0.05, 0.33, 2.5, -71.9], [0, 0, 0, 1]], dtype=float
)
LEFT_HANDED = np.array([[-1.5, 0, 0, 90], [0, -1.5, 0, 126], [0, 0, 3.0, -72], [0, 0, 0, 1]], dtype=float)
RIGHT_HANDED = np.array([[-1.5, 0, 0, 90], [0, 1.5, 0, -126], [0, 0, 3.0, -72], [0, 0, 0, 1]], dtype=float)
SLICE_FIRST = np.array([[0, 0, -0.7, 170.0], [0, -0.7, 0, 165.0], [2.5, 0, 0, -300.0], [0, 0, 0, 1]])


def random_mask(shape: tuple[int, ...], affine: np.ndarray, seed: int = 0) -> Mask:
    return Mask.of(np.random.default_rng(seed).random(shape) > 0.7, affine)


@pytest.mark.parametrize(
    "affine", [OBLIQUE, LEFT_HANDED, RIGHT_HANDED, SLICE_FIRST], ids=["oblique", "left", "right", "slice-first"]
)
@pytest.mark.parametrize("shape", [(7, 9, 11), (5, 6, 1), (300, 2, 3), (1, 1, 1)])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_round_trip_is_exact(tmp_path: Path, affine: np.ndarray, shape: tuple[int, ...], ending: str) -> None:
    affine = affine.astype(np.float32).astype(float)
    image = Image.of(np.zeros(shape, np.float32), affine)
    mask = random_mask(shape, affine)
    back = nibabel.load(write_nifti(mask, image, tmp_path / f"m{ending}"))
    assert back.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(back.dataobj), mask.array)
    assert back.affine.tobytes() == affine.tobytes()


def test_float64_affine_is_rounded_to_float32(tmp_path: Path) -> None:
    image = Image.of(np.zeros((4, 5, 6)), OBLIQUE)
    back = nibabel.load(write_nifti(random_mask((4, 5, 6), OBLIQUE), image, tmp_path / "m.nii.gz"))
    assert back.affine.tobytes() == OBLIQUE.astype(np.float32).astype(float).tobytes()
    assert not np.array_equal(back.affine, OBLIQUE)


def test_shear_has_no_qform_and_rotation_has_the_same_place_in_itk(tmp_path: Path) -> None:
    """ITK reads the qform; it must never contradict the sform."""
    shape = (6, 7, 8)
    sheared = nibabel.load(
        write_nifti(random_mask(shape, OBLIQUE), Image.of(np.zeros(shape), OBLIQUE), tmp_path / "s.nii")
    )
    assert (int(sheared.header["qform_code"]), int(sheared.header["sform_code"])) == (0, 1)
    for affine in (LEFT_HANDED, RIGHT_HANDED, SLICE_FIRST):
        write_nifti(random_mask(shape, affine), Image.of(np.zeros(shape), affine), tmp_path / "r.nii")
        read = SimpleITK.ReadImage(str(tmp_path / "r.nii"))
        index = (5, 2, 7)
        lps = np.array(read.TransformIndexToPhysicalPoint(index))
        np.testing.assert_allclose(lps * [-1, -1, 1], (affine @ [*index, 1])[:3], atol=1e-4)


@pytest.mark.parametrize(("qcode", "scode"), [(1, 0), (0, 4), (1, 2), (0, 0)])
def test_forms_of_a_nifti_source_are_kept(tmp_path: Path, qcode: int, scode: int) -> None:
    header = nibabel.Nifti1Header()
    header.set_data_shape((5, 6, 7, 2))
    rotation, _ = np.linalg.qr(np.array([[0.9, 0.3, -0.1], [0.2, 0.8, 0.5], [-0.3, 0.4, 0.9]]))
    rigid = np.eye(4)
    rigid[:3, :3] = rotation * [1.1, 1.2, 3.3]
    rigid[:3, 3] = 12.34, -56.78, 90.12
    header.set_qform(rigid, code=qcode)
    header.set_sform(OBLIQUE, code=scode)
    source = tmp_path / "source.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((5, 6, 7, 2), np.int16), None, header), source)
    affine = nibabel.load(source).affine
    image = Image("source", (5, 6, 7, 2), affine, lambda: np.zeros((1, 5, 6, 7, 2)), time_axis=3, source=(str(source),))
    back = nibabel.load(write_nifti(random_mask((5, 6, 7), affine), image, tmp_path / "m.nii.gz"))
    assert back.affine.tobytes() == affine.tobytes()
    assert (int(back.header["qform_code"]), int(back.header["sform_code"])) == (qcode, scode)
    assert back.shape == (5, 6, 7)
    moving = nibabel.load(write_nifti(random_mask((5, 6, 7, 2), affine), image, tmp_path / "all.nii.gz"))
    assert moving.shape == (5, 6, 7, 2)
    assert moving.affine.tobytes() == affine.tobytes()


def test_real_nifti_files_keep_their_affine(tmp_path: Path, data: Path) -> None:
    hippocampi = sorted((data / "hippocampus-msd").rglob("*.nii.gz"))[:5]
    files = [*hippocampi, *(data / "brain-mri-samples").rglob("*.nii.gz")]
    assert len(files) > 5
    for file in files:
        source = nibabel.load(file)
        time_axis = 3 if source.ndim == 4 else None
        image = Image("x", source.shape, source.affine, lambda: np.empty(0), time_axis=time_axis, source=(str(file),))
        back = nibabel.load(write_nifti(random_mask(source.shape[:3], source.affine), image, tmp_path / "m.nii.gz"))
        assert back.affine.tobytes() == source.affine.tobytes(), file
        assert back.header.get_qform().tobytes() == source.header.get_qform().tobytes(), file


def test_flat_images_and_video(tmp_path: Path) -> None:
    flat = Image.of(np.zeros((33, 21)))
    mask = random_mask((33, 21), flat.affine)
    back = nibabel.load(write_nifti(mask, flat, tmp_path / "flat.nii.gz"))
    np.testing.assert_array_equal(np.asarray(back.dataobj)[..., 0], mask.array)
    assert back.affine.tobytes() == np.eye(4).tobytes()
    assert back.header.get_xyzt_units()[0] == "unknown"
    video = Image("v", (4, 33, 21), np.eye(4), lambda: np.zeros((3, 4, 33, 21)), channels=3, time_axis=0)
    assert nibabel.load(write_nifti(mask, video, tmp_path / "frame.nii")).shape == (33, 21, 1)
    moving = random_mask((4, 33, 21), np.eye(4))
    back = nibabel.load(write_nifti(moving, video, tmp_path / "video.nii"))
    np.testing.assert_array_equal(np.asarray(back.dataobj)[:, :, 0, :], np.moveaxis(moving.array, 0, -1))


def test_written_masks_are_read_back_onto_their_image(tmp_path: Path) -> None:
    """Also where the float64 affine of a DICOM image was rounded, and where an image is flat or has no place."""
    images = [
        series(tmp_path / "ct", tilt=0.6),
        radiograph(tmp_path / "dx"),
        Image.of(np.zeros((33, 21))),
        Image.of(np.zeros((5, 6, 7)), OBLIQUE),
        Image.of(np.zeros((5, 6)), SLICE_FIRST[:, [1, 2, 0, 3]]),
    ]
    for image in images:
        mask = random_mask(image.shape, image.affine)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*states its place.*")
            assert read_mask(write_nifti(mask, image, tmp_path / "m.nii.gz"), like=image) == mask


def test_label_dtypes_and_more_than_int16_voxels_per_axis(tmp_path: Path) -> None:
    image = Image.of(np.zeros((40000, 1, 2)), RIGHT_HANDED)
    labels = np.zeros((40000, 1, 2), dtype=np.int64)
    labels[39999, 0, 1] = 300
    back = nibabel.load(write_nifti(labels, image, tmp_path / "l.nii.gz"))
    assert isinstance(back, nibabel.Nifti2Image)
    assert back.get_data_dtype() == np.int16
    np.testing.assert_array_equal(np.asarray(back.dataobj), labels)
    assert back.affine.tobytes() == RIGHT_HANDED.tobytes()


def test_refusals_are_typed_and_leave_nothing(tmp_path: Path) -> None:
    image = Image.of(np.zeros((3, 4, 5)), RIGHT_HANDED)
    with pytest.raises(GeometryError, match="the image grid"):
        write_nifti(np.zeros((4, 3, 5)), image, tmp_path / "m.nii")
    with pytest.raises(GeometryError, match="another affine"):
        write_nifti(random_mask((3, 4, 5), LEFT_HANDED), image, tmp_path / "m.nii")
    with pytest.raises(InputError, match="not a NIfTI name"):
        write_nifti(np.zeros((3, 4, 5)), image, tmp_path / "m.img")
    with pytest.raises(InputError, match="which no label map needs"):
        write_nifti(np.full((3, 4, 5), 2**40), image, tmp_path / "m.nii")
    assert list(tmp_path.iterdir()) == []


def test_label_map_with_names(tmp_path: Path) -> None:
    image = Image.of(np.zeros((10, 11, 12)), SLICE_FIRST)
    small, large = np.zeros((10, 11, 12), bool), np.zeros((10, 11, 12), bool)
    small[4:6, 4:6, 4:6] = True
    large[2:8, 2:8, 2:8] = True
    term = ontology()["finding"]
    findings = [
        Finding("f1", term, where=Location(mask=Mask.of(small, image.affine), side="left")),
        Finding("f2", term),
        Finding("f3", term, where=Location(mask=Mask.of(large, image.affine))),
    ]
    path = write_labels(findings, image, tmp_path / "labels.nii.gz")
    labels = np.asarray(nibabel.load(path).dataobj)
    np.testing.assert_array_equal(labels == 1, small)
    np.testing.assert_array_equal(labels == 2, large & ~small)
    rows = json.loads((tmp_path / "labels.json").read_text())["labels"]
    assert [(r["value"], r["finding"], r["voxels"], r["visible_voxels"]) for r in rows] == [
        (1, "f1", 8, 8),
        (2, "f3", 216, 208),
    ]
    assert rows[0]["code"] == term.code
    assert rows[0]["colour"] != rows[1]["colour"]
    with pytest.raises(InputError, match="no finding has a mask"):
        write_labels(findings[1:2], image, tmp_path / "none.nii")
