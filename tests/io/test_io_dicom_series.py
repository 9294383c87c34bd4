"""DICOM series: order, geometry, what is missing or doubled, what belongs together."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from dicom_factory import slice_of, write_series
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import EnhancedMRImageStorage, JPEGLSLossless, generate_uid

from groundglass.io import read_image, read_study

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def test_slices_are_sorted_by_place_and_rescaled(tmp_path: Path) -> None:
    stored = write_series(tmp_path, [(-10.0, -20.0, 3.0 * i) for i in range(7)])
    study = read_study([tmp_path])
    (image,) = study.images
    np.testing.assert_array_equal(image.array[0], np.stack(stored) - 1024)
    assert image.array.dtype == np.int16
    assert (image.units, image.modality, image.warnings) == ("[hnsf'U]", "CT", ())
    assert (study.patient_id, study.date) == ("P1", "2026-01-02")
    # (slice, row, column) to RAS: z up 3 mm, rows to posterior 0.5 mm, columns to the left 0.75 mm.
    expected = np.array([[0, 0, -0.75, 10], [0, -0.5, 0, 20], [3, 0, 0, 0], [0, 0, 0, 1]])
    np.testing.assert_array_equal(image.affine, expected)


def test_oblique_geometry_agrees_with_the_standard(tmp_path: Path) -> None:
    # PS3.3 equation C.7.6.2.1-1, one voxel at a time.
    angle = np.radians(20)
    row = np.array([np.cos(angle), np.sin(angle), 0])
    column = np.array([-np.sin(angle) * 0.6, np.cos(angle) * 0.6, -0.8])
    normal = np.cross(row, column)
    first = np.array([12.5, -40.25, 77.0])
    places = [tuple(first + 2.5 * i * normal) for i in range(5)]
    write_series(tmp_path, places, ImageOrientationPatient=[*row, *column])
    image = read_image(tmp_path)
    assert image.warnings == ()
    for index in ((0, 0, 0), (4, 5, 4), (2, 3, 1)):
        lps = first + 2.5 * index[0] * normal + column * 0.5 * index[1] + row * 0.75 * index[2]
        np.testing.assert_allclose((image.affine @ [*index, 1])[:3], lps * [-1, -1, 1], atol=1e-9)


def test_gantry_tilt_keeps_the_shear_and_is_said(tmp_path: Path) -> None:
    write_series(tmp_path, [(0.0, 0.5 * i, 2.0 * i) for i in range(6)])
    image = read_image(tmp_path)
    np.testing.assert_allclose(image.affine[:3, 0], [0, -0.5, 2.0])
    assert any("gantry tilt of 14.0 degrees" in w for w in image.warnings)


def test_missing_slices_are_counted_and_placed(tmp_path: Path) -> None:
    write_series(tmp_path, [(0.0, 0.0, 2.0 * i) for i in range(10) if i not in (4, 5)])
    (warning,) = read_image(tmp_path).warnings
    assert "2 missing slice(s), after slice 4" in warning


def test_uneven_spacing_is_said(tmp_path: Path) -> None:
    write_series(tmp_path, [(0.0, 0.0, z) for z in (0.0, 2.0, 4.0, 6.6, 8.0, 10.0)])
    (warning,) = read_image(tmp_path).warnings
    assert "uneven slice spacing (1.400 to 2.600 mm)" in warning


def test_rounded_positions_are_not_doubted(tmp_path: Path) -> None:
    write_series(tmp_path, [(0.0, 0.0, round(0.625 * i, 2)) for i in range(20)])
    assert read_image(tmp_path).warnings == ()


def test_copied_files_count_once(tmp_path: Path) -> None:
    write_series(tmp_path, [(0.0, 0.0, 2.0 * i) for i in range(4)])
    shutil.copy(tmp_path / "0001.dcm", tmp_path / "copy.dcm")
    image = read_image(tmp_path)
    assert image.shape == (4, 6, 5)
    assert image.warnings == ()


def test_duplicate_slices_with_new_uids_are_left_out_and_said(tmp_path: Path) -> None:
    write_series(tmp_path, [(0.0, 0.0, z) for z in (0.0, 2.0, 2.0, 4.0)])
    image = read_image(tmp_path)
    assert image.shape == (3, 6, 5)
    assert "1 duplicate slice(s) left out" in image.warnings


def test_mixed_series_are_taken_apart_and_localisers_come_last(tmp_path: Path) -> None:
    scout = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    sagittal = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]
    write_series(tmp_path / "a", [(0.0, 0.0, 2.0 * i) for i in range(4)], SeriesNumber=3)
    other = generate_uid()
    write_series(tmp_path / "b", [(0.0, 0.0, 5.0 * i) for i in range(3)], SeriesNumber=4, SeriesInstanceUID=other)
    write_series(tmp_path / "c", [(0.0, 0.0, 0.0)], SeriesNumber=1, ImageType=scout, ImageOrientationPatient=sagittal)
    together = tmp_path / "all"
    together.mkdir()
    for source in "abc":
        for file in (tmp_path / source).iterdir():
            shutil.move(file, together / f"{source}{file.name}")
    images = read_study([together]).images
    assert [image.shape[0] for image in images] == [4, 3, 1]
    assert "LOCALIZER" in images[-1].acquisition.facts["ImageType"]
    assert len({image.name for image in images}) == 3


@pytest.mark.parametrize(
    ("keyword", "values"),
    [("EchoTime", (4.6, 92.0)), ("DiffusionBValue", (0.0, 1000.0)), ("FlipAngle", (5.0, 26.0))],
)
def test_contrasts_in_one_series_become_images(tmp_path: Path, keyword: str, values: tuple[float, float]) -> None:
    for index, value in enumerate(values):
        write_series(tmp_path / str(index), [(0.0, 0.0, 2.0 * i) for i in range(4)], Modality="MR", **{keyword: value})
    images = read_study([tmp_path]).images
    assert [image.shape for image in images] == [(4, 6, 5), (4, 6, 5)]
    assert sorted(image.acquisition.facts[keyword] for image in images) == list(values)


def test_phases_become_one_image_in_time(tmp_path: Path) -> None:
    stored = {}
    for phase in (3, 1, 2):
        places = [(0.0, 0.0, 2.0 * i) for i in range(4)]
        stored[phase] = write_series(tmp_path / str(phase), places, TemporalPositionIdentifier=phase)
    image = read_image(tmp_path)
    assert image.shape == (3, 4, 6, 5)
    assert image.time_axis == 0
    np.testing.assert_array_equal(image.array[0], np.stack([stored[p] for p in (1, 2, 3)]) - 1024)
    assert image.spacing == (1.0, 2.0, 0.5, 0.75)


def test_mr_slices_keep_their_own_rescale(tmp_path: Path) -> None:
    pixels = np.full((6, 5), 100, dtype=np.int16)
    for i, slope in enumerate((0.5, 2.25, 3.0)):
        slice_of(pixels, (0.0, 0.0, float(i)), Modality="MR", RescaleSlope=slope, RescaleIntercept=i).save_as(
            tmp_path / f"{i}.dcm", enforce_file_format=True
        )
    image = read_image(tmp_path)
    assert image.units == ""
    np.testing.assert_allclose(image.array[0, :, 0, 0], [50.0, 226.0, 302.0])


@pytest.mark.parametrize(("stored", "value"), [(np.uint16(65000), 65000 - 1024), (np.uint16(0), -1024)])
def test_unsigned_16_bits_do_not_wrap(tmp_path: Path, stored: np.uint16, value: int) -> None:
    pixels = np.full((6, 5), stored)
    slice_of(pixels, (0.0, 0.0, 0.0)).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    assert (read_image(tmp_path).array == value).all()


def test_overlay_bits_above_the_stored_ones_are_dropped(tmp_path: Path) -> None:
    pixels = np.full((6, 5), 0xF123, dtype=np.uint16)
    made = slice_of(pixels, (0.0, 0.0, 0.0), BitsStored=12, HighBit=11)
    made.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    assert (read_image(tmp_path).array == 0x123 - 1024).all()


def test_enhanced_mr_is_ordered_by_its_functional_groups(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 900, (6, 6, 5)).astype(np.uint16)
    kind = {"Modality": "MR", "SOPClassUID": EnhancedMRImageStorage}
    made = slice_of(pixels, None, NumberOfFrames=6, PixelSpacing=None, **kind)
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [1.5, 1.25], 4.0
    plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = DicomSequence([measures]), DicomSequence([plane])
    made.SharedFunctionalGroupsSequence = DicomSequence([shared])
    order = [2, 0, 1]
    frames = []
    for index in range(6):
        item, place, echo, value = Dataset(), Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, 4.0 * order[index % 3]]
        echo.EffectiveEchoTime = 10.0 if index < 3 else 80.0
        value.RescaleSlope, value.RescaleIntercept = 2.0 + index, 1.0
        item.PlanePositionSequence, item.MREchoSequence = DicomSequence([place]), DicomSequence([echo])
        item.PixelValueTransformationSequence = DicomSequence([value])
        frames.append(item)
    made.PerFrameFunctionalGroupsSequence = DicomSequence(frames)
    del made.RescaleSlope, made.RescaleIntercept
    made.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    images = read_study([tmp_path / "a.dcm"]).images
    assert [image.acquisition.facts["EffectiveEchoTime"] for image in images] == [10.0, 80.0]
    for part, image in enumerate(images):
        assert image.spacing == (4.0, 1.5, 1.25)
        for z in range(3):
            index = part * 3 + order.index(z)
            np.testing.assert_allclose(image.array[0, z], pixels[index] * (2.0 + index) + 1)


@pytest.mark.parametrize("jpeg_ls", [False, True])
@pytest.mark.parametrize(("kind", "bits"), [(np.int16, 16), (np.uint16, 12)])
def test_values_equal_those_of_a_pydicom_loop(tmp_path: Path, jpeg_ls: bool, kind: type, bits: int) -> None:
    import pydicom

    rng = np.random.default_rng(1)
    for z in range(12):
        pixels = rng.integers(0, 4095, (64, 48)).astype(kind)
        made = slice_of(pixels, (0.0, 0.0, 1.5 * z), BitsStored=bits, HighBit=bits - 1)
        if jpeg_ls:
            made.compress(JPEGLSLossless, encoding_plugin="pyjpegls", generate_instance_uid=False)
        made.save_as(tmp_path / f"{(z * 7) % 12}.dcm", enforce_file_format=True)
    slices = sorted((pydicom.dcmread(f) for f in tmp_path.iterdir()), key=lambda s: s.ImagePositionPatient[2])
    loop = np.stack([s.pixel_array.astype(np.int16) + np.int16(s.RescaleIntercept) for s in slices])
    read = read_image(tmp_path).array
    assert read.dtype == np.int16
    np.testing.assert_array_equal(read[0], loop)


def test_real_series_agrees_with_simpleitk(data: Path) -> None:
    folder = data / "ct-organ-samples" / "dicom_series" / "dicom"
    image = read_image(folder)
    files = sorted(folder.iterdir(), key=lambda f: sitk.ReadImage(str(f)).GetOrigin()[2])
    theirs = sitk.ReadImage([str(f) for f in files])
    np.testing.assert_array_equal(image.array[0], sitk.GetArrayFromImage(theirs))
    for index in ((0, 0, 0), (19, 511, 3), (7, 100, 200)):
        lps = np.array(theirs.TransformIndexToPhysicalPoint(index[::-1]))
        np.testing.assert_allclose((image.affine @ [*index, 1])[:3], lps * [-1, -1, 1], atol=1e-4)


def test_real_series_agrees_with_dcm2niix(data: Path, tmp_path: Path) -> None:
    program = shutil.which("dcm2niix")
    if program is None:
        pytest.skip("dcm2niix is not installed")
    folder = data / "ct-organ-samples" / "dicom_series" / "dicom"
    subprocess.run([program, "-z", "n", "-f", "out", "-o", str(tmp_path), str(folder)], check=True, capture_output=True)
    theirs = nibabel.load(next(tmp_path.glob("*.nii")))
    image = read_image(folder)
    # Same world, other axis order: (i, j, k) = (column, flipped row, slice).
    voxels = np.linalg.inv(theirs.affine) @ image.affine
    assert np.abs(voxels - np.rint(voxels)).max() < 1e-3
    values = np.asarray(theirs.dataobj)
    for index in ((0, 0, 0), (19, 511, 3), (7, 100, 200), (12, 255, 300)):
        i, j, k = np.rint(voxels @ [*index, 1]).astype(int)[:3]
        assert values[i, j, k] == image.array[0][index]
