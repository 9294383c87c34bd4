"""Synthetic DICOM images with exact geometry, and the image object that reading them must give."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
)

from groundglass.core import Image
from groundglass.io.dicom_header import quiet

STUDY, FRAME = "2.25.1234567", "2.25.7654321"


def dciodvfy_errors(path: Path) -> list[str]:
    """The error lines of dicom3tools' validator; skips the test where it is not installed."""
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy (Debian: dicom3tools) is not installed")
    done = subprocess.run([program, str(path)], capture_output=True, check=False)
    lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
    assert lines, "dciodvfy said nothing, not even the object's name"
    return [line for line in lines if line.startswith(("Error", "(0x")) and "Error" in line]


def _base(sop_class: str, modality: str, number: int, shape: tuple[int, int]) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = sop_class
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = f"2.25.900{number}"
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.Modality = modality
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Müller^Änne", "P1", "19700101", "F"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = STUDY, f"{STUDY}.{sum(map(ord, modality))}"
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20240102", "101112", "1", "A1"
    ds.ReferringPhysicianName, ds.SeriesNumber, ds.InstanceNumber = "", 3, number
    ds.Manufacturer, ds.StudyDescription = "simulated", "Thorax"
    ds.Rows, ds.Columns = shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    return ds


def _affine(position: Any, orientation: Any, spacing: Any, step: Any) -> np.ndarray:
    """(slice, row, column) indices to RAS mm; DICOM's row direction runs along columns (PS3.3 C.7.6.2.1.1)."""
    along_columns, along_rows = np.array(orientation[:3]), np.array(orientation[3:])
    lps = np.eye(4)
    lps[:3, 0], lps[:3, 1], lps[:3, 2] = step, along_rows * spacing[0], along_columns * spacing[1]
    lps[:3, 3] = position
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps


def series(
    folder: Path, *, modality: str = "CT", shape: tuple[int, int, int] = (6, 33, 21), tilt: float = 0.0
) -> Image:
    """An oblique series; `tilt` mm of shift along the rows per slice makes it a tilted gantry's."""
    folder.mkdir(parents=True, exist_ok=True)
    angle = np.deg2rad(17)
    orientation = [np.cos(angle), np.sin(angle), 0.0, -np.sin(angle), np.cos(angle), 0.0]
    orientation = [round(v, 9) for v in orientation]
    spacing = [0.7, 0.9]
    step = np.array([0.0, 0.0, 2.5]) + tilt * np.array(orientation[3:])
    start = np.array([-50.25, 60.5, -300.0])
    pixels = np.random.default_rng(3).integers(-1000, 1000, shape).astype(np.int16)
    paths = []
    for n in range(shape[0]):
        ds = _base(MRImageStorage if modality == "MR" else CTImageStorage, modality, n + 1, shape[1:])
        ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = FRAME, ""
        ds.ImagePositionPatient = [round(float(v), 6) for v in start + n * step]
        ds.ImageOrientationPatient = orientation
        ds.PixelSpacing, ds.SliceThickness = spacing, 2.5
        ds.RescaleSlope, ds.RescaleIntercept = 1, 0
        ds.PixelData = pixels[n].tobytes()
        # Files are numbered against their position: order must come from the geometry.
        paths.append(folder / f"{shape[0] - n:04}.dcm")
        ds.save_as(paths[-1], enforce_file_format=True)
    affine = _affine(start, orientation, spacing, step)
    return Image(modality, shape, affine, lambda: pixels[None], modality=modality, source=tuple(map(str, paths)))


def radiograph(folder: Path, *, modality: str = "DX", shape: tuple[int, int] = (45, 37)) -> Image:
    """A projection image without frame of reference."""
    folder.mkdir(parents=True, exist_ok=True)
    sop_class = DigitalXRayImageStorageForPresentation if modality == "DX" else ComputedRadiographyImageStorage
    ds = _base(sop_class, modality, 1, shape)
    ds.PixelRepresentation, ds.BitsStored, ds.HighBit = 0, 12, 11
    ds.PixelSpacing = ds.ImagerPixelSpacing = [0.2, 0.2]
    ds.ImageType, ds.PatientOrientation = ["ORIGINAL", "PRIMARY"], ["L", "F"]
    ds.BodyPartExamined, ds.ViewPosition = "CHEST", "PA"
    pixels = np.random.default_rng(4).integers(0, 4096, shape).astype(np.uint16)
    ds.PixelData = pixels.tobytes()
    path = folder / f"{modality}.dcm"
    ds.save_as(path, enforce_file_format=True)
    affine = _affine([0, 0, 0], [1, 0, 0, 0, 0, -1], [0.2, 0.2], [0, 1, 0])[:, [1, 2, 0, 3]]
    return Image(
        modality, shape, affine, lambda: pixels[None], modality=modality, source=(str(path),), orientation_known=False
    )


def enhanced(folder: Path, *, shape: tuple[int, int, int] = (5, 32, 24)) -> Image:
    """An enhanced MR whose frames are stored out of order."""
    folder.mkdir(parents=True, exist_ok=True)
    ds = _base(EnhancedMRImageStorage, "MR", 1, shape[1:])
    ds.FrameOfReferenceUID, ds.NumberOfFrames = FRAME, shape[0]
    ds.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    order = np.random.default_rng(5).permutation(shape[0])
    step, start, orientation, spacing = (
        np.array([0.0, 3.0, 0.0]),
        np.array([10.0, 20.0, 30.0]),
        [1, 0, 0, 0, 0, -1],
        [1.1, 1.2],
    )
    shared, place = Dataset(), Dataset()
    place.ImageOrientationPatient = orientation
    measures = Dataset()
    measures.PixelSpacing, measures.SliceThickness = spacing, 3.0
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [place], [measures]
    ds.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for z in order:
        group, position, content = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [float(v) for v in start + z * step]
        content.DimensionIndexValues = [int(z) + 1]
        group.PlanePositionSequence, group.FrameContentSequence = [position], [content]
        groups.append(group)
    ds.PerFrameFunctionalGroupsSequence = groups
    pixels = np.random.default_rng(6).integers(0, 900, shape).astype(np.int16)
    ds.PixelData = pixels[order].tobytes()
    path = folder / "enhanced.dcm"
    ds.save_as(path, enforce_file_format=True)
    return Image(
        "enhanced",
        shape,
        _affine(start, orientation, spacing, step),
        lambda: pixels[None],
        modality="MR",
        source=(str(path),),
    )


def image_of_files(paths: list[Path], name: str) -> Image:
    """An image of a real series, sorted by position along the normal with plain pydicom."""
    with quiet():
        read = [(p, pydicom.dcmread(p, force=True)) for p in paths]
    if "ImageOrientationPatient" not in read[0][1]:
        ds = read[0][1]
        pixels = ds.pixel_array
        return Image(name, pixels.shape, np.eye(4), lambda: pixels[None], modality=ds.Modality, source=(str(paths[0]),))
    orientation = np.array(read[0][1].ImageOrientationPatient, dtype=float)
    normal = np.cross(orientation[:3], orientation[3:])
    read.sort(key=lambda item: float(normal @ np.array(item[1].ImagePositionPatient, dtype=float)))
    places = np.array([ds.ImagePositionPatient for _, ds in read], dtype=float)
    step = (places[-1] - places[0]) / (len(places) - 1) if len(places) > 1 else normal * 5.0
    pixels = np.stack([ds.pixel_array for _, ds in read])
    affine = _affine(places[0], orientation, np.array(read[0][1].PixelSpacing, dtype=float), step)
    return Image(
        name,
        pixels.shape,
        affine,
        lambda: pixels[None],
        modality=read[0][1].Modality,
        source=tuple(str(p) for p, _ in read),
    )
