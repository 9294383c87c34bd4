"""Geometry across rooms: file -> image -> mask -> file, judged by nibabel, SimpleITK and pydicom, not by ourselves.

A mark at a known place in the patient must be at that place in every file that is written from it.
"""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from groundglass.core import Finding, Location, Mask, from_dict, ontology, to_dict
from groundglass.io import read_image, read_mask, read_study, write_nifti

LPS = np.array([-1.0, -1.0, 1.0])
# Two rotations that no axis survives, orthonormal to the last bit that float64 has.
OBLIQUE = np.linalg.qr(np.array([[0.9, -0.3, 0.2], [0.25, 0.92, -0.15], [-0.1, 0.2, 0.97]]))[0]
TILTED = np.linalg.qr(np.array([[0.1, 0.95, 0.2], [-0.2, 0.1, 0.97], [0.98, 0.1, 0.15]]))[0]


def _affine(
    axes: NDArray[np.float64], spacing: tuple[float, float, float], *, left_handed: bool
) -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, :3] = axes * np.array(spacing)
    if (np.linalg.det(affine[:3, :3]) < 0) != left_handed:
        affine[:3, 0] *= -1
    affine[:3, 3] = -87.3, 41.25, -12.5
    return affine


AFFINES = {
    "plain": _affine(np.eye(3), (0.5, 0.75, 3.0), left_handed=False),
    "left-handed": _affine(np.eye(3), (0.9, 1.1, 1.3), left_handed=True),
    "oblique": _affine(OBLIQUE, (0.9, 1.1, 5.5), left_handed=False),
    "oblique, left-handed": _affine(TILTED, (1.0, 0.4, 2.2), left_handed=True),
}
SHAPES = ((11, 7, 5), (300, 5, 3), (5, 3, 261), (13, 9, 1), (1, 7, 5))


def _mark(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A lopsided mark whose centre is no voxel and lies off the middle."""
    inside = np.zeros(shape, dtype=bool)
    inside[tuple(slice(n // 2, n // 2 + max(1, n // 3)) for n in shape)] = True
    inside[tuple(n - 1 for n in shape)] = True
    return inside


def _centre(inside: NDArray[np.bool_], affine: NDArray[np.float64]) -> NDArray[np.float64]:
    return (affine @ np.append(np.argwhere(inside).mean(axis=0), 1.0))[:3]


def _centre_by_nibabel(path: Path) -> NDArray[np.float64]:
    image = nibabel.load(path)
    return _centre(np.asarray(image.dataobj) > 0, np.asarray(image.affine))


def _centre_by_simpleitk(path: Path) -> NDArray[np.float64]:
    image = sitk.ReadImage(str(path))
    cells = np.argwhere(sitk.GetArrayFromImage(image) > 0)[:, ::-1].mean(axis=0)
    return np.array(image.TransformContinuousIndexToPhysicalPoint(cells.tolist())) * LPS


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", AFFINES)
def test_nifti_mask_has_the_affine_bit_for_bit(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    volume = np.random.default_rng(7).normal(100, 30, shape).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(volume, AFFINES[name]), tmp_path / "scan.nii.gz")
    stored = nibabel.load(tmp_path / "scan.nii.gz").affine
    image = read_image(tmp_path / "scan.nii.gz")
    inside = _mark(image.shape)
    written = write_nifti(Mask.of(inside, image.affine), image, tmp_path / "mask.nii.gz")
    assert nibabel.load(written).affine.tobytes() == stored.tobytes()
    np.testing.assert_array_equal(np.asarray(nibabel.load(written).dataobj) > 0, inside)
    assert _centre_by_simpleitk(written) == pytest.approx(_centre(inside, stored), abs=2e-3)
    np.testing.assert_array_equal(read_mask(written, like=image).array, inside)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize("name", AFFINES)
def test_nrrd_and_mha_keep_the_place_of_a_mark(tmp_path: Path, name: str, suffix: str) -> None:
    shape, affine = (11, 7, 5), AFFINES[name]
    inside = _mark(shape)
    source = sitk.GetImageFromArray(np.ascontiguousarray(inside.T.astype(np.int16)))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    source.SetSpacing(spacing.tolist())
    source.SetDirection((np.diag(LPS) @ affine[:3, :3] / spacing).ravel().tolist())
    source.SetOrigin((LPS * affine[:3, 3]).tolist())
    sitk.WriteImage(source, str(tmp_path / f"scan{suffix}"))
    image = read_image(tmp_path / f"scan{suffix}")
    assert _centre(image.array[0] > 0, image.affine) == pytest.approx(_centre(inside, affine), abs=1e-6)
    written = write_nifti(Mask.of(image.array[0] > 0, image.affine), image, tmp_path / "mask.nii.gz")
    assert _centre_by_nibabel(written) == pytest.approx(_centre(inside, affine), abs=2e-3)
    assert _centre_by_simpleitk(written) == pytest.approx(_centre(inside, affine), abs=2e-3)


def test_a_moving_image_takes_a_mask_of_one_frame(tmp_path: Path) -> None:
    volume = np.random.default_rng(2).integers(0, 99, (9, 8, 7, 4)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(volume, AFFINES["oblique"]), tmp_path / "scan.nii")
    stored = nibabel.load(tmp_path / "scan.nii").affine
    image = read_image(tmp_path / "scan.nii")
    assert image.time_axis is not None
    assert sorted(image.shape) == sorted(volume.shape)
    inside = _mark((9, 8, 7))
    written = write_nifti(Mask.of(inside, image.affine), image, tmp_path / "mask.nii")
    assert nibabel.load(written).affine.tobytes() == stored.tobytes()
    assert nibabel.load(written).shape == (9, 8, 7)
    np.testing.assert_array_equal(np.asarray(nibabel.load(written).dataobj) > 0, inside)


@pytest.mark.parametrize("name", AFFINES)
def test_a_mask_in_a_report_keeps_its_place(name: str) -> None:
    mask = Mask.of(_mark((11, 7, 5)), AFFINES[name])
    finding = Finding("f1", ontology()["lesion"], where=Location(mask=mask, image="scan"))
    again = from_dict(to_dict(finding)).where.mask
    assert again == mask
    assert again.affine.tobytes() == mask.affine.tobytes()


def _write_series(
    folder: Path, volume: NDArray[np.int16], row: NDArray[np.float64], column: NDArray[np.float64]
) -> None:
    """(slice, row, column) as one MR file per slice, in shuffled file order. `row`, `column`: LPS unit vectors."""
    folder.mkdir()
    normal, series, study = np.cross(row, column), generate_uid(), generate_uid()
    names = np.random.default_rng(1).permutation(len(volume))
    for index, pixels in enumerate(volume):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MRImageStorage, generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        made.SOPClassUID, made.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
        made.SeriesInstanceUID, made.StudyInstanceUID, made.Modality, made.PatientID = series, study, "MR", "P1"
        made.ImageOrientationPatient = [round(float(v), 10) for v in (*row, *column)]
        made.ImagePositionPatient = [round(float(v), 8) for v in np.array([12.5, -33.0, 71.25]) + 3.3 * index * normal]
        made.PixelSpacing, made.SliceThickness, made.InstanceNumber = [0.8, 0.6], 3.3, int(names[index]) + 1
        made.Rows, made.Columns = pixels.shape
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
        made.BitsAllocated = made.BitsStored = 16
        made.HighBit, made.PixelRepresentation = 15, 1
        made.PixelData = pixels.tobytes()
        made.save_as(folder / f"{names[index]:03d}.dcm", enforce_file_format=True)


@pytest.mark.parametrize("axes", [np.eye(3), OBLIQUE, TILTED], ids=["axial", "oblique", "tilted"])
@pytest.mark.parametrize("shape", [(9, 17, 13), (3, 5, 270)], ids=str)
def test_dicom_series_to_nifti_mask_to_simpleitk(
    tmp_path: Path, axes: NDArray[np.float64], shape: tuple[int, int, int]
) -> None:
    inside = _mark(shape)
    row, column = axes[:, 0], axes[:, 1]
    _write_series(tmp_path / "series", (inside * 1000).astype(np.int16), row, column)
    cell = np.argwhere(inside).mean(axis=0)
    # DICOM PS3.3 C.7.6.2.1.1: position + column index * row cosines * column spacing + row index * ..., in LPS.
    place = np.array([12.5, -33.0, 71.25]) + 3.3 * cell[0] * np.cross(row, column)
    place = LPS * (place + 0.6 * cell[2] * row + 0.8 * cell[1] * column)

    image = read_study([tmp_path / "series"]).images[0]
    assert _centre(image.array[0] > 500, image.affine) == pytest.approx(place, abs=1e-4)
    written = write_nifti(Mask.of(image.array[0] > 500, image.affine), image, tmp_path / "mask.nii.gz")
    assert _centre_by_nibabel(written) == pytest.approx(place, abs=2e-3)
    assert _centre_by_simpleitk(written) == pytest.approx(place, abs=2e-3)
    # And SimpleITK's own reading of the series agrees with both.
    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path / "series"))
    peer = sitk.ReadImage(files)
    cells = np.argwhere(sitk.GetArrayFromImage(peer) > 500)[:, ::-1].mean(axis=0)
    assert np.array(peer.TransformContinuousIndexToPhysicalPoint(cells.tolist())) * LPS == pytest.approx(
        place, abs=1e-3
    )
